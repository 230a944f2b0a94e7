"""What can arrive with a signal, or as a start input, that would hold a workflow for ever?"""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.api.enums.v1 import WorkflowTaskFailedCause
from temporalio.client import (
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowHandle,
    WorkflowQueryFailedError,
)

from tests.rigs.waiting import eventually
from tests.rigs.workers import Workers
from workflows.model import names
from workflows.model.requests import Choice, ContainerRef, ContainerState, OperationSpec
from workflows.model.state import RequestState, RequestStatus

_SIGNALS = (
    names.DECIDE_SIGNAL,
    names.CANCEL_SIGNAL,
    names.STOP_TRYING_SIGNAL,
    names.TRY_NOW_SIGNAL,
    names.PROGRESS_SIGNAL,
)
#: None, one that is no object, objects that lack or exceed something, and too many.
_PAYLOADS: list[list[Any]] = [
    [],
    [None],
    [7],
    [[[]]],
    [{}, {}],
    [{"request_id": "x", "user_id": [], "team_id": "T1"}],
    ["a", "b", "c"],
]


@pytest.mark.parametrize("payloads", _PAYLOADS, ids=str)
async def test_a_signal_of_any_shape_harms_no_request(
    workers: Workers, payloads: list[Any]
) -> None:
    """It is dropped; a real decision that comes after it counts."""
    under_test = await workers.start(workers.request())
    await under_test.until(RequestStatus.WAITING)

    for signal in _SIGNALS:
        await under_test.handle.signal(signal, args=payloads)
    await under_test.decide("UBOB", Choice.REJECT)
    state = await under_test.result()

    assert state.status is RequestStatus.REJECTED
    assert not await _failed_tasks(under_test.handle)


@pytest.mark.parametrize("payloads", _PAYLOADS, ids=str)
async def test_a_signal_of_any_shape_harms_no_operation(
    workers: Workers, payloads: list[Any]
) -> None:
    """The container is stopped all the same, and nobody else's cancel is invented."""
    gate = workers.docker.gates["ensure_stopped"] = threading.Event()
    under_test = await workers.approved()
    await eventually(workers.docker.entered["ensure_stopped"].is_set)

    for signal in (names.CANCEL_SIGNAL, names.GIVE_UP_SIGNAL, names.TRY_NOW_SIGNAL):
        await under_test.operation.signal(signal, args=payloads)
    gate.set()
    state = await under_test.result()

    assert (state.status, state.cancel_requested_by) == (RequestStatus.SUCCEEDED, "")
    assert not await _failed_tasks(under_test.operation)


async def test_a_decision_with_something_behind_it_counts(workers: Workers) -> None:
    """More payloads than one: the first is read as what it is."""
    under_test = await workers.start(workers.request())
    await under_test.until(RequestStatus.WAITING)

    await under_test.handle.signal(names.DECIDE_SIGNAL, args=[under_test.decision("UBOB"), "more"])

    assert (await under_test.result()).status is RequestStatus.SUCCEEDED


async def test_a_time_without_a_zone_is_taken_as_utc(workers: Workers) -> None:
    """``sent_at`` of a sender that does not know better, seen after the deadline."""
    under_test = await workers.start(workers.request(expires_after_seconds=3))
    await under_test.until(RequestStatus.WAITING)
    await workers.stop_control()
    await under_test.decide("UBOB", sent_at=datetime(2020, 1, 1))  # noqa: DTZ001 - the point
    deadline = (await under_test.handle.describe()).start_time + timedelta(seconds=4)
    await eventually(lambda: datetime.now(deadline.tzinfo) > deadline)
    await workers.start_control()

    assert (await under_test.result()).status is RequestStatus.SUCCEEDED
    assert not await _failed_tasks(under_test.handle)


async def test_the_state_names_what_was_heard(workers: Workers) -> None:
    """The last twenty ids, of what counted and of what did not."""
    under_test = await workers.start(workers.request())
    await under_test.until(RequestStatus.WAITING)

    for number in range(25):
        await under_test.decide("UDAVE", decision_id=f"d{number}")

    assert (await under_test.state()).heard == tuple(f"d{number}" for number in range(5, 25))


@pytest.mark.parametrize("payloads", [[], ["x"], [{}], [{"state": {}}]], ids=str)
@pytest.mark.parametrize("workflow", [names.REQUEST_WORKFLOW, names.OPERATION_WORKFLOW])
async def test_a_start_with_any_input_locks_no_container(
    workers: Workers, workflow: str, payloads: list[Any]
) -> None:
    """It fails at once and says why; left to the SDK it would hold the id for ever."""
    handle = await workers.client.start_workflow(
        workflow,
        args=payloads,
        id=names.operation_workflow_id(workers.docker.name, "c" * 64),
        task_queue=names.CONTROL_TASK_QUEUE,
    )

    with pytest.raises(WorkflowFailureError):
        await handle.result()
    assert (await handle.describe()).status is WorkflowExecutionStatus.FAILED
    assert (await (await workers.approved()).result()).status is RequestStatus.SUCCEEDED
    assert workers.docker.state is ContainerState.EXITED


@pytest.mark.parametrize("signal", _SIGNALS)
@pytest.mark.parametrize("workflow", [names.REQUEST_WORKFLOW, names.OPERATION_WORKFLOW])
async def test_a_signal_that_comes_with_a_bad_input_harms_nothing(
    workers: Workers, workflow: str, signal: str
) -> None:
    """It is handled before the input is refused; and who asks for the state hears why."""
    state = RequestState(
        request_id="0123456789ab",
        status=RequestStatus.NEEDS_PERSON,
        operation=OperationSpec(kind="stop"),
        container=ContainerRef(host=workers.docker.name, name="web-1"),
        requester="UALICE",
        team_id="T1",
        channel_id="C1",
        reason="",
        requested_at=datetime(2026, 1, 1, tzinfo=UTC),
        workflow_id="x",
    )
    handle = await workers.client.start_workflow(
        workflow,
        "x",
        id=f"bad-input/{workers.docker.name}",
        task_queue=names.CONTROL_TASK_QUEUE,
        start_signal=signal,
        start_signal_args=[state],
    )

    with pytest.raises(WorkflowFailureError):
        await handle.result()
    with pytest.raises(WorkflowQueryFailedError, match="the start input is not"):
        await handle.query(names.STATE_QUERY)
    assert not await _failed_tasks(handle)


@pytest.mark.parametrize("workflow", [names.REQUEST_WORKFLOW, names.OPERATION_WORKFLOW])
@pytest.mark.parametrize("inputs", [[], ["x", "y"], [{}, None, 3]], ids=len)
async def test_a_start_with_other_than_one_input_fails(
    workers: Workers, workflow: str, inputs: list[Any]
) -> None:
    """Left to the SDK, it would be tried for ever, and its name stay taken."""
    handle: WorkflowHandle[Any, Any] = await workers.client.start_workflow(
        workflow,
        args=inputs,
        id=f"inputs/{workers.docker.name}",
        task_queue=names.CONTROL_TASK_QUEUE,
    )

    with pytest.raises(WorkflowFailureError):
        await handle.result()
    assert not await _failed_tasks(handle)


async def _failed_tasks(handle: WorkflowHandle[Any, Any]) -> bool:
    """Say whether a task failed; not one that was made anew because something came with its end."""
    history = await handle.fetch_history()
    failed = (
        event.workflow_task_failed_event_attributes.cause
        for event in history.events
        if event.HasField("workflow_task_failed_event_attributes")
    )
    anew = WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND
    return any(cause != anew for cause in failed)
