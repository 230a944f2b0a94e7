"""Does the last word of a request stay true when people and failures cross its way?"""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import pytest

from tests.fakes.fake_docker import failure
from tests.rigs.waiting import eventually
from tests.rigs.workers import Play, Stage
from workflows.model.errors import ErrorType
from workflows.model.requests import ContainerState, OperationKind, OperationSpec
from workflows.model.state import RequestState, RequestStatus
from workflows.model.timing import TIMING


async def _approved(stage: Stage, **changes: object) -> Play:
    play = await stage.start(stage.request(**changes))
    await play.until(RequestStatus.WAITING)
    await play.decide("UBOB")
    return play


def _cards(stage: Stage, play: Play) -> list[RequestState]:
    return [card for card in stage.office.drawn if card.request_id == play.request.request_id]


async def test_resting_container_that_people_started_is_not_said_to_rest(stage: Stage) -> None:
    """It rested when it was approved and runs by somebody's wish: out of date, not put back."""
    stage.host.state = ContainerState.EXITED
    stage.host.faults["ensure_snapshot"] = [failure(ErrorType.ENGINE_ERROR)]

    class Started(threading.Event):
        """Lets somebody start the container before the put-back looks at it."""

        def wait(self, timeout: float | None = None) -> bool:
            """Start it."""
            stage.host.state = ContainerState.RUNNING
            return super().wait(timeout)

    stage.host.gates["ensure_running"] = started = Started()
    started.set()

    state = await (await _approved(stage)).result()

    assert stage.host.fired == ["ensure_snapshot"]
    assert state.status is RequestStatus.STALE
    assert state.cause is ErrorType.CONTAINER_CHANGED
    assert stage.host.state is ContainerState.RUNNING
    assert stage.host.images == {}


async def test_snapshot_of_a_container_that_is_gone_is_kept(stage: Stage) -> None:
    """A container removed after its commit: the snapshot is all there is, tagged and told of."""
    stage.host.faults["ensure_tag"] = [failure(ErrorType.CONTAINER_GONE)]
    stage.host.faults["ensure_running"] = [failure(ErrorType.CONTAINER_GONE)]

    state = await (await _approved(stage)).result()

    assert stage.host.fired == ["ensure_tag", "ensure_running"]
    assert state.status is RequestStatus.NEEDS_PERSON
    assert state.snapshot is not None
    assert stage.host.images == {state.snapshot.image_id: state.reference}
    assert state.snapshot.reference == state.reference


async def test_tag_of_a_failed_request_goes_with_its_image(stage: Stage) -> None:
    """A tag that was set before the failure came is not left behind."""
    play = await stage.start(stage.request())
    state = await play.until(RequestStatus.WAITING)

    class Tagged(threading.Event):
        """Sets the tag, as an attempt does whose answer was lost."""

        def wait(self, timeout: float | None = None) -> bool:
            """Tag all images."""
            stage.host.images = dict.fromkeys(stage.host.images, state.reference)
            return super().wait(timeout)

    stage.host.gates["ensure_tag"] = tagged = Tagged()
    tagged.set()
    stage.host.faults["ensure_tag"] = [failure(ErrorType.ENGINE_ERROR)]
    await play.decide("UBOB")

    last = await play.result()

    assert stage.host.fired == ["ensure_tag"]
    assert last.status is RequestStatus.PUT_BACK
    assert last.snapshot is None
    assert stage.host.images == {}


async def test_workflow_cancel_does_not_end_the_tries_to_put_back(skipping: Stage) -> None:
    """A cancel from a terminal while a person is needed leaves no container down."""
    host, entered = skipping.host, threading.Event()

    class SecondTry(threading.Event):
        """Holds up every try but the first."""

        def wait(self, timeout: float | None = None) -> bool:
            """Let the first one pass."""
            if host.calls.count("ensure_running") == 1:
                return True
            entered.set()
            return super().wait(timeout)

    host.gates["ensure_running"] = gate = SecondTry()
    host.faults["ensure_tag"] = [failure(ErrorType.ENGINE_ERROR)]
    host.faults["ensure_running"] = [failure(ErrorType.ENGINE_UNAVAILABLE) for _ in range(2)]
    play = await _approved(skipping)
    await eventually(entered.is_set)
    await play.until(RequestStatus.NEEDS_PERSON)

    await play.handle.cancel()
    await play.state()
    gate.set()
    state = await play.result()

    assert host.fired == ["ensure_tag", "ensure_running", "ensure_running"]
    assert state.status is RequestStatus.PUT_BACK
    assert host.state is ContainerState.RUNNING


async def test_container_that_ends_after_our_start_was_not_stopped_by_people(stage: Stage) -> None:
    """It did not stay up when it was started again: that is no reason to leave it alone."""
    stage.host.stopped_at = datetime.now(UTC)
    stage.host.faults["ensure_running"] = [failure(ErrorType.NOT_RUNNING)]
    operation = OperationSpec(kind=OperationKind.SNAPSHOT, snapshot=True)

    state = await (await _approved(stage, operation=operation)).result()

    assert stage.host.fired == ["ensure_running"]
    assert state.status is RequestStatus.PUT_BACK
    assert [arg.stopped_at for arg in stage.host.put_back] == [None, None]


async def test_second_approval_while_the_container_is_locked_ends_as_stale(stage: Stage) -> None:
    """The lock is held by an operation whose request was terminated: the card says so."""
    gate = stage.host.gates["ensure_stopped"] = threading.Event()
    first = await _approved(stage)
    await eventually(stage.host.entered["ensure_stopped"].is_set)
    await first.handle.terminate()
    play = await stage.start(stage.request(required_approvals=2))
    await play.until(RequestStatus.WAITING)

    await play.decide("UBOB")
    await eventually(lambda: any(len(card.approvals) == 1 for card in _cards(stage, play)))
    await play.decide("UCAROL")
    state = await play.result()
    gate.set()
    await first.operation.result()

    assert state.status is RequestStatus.STALE
    assert state.closed
    last = _cards(stage, play)[-1]
    assert last.status is RequestStatus.STALE
    assert last.closed


@pytest.mark.parametrize(
    ("kind", "settles"), [(ErrorType.ENGINE_AMBIGUOUS, True), (ErrorType.DISK_FULL, False)]
)
async def test_commit_that_may_be_at_work_is_waited_for(
    stage: Stage, kind: ErrorType, *, settles: bool
) -> None:
    """Images are tidied when a commit without an answer has had time to end, no earlier."""
    stage.host.faults["ensure_snapshot"] = [failure(kind)]

    state = await (await _approved(stage)).result()

    assert stage.host.fired == ["ensure_snapshot"]
    assert state.status is RequestStatus.PUT_BACK
    assert stage.host.settled == (TIMING.commit_settle if settles else 0)


async def test_cancel_between_two_tries_of_a_commit_waits_for_the_first(stage: Stage) -> None:
    """The first try had no answer: its image may come after the cancel."""
    stage.host.faults["ensure_snapshot"] = [failure(ErrorType.ENGINE_AMBIGUOUS, retry=True)]
    play = await _approved(stage)
    await eventually(lambda: stage.host.fired == ["ensure_snapshot"])

    await play.handle.cancel()
    state = await play.result()

    assert state.status is RequestStatus.PUT_BACK
    assert stage.host.settled == TIMING.commit_settle
    assert stage.host.images == {}
