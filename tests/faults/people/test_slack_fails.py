"""What if Slack fails, loses answers, asks to slow down, or is away for a while?"""

from __future__ import annotations

import asyncio
import itertools

import pytest

from tests.faults.people.phases import STOPS_SLOWLY
from tests.rigs.installation import Installation
from tests.rigs.slack_proxy import Fault
from tests.rigs.slack_users import SlackUsers
from tests.rigs.waiting import eventually
from workflows.model.names import ActionId, card_block_id
from workflows.model.requests import ContainerState
from workflows.model.state import RequestStatus

_DAVE = "U0DAVE001"
_WAIT = 2


_METHODS = ("chat.postMessage", "chat.update", "chat.postEphemeral")


@pytest.mark.parametrize(
    "fault",
    [Fault.RATE_LIMITED, Fault.SERVER_ERROR, Fault.GARBLED, Fault.RESET, Fault.LOST_ANSWER],
)
async def test_a_call_that_fails_twice_is_made_good(
    users: SlackUsers, installation: Installation, fault: Fault
) -> None:
    """One card, each reply once, and the operation goes on, whichever call fails in which way."""
    injected = [
        installation.slack_proxy.inject(method, fault, times=2, retry_after=_WAIT)
        for method in _METHODS
    ]
    request = await users.run_and_ask("slack-fails", "stop {} snapshot")
    await installation.channel.press("dave", request.card, ActionId.APPROVE)
    await users.approve(request)
    await users.check_snapshotted(request, await request.outcome())
    await users.refusal(_DAVE, request.request_id)
    assert [injection.fired for injection in injected] == [2, 2, 2]
    for method in _METHODS if fault is Fault.RATE_LIMITED else ():
        at = [call.at for call in installation.slack_proxy.calls if call.method == method]
        assert all(after - before >= _WAIT for before, after in itertools.pairwise(at[:3]))
    told = [m for m in await users.said_in_private(_DAVE) if request.request_id in m]
    assert len(told) <= (3 if fault is Fault.LOST_ANSWER else 1)


@pytest.mark.parametrize("method", ["users.info", "usergroups.users.list"])
@pytest.mark.parametrize("fault", [Fault.RATE_LIMITED, Fault.SERVER_ERROR, Fault.RESET])
async def test_a_look_up_that_fails_holds_the_decision_and_loses_nothing(
    users: SlackUsers, installation: Installation, method: str, fault: Fault
) -> None:
    """Who cannot be looked up just now decides as soon as Slack tells; until then nobody does."""
    installation.slack_proxy.user_facts.groups = {"S0WARDENS": ["U0BOB0001", "U0CAROL01"]}
    request = await users.run_and_ask("group", "stop {} snapshot")
    injected = installation.slack_proxy.inject(method, fault, times=1, retry_after=1)
    await users.approve(request)
    state = await request.outcome()
    await users.check_snapshotted(request, state)
    assert injected.fired == 1
    assert len(state.decisions) == 1


async def test_a_group_that_slack_does_not_tell_lets_nobody_decide(
    users: SlackUsers, installation: Installation
) -> None:
    """A refused look-up of the group fails closed, is told in private, and can be repeated."""
    installation.slack_proxy.user_facts.groups = {"S0WARDENS": ["U0BOB0001"]}
    request = await users.run_and_ask("group", "stop {} snapshot")
    refused = installation.slack_proxy.inject(
        "usergroups.users.list", Fault.REFUSED, error="missing_scope"
    )
    await users.approve(request)
    await users.refusal("U0BOB0001", "could not say just now", request.request_id)
    assert refused.fired == 1
    assert (await request.state()).decisions == ()
    await users.approve(request)
    await users.check_snapshotted(request, await request.outcome())


async def test_slack_is_away_while_the_operation_works(
    users: SlackUsers, installation: Installation
) -> None:
    """The operation goes on without Slack; when Slack is back, it shows the outcome."""
    request = await users.run_and_ask("away", "stop {} snapshot", script=STOPS_SLOWLY)
    await users.approve(request)
    await request.until(RequestStatus.RUNNING)
    await installation.kill("slack")

    def is_done() -> bool:
        down = users.engine.state(request.container) == ContainerState.EXITED
        return down and bool(users.images(request))

    await eventually(is_done, within=30)
    with pytest.raises(TimeoutError):
        await request.outcome(seconds=1)
    await installation.start("slack")
    await users.check_snapshotted(request, await request.outcome())


async def test_slack_is_away_when_a_request_comes_in(
    users: SlackUsers, installation: Installation
) -> None:
    """A card that cannot be posted is posted once Slack is back, exactly once."""
    injected = installation.slack_proxy.inject("chat.postMessage", Fault.RESET, times=4)
    users.engine.run(name="unposted-1")
    (request,) = await users.ask("unposted-1")
    assert injected.fired == 4
    posted = [
        call
        for call in installation.slack_proxy.calls
        if call.method == "chat.postMessage"
        and card_block_id(request.request_id) in str(call.payload)
    ]
    assert len(posted) == 5
    await users.approve(request)
    await users.check_snapshotted(request, await request.outcome())


async def test_a_card_that_somebody_deleted_comes_back(
    users: SlackUsers, installation: Installation
) -> None:
    """A decision by the command is shown on a new card when the first is gone."""
    request = await users.run_and_ask("deleted")
    await users.delete(request.card)
    await asyncio.gather(
        installation.channel.ask("bob", f"approve {request.request_id}"),
        installation.channel.ask("carol", f"approve {request.request_id}"),
    )
    state = await request.outcome()
    await users.check(request, state, RequestStatus.SUCCEEDED)
    assert state.card is not None
    assert state.card.ts != request.card["ts"]


async def test_a_token_that_is_refused_for_seconds_loses_no_word(
    users: SlackUsers, installation: Installation
) -> None:
    """What people approved goes on, and the last card and its reply come when Slack lets us."""
    request = await users.run_and_ask("refused", "stop {} snapshot")
    injected = [
        installation.slack_proxy.inject(method, Fault.REFUSED, error=code)
        for method in ("chat.update", "chat.postMessage")
        for code in ("token_revoked", "invalid_auth", "missing_scope")
    ]
    await users.approve(request)
    await users.check_snapshotted(request, await request.outcome())
    assert [injection.fired for injection in injected] == [1] * len(injected)
    assert any("<@U0ALICE01> ✅" in str(m["text"]) for m in await users.thread(request))


@pytest.mark.parametrize("code", ["cant_update_message", "edit_window_closed"])
async def test_a_card_that_nobody_may_change_is_replaced(
    users: SlackUsers, installation: Installation, code: str
) -> None:
    """The channel has one card of the request in the end: it tells the outcome, without buttons."""
    request = await users.run_and_ask("unchangeable", "stop {} snapshot")
    first = str(request.card["ts"])
    injected = installation.slack_proxy.inject(
        "chat.update",
        Fault.REFUSED,
        error=code,
        times=1000,
        when=lambda payload: payload["ts"] == first,
    )
    await users.approve(request)
    state = await request.outcome()
    assert injected.fired
    await users.check_snapshotted(request, state)
    assert state.card is not None
    assert state.card.ts != first


@pytest.mark.parametrize("code", ["is_archived", "channel_not_found"])
async def test_a_channel_that_takes_nothing_keeps_no_outcome_back(
    users: SlackUsers, installation: Installation, code: str
) -> None:
    """Who asked and who approved hear directly, once, what became of it."""
    request = await users.run_and_ask("closed", "stop {} snapshot")
    channel, told = request.card["channel"], f"log.{request.request_id}.outcome"
    for method in ("chat.update", "chat.postMessage", "chat.postEphemeral"):
        installation.slack_proxy.inject(
            method,
            Fault.REFUSED,
            error=code,
            times=1000,
            when=lambda payload: payload["channel"] == channel,
        )
    await users.approve(request)
    state = await request.outcome()
    assert state.status is RequestStatus.SUCCEEDED
    assert users.engine.state(request.container) == ContainerState.EXITED
    sent = [
        call.payload["channel"]
        for call in installation.slack_proxy.calls
        if call.method == "chat.postMessage"
        and told in str(call.payload)
        and call.payload["channel"] != channel
    ]
    assert sorted(sent) == ["U0ALICE01", "U0BOB0001"]
