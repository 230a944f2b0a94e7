"""Is a stop that was never begun told as such, and never one that was?"""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.fakes.fake_docker import failure
from tests.rigs.waiting import eventually
from tests.rigs.workers import Workers
from workflows import activity_options
from workflows.execution import stop
from workflows.model.errors import ErrorType
from workflows.model.requests import ContainerState
from workflows.model.state import RequestStatus, StepName, StepStatus


async def test_a_stop_that_nobody_takes_up_changes_nothing(
    workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No worker for minutes after the approval: not done, and nobody is paged.

    Time cannot be skipped while an activity waits in its queue, so the minutes are seconds here.
    """
    monkeypatch.setattr(activity_options, "WORKER_RETURNS_WITHIN", timedelta(seconds=8))
    monkeypatch.setattr(stop, "_ASK_EVERY", timedelta(seconds=1))
    under_test = await workers.start(workers.request())
    await under_test.until(RequestStatus.WAITING)
    await workers.stop_docker()
    workers.queues.is_gone = True

    await under_test.decide("UBOB")
    state = await under_test.result()

    assert (state.status, state.cause) == (RequestStatus.FAILED, ErrorType.WORKER_UNAVAILABLE)
    assert (state.attempts, state.paged) == (0, False)
    assert workers.docker.calls == ["inspect_container"]
    keys = [entry.key for entry in workers.slack.thread]
    assert "page" not in keys
    assert keys[-1] == "outcome"


async def test_an_engine_that_is_away_all_the_time_changes_nothing(workers: Workers) -> None:
    """Each attempt says that nothing was sent: there is nothing to put back."""
    workers.docker.faults["ensure_stopped"] = [
        failure(ErrorType.ENGINE_UNAVAILABLE, retry=True) for _ in range(5)
    ]

    state = await (await workers.approved()).result()

    assert workers.docker.fired == ["ensure_stopped"] * 5
    assert (state.status, state.cause) == (RequestStatus.FAILED, ErrorType.ENGINE_UNAVAILABLE)
    assert "ensure_running" not in workers.docker.calls


async def test_a_stop_that_was_begun_is_put_back_or_paged(skipping_workers: Workers) -> None:
    """An attempt that may have sent its stop, and then nobody: it is never "nothing changed"."""
    docker = skipping_workers.docker
    docker.faults["ensure_stopped"] = [
        failure(ErrorType.ENGINE_AMBIGUOUS, "touched", retry=True) for _ in range(2)
    ]
    under_test = await skipping_workers.approved()
    await eventually(lambda: docker.fired == ["ensure_stopped"] * 2, within=30)
    docker.state = ContainerState.EXITED
    docker.faults["ensure_stopped"] = [
        failure(ErrorType.ENGINE_AMBIGUOUS, retry=True) for _ in range(3)
    ]
    await skipping_workers.stop_docker()
    await under_test.until(RequestStatus.NEEDS_PERSON, within=60)
    assert "page" in [entry.key for entry in skipping_workers.slack.thread]

    await skipping_workers.start_docker()
    state = await under_test.result()

    assert state.status is RequestStatus.PUT_BACK
    assert docker.state is ContainerState.RUNNING


async def test_a_cancel_of_a_stop_in_its_queue_changes_nothing(workers: Workers) -> None:
    """It waits for its turn, somebody cancels: cancelled, and not "put back"."""
    under_test = await workers.start(workers.request())
    await under_test.until(RequestStatus.WAITING)
    await workers.stop_docker()
    await under_test.decide("UBOB")
    await under_test.until(RequestStatus.RUNNING)

    await under_test.cancel()
    state = await under_test.result()

    assert (state.status, state.cancel_requested_by) == (RequestStatus.CANCELLED, "UALICE")
    assert workers.docker.calls == ["inspect_container"]


async def test_a_stop_in_its_queue_is_said_to_wait_for_its_turn(workers: Workers) -> None:
    """The card shows it, and that nothing was touched; then it goes on by itself."""
    under_test = await workers.start(workers.request())
    await under_test.until(RequestStatus.WAITING)
    await workers.stop_docker()
    await under_test.decide("UBOB")
    await eventually(
        lambda: any(
            step.status is StepStatus.QUEUED
            for card in workers.slack.drawn
            for step in card.steps
            if step.name is StepName.STOP
        ),
        within=20,
    )

    await workers.start_docker()
    state = await under_test.result()

    assert state.status is RequestStatus.SUCCEEDED


@pytest.mark.parametrize("step", ["ensure_snapshot", "tag"])
async def test_a_step_after_the_stop_that_nobody_takes_up_pages_soon(
    skipping_workers: Workers, step: str
) -> None:
    """The container is down: people hear of it within less than a minute."""
    docker = skipping_workers.docker
    docker.faults[step] = [failure(ErrorType.ENGINE_UNAVAILABLE, retry=True) for _ in range(3)]
    under_test = await skipping_workers.approved()
    await eventually(lambda: bool(docker.fired), within=30)
    await skipping_workers.stop_docker()

    state = await under_test.until(RequestStatus.NEEDS_PERSON, within=60)

    stop = state.steps[0]
    assert stop.finished_at is not None
    assert state.tried_at is not None
    assert state.tried_at - stop.finished_at < timedelta(minutes=1)
    await skipping_workers.start_docker()
    assert (await under_test.result()).status is RequestStatus.PUT_BACK
