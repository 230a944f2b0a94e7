"""Is what rested started, and stopped again when that fails or somebody cancels?"""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from temporalio.service import RPCError

from tests.fakes.fake_docker import IsUp, failure
from tests.rigs.waiting import eventually
from tests.rigs.workers import RequestUnderTest, Workers
from workflows.model.errors import ErrorType
from workflows.model.requests import ContainerState, Intent, OperationSpec, Policy
from workflows.model.state import RequestState, RequestStatus, StepName, StepStatus
from workflows.model.timing import TIMING

_BEGAN = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
_START = OperationSpec(kind="start")
_WITH_SNAPSHOT = OperationSpec(kind="start", snapshot=True)
#: What a start that may have come through leaves beside its error.
_TOUCHED = {"touched": True, "started_at": _BEGAN.isoformat()}
_UNTOUCHED = {"touched": False, "started_at": None}


def _covering(workers: Workers) -> tuple[Policy, ...]:
    (policy,) = workers.request().policies
    return (replace(policy, operations=("*",)),)


async def _approved(
    workers: Workers, operation: OperationSpec = _START, **changes: Any
) -> RequestUnderTest:
    """Approve a start of what rests."""
    workers.docker.state = ContainerState.EXITED
    policies = _covering(workers)
    return await workers.approved(operation=operation, policies=policies, **changes)


async def _held(
    workers: Workers, operation: OperationSpec = _START, at: str = "ensure_started"
) -> tuple[RequestUnderTest, threading.Event]:
    gate = workers.docker.gates[at] = threading.Event()
    under_test = await _approved(workers, operation)
    await eventually(workers.docker.entered[at].is_set)
    return under_test, gate


def _status(state: RequestState, name: StepName) -> StepStatus:
    return next(step.status for step in state.steps if step.name is name)


async def test_it_is_started(workers: Workers) -> None:
    """One step, which proves what it did; nothing was down by us, so no down time is told."""
    workers.docker.running_since = _BEGAN

    state = await (await _approved(workers)).result()

    assert state.status is RequestStatus.SUCCEEDED
    assert workers.docker.calls == ["inspect_container", "ensure_started"]
    assert [step.name for step in state.steps] == [StepName.START]
    assert (state.started_by_us, state.started_at, state.down_seconds) == (True, _BEGAN, None)
    assert workers.docker.state is ContainerState.RUNNING


async def test_with_a_snapshot_it_is_committed_first(workers: Workers) -> None:
    """What was asked for as a restart with a snapshot."""
    state = await (await _approved(workers, _WITH_SNAPSHOT)).result()

    assert state.status is RequestStatus.SUCCEEDED
    assert workers.docker.calls[1:] == [
        "ensure_stopped",
        "ensure_snapshot",
        "tag",
        "ensure_started",
    ]
    assert _status(state, StepName.STOP) is StepStatus.SKIPPED


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (ErrorType.CONTAINER_CHANGED, RequestStatus.STALE),
        (ErrorType.OWNER_MISSING, RequestStatus.STALE),
        (ErrorType.PORT_BUSY, RequestStatus.FAILED),
    ],
)
async def test_a_start_that_changed_nothing_is_not_undone(
    workers: Workers, kind: ErrorType, status: RequestStatus
) -> None:
    """There is nothing to put back, and nobody to page."""
    workers.docker.faults["ensure_started"] = [failure(kind, _UNTOUCHED)]

    state = await (await _approved(workers)).result()

    assert workers.docker.fired == ["ensure_started"]
    assert (state.status, state.cause) == (status, kind)
    assert workers.docker.calls == ["inspect_container", "ensure_started"]
    assert not state.started_by_us


@pytest.mark.parametrize(
    ("kind", "settle"),
    [(ErrorType.UNHEALTHY, 0), (ErrorType.ENGINE_AMBIGUOUS, TIMING.start_http)],
)
async def test_a_failed_start_is_undone_by_a_stop(
    workers: Workers, kind: ErrorType, settle: int
) -> None:
    """Down as it was approved; a start that nobody heard of is waited for."""
    workers.docker.faults["ensure_started"] = [failure(kind, _TOUCHED)]
    workers.docker.gates["ensure_running"] = IsUp(workers.docker)

    state = await (await _approved(workers)).result()

    assert workers.docker.fired == ["ensure_started"]
    assert (state.status, state.cause) == (RequestStatus.PUT_BACK, kind)
    assert workers.docker.state is ContainerState.EXITED
    (undo,) = workers.docker.put_back
    assert (undo.started_by_us, undo.started_at) == (True, _BEGAN)
    assert (undo.settle_seconds, undo.grace_seconds) == (settle, state.grace_seconds)
    assert state.steps[-1].note == "stopped again"


async def test_a_passing_fault_is_tried_again(workers: Workers) -> None:
    """A fault that passes costs a repetition, not the operation."""
    workers.docker.faults["ensure_started"] = [
        failure(ErrorType.ENGINE_UNAVAILABLE, _UNTOUCHED, retry=True)
    ]

    state = await (await _approved(workers)).result()

    assert workers.docker.fired == ["ensure_started"]
    assert state.status is RequestStatus.SUCCEEDED


@pytest.mark.parametrize("operation", [_START, _WITH_SNAPSHOT], ids=["start", "with a snapshot"])
@pytest.mark.parametrize("by_terminal", [False, True], ids=["the requester", "the terminal"])
async def test_a_cancel_during_the_start_stops_it_again(
    workers: Workers, operation: OperationSpec, *, by_terminal: bool
) -> None:
    """The step ends, for nobody knows else what it did; then it is as it was."""
    under_test, gate = await _held(workers, operation)

    if by_terminal:
        await under_test.handle.cancel()
        await eventually(lambda: _cancel_requested(under_test))
    else:
        await under_test.cancel()
        await eventually(lambda: any(s.cancel_requested_by for s in workers.slack.drawn))
    assert "ensure_running" not in workers.docker.calls
    gate.set()
    state = await under_test.result()

    assert (state.status, state.cause) == (RequestStatus.PUT_BACK, None)
    assert _status(state, StepName.START) is StepStatus.DONE
    assert workers.docker.state is ContainerState.EXITED
    # The snapshot is complete under its name, and is kept.
    assert list(workers.docker.images.values()) == [state.reference] * operation.snapshot


async def test_a_cancel_before_the_start_leaves_it_at_rest(workers: Workers) -> None:
    """Between two steps: nothing is started, and nothing is stopped."""
    under_test, gate = await _held(workers, _WITH_SNAPSHOT, "tag")

    await under_test.cancel()
    await eventually(lambda: any(s.cancel_requested_by for s in workers.slack.drawn))
    gate.set()
    state = await under_test.result()

    assert state.status is RequestStatus.PUT_BACK
    assert "ensure_started" not in workers.docker.calls
    assert [arg.started_by_us for arg in workers.docker.put_back] == [False]
    assert workers.docker.state is ContainerState.EXITED


async def test_a_cancel_of_a_start_that_nobody_took_up_changes_nothing(workers: Workers) -> None:
    """It waits for a worker, so it was not begun: cancelled, and no more."""
    workers.docker.state = ContainerState.EXITED
    request = workers.request(operation=_START, policies=_covering(workers))
    under_test = await workers.start(request)
    await under_test.until(RequestStatus.WAITING)
    await workers.stop_docker()
    await under_test.decide("UBOB")
    await eventually(lambda: _scheduled(under_test))

    await under_test.cancel()
    state = await under_test.result()

    assert state.status is RequestStatus.CANCELLED
    assert workers.docker.calls == ["inspect_container"]


@pytest.mark.parametrize("who", ["request", "operation"])
async def test_what_was_terminated_during_the_start_is_stopped_again(
    workers: Workers, who: str
) -> None:
    """The operation that is left, or the one that is begun to put back, undoes the start."""
    under_test, gate = await _held(workers)

    if who == "request":
        await under_test.handle.terminate()
        await eventually(lambda: _cancel_requested(under_test))
    else:
        await under_test.operation.terminate()
    gate.set()
    if who == "request":
        await under_test.operation.result()
    else:
        await under_test.result()

    assert workers.slack.drawn[-1].status is RequestStatus.PUT_BACK
    assert workers.docker.put_back[-1].started_by_us
    assert workers.docker.state is ContainerState.EXITED


async def test_what_a_person_started_is_not_stopped(workers: Workers) -> None:
    """It came up between snapshot and start: out of date, and nobody's run is ended."""
    workers.docker.faults["ensure_started"] = [failure(ErrorType.CONTAINER_CHANGED, _UNTOUCHED)]
    workers.docker.gates["ensure_running"] = IsUp(workers.docker)

    state = await (await _approved(workers, _WITH_SNAPSHOT)).result()

    assert workers.docker.fired == ["ensure_started"]
    assert (state.status, state.cause) == (RequestStatus.STALE, ErrorType.CONTAINER_CHANGED)
    assert [arg.started_by_us for arg in workers.docker.put_back] == [False]
    assert workers.docker.state is ContainerState.RUNNING


async def test_an_undo_that_fails_is_tried_again_and_people_are_paged(workers: Workers) -> None:
    """The tries are those of every put-back, and whoever may end them can."""
    workers.docker.faults["ensure_started"] = [failure(ErrorType.UNHEALTHY, _TOUCHED)]
    details = {"touched": True, "state": "running"}
    workers.docker.faults["ensure_running"] = [
        failure(ErrorType.NOT_STOPPED, details) for _ in range(3)
    ]
    workers.docker.gates["ensure_running"] = IsUp(workers.docker)
    under_test = await _approved(workers)
    state = await under_test.until(RequestStatus.NEEDS_PERSON, within=30)
    assert (state.paged, state.attempts) == (True, 3)

    await under_test.instruct(Intent.TRY_NOW)
    last = await under_test.result()

    assert last.status is RequestStatus.PUT_BACK
    assert {arg.started_at for arg in workers.docker.put_back} == {_BEGAN}
    assert workers.docker.state is ContainerState.EXITED


async def test_whoever_may_ends_the_tries_to_stop_it(workers: Workers) -> None:
    """It is looked at once more, stopped by nobody, and left to people."""
    workers.docker.faults["ensure_started"] = [failure(ErrorType.UNHEALTHY, _TOUCHED)]
    details = {"touched": True, "state": "running"}
    workers.docker.faults["ensure_running"] = [
        failure(ErrorType.NOT_STOPPED, details) for _ in range(3)
    ]
    workers.docker.gates["ensure_running"] = IsUp(workers.docker)
    under_test = await _approved(workers)
    await under_test.until(RequestStatus.NEEDS_PERSON, within=30)

    await under_test.instruct(Intent.STOP_TRYING, "UBOB")
    state = await under_test.result()

    assert workers.docker.put_back[-1].look_only
    assert (state.status, state.stop_trying_by) == (RequestStatus.NEEDS_PERSON, "UBOB")
    assert state.seen is not None
    assert state.seen.state is ContainerState.RUNNING
    assert workers.docker.state is ContainerState.RUNNING


@pytest.mark.parametrize("sent", [True, False], ids=["it was sent", "nothing was sent"])
async def test_a_cancel_between_two_attempts_at_the_start(workers: Workers, *, sent: bool) -> None:
    """To wait for the next attempt is not never to have begun: the first may have come through."""
    workers.docker.faults["ensure_started"] = [
        failure(ErrorType.ENGINE_AMBIGUOUS, _TOUCHED if sent else _UNTOUCHED, retry=True)
    ]
    if sent:
        workers.docker.gates["ensure_running"] = IsUp(workers.docker)
    under_test = await _approved(workers)
    await eventually(lambda: bool(workers.docker.fired))

    await under_test.cancel()
    state = await under_test.result()

    assert workers.docker.calls.count("ensure_started") == 1
    status = RequestStatus.PUT_BACK if sent else RequestStatus.CANCELLED
    assert (state.status, state.cause) == (status, None)
    assert [arg.started_by_us for arg in workers.docker.put_back] == [True] * sent
    assert workers.docker.state is ContainerState.EXITED


async def test_what_one_attempt_has_begun_is_known_to_the_next(workers: Workers) -> None:
    """Only the first expects it untouched; whose run it is stays known when no more is heard."""
    workers.docker.faults["ensure_started"] = [
        failure(ErrorType.ENGINE_AMBIGUOUS, _TOUCHED, retry=True),
        failure(ErrorType.ENGINE_UNAVAILABLE, _UNTOUCHED, retry=True),
        failure(ErrorType.ENGINE_UNAVAILABLE, _UNTOUCHED, retry=True),
    ]

    state = await (await _approved(workers)).result()

    assert workers.docker.fired == ["ensure_started"] * 3
    assert [arg.may_have_begun for arg in workers.docker.started] == [False, True, True]
    assert state.status is RequestStatus.PUT_BACK
    (undo,) = workers.docker.put_back
    assert (undo.started_by_us, undo.started_at) == (True, _BEGAN)


async def _scheduled(under_test: RequestUnderTest) -> bool:
    try:
        history = await under_test.operation.fetch_history()
    except RPCError:
        return False
    return any(
        event.activity_task_scheduled_event_attributes.activity_type.name == "ensure_started"
        for event in history.events
    )


async def _cancel_requested(under_test: RequestUnderTest) -> bool:
    events = await under_test.events(under_test.operation)
    return "WORKFLOW_EXECUTION_CANCEL_REQUESTED" in events
