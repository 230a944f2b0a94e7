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
from tests.rigs.workers import RequestUnderTest, Workers
from workflows.model import names
from workflows.model.errors import ErrorType
from workflows.model.requests import ContainerState, OperationSpec
from workflows.model.state import RequestStatus, StepName, StepStatus

#: The calls that change something; the tag comes within the same activity as the commit.
MUTATING = ["ensure_stopped", "ensure_snapshot", "tag"]


def _block(workers: Workers, name: str) -> threading.Event:
    gate = workers.docker.gates[name] = threading.Event()
    return gate


async def _entered(workers: Workers, name: str) -> None:
    await eventually(workers.docker.entered[name].is_set, what=f"{name} was never called")


async def _held_at(
    workers: Workers, name: str, **changes: Any
) -> tuple[RequestUnderTest, threading.Event]:
    """Approve a request, and hold this activity of its operation until the event is set."""
    gate = _block(workers, name)
    under_test = await workers.approved(**changes)
    await _entered(workers, name)
    return under_test, gate


@pytest.mark.parametrize("step", MUTATING)
async def test_failed_step_puts_the_container_back(workers: Workers, step: str) -> None:
    """A step that fails for good: the container runs again, and no image is left."""
    workers.docker.faults[step] = [failure(ErrorType.ENGINE_FORBIDDEN, "touched")]

    state = await (await workers.approved()).result()

    assert workers.docker.fired == [step]
    assert state.status is RequestStatus.PUT_BACK
    assert state.cause is ErrorType.ENGINE_FORBIDDEN
    assert workers.docker.state is ContainerState.RUNNING
    assert workers.docker.images == {}
    undone = [
        call for call in workers.docker.calls if call in ("ensure_running", "sweep_snapshots")
    ]
    # Images are tidied once the container is back, and only if there may be any.
    made_any = step != "ensure_stopped"
    assert undone == ["ensure_running", *["sweep_snapshots"] * made_any]
    assert workers.slack.drawn[-1].status is RequestStatus.PUT_BACK


@pytest.mark.parametrize("step", MUTATING)
async def test_passing_fault_is_tried_again(workers: Workers, step: str) -> None:
    """A fault that passes costs a repetition, not the operation."""
    workers.docker.faults[step] = [failure(ErrorType.ENGINE_AMBIGUOUS, retry=True)]

    state = await (await workers.approved()).result()

    assert workers.docker.fired == [step]
    assert state.status is RequestStatus.SUCCEEDED
    assert len(workers.docker.images) == 1


@pytest.mark.parametrize(
    ("step", "snapshot", "kept"),
    [
        ("ensure_stopped", False, 0),
        ("ensure_stopped", True, 0),
        ("ensure_snapshot", True, 1),
        ("tag", True, 1),
    ],
)
async def test_cancel_waits_for_the_step_and_puts_back(
    workers: Workers, step: str, *, snapshot: bool, kept: int
) -> None:
    """A cancel while any step is at work, the last too: the step ends, then all is put back."""
    operation = OperationSpec(kind="stop", snapshot=snapshot)
    under_test, gate = await _held_at(workers, step, operation=operation)

    await under_test.cancel()
    await eventually(lambda: any(s.cancel_requested_by for s in workers.slack.drawn))
    assert "ensure_running" not in workers.docker.calls
    gate.set()
    state = await under_test.result()

    assert state.status is RequestStatus.PUT_BACK
    assert state.cancel_requested_by == "UALICE"
    assert workers.docker.state is ContainerState.RUNNING
    assert list(workers.docker.images.values()) == [state.reference] * kept


@pytest.mark.parametrize(("for_now", "told"), [(True, None), (False, ErrorType.ENGINE_FORBIDDEN)])
async def test_cancel_of_a_step_that_then_fails(
    workers: Workers, *, for_now: bool, told: ErrorType | None
) -> None:
    """A failure that would have passed is not told after a cancel; one for good is."""
    gate = _block(workers, "ensure_stopped")
    kind = ErrorType.ENGINE_AMBIGUOUS if for_now else ErrorType.ENGINE_FORBIDDEN
    workers.docker.faults["ensure_stopped"] = [failure(kind, "touched", retry=for_now)]
    under_test = await workers.approved()
    await _entered(workers, "ensure_stopped")

    await under_test.cancel()
    operation = workers.client.get_workflow_handle((await under_test.state()).operation_workflow_id)
    await eventually(lambda: _is_to_be_cancelled(operation))
    gate.set()
    state = await under_test.result()

    assert workers.docker.fired == ["ensure_stopped"]
    assert (state.status, state.cause) == (RequestStatus.PUT_BACK, told)
    assert workers.docker.state is ContainerState.RUNNING


async def _is_to_be_cancelled(operation: WorkflowHandle[Any, Any]) -> bool:
    pending = (await operation.describe()).raw_description.pending_activities
    state = PendingActivityState.PENDING_ACTIVITY_STATE_CANCEL_REQUESTED
    return any(activity.state == state for activity in pending)


async def test_a_cancel_counts_for_its_request_alone(workers: Workers) -> None:
    """One from a terminal, in somebody's name and sent to the operation itself, changes nothing."""
    under_test, gate = await _held_at(workers, "ensure_stopped")

    await under_test.operation.signal(names.CANCEL_SIGNAL, "UALICE")
    await eventually(lambda: _has_asked_its_request(under_test))
    gate.set()
    state = await under_test.result()

    assert state.status is RequestStatus.SUCCEEDED
    assert not any(drawn.cancel_requested_by for drawn in workers.slack.drawn)


async def _has_asked_its_request(under_test: RequestUnderTest) -> bool:
    history = await under_test.operation.fetch_history()
    (asked,) = [
        event.event_id
        for event in history.events
        if event.activity_task_scheduled_event_attributes.activity_type.name == "last_state"
    ] or [0]
    return any(
        event.activity_task_completed_event_attributes.scheduled_event_id == asked != 0
        for event in history.events
    )


async def test_cancel_while_waiting_touches_nothing(workers: Workers) -> None:
    """The requester withdraws a request; anybody else may not."""
    under_test = await workers.start(workers.request())
    await under_test.until(RequestStatus.WAITING)

    await under_test.cancel("UDAVE")
    await eventually(lambda: bool(workers.slack.notices))
    await under_test.cancel()
    state = await under_test.result()

    assert state.status is RequestStatus.CANCELLED
    assert workers.docker.calls == ["inspect_container"]
    assert workers.slack.drawn[-1].closed


async def test_cancel_through_temporal_while_waiting_is_shown(workers: Workers) -> None:
    """``temporal workflow cancel`` ends a waiting request as cancelled, and the card says so."""
    under_test = await workers.start(workers.request())
    await under_test.until(RequestStatus.WAITING)

    await under_test.handle.cancel()
    with pytest.raises(WorkflowFailureError) as caught:
        await under_test.handle.result()

    assert isinstance(caught.value.cause, CancelledError)
    assert workers.slack.drawn[-1].status is RequestStatus.CANCELLED


async def test_cancel_while_the_card_is_being_posted_is_not_lost(workers: Workers) -> None:
    """A cancel that the end of the posting swallows is found again before anybody can decide."""
    workers.slack.may_publish.clear()
    under_test = await workers.start(workers.request())
    await workers.slack.publishing.wait()

    await under_test.handle.cancel()
    workers.slack.may_publish.set()
    with pytest.raises(WorkflowFailureError):
        await under_test.handle.result()

    assert workers.slack.drawn[-1].status is RequestStatus.CANCELLED


@pytest.mark.parametrize("step", MUTATING)
async def test_cancel_through_temporal_while_running_puts_back(workers: Workers, step: str) -> None:
    """``temporal workflow cancel`` of a running request compensates like a person's cancel."""
    under_test, gate = await _held_at(workers, step)

    await under_test.handle.cancel()
    await eventually(lambda: _cancel_requested(under_test))
    gate.set()
    state = await under_test.result()

    assert state.status is RequestStatus.PUT_BACK
    assert workers.docker.state is ContainerState.RUNNING


@pytest.mark.parametrize("step", MUTATING)
async def test_terminated_request_is_put_back_by_its_operation(workers: Workers, step: str) -> None:
    """A terminated parent: its operation ends its step, compensates, and draws the card."""
    under_test, gate = await _held_at(workers, step)

    await under_test.handle.terminate()
    await eventually(lambda: _cancel_requested(under_test))
    gate.set()
    await under_test.operation.result()

    assert workers.docker.state is ContainerState.RUNNING
    assert workers.slack.drawn[-1].status is RequestStatus.PUT_BACK


@pytest.mark.parametrize("step", MUTATING)
async def test_terminated_operation_is_recovered_by_its_request(
    workers: Workers, step: str
) -> None:
    """A terminated child: its request starts it once more, only to put the container back."""
    under_test, gate = await _held_at(workers, step)

    await under_test.operation.terminate()
    gate.set()
    state = await under_test.result()

    assert state.status is RequestStatus.PUT_BACK
    assert workers.docker.state is ContainerState.RUNNING
    assert workers.slack.drawn[-1].status is RequestStatus.PUT_BACK


async def test_cancel_during_compensation_does_not_interrupt_it(workers: Workers) -> None:
    """A cancel that comes while the container is being put back changes nothing."""
    workers.docker.faults["ensure_snapshot"] = [failure(ErrorType.DISK_FULL)]
    under_test, gate = await _held_at(workers, "ensure_running")

    await under_test.cancel()
    await under_test.handle.cancel()
    gate.set()
    state = await under_test.result()

    assert state.status is RequestStatus.PUT_BACK
    assert state.cause is ErrorType.DISK_FULL
    assert workers.docker.calls[-1] == "sweep_snapshots"


@pytest.mark.parametrize(
    "cause", [ErrorType.CONTAINER_CHANGED, ErrorType.DISK_FULL, ErrorType.SNAPSHOT_QUOTA]
)
async def test_what_changed_before_the_stop_is_stale_and_untouched(
    workers: Workers, cause: ErrorType
) -> None:
    """Another container than on the card, or no more room: nothing is done, and that is said."""
    workers.docker.faults["ensure_stopped"] = [failure(cause)]

    state = await (await workers.approved()).result()

    assert (state.status, state.cause) == (RequestStatus.STALE, cause)
    assert workers.docker.calls == ["inspect_container", "ensure_stopped"]
    assert [s.status for s in state.steps][1:] == [StepStatus.NOT_RUN]


async def test_container_gone_after_a_stop_was_sent_needs_a_person(workers: Workers) -> None:
    """A container that vanished under our stop is not called stale: a person is needed."""
    workers.docker.faults["ensure_stopped"] = [failure(ErrorType.CONTAINER_GONE, "touched")]
    workers.docker.faults["ensure_running"] = [failure(ErrorType.CONTAINER_GONE)]

    state = await (await workers.approved()).result()

    assert state.status is RequestStatus.NEEDS_PERSON
    assert "page" in {entry.key for entry in workers.slack.thread}


async def test_restart_since_the_card_is_noted(workers: Workers) -> None:
    """A mere restart is noted on the card and in the thread, and the operation goes on."""
    workers.docker.restarted_since = True

    state = await (await workers.approved()).result()

    assert state.status is RequestStatus.SUCCEEDED
    assert state.restarted_since
    assert "restarted" in {entry.key for entry in workers.slack.thread}


async def test_container_started_in_between_is_stopped_again(workers: Workers) -> None:
    """A restart policy that brings the container up before the commit: it is stopped again."""
    workers.docker.faults["ensure_snapshot"] = [failure(ErrorType.NOT_STOPPED)] * 2

    state = await (await workers.approved()).result()

    assert state.status is RequestStatus.SUCCEEDED
    assert workers.docker.calls.count("ensure_stopped") == 3


async def test_container_that_will_not_stay_down_is_put_back(workers: Workers) -> None:
    """After three rounds the operation gives up, and the container is as it was."""
    workers.docker.faults["ensure_snapshot"] = [failure(ErrorType.NOT_STOPPED)] * 3

    state = await (await workers.approved()).result()

    assert state.status is RequestStatus.PUT_BACK
    assert state.cause is ErrorType.NOT_STOPPED


async def test_snapshot_starts_the_container_again(workers: Workers) -> None:
    """The operation ``snapshot`` leaves a running container running."""
    spec = OperationSpec(kind="snapshot", snapshot=True)

    state = await (await workers.approved(operation=spec)).result()

    assert state.status is RequestStatus.SUCCEEDED
    assert workers.docker.calls[-1] == "ensure_started"
    assert workers.docker.state is ContainerState.RUNNING
    assert state.steps[-1].name is StepName.START


async def test_snapshot_of_a_stopped_container_leaves_it_stopped(workers: Workers) -> None:
    """An already stopped container: the stop is skipped, the snapshot made, nothing started."""
    workers.docker.state = ContainerState.EXITED
    spec = OperationSpec(kind="snapshot", snapshot=True)

    state = await (await workers.approved(operation=spec)).result()

    assert state.status is RequestStatus.SUCCEEDED
    assert state.steps[0].status is StepStatus.SKIPPED
    assert not {"ensure_running", "ensure_started"} & {*workers.docker.calls}
    assert workers.docker.state is ContainerState.EXITED


async def test_stop_without_snapshot_makes_none(workers: Workers) -> None:
    """A plain stop makes no image."""
    spec = OperationSpec(kind="stop")

    state = await (await workers.approved(operation=spec)).result()

    assert state.status is RequestStatus.SUCCEEDED
    assert workers.docker.images == {}


async def test_slack_down_never_holds_an_operation_up(workers: Workers) -> None:
    """Cards that cannot be drawn meanwhile: the operation goes on, the last card is drawn."""
    under_test = await workers.start(workers.request())
    await under_test.until(RequestStatus.WAITING)
    workers.slack.publish_faults = [failure(ErrorType.SLACK_UNAVAILABLE, retry=True)] * 2

    await under_test.decide("UBOB")
    state = await under_test.result()

    assert workers.slack.publish_faults == []
    assert state.status is RequestStatus.SUCCEEDED
    assert workers.slack.drawn[-1].status is RequestStatus.SUCCEEDED


async def test_two_requests_never_operate_on_one_container(workers: Workers) -> None:
    """A container that another operation holds, by another name, is left alone."""
    first, gate = await _held_at(workers, "ensure_stopped")
    workers.docker.pin = replace(workers.docker.pin, name="web-2")
    other = replace(workers.request().container, name="web-2")

    second = await workers.start(workers.request(container=other))
    await second.until(RequestStatus.WAITING)
    await second.decide("UBOB")
    stale = await second.result()
    gate.set()

    assert stale.status is RequestStatus.STALE
    assert (await first.result()).status is RequestStatus.SUCCEEDED
    assert workers.docker.calls.count("ensure_stopped") == 1


async def _cancel_requested(under_test: RequestUnderTest) -> bool:
    events = await under_test.events(under_test.operation)
    return "WORKFLOW_EXECUTION_CANCEL_REQUESTED" in events
