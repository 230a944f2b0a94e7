"""What are people told while Temporal is away, and what is left of it afterwards?"""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta

import pytest
from temporalio.service import RPCError

from deploy.laptop.slack_server import USERS
from tests.faults.people.phases import STOPS_SLOWLY
from tests.rigs.installation import Installation
from tests.rigs.local_slack import find_button
from tests.rigs.slack_users import SlackUsers
from tests.rigs.terminal import Terminal
from tests.rigs.waiting import eventually
from workflows.model.names import ActionId, request_workflow_id
from workflows.model.state import RequestStatus

ALICE, BOB = USERS["alice"], USERS["bob"]


async def test_a_command_while_temporal_is_away(
    users: SlackUsers, installation: Installation
) -> None:
    """The person is told within three seconds, nothing is half open, and later it works."""
    users.engine.run(name="unheard-1")
    await installation.kill("temporal")
    began = time.monotonic()
    await installation.channel.ask("alice", "stop unheard-1")
    await users.refusal(
        ALICE, "`stop unheard-1`: not started, for Temporal does not answer. Nothing was"
    )
    assert time.monotonic() - began < 3
    await installation.start("temporal")
    with pytest.raises(RPCError, match="not found"):
        await installation.client.get_workflow_handle(
            request_workflow_id(installation.host, "unheard-1")
        ).describe()
    (request,) = await users.ask("unheard-1")
    await users.approve(request)
    await users.check_snapshotted(request, await request.outcome())


async def test_a_click_while_temporal_is_away(
    users: SlackUsers, installation: Installation
) -> None:
    """The click is said not to be recorded, the buttons stay, and the next click counts."""
    request = await users.run_and_ask("unclicked", "stop {} snapshot")
    await installation.kill("temporal")
    began = time.monotonic()
    await users.approve(request)
    notice = await users.refusal(BOB, "Not recorded, for Temporal does not answer")
    assert time.monotonic() - began < 3
    assert "Try again" in str(notice)
    card = await users.card(request)
    assert find_button(dict(card), ActionId.APPROVE)
    await installation.start("temporal")
    assert (await request.state()).decisions == ()
    await users.approve(request)
    await users.check_snapshotted(request, await request.outcome())


async def test_a_click_after_the_expiry(users: SlackUsers, installation: Installation) -> None:
    """Expired is expired: who clicks later is told so, and nothing happens."""
    request = await users.run_and_ask("brief")
    state = await request.outcome(seconds=30)
    await installation.channel.press("bob", request.card, ActionId.APPROVE)
    await users.refusal(BOB, "is over: ⌛ Expired", request.request_id)
    await users.check(request, state, RequestStatus.EXPIRED)
    assert users.engine.state(request.container) == "running"


async def test_clicks_at_the_moment_of_the_expiry(
    users: SlackUsers, installation: Installation
) -> None:
    """However close a click comes to the expiry, it counts or it is told that it was too late."""
    terminal = Terminal(installation.temporal_address)
    request = await users.run_and_ask("brief")
    state = await request.state()
    assert state.expires_at is not None
    moment = state.expires_at - timedelta(milliseconds=1)
    await eventually(lambda: datetime.now(UTC) > moment - timedelta(milliseconds=50))
    while datetime.now(UTC) < moment:
        pass
    await installation.channel.press("bob", request.card, ActionId.APPROVE)
    outcome = await request.outcome()
    approved = bool(outcome.decisions)
    assert outcome.status is (RequestStatus.SUCCEEDED if approved else RequestStatus.EXPIRED)
    await users.check(request, outcome, outcome.status)
    assert users.engine.state(request.container) == ("exited" if approved else "running")
    if not approved:
        await users.refusal(BOB, request.request_id)
    with pytest.raises(RuntimeError, match=r"already completed|not found"):
        await terminal.signal(request.handle.id, {})


async def test_a_bot_whose_clock_is_ten_minutes_fast(
    users: SlackUsers, installation: Installation
) -> None:
    """Only Temporal's clock counts: a click in time counts, and one after the expiry does not."""
    await installation.stop("bot")
    try:
        await installation.add_bot("fast", "faketime", "--exclude-monotonic", "-f", "+10m")
        in_time = await users.run_and_ask("brief")
        await users.approve(in_time)
        state = await in_time.outcome()
        await users.check(in_time, state, RequestStatus.SUCCEEDED)
        assert abs(state.decisions[0].decided_at - datetime.now(UTC)) < timedelta(minutes=1)
        lines = re.findall(r"^(\d{4}-\d\d-\d\dT\S+) ", installation.log("fast"), re.MULTILINE)
        written = datetime.fromisoformat(lines[-1])
        assert written - datetime.now(UTC) > timedelta(minutes=9)
        late = await users.run_and_ask("brief")
        state = await late.outcome()
        await users.approve(late)
        await users.refusal(BOB, "is over: ⌛ Expired", late.request_id)
        await users.check(late, state, RequestStatus.EXPIRED)
    finally:
        await installation.stop("fast")
        await installation.start("bot")


async def test_a_slow_clock_saves_no_late_decision(
    users: SlackUsers, installation: Installation
) -> None:
    """A word that it was sent in time, made up after the expiry, opens nothing again."""
    request = await users.run_and_ask("brief")
    await request.outcome(seconds=30)
    decision = {
        "decision_id": "late",
        "request_id": request.request_id,
        "approver_id": BOB,
        "team_id": "T0LAPTOP1",
        "choice": "approve",
        "sent_at": (datetime.now(UTC) - timedelta(minutes=10)).isoformat(),
    }
    with pytest.raises(RuntimeError, match=r"already completed|not found"):
        await Terminal(installation.temporal_address).signal(request.handle.id, decision)
    assert users.engine.state(request.container) == "running"


async def test_a_worker_is_replaced_during_the_wait(
    users: SlackUsers, installation: Installation
) -> None:
    """What was clicked while no worker ran is judged by the next one."""
    request = await users.run_and_ask("swapped", "stop {} snapshot")
    await installation.stop("worker")
    await users.approve(request)
    await installation.start("worker")
    state = await request.outcome()
    assert [decision.approver_id for decision in state.approvals] == [BOB]
    await users.check_snapshotted(request, state)


async def test_a_click_in_time_counts_although_no_worker_ran(
    users: SlackUsers, installation: Installation
) -> None:
    """A request whose time runs out while no worker runs still hears who clicked before."""
    request = await users.run_and_ask("brief")
    expires_at = (await request.state()).expires_at
    assert expires_at is not None
    await installation.kill("worker")
    await users.approve(request)
    while datetime.now(UTC) < expires_at:
        time.sleep(0.01)  # noqa: ASYNC251
    await installation.start("worker")
    state = await request.outcome()
    (counted,) = state.approvals
    assert counted.approver_id == BOB
    assert counted.decided_at > expires_at, "it was judged when the time had run out"
    await users.check(request, state, RequestStatus.SUCCEEDED)
    assert users.engine.state(request.container) == "exited"


@pytest.mark.parametrize("removed", ["before", "after"])
async def test_somebody_is_taken_out_of_the_group(
    users: SlackUsers, installation: Installation, removed: str
) -> None:
    """The group counts as it is at the click: not before, and what was approved then stays so."""
    installation.slack_proxy.user_facts.groups = {"S0WARDENS": [BOB, USERS["carol"]]}
    request = await users.run_and_ask("group", script=STOPS_SLOWLY)
    if removed == "before":
        installation.slack_proxy.user_facts.groups = {"S0WARDENS": [USERS["carol"]]}
        await users.approve(request)
        await users.refusal(BOB, "not among the approvers", request.request_id)
        await installation.channel.press("carol", request.card, ActionId.APPROVE)
    else:
        await users.approve(request)
        await request.until(RequestStatus.RUNNING)
        installation.slack_proxy.user_facts.groups = {"S0WARDENS": [USERS["carol"]]}
    state = await request.outcome()
    await users.check(request, state, RequestStatus.SUCCEEDED)
    assert [d.approver_id for d in state.decisions] == [
        USERS["carol"] if removed == "before" else BOB
    ]
