"""A history tells what the workflow itself would, could it answer."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from temporalio.client import WorkflowHandle

from activities.temporal.history import Told, read_history
from tests.fakes.fake_docker import failure
from tests.rigs.waiting import eventually
from tests.rigs.workers import RequestUnderTest, Workers
from workflows.model import names
from workflows.model.errors import ErrorType
from workflows.model.requests import ContainerState, OperationSpec
from workflows.model.state import CardRef, RequestState, RequestStatus, StepName, StepStatus

STOPPED_AT = datetime(2026, 1, 1, tzinfo=UTC)


async def _told(workers: Workers, handle: WorkflowHandle[Any, Any]) -> Told:
    found = await handle.describe()
    return await read_history(workers.client, handle.id, found.run_id)


async def _at(workers: Workers, step: str) -> RequestUnderTest:
    """Bring an operation to a step, which goes on until its gate opens."""
    workers.docker.stopped_at = STOPPED_AT
    workers.docker.gates[step] = threading.Event()
    under_test = await workers.approved()
    await eventually(workers.docker.entered[step].is_set)
    return under_test


@pytest.mark.parametrize("step", ["ensure_stopped", "ensure_snapshot"])
async def test_operation_under_way(workers: Workers, step: str) -> None:
    """Steps, the time of the stop, the snapshot and the card: as the operation knows them."""
    under_test = await _at(workers, step)

    async def is_known() -> bool:
        told = await _told(workers, under_test.operation)
        asked: RequestState = await under_test.operation.query(
            names.STATE_QUERY, result_type=RequestState
        )
        return told.state is not None and _essence(told.state) == _essence(asked)

    await eventually(is_known, what="the history tells something else than the operation")
    told = await _told(workers, under_test.operation)
    workers.docker.gates[step].set()
    await under_test.result()

    assert told.has_begun
    assert told.has_worked
    assert told.failing_since is None
    assert told.request_id == under_test.request.request_id
    assert not told.recover
    assert told.state is not None
    assert told.state.stopped_at == (None if step == "ensure_stopped" else STOPPED_AT)


@pytest.mark.parametrize("rests", [False, True], ids=["restart", "start"])
async def test_a_start_under_way(workers: Workers, *, rests: bool) -> None:
    """Whoever takes it up knows by whom it may have been started."""
    workers.docker.state = ContainerState.EXITED if rests else ContainerState.RUNNING
    gate = workers.docker.gates["ensure_started"] = threading.Event()
    (policy,) = workers.request().policies
    under_test = await workers.approved(
        operation=OperationSpec(kind="start" if rests else "restart"),
        policies=(replace(policy, operations=("*",)),),
    )
    await eventually(workers.docker.entered["ensure_started"].is_set)

    told = await _told(workers, under_test.operation)
    gate.set()
    await under_test.result()

    assert told.has_begun
    assert told.state is not None
    assert told.state.started_by_us is rests
    marks = {step.name: step.status for step in told.state.steps}
    assert marks[StepName.START] is StepStatus.RUNNING
    assert StepName.PUT_BACK not in marks


async def test_a_start_that_is_being_undone(workers: Workers) -> None:
    """What puts back is not taken for the step that starts."""
    workers.docker.faults["ensure_started"] = [failure(ErrorType.UNHEALTHY, {"touched": True})]
    workers.docker.state = ContainerState.EXITED
    gate = workers.docker.gates["ensure_running"] = threading.Event()
    (policy,) = workers.request().policies
    under_test = await workers.approved(
        operation=OperationSpec(kind="start"), policies=(replace(policy, operations=("*",)),)
    )
    await eventually(workers.docker.entered["ensure_running"].is_set)

    async def is_drawn() -> bool:
        told = await _told(workers, under_test.operation)
        steps = {step.name: step.status for step in told.state.steps} if told.state else {}
        return steps == {
            StepName.START: StepStatus.FAILED,
            StepName.PUT_BACK: StepStatus.RUNNING,
        }

    await eventually(is_drawn, what="the history does not tell the start from its undo")
    gate.set()
    assert (await under_test.result()).status is RequestStatus.PUT_BACK


async def test_request_of_which_an_operation_has_begun(workers: Workers) -> None:
    """It has drawn nothing since it waited: that it works is told by what it has begun."""
    under_test = await _at(workers, "ensure_snapshot")

    told = await _told(workers, under_test.handle)
    workers.docker.gates["ensure_snapshot"].set()
    await under_test.result()

    assert told.operation_id == under_test.operation.id
    assert told.request == replace(under_test.request, policies=())
    assert told.state is not None
    assert told.state.status is RequestStatus.RUNNING
    assert told.state.card == CardRef(channel_id="C1", ts="1.0")
    assert told.state.pin == workers.docker.pin


async def test_what_is_over_stays_over(workers: Workers) -> None:
    """The last card is drawn with everything that came before."""
    under_test = await workers.approved()
    await under_test.result()

    told = await _told(workers, under_test.operation)

    assert told.state is not None
    assert told.state.closed
    assert told.state.status is RequestStatus.SUCCEEDED
    assert [step.status for step in told.state.steps] == [StepStatus.DONE] * 2
    assert told.state.snapshot is not None
    assert told.state.snapshot.reference


@pytest.mark.parametrize(
    "junk",
    [None, "text", {"state": {}}, {"state": {"request_id": "<!channel>"}}, {"request_id": 7}],
)
@pytest.mark.parametrize("workflow_type", [names.REQUEST_WORKFLOW, names.OPERATION_WORKFLOW])
async def test_whatever_began_it_can_be_read(
    workers: Workers, workflow_type: str, junk: object
) -> None:
    """Anybody who reaches Temporal can start a workflow with anything."""
    await workers.stop_control()
    handle = await workers.client.start_workflow(
        workflow_type,
        junk,
        id=f"junk/{workers.docker.name}",
        task_queue=names.CONTROL_TASK_QUEUE,
    )

    told = await _told(workers, handle)
    await handle.terminate()

    assert told == Told()


def _essence(state: RequestState) -> tuple[object, ...]:
    steps = {step.name: (step.status, step.started_at is not None) for step in state.steps}
    assert StepName.STOP in steps
    return state.request_id, state.status, steps, state.stopped_at, state.snapshot, state.card
