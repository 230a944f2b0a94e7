"""What if somebody withdraws or rejects while it is being verified who approved?"""

from __future__ import annotations

import asyncio
import json

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.worker import Replayer

from tests.rigs.waiting import eventually
from tests.rigs.workers import Workers
from workflows.model.requests import Choice
from workflows.model.state import RequestStatus
from workflows.request.workflow import ContainerLifecycleWorkflow
from workflows.sandbox import workflow_runner


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
    workers.slack.look_up_seconds = 0.4

    await under_test.decide("UBOB")
    await asyncio.gather(under_test.decide("UDAVE", Choice.REJECT), under_test.cancel("UDAVE"))
    state = await under_test.result()

    assert state.status is RequestStatus.SUCCEEDED
    assert {notice.user_id for notice in workers.slack.notices} == {"UDAVE"}


async def test_a_replay_follows_the_history_and_not_its_own_clock(workers: Workers) -> None:
    """How long a look-up took is told by itself: where its end stands in time may differ."""
    under_test = await workers.start(workers.request())
    await under_test.until(RequestStatus.WAITING)
    workers.slack.look_up_seconds = 0.2
    await under_test.decide("UBOB")
    await under_test.result()
    history = await under_test.handle.fetch_history()

    moved = 0
    for event in history.events:
        # To read what an event has not would make it an event of that kind.
        if not event.HasField("marker_recorded_event_attributes"):
            continue
        details = event.marker_recorded_event_attributes.details
        for payload in details["data"].payloads if "data" in details else ():
            told = json.loads(payload.data)
            told["complete_time"]["seconds"] += 5
            payload.data = json.dumps(told).encode()
            moved += told["activity_type"] == "look_up_person"
    replayer = Replayer(workflows=[ContainerLifecycleWorkflow], workflow_runner=workflow_runner())
    assert moved
    await replayer.replay_workflow(history)
