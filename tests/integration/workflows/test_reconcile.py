"""What was terminated is found, put back or told; what people did in the meantime stays."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import (
    PollWorkflowTaskQueueRequest,
)
from temporalio.service import RPCError
from temporalio.testing import ActivityEnvironment

from activities.temporal.visibility import Visibility
from tests.fakes.fake_docker import failure
from tests.rigs.ended import listed, reconcile, terminated
from tests.rigs.looks import Looks
from tests.rigs.misfits import OTHER_OPERATION
from tests.rigs.waiting import eventually
from tests.rigs.workers import RequestUnderTest, Workers
from workflows.execution.workflow import OperateInput
from workflows.model import names
from workflows.model.errors import ErrorType
from workflows.model.ports import EndedInput, LastStateInput
from workflows.model.requests import ContainerState
from workflows.model.state import RequestStatus, StepStatus
from workflows.model.timing import TIMING
from workflows.model.watchdog_ports import WatchLimits

STEPS = ["ensure_stopped", "ensure_snapshot", "tag"]


async def _ended(workers: Workers, under_test: RequestUnderTest) -> tuple[str, ...]:
    """Name all ended runs but those of one request."""
    ours = {under_test.handle.id, under_test.operation.id}
    ended = workers.client.list_workflows(
        f"WorkflowType IN ('{names.REQUEST_WORKFLOW}', '{names.OPERATION_WORKFLOW}') "
        "AND ExecutionStatus IN ('Terminated', 'TimedOut', 'Failed')"
    )
    return tuple([run.run_id async for run in ended if run.id not in ours])


@pytest.mark.parametrize("step", STEPS)
async def test_terminated_operation_is_put_back(workers: Workers, step: str) -> None:
    """Request and operation are both terminated in a step: the container comes back."""
    under_test = await terminated(workers, step)

    result = await reconcile(workers)
    state = await under_test.operation.result()

    assert under_test.operation.id in result.recovered
    assert workers.docker.state is ContainerState.RUNNING
    assert workers.slack.drawn[-1].status is RequestStatus.PUT_BACK
    assert state["status"] == RequestStatus.PUT_BACK
    assert workers.slack.drawn[-1].steps[0].status in (StepStatus.DONE, StepStatus.FAILED)


@pytest.mark.parametrize("kind", ["start", "restart"])
async def test_terminated_start_is_undone_or_made_good(workers: Workers, kind: str) -> None:
    """What rested rests again; what was to run again does, and then all was done."""
    rests = kind == "start"
    workers.docker.state = ContainerState.EXITED if rests else ContainerState.RUNNING
    under_test = await terminated(workers, "ensure_started", kind)

    result = await reconcile(workers)
    await under_test.operation.result()

    assert under_test.operation.id in result.recovered
    assert [arg.started_by_us for arg in workers.docker.put_back] == [rests]
    down, up = ContainerState.EXITED, ContainerState.RUNNING
    assert workers.docker.state is (down if rests else up)
    status = RequestStatus.PUT_BACK if rests else RequestStatus.SUCCEEDED
    assert workers.slack.drawn[-1].status is status


async def test_recovery_happens_once(workers: Workers) -> None:
    """A second look finds nothing more to do."""
    under_test = await terminated(workers, "ensure_snapshot")
    await reconcile(workers)
    await under_test.operation.result()
    calls = list(workers.docker.calls)

    again = await reconcile(workers)

    assert under_test.operation.id not in again.recovered
    assert workers.docker.calls == calls


async def test_run_that_cannot_tell_its_state_yet_is_looked_at_again(workers: Workers) -> None:
    """A run whose query found no worker, as after a kill, is not written off as seen."""
    under_test = await terminated(workers, "ensure_snapshot")
    await workers.stop_control()
    looking = ActivityEnvironment()
    ledger = Visibility(workers.client, patience=timedelta(milliseconds=300))
    seen_by_others = await _ended(workers, under_test)

    blind = await looking.run(ledger.find_ended_runs, EndedInput(known=seen_by_others))
    last = LastStateInput(workflow_id=under_test.operation.id, run_id="")
    with pytest.raises(RPCError):
        await looking.run(ledger.last_state, last)
    await workers.start_control()
    later = await reconcile(workers)
    await under_test.operation.result()

    assert blind.runs == ()
    assert blind.seen == seen_by_others
    assert under_test.operation.id in later.recovered
    assert workers.docker.state is ContainerState.RUNNING


async def test_run_that_never_began_is_seen_once(workers: Workers) -> None:
    """A request that was terminated before any worker had it has no state, and needs nothing."""
    await workers.stop_control()
    under_test = await workers.start(workers.request())
    await under_test.handle.terminate()
    await listed(workers, under_test)
    await workers.start_control()
    run_id = (await under_test.handle.describe()).run_id

    result = await reconcile(workers)

    assert run_id in result.seen
    assert under_test.handle.id not in result.recovered


async def test_container_that_a_person_stopped_is_left_alone(workers: Workers) -> None:
    """A container that somebody started and stopped again since stays as that person left it."""
    under_test = await terminated(workers, "ensure_snapshot")
    workers.docker.faults["ensure_running"] = [failure(ErrorType.STOPPED_BY_PERSON)]

    await reconcile(workers)
    await under_test.operation.result()

    last = workers.slack.drawn[-1]
    assert last.status is RequestStatus.NEEDS_PERSON
    assert last.closed
    assert workers.docker.calls.count("ensure_running") == 1


async def test_terminated_waiting_request_leaves_no_dead_buttons(workers: Workers) -> None:
    """A request that was terminated while it waited: its card says that it is over."""
    under_test = await workers.start(workers.request())
    await under_test.until(RequestStatus.WAITING)
    await under_test.handle.terminate()
    await listed(workers, under_test)

    await reconcile(workers)

    last = workers.slack.drawn[-1]
    assert last.request_id == under_test.request.request_id
    assert last.status is RequestStatus.CANCELLED
    assert last.closed
    assert workers.docker.calls == ["inspect_container"]


async def test_request_that_was_terminated_while_its_card_was_posted(workers: Workers) -> None:
    """The card comes to stand in the channel all the same: it is redrawn, and says it is over."""
    workers.slack.may_publish.clear()
    under_test = await workers.start(workers.request())
    await eventually(workers.slack.publishing.is_set)
    await under_test.handle.terminate()
    workers.slack.may_publish.set()
    await eventually(lambda: bool(workers.slack.drawn))
    await listed(workers, under_test)

    await reconcile(workers)

    ours = [s for s in workers.slack.drawn if s.request_id == under_test.request.request_id]
    assert [state.status for state in ours] == [RequestStatus.WAITING, RequestStatus.CANCELLED]
    assert ours[-1].closed


async def test_living_request_is_not_reconciled(workers: Workers) -> None:
    """Work that somebody looks after is none of the reconciliation's business."""
    gate = workers.docker.gates["ensure_snapshot"] = threading.Event()
    under_test = await workers.start(workers.request())
    await under_test.until(RequestStatus.WAITING)
    await under_test.decide("UBOB")
    await eventually(workers.docker.entered["ensure_snapshot"].is_set)

    result = await reconcile(workers)
    gate.set()

    assert under_test.operation.id not in result.recovered
    assert (await under_test.result()).status is RequestStatus.SUCCEEDED


async def test_recovery_that_was_terminated_before_it_began_is_taken_up(workers: Workers) -> None:
    """A recovery that did not come to do anything is known by what it was to begin with."""
    under_test = await terminated(workers, "ensure_snapshot")
    first = (await under_test.operation.describe()).run_id
    await workers.stop_control()
    await workers.start_control(OTHER_OPERATION)
    await reconcile(workers)
    recovery = (await under_test.operation.describe()).run_id
    assert recovery != first
    await under_test.operation.terminate()
    await workers.stop_control()
    await workers.start_control()

    async def taken_up() -> bool:
        await reconcile(workers)
        return (await under_test.operation.describe()).run_id != recovery

    await eventually(taken_up, within=30)
    await under_test.operation.result()
    assert workers.docker.state is ContainerState.RUNNING


async def test_forged_recovery_is_not_carried_out_by_ending_it(workers: Workers) -> None:
    """Whoever reaches Temporal can start one, which is refused, and can end it before that."""
    under_test = await workers.start(workers.request())
    state = await under_test.until(RequestStatus.WAITING)
    await workers.stop_control()
    forged = await workers.client.start_workflow(
        names.OPERATION_WORKFLOW,
        OperateInput(state=replace(state, request_id="0" * 12), recover=True),
        id=under_test.operation.id,
        task_queue=names.CONTROL_TASK_QUEUE,
    )
    await forged.terminate()
    await workers.start_control()
    calls = list(workers.docker.calls)
    run_id = (await under_test.operation.describe()).run_id

    async def is_seen() -> bool:
        return run_id in (await reconcile(workers)).seen

    await eventually(is_seen)
    assert (await under_test.operation.describe()).run_id == run_id
    assert workers.docker.calls == calls
    await under_test.cancel()
    await under_test.result()


async def test_card_that_slack_did_not_take_is_drawn_the_next_time(workers: Workers) -> None:
    """A card that could not be redrawn is not forgotten."""
    under_test = await workers.start(workers.request())
    await under_test.until(RequestStatus.WAITING)
    await under_test.handle.terminate()
    await listed(workers, under_test)
    run_id = (await under_test.handle.describe()).run_id
    workers.slack.publish_faults = [failure(ErrorType.SLACK_UNAVAILABLE)]

    first = await reconcile(workers)
    second = await reconcile(workers)

    assert workers.slack.publish_faults == []
    assert run_id not in first.seen
    assert run_id in second.seen
    assert workers.slack.drawn[-1].status is RequestStatus.CANCELLED


async def test_end_that_nobody_could_draw_any_more_is_drawn(workers: Workers) -> None:
    """It expired in the hands of a worker that hung, and was terminated: the card says so."""
    under_test = await workers.start(workers.request(expires_after_seconds=4))
    await under_test.until(RequestStatus.WAITING)
    await workers.stop_control()
    poll = PollWorkflowTaskQueueRequest(
        namespace=workers.client.namespace,
        task_queue=TaskQueue(name=names.CONTROL_TASK_QUEUE),
        identity="hung",
    )
    taken = await workers.client.workflow_service.poll_workflow_task_queue(poll)
    assert taken.workflow_execution.workflow_id == under_test.handle.id
    await under_test.handle.terminate()
    await workers.start_control()
    await listed(workers, under_test)

    await reconcile(workers)

    drawn = [
        card for card in workers.slack.drawn if card.request_id == under_test.request.request_id
    ]
    assert [card.status for card in drawn] == [RequestStatus.WAITING, RequestStatus.EXPIRED]
    assert drawn[-1].closed


async def test_end_that_nobody_could_be_told_of_is_not_forgotten(workers: Workers) -> None:
    """Slack is away for longer than a look goes back: the next look goes back further."""
    under_test = await workers.start(workers.request())
    await under_test.until(RequestStatus.WAITING)
    await under_test.handle.terminate()
    await listed(workers, under_test)
    closed_at = (await under_test.handle.describe()).close_time
    assert closed_at is not None
    workers.slack.publish_faults = [failure(ErrorType.SLACK_FORBIDDEN)]

    async with Looks(workers.client, WatchLimits(look_back=6)) as looks:
        refused = await looks.look()
        await eventually(lambda: datetime.now(UTC) > closed_at + timedelta(seconds=7))
        await looks.look()
        told = await looks.look()

    assert workers.slack.publish_faults == []
    assert refused.since == pytest.approx(closed_at.timestamp())
    assert [state.status for state in workers.slack.drawn] == [
        RequestStatus.WAITING,
        RequestStatus.CANCELLED,
    ]
    assert told.since > closed_at.timestamp()


# The last, for later looks would wait for its host.
async def test_container_of_a_later_request_is_left_to_it(workers: Workers) -> None:
    """Another request has operated on the container since: it is not undone, and people look.

    What the first had committed and tagged, and nobody heard of, is no snapshot: it goes.
    """
    first = await terminated(workers, "ensure_snapshot")
    workers.docker.gates.clear()
    await eventually(lambda: any(workers.docker.images.values()))
    (unheard,) = workers.docker.images
    second = await workers.start(workers.request())
    await second.until(RequestStatus.WAITING)
    await second.decide("UBOB")
    assert (await second.result()).status is RequestStatus.SUCCEEDED
    calls = workers.docker.calls.count("ensure_running")

    await reconcile(workers)
    await reconcile(workers)

    cards = [card for card in workers.slack.drawn if card.request_id == first.request.request_id]
    assert cards[-1].status is RequestStatus.NEEDS_PERSON
    assert cards[-1].cause is ErrorType.STATE_CONFLICT
    assert cards[-1].closed
    assert workers.docker.calls.count("ensure_running") == calls
    assert workers.docker.calls[-1] == "sweep_snapshots"
    assert workers.docker.settled == TIMING.commit_settle
    assert unheard not in workers.docker.images
    assert len(workers.docker.images) == 1
