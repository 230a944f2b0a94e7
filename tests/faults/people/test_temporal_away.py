"""What are people told while Temporal is away, and what is left of it afterwards?"""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta

import pytest
from temporalio.service import RPCError

from deploy.laptop.slack_server import USERS
from tests.faults.people.phases import STOPS_SLOWLY
from tests.rigs.counter import Counter
from tests.rigs.local_slack import find_button
from tests.rigs.terminal import Terminal
from tests.rigs.town import Town
from tests.rigs.waiting import eventually
from workflows.names import ActionId, request_workflow_id
from workflows.state import RequestStatus

ALICE, BOB = USERS["alice"], USERS["bob"]


async def test_a_command_while_temporal_is_away(counter: Counter, town: Town) -> None:
    """The person is told within three seconds, nothing is half open, and later it works."""
    counter.rig.run(name="unheard-1")
    await town.kill("temporal")
    began = time.monotonic()
    await town.channel.ask("alice", "stop unheard-1")
    await counter.refusal(ALICE, "Not started: Temporal does not answer. Nothing was recorded")
    assert time.monotonic() - began < 3
    await town.start("temporal")
    with pytest.raises(RPCError, match="not found"):
        await town.client.get_workflow_handle(
            request_workflow_id(town.host, "unheard-1")
        ).describe()
    (request,) = await counter.ask("unheard-1")
    await counter.approve(request)
    await counter.check_snapshotted(request, await request.outcome())


async def test_a_click_while_temporal_is_away(counter: Counter, town: Town) -> None:
    """The click is said not to be recorded, the buttons stay, and the next click counts."""
    request = await counter.run_and_ask("unclicked", "stop {} snapshot")
    await town.kill("temporal")
    began = time.monotonic()
    await counter.approve(request)
    notice = await counter.refusal(BOB, "Not recorded: Temporal does not answer")
    assert time.monotonic() - began < 3
    assert "Try again" in str(notice)
    card = await counter.card(request)
    assert find_button(dict(card), ActionId.APPROVE)
    await town.start("temporal")
    assert (await request.state()).decisions == ()
    await counter.approve(request)
    await counter.check_snapshotted(request, await request.outcome())


async def test_a_click_after_the_expiry(counter: Counter, town: Town) -> None:
    """Expired is expired: who clicks later is told so, and nothing happens."""
    request = await counter.run_and_ask("brief")
    state = await request.outcome(seconds=30)
    await town.channel.press("bob", request.card, ActionId.APPROVE)
    await counter.refusal(BOB, "is over: ⌛ expired", request.request_id)
    await counter.check(request, state, RequestStatus.EXPIRED)
    assert counter.rig.state(request.container) == "running"


async def test_clicks_at_the_moment_of_the_expiry(counter: Counter, town: Town) -> None:
    """However close a click comes to the expiry, it counts or it is told that it was too late."""
    terminal = Terminal(town.temporal)
    request = await counter.run_and_ask("brief")
    state = await request.state()
    assert state.expires_at is not None
    moment = state.expires_at - timedelta(milliseconds=1)
    await eventually(lambda: datetime.now(UTC) > moment - timedelta(milliseconds=50))
    while datetime.now(UTC) < moment:
        pass
    await town.channel.press("bob", request.card, ActionId.APPROVE)
    outcome = await request.outcome()
    approved = bool(outcome.decisions)
    assert outcome.status is (RequestStatus.SUCCEEDED if approved else RequestStatus.EXPIRED)
    await counter.check(request, outcome, outcome.status)
    assert counter.rig.state(request.container) == ("exited" if approved else "running")
    if not approved:
        await counter.refusal(BOB, request.request_id)
    with pytest.raises(RuntimeError, match=r"already completed|not found"):
        await terminal.signal(request.handle.id, {})


async def test_a_bot_whose_clock_is_ten_minutes_fast(counter: Counter, town: Town) -> None:
    """Only Temporal's clock counts: a click in time counts, and one after the expiry does not."""
    await town.stop("bot")
    try:
        await town.add_bot("fast", "faketime", "--exclude-monotonic", "-f", "+10m")
        in_time = await counter.run_and_ask("brief")
        await counter.approve(in_time)
        state = await in_time.outcome()
        await counter.check(in_time, state, RequestStatus.SUCCEEDED)
        assert abs(state.decisions[0].decided_at - datetime.now(UTC)) < timedelta(minutes=1)
        lines = re.findall(r"^(\d{4}-\d\d-\d\dT\S+) ", town.log("fast"), re.MULTILINE)
        written = datetime.fromisoformat(lines[-1])
        assert written - datetime.now(UTC) > timedelta(minutes=9)
        late = await counter.run_and_ask("brief")
        state = await late.outcome()
        await counter.approve(late)
        await counter.refusal(BOB, "is over: ⌛ expired", late.request_id)
        await counter.check(late, state, RequestStatus.EXPIRED)
    finally:
        await town.stop("fast")
        await town.start("bot")


async def test_a_slow_clock_saves_no_late_decision(counter: Counter, town: Town) -> None:
    """A word that it was sent in time, made up after the expiry, opens nothing again."""
    request = await counter.run_and_ask("brief")
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
        await Terminal(town.temporal).signal(request.handle.id, decision)
    assert counter.rig.state(request.container) == "running"


async def test_a_worker_is_replaced_during_the_wait(counter: Counter, town: Town) -> None:
    """What was clicked while no worker ran is judged by the next one."""
    request = await counter.run_and_ask("swapped", "stop {} snapshot")
    await town.stop("worker")
    await counter.approve(request)
    await town.start("worker")
    await counter.check_snapshotted(request, await request.outcome())


async def test_a_click_in_time_counts_although_no_worker_ran(counter: Counter, town: Town) -> None:
    """A request whose time runs out while no worker runs still hears who clicked before."""
    request = await counter.run_and_ask("brief")
    expires_at = (await request.state()).expires_at
    assert expires_at is not None
    await town.kill("worker")
    await counter.approve(request)
    while datetime.now(UTC) < expires_at:
        time.sleep(0.01)  # noqa: ASYNC251
    await town.start("worker")
    await counter.check(request, await request.outcome(), RequestStatus.SUCCEEDED)


@pytest.mark.parametrize("removed", ["before", "after"])
async def test_somebody_is_taken_out_of_the_group(
    counter: Counter, town: Town, removed: str
) -> None:
    """The group counts as it is at the click: not before, and what was approved then stays so."""
    town.proxy.people.groups = {"S0WARDENS": [BOB, USERS["carol"]]}
    request = await counter.run_and_ask("group", script=STOPS_SLOWLY)
    if removed == "before":
        town.proxy.people.groups = {"S0WARDENS": [USERS["carol"]]}
        await counter.approve(request)
        await counter.refusal(BOB, "not among the approvers", request.request_id)
        await town.channel.press("carol", request.card, ActionId.APPROVE)
    else:
        await counter.approve(request)
        await request.until(RequestStatus.RUNNING)
        town.proxy.people.groups = {"S0WARDENS": [USERS["carol"]]}
    state = await request.outcome()
    await counter.check(request, state, RequestStatus.SUCCEEDED)
    assert [d.approver_id for d in state.decisions] == [
        USERS["carol"] if removed == "before" else BOB
    ]
