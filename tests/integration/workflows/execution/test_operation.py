"""What happens after the approval, and how every failure and every cancel ends."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import pytest
from temporalio.api.enums.v1 import PendingActivityState
from temporalio.client import WorkflowFailureError, WorkflowHandle
from temporalio.exceptions import CancelledError

from tests.fakes.fake_docker import failure
from tests.rigs.waiting import eventually
from tests.rigs.workers import Play, Stage
from workflows.model import names
from workflows.model.errors import ErrorType
from workflows.model.requests import CancelRequest, ContainerState, OperationKind, OperationSpec
from workflows.model.state import RequestStatus, StepName, StepStatus

MUTATING = ["ensure_stopped", "ensure_snapshot", "ensure_tag"]


async def _approved(stage: Stage, **changes: object) -> Play:
    play = await stage.start(stage.request(**changes))
    await play.until(RequestStatus.WAITING)
    await play.decide("UBOB")
    return play


async def _cancel(play: Play, who: str = "UALICE") -> None:
    cancel = CancelRequest(request_id=play.request.request_id, user_id=who, team_id="T1")
    await play.handle.signal(names.CANCEL_SIGNAL, cancel)


def _block(stage: Stage, name: str) -> threading.Event:
    gate = stage.host.gates[name] = threading.Event()
    return gate


async def _entered(stage: Stage, name: str) -> None:
    await eventually(stage.host.entered[name].is_set, what=f"{name} was never called")


@pytest.mark.parametrize("step", MUTATING)
async def test_failed_step_puts_the_container_back(stage: Stage, step: str) -> None:
    """A step that fails for good: the container runs again, and no image is left."""
    stage.host.faults[step] = [failure(ErrorType.ENGINE_FORBIDDEN)]

    state = await (await _approved(stage)).result()

    assert stage.host.fired == [step]
    assert state.status is RequestStatus.PUT_BACK
    assert state.cause is ErrorType.ENGINE_FORBIDDEN
    assert stage.host.state is ContainerState.RUNNING
    assert stage.host.images == {}
    assert stage.host.calls[-2:] == ["ensure_running", "sweep_snapshots"]
    assert stage.office.drawn[-1].status is RequestStatus.PUT_BACK


@pytest.mark.parametrize("step", MUTATING)
async def test_passing_fault_is_tried_again(stage: Stage, step: str) -> None:
    """A fault that passes costs a repetition, not the operation."""
    stage.host.faults[step] = [failure(ErrorType.ENGINE_AMBIGUOUS, retry=True)]

    state = await (await _approved(stage)).result()

    assert stage.host.fired == [step]
    assert state.status is RequestStatus.SUCCEEDED
    assert len(stage.host.images) == 1


@pytest.mark.parametrize(
    ("step", "snapshot", "kept"),
    [
        ("ensure_stopped", False, 0),
        ("ensure_stopped", True, 0),
        ("ensure_snapshot", True, 1),
        ("ensure_tag", True, 1),
    ],
)
async def test_cancel_waits_for_the_step_and_puts_back(
    stage: Stage, step: str, *, snapshot: bool, kept: int
) -> None:
    """A cancel while any step is at work, the last too: the step ends, then all is put back."""
    gate = _block(stage, step)
    operation = OperationSpec(kind=OperationKind.STOP, snapshot=snapshot)
    play = await _approved(stage, operation=operation)
    await _entered(stage, step)

    await _cancel(play)
    await eventually(lambda: any(s.cancel_requested_by for s in stage.office.drawn))
    assert "ensure_running" not in stage.host.calls
    gate.set()
    state = await play.result()

    assert state.status is RequestStatus.PUT_BACK
    assert state.cancel_requested_by == "UALICE"
    assert stage.host.state is ContainerState.RUNNING
    assert list(stage.host.images.values()) == [state.reference] * kept


@pytest.mark.parametrize(("for_now", "told"), [(True, None), (False, ErrorType.ENGINE_FORBIDDEN)])
async def test_cancel_of_a_step_that_then_fails(
    stage: Stage, *, for_now: bool, told: ErrorType | None
) -> None:
    """A failure that would have passed is not told after a cancel; one for good is."""
    gate = _block(stage, "ensure_stopped")
    kind = ErrorType.ENGINE_AMBIGUOUS if for_now else ErrorType.ENGINE_FORBIDDEN
    stage.host.faults["ensure_stopped"] = [failure(kind, retry=for_now)]
    play = await _approved(stage)
    await _entered(stage, "ensure_stopped")

    await _cancel(play)
    operation = stage.client.get_workflow_handle((await play.state()).operation_workflow_id)
    await eventually(lambda: _is_to_be_cancelled(operation))
    gate.set()
    state = await play.result()

    assert stage.host.fired == ["ensure_stopped"]
    assert (state.status, state.cause) == (RequestStatus.PUT_BACK, told)
    assert stage.host.state is ContainerState.RUNNING


async def _is_to_be_cancelled(operation: WorkflowHandle[Any, Any]) -> bool:
    pending = (await operation.describe()).raw_description.pending_activities
    state = PendingActivityState.PENDING_ACTIVITY_STATE_CANCEL_REQUESTED
    return any(activity.state == state for activity in pending)


async def test_cancel_while_waiting_touches_nothing(stage: Stage) -> None:
    """The requester withdraws a request; anybody else may not."""
    play = await stage.start(stage.request())
    await play.until(RequestStatus.WAITING)

    await _cancel(play, "UDAVE")
    await eventually(lambda: bool(stage.office.notices))
    await _cancel(play)
    state = await play.result()

    assert state.status is RequestStatus.CANCELLED
    assert stage.host.calls == ["inspect_container"]
    assert stage.office.drawn[-1].closed


async def test_cancel_through_temporal_while_waiting_is_shown(stage: Stage) -> None:
    """``temporal workflow cancel`` ends a waiting request as cancelled, and the card says so."""
    play = await stage.start(stage.request())
    await play.until(RequestStatus.WAITING)

    await play.handle.cancel()
    with pytest.raises(WorkflowFailureError) as caught:
        await play.handle.result()

    assert isinstance(caught.value.cause, CancelledError)
    assert stage.office.drawn[-1].status is RequestStatus.CANCELLED


async def test_cancel_while_the_card_is_being_posted_is_not_lost(stage: Stage) -> None:
    """A cancel that the end of the posting swallows is found again before anybody can decide."""
    stage.office.may_publish.clear()
    play = await stage.start(stage.request())
    await stage.office.publishing.wait()

    await play.handle.cancel()
    stage.office.may_publish.set()
    with pytest.raises(WorkflowFailureError):
        await play.handle.result()

    assert stage.office.drawn[-1].status is RequestStatus.CANCELLED


@pytest.mark.parametrize("step", MUTATING)
async def test_cancel_through_temporal_while_running_puts_back(stage: Stage, step: str) -> None:
    """``temporal workflow cancel`` of a running request compensates like a person's cancel."""
    gate = _block(stage, step)
    play = await _approved(stage)
    await _entered(stage, step)

    await play.handle.cancel()
    await eventually(lambda: _cancel_requested(play))
    gate.set()
    state = await play.result()

    assert state.status is RequestStatus.PUT_BACK
    assert stage.host.state is ContainerState.RUNNING


@pytest.mark.parametrize("step", MUTATING)
async def test_terminated_request_is_put_back_by_its_operation(stage: Stage, step: str) -> None:
    """A terminated parent: its operation ends its step, compensates, and draws the card."""
    gate = _block(stage, step)
    play = await _approved(stage)
    await _entered(stage, step)

    await play.handle.terminate()
    await eventually(lambda: _cancel_requested(play))
    gate.set()
    await play.operation.result()

    assert stage.host.state is ContainerState.RUNNING
    assert stage.office.drawn[-1].status is RequestStatus.PUT_BACK


@pytest.mark.parametrize("step", MUTATING)
async def test_terminated_operation_is_recovered_by_its_request(stage: Stage, step: str) -> None:
    """A terminated child: its request starts it once more, only to put the container back."""
    gate = _block(stage, step)
    play = await _approved(stage)
    await _entered(stage, step)

    await play.operation.terminate()
    gate.set()
    state = await play.result()

    assert state.status is RequestStatus.PUT_BACK
    assert stage.host.state is ContainerState.RUNNING
    assert stage.office.drawn[-1].status is RequestStatus.PUT_BACK


async def test_cancel_during_compensation_does_not_interrupt_it(stage: Stage) -> None:
    """A cancel that comes while the container is being put back changes nothing."""
    stage.host.faults["ensure_snapshot"] = [failure(ErrorType.DISK_FULL)]
    gate = _block(stage, "ensure_running")
    play = await _approved(stage)
    await _entered(stage, "ensure_running")

    await _cancel(play)
    await play.handle.cancel()
    gate.set()
    state = await play.result()

    assert state.status is RequestStatus.PUT_BACK
    assert state.cause is ErrorType.DISK_FULL
    assert stage.host.calls[-1] == "sweep_snapshots"


@pytest.mark.parametrize(
    "cause", [ErrorType.CONTAINER_CHANGED, ErrorType.DISK_FULL, ErrorType.SNAPSHOT_QUOTA]
)
async def test_what_changed_before_the_stop_is_stale_and_untouched(
    stage: Stage, cause: ErrorType
) -> None:
    """Another container than on the card, or no more room: nothing is done, and that is said."""
    stage.host.faults["ensure_stopped"] = [failure(cause)]

    state = await (await _approved(stage)).result()

    assert (state.status, state.cause) == (RequestStatus.STALE, cause)
    assert stage.host.calls == ["inspect_container", "ensure_stopped"]
    assert [s.status for s in state.steps][1:] == [StepStatus.NOT_RUN] * 2


async def test_container_gone_after_a_stop_was_sent_needs_a_person(stage: Stage) -> None:
    """A container that vanished under our stop is not called stale: a person is needed."""
    stage.host.faults["ensure_stopped"] = [failure(ErrorType.CONTAINER_GONE, "touched")]
    stage.host.faults["ensure_running"] = [failure(ErrorType.CONTAINER_GONE)]

    state = await (await _approved(stage)).result()

    assert state.status is RequestStatus.NEEDS_PERSON
    assert "page" in {entry.key for entry in stage.office.thread}


async def test_restart_since_the_card_is_noted(stage: Stage) -> None:
    """A mere restart is noted on the card and in the thread, and the operation goes on."""
    stage.host.restarted_since = True

    state = await (await _approved(stage)).result()

    assert state.status is RequestStatus.SUCCEEDED
    assert state.restarted_since
    assert "restarted" in {entry.key for entry in stage.office.thread}


async def test_container_started_in_between_is_stopped_again(stage: Stage) -> None:
    """A restart policy that brings the container up before the commit: it is stopped again."""
    stage.host.faults["ensure_snapshot"] = [failure(ErrorType.NOT_STOPPED)] * 2

    state = await (await _approved(stage)).result()

    assert state.status is RequestStatus.SUCCEEDED
    assert stage.host.calls.count("ensure_stopped") == 3


async def test_container_that_will_not_stay_down_is_put_back(stage: Stage) -> None:
    """After three rounds the operation gives up, and the container is as it was."""
    stage.host.faults["ensure_snapshot"] = [failure(ErrorType.NOT_STOPPED)] * 3

    state = await (await _approved(stage)).result()

    assert state.status is RequestStatus.PUT_BACK
    assert state.cause is ErrorType.NOT_STOPPED


async def test_person_ends_the_tries(stage: Stage) -> None:
    """Whoever decided may say that Dockwarden is to leave the container to people."""
    stage.host.faults["ensure_snapshot"] = [failure(ErrorType.DISK_FULL)]
    stage.host.faults["ensure_running"] = [failure(ErrorType.PORT_BUSY)]
    play = await _approved(stage)
    await play.until(RequestStatus.NEEDS_PERSON)

    await _cancel(play, "UBOB")
    state = await play.result()

    assert state.status is RequestStatus.NEEDS_PERSON
    assert state.closed
    assert stage.host.calls.count("ensure_running") == 1


async def test_snapshot_starts_the_container_again(stage: Stage) -> None:
    """The operation ``snapshot`` leaves a running container running."""
    spec = OperationSpec(kind=OperationKind.SNAPSHOT, snapshot=True)

    state = await (await _approved(stage, operation=spec)).result()

    assert state.status is RequestStatus.SUCCEEDED
    assert stage.host.calls[-1] == "ensure_running"
    assert stage.host.state is ContainerState.RUNNING
    assert state.steps[-1].name is StepName.START


async def test_snapshot_of_a_stopped_container_leaves_it_stopped(stage: Stage) -> None:
    """An already stopped container: the stop is skipped, the snapshot made, nothing started."""
    stage.host.state = ContainerState.EXITED
    spec = OperationSpec(kind=OperationKind.SNAPSHOT, snapshot=True)

    state = await (await _approved(stage, operation=spec)).result()

    assert state.status is RequestStatus.SUCCEEDED
    assert state.steps[0].status is StepStatus.SKIPPED
    assert "ensure_running" not in stage.host.calls
    assert stage.host.state is ContainerState.EXITED


async def test_stop_without_snapshot_makes_none(stage: Stage) -> None:
    """A plain stop makes no image."""
    spec = OperationSpec(kind=OperationKind.STOP)

    state = await (await _approved(stage, operation=spec)).result()

    assert state.status is RequestStatus.SUCCEEDED
    assert stage.host.images == {}


async def test_slack_down_never_holds_an_operation_up(stage: Stage) -> None:
    """Cards that cannot be drawn meanwhile: the operation goes on, the last card is drawn."""
    play = await stage.start(stage.request())
    await play.until(RequestStatus.WAITING)
    stage.office.publish_faults = [failure(ErrorType.SLACK_UNAVAILABLE, retry=True)] * 2

    await play.decide("UBOB")
    state = await play.result()

    assert stage.office.publish_faults == []
    assert state.status is RequestStatus.SUCCEEDED
    assert stage.office.drawn[-1].status is RequestStatus.SUCCEEDED


async def test_two_requests_never_operate_on_one_container(stage: Stage) -> None:
    """A container that another operation holds, by another name, is left alone."""
    gate = _block(stage, "ensure_stopped")
    first = await _approved(stage)
    await _entered(stage, "ensure_stopped")
    stage.host.pin = replace(stage.host.pin, name="web-2")
    other = replace(stage.request().container, name="web-2")

    second = await stage.start(stage.request(container=other))
    await second.until(RequestStatus.WAITING)
    await second.decide("UBOB")
    stale = await second.result()
    gate.set()

    assert stale.status is RequestStatus.STALE
    assert (await first.result()).status is RequestStatus.SUCCEEDED
    assert stage.host.calls.count("ensure_stopped") == 1


async def _cancel_requested(play: Play) -> bool:
    events = await play.events(play.operation)
    return "WORKFLOW_EXECUTION_CANCEL_REQUESTED" in events
