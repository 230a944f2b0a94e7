"""What if somebody withdraws or rejects while it is being verified who approved?"""

from __future__ import annotations

import asyncio

import pytest
from temporalio.exceptions import ApplicationError

from tests.rigs.waiting import eventually
from tests.rigs.workers import Workers
from workflows.model.requests import Choice
from workflows.model.state import RequestStatus


@pytest.mark.parametrize("seconds", [0.3, 3, 8])
async def test_a_cancel_during_the_look_up_wins(workers: Workers, seconds: float) -> None:
    """It was there before the approval counted: nothing is stopped."""
    under_test = await workers.start(workers.request())
    await under_test.until(RequestStatus.WAITING)
    workers.slack.look_up_seconds = seconds

    await under_test.decide("UBOB")
    await eventually(lambda: "UBOB" in workers.slack.look_ups)
    await under_test.cancel()
    state = await under_test.result()

    assert state.status is RequestStatus.CANCELLED
    assert workers.docker.calls == ["inspect_container"]


async def test_a_look_up_that_fails_is_made_again(workers: Workers) -> None:
    """The first one, within the worker, is only a short cut."""
    under_test = await workers.start(workers.request())
    await under_test.until(RequestStatus.WAITING)
    faults = workers.slack.look_up_faults = [ApplicationError("for now")]

    await under_test.decide("UBOB")

    assert (await under_test.result()).status is RequestStatus.SUCCEEDED
    assert faults == []
    assert workers.slack.look_ups == ["UALICE", "UBOB", "UBOB"]


async def test_a_rejection_during_the_look_up_wins(workers: Workers) -> None:
    """It is verified too before the approval counts."""
    under_test = await workers.start(workers.request())
    await under_test.until(RequestStatus.WAITING)
    workers.slack.look_up_seconds = 1

    await under_test.decide("UBOB")
    await eventually(lambda: "UBOB" in workers.slack.look_ups)
    await under_test.decide("UCAROL", Choice.REJECT)
    state = await under_test.result()

    assert state.status is RequestStatus.REJECTED
    assert [decision.approver_id for decision in state.decisions] == ["UCAROL"]


async def test_a_rejection_that_does_not_count_stops_nothing(workers: Workers) -> None:
    """Somebody who may not decide rejects meanwhile: the approval counts all the same."""
    under_test = await workers.start(workers.request())
    await under_test.until(RequestStatus.WAITING)
    workers.slack.look_up_seconds = 0.5

    await under_test.decide("UBOB")
    await asyncio.gather(under_test.decide("UDAVE", Choice.REJECT), under_test.cancel("UDAVE"))
    state = await under_test.result()

    assert state.status is RequestStatus.SUCCEEDED
    assert {notice.user_id for notice in workers.slack.notices} == {"UDAVE"}
