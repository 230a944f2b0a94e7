"""What was terminated is found, put back or told; what people did in the meantime stays."""

from __future__ import annotations

import threading
import uuid
from datetime import timedelta

import pytest
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import PollWorkflowTaskQueueRequest
from temporalio.service import RPCError
from temporalio.testing import ActivityEnvironment

from activities.ledger import Ledger
from tests.fakes.host import failure
from tests.rigs.temporal import Play, Stage
from tests.rigs.waiting import eventually
from workflows import names
from workflows.endings import EndedInput, LastStateInput
from workflows.errors import ErrorType
from workflows.models import ContainerState
from workflows.reconcile import ReconcileResult
from workflows.state import RequestState, RequestStatus, StepStatus
from workflows.stop_and_snapshot import OperateInput

STEPS = ["ensure_stopped", "ensure_snapshot", "ensure_tag"]


async def _reconcile(stage: Stage) -> ReconcileResult:
    return await stage.client.execute_workflow(
        names.RECONCILE_WORKFLOW,
        id=f"reconcile-{uuid.uuid4().hex}",
        task_queue=names.CONTROL_TASK_QUEUE,
        result_type=ReconcileResult,
    )


async def _listed(stage: Stage, play: Play) -> None:
    """Wait until Temporal's list knows of the ends; it is built beside the workflows."""

    async def known() -> bool:
        ended = stage.client.list_workflows(
            f"WorkflowId = '{play.handle.id}' AND ExecutionStatus = 'Terminated'"
        )
        return bool([execution async for execution in ended])

    await eventually(known)


async def _terminated(stage: Stage, step: str) -> Play:
    """Terminate the operation and its request in the middle of a step."""
    gate = stage.host.gates[step] = threading.Event()
    play = await stage.start(stage.request())
    await play.until(RequestStatus.WAITING)
    await play.decide("UBOB")
    await eventually(stage.host.entered[step].is_set)
    await stage.stop_control()
    await play.handle.terminate()
    await play.operation.terminate()
    gate.set()
    await stage.start_control()
    await _listed(stage, play)
    return play


async def _ended(stage: Stage, play: Play) -> tuple[str, ...]:
    """Name all ended runs but those of one request."""
    ours = {play.handle.id, play.operation.id}
    ended = stage.client.list_workflows("ExecutionStatus IN ('Terminated', 'TimedOut', 'Failed')")
    return tuple([run.run_id async for run in ended if run.id not in ours])


@pytest.mark.parametrize("step", STEPS)
async def test_terminated_operation_is_put_back(stage: Stage, step: str) -> None:
    """Request and operation are both terminated in a step: the container comes back."""
    play = await _terminated(stage, step)

    result = await _reconcile(stage)
    state = await play.operation.result()

    assert play.operation.id in result.recovered
    assert stage.host.state is ContainerState.RUNNING
    assert stage.office.drawn[-1].status is RequestStatus.PUT_BACK
    assert state["status"] == RequestStatus.PUT_BACK
    assert stage.office.drawn[-1].steps[0].status in (StepStatus.DONE, StepStatus.FAILED)


async def test_recovery_happens_once(stage: Stage) -> None:
    """A second look finds nothing more to do."""
    play = await _terminated(stage, "ensure_snapshot")
    await _reconcile(stage)
    await play.operation.result()
    calls = list(stage.host.calls)

    again = await _reconcile(stage)

    assert play.operation.id not in again.recovered
    assert stage.host.calls == calls


async def test_run_that_cannot_tell_its_state_yet_is_looked_at_again(stage: Stage) -> None:
    """A run whose query found no worker, as after a kill, is not written off as seen."""
    play = await _terminated(stage, "ensure_snapshot")
    await stage.stop_control()
    looking = ActivityEnvironment()
    ledger = Ledger(stage.client, patience=timedelta(milliseconds=300))
    seen_by_others = await _ended(stage, play)

    blind = await looking.run(ledger.find_ended_runs, EndedInput(known=seen_by_others))
    last = LastStateInput(workflow_id=play.operation.id, run_id="")
    with pytest.raises(RPCError):
        await looking.run(ledger.last_state, last)
    await stage.start_control()
    later = await _reconcile(stage)
    await play.operation.result()

    assert blind.runs == ()
    assert blind.seen == seen_by_others
    assert play.operation.id in later.recovered
    assert stage.host.state is ContainerState.RUNNING


async def test_run_that_never_began_is_seen_once(stage: Stage) -> None:
    """A request that was terminated before any worker had it has no state, and needs nothing."""
    await stage.stop_control()
    play = await stage.start(stage.request())
    await play.handle.terminate()
    await _listed(stage, play)
    await stage.start_control()
    run_id = (await play.handle.describe()).run_id

    result = await _reconcile(stage)

    assert run_id in result.seen
    assert play.handle.id not in result.recovered


async def test_container_that_a_person_stopped_is_left_alone(stage: Stage) -> None:
    """A container that somebody started and stopped again since stays as that person left it."""
    play = await _terminated(stage, "ensure_snapshot")
    stage.host.faults["ensure_running"] = [failure(ErrorType.STOPPED_BY_PERSON)]

    await _reconcile(stage)
    await play.operation.result()

    last = stage.office.drawn[-1]
    assert last.status is RequestStatus.NEEDS_PERSON
    assert last.closed
    assert stage.host.calls.count("ensure_running") == 1


async def test_terminated_waiting_request_leaves_no_dead_buttons(stage: Stage) -> None:
    """A request that was terminated while it waited: its card says that it is over."""
    play = await stage.start(stage.request())
    await play.until(RequestStatus.WAITING)
    await play.handle.terminate()
    await _listed(stage, play)

    await _reconcile(stage)

    last = stage.office.drawn[-1]
    assert last.request_id == play.request.request_id
    assert last.status is RequestStatus.CANCELLED
    assert last.closed
    assert stage.host.calls == ["inspect_container"]


async def test_living_request_is_not_reconciled(stage: Stage) -> None:
    """Work that somebody looks after is none of the reconciliation's business."""
    gate = stage.host.gates["ensure_snapshot"] = threading.Event()
    play = await stage.start(stage.request())
    await play.until(RequestStatus.WAITING)
    await play.decide("UBOB")
    await eventually(stage.host.entered["ensure_snapshot"].is_set)

    result = await _reconcile(stage)
    gate.set()

    assert play.operation.id not in result.recovered
    assert (await play.result()).status is RequestStatus.SUCCEEDED


async def test_recovery_that_was_terminated_before_it_began_is_taken_up(stage: Stage) -> None:
    """A recovery that no worker ever had is known by what it was to begin with."""
    play = await _terminated(stage, "ensure_snapshot")
    state = await play.operation.query(names.STATE_QUERY, result_type=RequestState)
    await stage.stop_control()
    recovery = await stage.client.start_workflow(
        names.OPERATION_WORKFLOW,
        OperateInput(state=state, recover=True),
        id=play.operation.id,
        task_queue=names.CONTROL_TASK_QUEUE,
        search_attributes=names.request_attributes(
            host=state.container.host,
            container=state.container.name,
            requester=state.requester,
            request_id=state.request_id,
        ),
    )
    await recovery.terminate()
    await stage.start_control()
    await _listed(stage, play)

    async def taken_up() -> bool:
        return play.operation.id in (await _reconcile(stage)).recovered

    await eventually(taken_up)
    await play.operation.result()
    assert stage.host.state is ContainerState.RUNNING


async def test_card_that_slack_did_not_take_is_drawn_the_next_time(stage: Stage) -> None:
    """A card that could not be redrawn is not forgotten."""
    play = await stage.start(stage.request())
    await play.until(RequestStatus.WAITING)
    await play.handle.terminate()
    await _listed(stage, play)
    run_id = (await play.handle.describe()).run_id
    stage.office.publish_faults = [failure(ErrorType.SLACK_UNAVAILABLE)]

    first = await _reconcile(stage)
    second = await _reconcile(stage)

    assert stage.office.publish_faults == []
    assert run_id not in first.seen
    assert run_id in second.seen
    assert stage.office.drawn[-1].status is RequestStatus.CANCELLED


async def test_end_that_nobody_could_draw_any_more_is_drawn(stage: Stage) -> None:
    """It expired in the hands of a worker that hung, and was terminated: the card says so."""
    play = await stage.start(stage.request(expires_after_seconds=4))
    await play.until(RequestStatus.WAITING)
    await stage.stop_control()
    poll = PollWorkflowTaskQueueRequest(
        namespace=stage.client.namespace,
        task_queue=TaskQueue(name=names.CONTROL_TASK_QUEUE),
        identity="hung",
    )
    taken = await stage.client.workflow_service.poll_workflow_task_queue(poll)
    assert taken.workflow_execution.workflow_id == play.handle.id
    await play.handle.terminate()
    await stage.start_control()
    await _listed(stage, play)

    await _reconcile(stage)

    drawn = [card for card in stage.office.drawn if card.request_id == play.request.request_id]
    assert [card.status for card in drawn] == [RequestStatus.WAITING, RequestStatus.EXPIRED]
    assert drawn[-1].closed


# The last, for later looks would wait for its host.
async def test_container_of_a_later_request_is_left_to_it(stage: Stage) -> None:
    """Another request has operated on the container since: it is not undone, and people look."""
    first = await _terminated(stage, "ensure_snapshot")
    stage.host.gates.clear()
    second = await stage.start(stage.request())
    await second.until(RequestStatus.WAITING)
    await second.decide("UBOB")
    assert (await second.result()).status is RequestStatus.SUCCEEDED
    calls = stage.host.calls.count("ensure_running")

    await _reconcile(stage)
    await _reconcile(stage)

    cards = [card for card in stage.office.drawn if card.request_id == first.request.request_id]
    assert cards[-1].status is RequestStatus.NEEDS_PERSON
    assert cards[-1].cause is ErrorType.STATE_CONFLICT
    assert cards[-1].closed
    assert stage.host.calls.count("ensure_running") == calls
    assert stage.host.calls[-1] == "sweep_snapshots"
