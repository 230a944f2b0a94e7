"""What if Slack fails, loses answers, asks to slow down, or is away for a while?"""

from __future__ import annotations

import asyncio
import itertools

import pytest

from tests.faults.people.phases import STOPS_SLOWLY
from tests.rigs.installation import Town
from tests.rigs.slack_proxy import Fault
from tests.rigs.slack_users import Counter
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
    counter: Counter, town: Town, fault: Fault
) -> None:
    """One card, each reply once, and the operation goes on, whichever call fails in which way."""
    injected = [town.proxy.inject(method, fault, times=2, retry_after=_WAIT) for method in _METHODS]
    request = await counter.run_and_ask("slack-fails", "stop {} snapshot")
    await town.channel.press("dave", request.card, ActionId.APPROVE)
    await counter.approve(request)
    await counter.check_snapshotted(request, await request.outcome())
    await counter.refusal(_DAVE, request.request_id)
    assert [injection.fired for injection in injected] == [2, 2, 2]
    for method in _METHODS if fault is Fault.RATE_LIMITED else ():
        at = [call.at for call in town.proxy.calls if call.method == method]
        assert all(after - before >= _WAIT for before, after in itertools.pairwise(at[:3]))
    told = [m for m in await counter.said_in_private(_DAVE) if request.request_id in m]
    assert len(told) <= (3 if fault is Fault.LOST_ANSWER else 1)


@pytest.mark.parametrize("method", ["users.info", "usergroups.users.list"])
@pytest.mark.parametrize("fault", [Fault.RATE_LIMITED, Fault.SERVER_ERROR, Fault.RESET])
async def test_a_look_up_that_fails_holds_the_decision_and_loses_nothing(
    counter: Counter, town: Town, method: str, fault: Fault
) -> None:
    """Who cannot be looked up just now decides as soon as Slack tells; until then nobody does."""
    town.proxy.people.groups = {"S0WARDENS": ["U0BOB0001", "U0CAROL01"]}
    request = await counter.run_and_ask("group", "stop {} snapshot")
    injected = town.proxy.inject(method, fault, times=1, retry_after=1)
    await counter.approve(request)
    state = await request.outcome()
    await counter.check_snapshotted(request, state)
    assert injected.fired == 1
    assert len(state.decisions) == 1


async def test_a_group_that_slack_does_not_tell_lets_nobody_decide(
    counter: Counter, town: Town
) -> None:
    """A refused look-up of the group fails closed, is told in private, and can be repeated."""
    town.proxy.people.groups = {"S0WARDENS": ["U0BOB0001"]}
    request = await counter.run_and_ask("group", "stop {} snapshot")
    refused = town.proxy.inject("usergroups.users.list", Fault.REFUSED, error="missing_scope")
    await counter.approve(request)
    await counter.refusal("U0BOB0001", "could not say just now", request.request_id)
    assert refused.fired == 1
    assert (await request.state()).decisions == ()
    await counter.approve(request)
    await counter.check_snapshotted(request, await request.outcome())


async def test_slack_is_away_while_the_operation_works(counter: Counter, town: Town) -> None:
    """The operation goes on without Slack; when Slack is back, it shows the outcome."""
    request = await counter.run_and_ask("away", "stop {} snapshot", script=STOPS_SLOWLY)
    await counter.approve(request)
    await request.until(RequestStatus.RUNNING)
    await town.kill("slack")

    def is_done() -> bool:
        down = counter.rig.state(request.container) == ContainerState.EXITED
        return down and bool(counter.images(request))

    await eventually(is_done, within=30)
    with pytest.raises(TimeoutError):
        await request.outcome(seconds=1)
    await town.start("slack")
    await counter.check_snapshotted(request, await request.outcome())


async def test_slack_is_away_when_a_request_comes_in(counter: Counter, town: Town) -> None:
    """A card that cannot be posted is posted once Slack is back, exactly once."""
    injected = town.proxy.inject("chat.postMessage", Fault.RESET, times=4)
    counter.rig.run(name="unposted-1")
    (request,) = await counter.ask("unposted-1")
    assert injected.fired == 4
    posted = [
        call
        for call in town.proxy.calls
        if call.method == "chat.postMessage"
        and card_block_id(request.request_id) in str(call.payload)
    ]
    assert len(posted) == 5
    await counter.approve(request)
    await counter.check_snapshotted(request, await request.outcome())


async def test_a_card_that_somebody_deleted_comes_back(counter: Counter, town: Town) -> None:
    """A decision by the command is shown on a new card when the first is gone."""
    request = await counter.run_and_ask("deleted")
    await counter.delete(request.card)
    await asyncio.gather(
        town.channel.ask("bob", f"approve {request.request_id}"),
        town.channel.ask("carol", f"approve {request.request_id}"),
    )
    state = await request.outcome()
    await counter.check(request, state, RequestStatus.SUCCEEDED)
    assert state.card is not None
    assert state.card.ts != request.card["ts"]
