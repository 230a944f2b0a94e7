"""Does the last word of a request stay true when people and failures cross its way?"""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tests.fakes.fake_docker import failure
from tests.rigs.waiting import eventually
from tests.rigs.workers import RequestUnderTest, Workers
from workflows.model.dependents import Dependent, Dependents, Fate
from workflows.model.errors import ErrorType
from workflows.model.requests import ContainerState, OperationSpec
from workflows.model.state import RequestState, RequestStatus, StepStatus
from workflows.model.timing import TIMING


def _cards(workers: Workers, under_test: RequestUnderTest) -> list[RequestState]:
    return [
        card for card in workers.slack.drawn if card.request_id == under_test.request.request_id
    ]


async def test_resting_container_that_people_started_is_not_said_to_rest(workers: Workers) -> None:
    """It rested when it was approved and runs by somebody's wish: out of date, not put back."""
    workers.docker.state = ContainerState.EXITED
    workers.docker.faults["ensure_snapshot"] = [failure(ErrorType.ENGINE_ERROR)]

    class Started(threading.Event):
        """Lets somebody start the container before the put-back looks at it."""

        def wait(self, timeout: float | None = None) -> bool:
            """Start it."""
            workers.docker.state = ContainerState.RUNNING
            return super().wait(timeout)

    workers.docker.gates["ensure_running"] = started = Started()
    started.set()

    state = await (await workers.approved()).result()

    assert workers.docker.fired == ["ensure_snapshot"]
    assert state.status is RequestStatus.STALE
    assert state.cause is ErrorType.CONTAINER_CHANGED
    assert workers.docker.state is ContainerState.RUNNING
    assert workers.docker.images == {}


async def test_snapshot_of_a_container_that_is_gone_is_kept(workers: Workers) -> None:
    """A container removed after its commit: the snapshot is all there is, tagged and told of."""
    workers.docker.faults["tag"] = [failure(ErrorType.CONTAINER_GONE)]
    workers.docker.faults["ensure_running"] = [failure(ErrorType.CONTAINER_GONE)]

    state = await (await workers.approved()).result()

    assert workers.docker.fired == ["tag", "ensure_running"]
    assert state.status is RequestStatus.NEEDS_PERSON
    assert state.snapshot is not None
    assert workers.docker.images == {state.snapshot.image_id: state.reference}
    assert state.snapshot.reference == state.reference


async def test_tag_of_a_failed_request_goes_with_its_image(workers: Workers) -> None:
    """A tag that was set before the failure came is not left behind."""
    under_test = await workers.start(workers.request())
    state = await under_test.until(RequestStatus.WAITING)

    class Tagged(threading.Event):
        """Sets the tag, as an attempt does whose answer was lost."""

        def wait(self, timeout: float | None = None) -> bool:
            """Tag all images."""
            workers.docker.images = dict.fromkeys(workers.docker.images, state.reference)
            return super().wait(timeout)

    workers.docker.gates["tag"] = tagged = Tagged()
    tagged.set()
    workers.docker.faults["tag"] = [failure(ErrorType.ENGINE_ERROR)]
    await under_test.decide("UBOB")

    last = await under_test.result()

    assert workers.docker.fired == ["tag"]
    assert last.status is RequestStatus.PUT_BACK
    assert last.snapshot is None
    assert workers.docker.images == {}


async def test_workflow_cancel_does_not_end_the_tries_to_put_back(
    skipping_workers: Workers,
) -> None:
    """A cancel from a terminal while a person is needed leaves no container down."""
    docker, entered = skipping_workers.docker, threading.Event()

    class AfterThePage(threading.Event):
        """Holds up every try that follows those after which people are paged."""

        def wait(self, timeout: float | None = None) -> bool:
            """Let the first three pass."""
            if docker.calls.count("ensure_running") <= 3:
                return True
            entered.set()
            return super().wait(timeout)

    docker.gates["ensure_running"] = gate = AfterThePage()
    docker.faults["tag"] = [failure(ErrorType.ENGINE_ERROR)]
    docker.faults["ensure_running"] = [failure(ErrorType.ENGINE_UNAVAILABLE) for _ in range(4)]
    under_test = await skipping_workers.approved()
    await eventually(entered.is_set)
    await under_test.until(RequestStatus.NEEDS_PERSON)

    await under_test.handle.cancel()
    await under_test.state()
    gate.set()
    state = await under_test.result()

    assert docker.fired == ["tag", *["ensure_running"] * 4]
    assert state.status is RequestStatus.PUT_BACK
    assert docker.state is ContainerState.RUNNING


async def test_container_that_ends_after_our_start_was_not_stopped_by_people(
    workers: Workers,
) -> None:
    """It did not stay up when it was started again: that is no reason to leave it alone.

    And the snapshot, which is all that was asked for besides, is there: it is a success.
    """
    workers.docker.stopped_at = datetime.now(UTC)
    workers.docker.faults["ensure_started"] = [failure(ErrorType.NOT_RUNNING)]
    operation = OperationSpec(kind="snapshot", snapshot=True)

    state = await (await workers.approved(operation=operation)).result()

    assert workers.docker.fired == ["ensure_started"]
    assert (state.status, state.cause) == (RequestStatus.SUCCEEDED, None)
    assert state.snapshot is not None
    assert workers.docker.images == {state.snapshot.image_id: state.reference}
    assert [arg.stopped_at for arg in workers.docker.put_back] == [None]


async def test_second_approval_while_the_container_is_locked_ends_as_stale(
    workers: Workers,
) -> None:
    """The lock is held by an operation whose request was terminated: the card says so."""
    gate = workers.docker.gates["ensure_stopped"] = threading.Event()
    first = await workers.approved()
    await eventually(workers.docker.entered["ensure_stopped"].is_set)
    await first.handle.terminate()
    under_test = await workers.start(workers.request(required_approvals=2))
    await under_test.until(RequestStatus.WAITING)

    await under_test.decide("UBOB")
    await eventually(lambda: any(len(card.approvals) == 1 for card in _cards(workers, under_test)))
    await under_test.decide("UCAROL")
    state = await under_test.result()
    gate.set()
    await first.operation.result()

    assert state.status is RequestStatus.STALE
    assert state.closed
    last = _cards(workers, under_test)[-1]
    assert last.status is RequestStatus.STALE
    assert last.closed


@pytest.mark.parametrize(
    ("kind", "settles"), [(ErrorType.ENGINE_AMBIGUOUS, True), (ErrorType.DISK_FULL, False)]
)
async def test_commit_that_may_be_at_work_is_waited_for(
    workers: Workers, kind: ErrorType, *, settles: bool
) -> None:
    """Images are tidied when a commit without an answer has had time to end, no earlier."""
    workers.docker.faults["ensure_snapshot"] = [failure(kind)]

    state = await (await workers.approved()).result()

    assert workers.docker.fired == ["ensure_snapshot"]
    assert state.status is RequestStatus.PUT_BACK
    assert workers.docker.settled == (TIMING.commit_settle if settles else 0)


async def test_cancel_between_two_tries_of_a_commit_waits_for_the_first(workers: Workers) -> None:
    """The first try had no answer: its image may come after the cancel."""
    workers.docker.faults["ensure_snapshot"] = [failure(ErrorType.ENGINE_AMBIGUOUS, retry=True)]
    under_test = await workers.approved()
    await eventually(lambda: workers.docker.fired == ["ensure_snapshot"])

    await under_test.handle.cancel()
    state = await under_test.result()

    assert state.status is RequestStatus.PUT_BACK
    assert workers.docker.settled == TIMING.commit_settle
    assert workers.docker.images == {}
    # Nobody has heard whether it did anything: it is not called "not run".
    commit = state.steps[1]
    assert (commit.status, commit.note) == (StepStatus.FAILED, "cut short by the cancel")


async def test_those_that_live_in_it_are_looked_at_when_it_is_over(workers: Workers) -> None:
    """What became of them is on the last card; without any, nobody asks for it."""
    one = Dependent(name="side-1", container_id="d" * 64, space="network")
    workers.docker.dependents = Dependents(found=(one,), more=2)

    state = await (await workers.approved()).result()

    assert state.status is RequestStatus.SUCCEEDED
    assert state.dependents == Dependents(found=(replace(one, fate=Fate.CUT_OFF),), more=2)
    assert workers.docker.calls[-1] == "look_at_dependents"
    assert workers.slack.drawn[-1].dependents == state.dependents
    workers.docker.dependents, workers.docker.calls = Dependents(), []
    await (await workers.approved()).result()
    assert "look_at_dependents" not in workers.docker.calls


async def test_one_that_came_after_the_card_is_looked_at_too(workers: Workers) -> None:
    """Nobody was told of it before, so that it is told after counts the more."""
    one = Dependent(name="late-1", container_id="d" * 64, space="network")
    workers.docker.newcomers = (one,)
    operation = OperationSpec(kind="snapshot", snapshot=True)

    state = await (await workers.approved(operation=operation)).result()

    assert state.status is RequestStatus.SUCCEEDED
    assert state.dependents.found == (replace(one, fate=Fate.CUT_OFF),)


async def test_a_look_at_others_that_fails_costs_no_outcome(workers: Workers) -> None:
    """It is said that nobody has looked, and all else as it is; what was not touched harms none."""
    one = Dependent(name="side-1", container_id="d" * 64, space="network")
    workers.docker.dependents = Dependents(found=(one,))
    workers.docker.faults["look_at_dependents"] = [failure(ErrorType.ENGINE_UNAVAILABLE)]

    state = await (await workers.approved()).result()

    assert workers.docker.fired == ["look_at_dependents"]
    assert state.status is RequestStatus.SUCCEEDED
    assert state.dependents.found == (one,)
    workers.docker.faults["ensure_stopped"] = [failure(ErrorType.CONTAINER_CHANGED)]
    workers.docker.state, workers.docker.calls = ContainerState.RUNNING, []
    stale = await (await workers.approved()).result()
    assert stale.status is RequestStatus.STALE
    assert workers.docker.calls == ["inspect_container", "ensure_stopped"]


@pytest.mark.parametrize("fails", [False, True])
async def test_a_container_is_called_what_the_engine_calls_it(
    workers: Workers, *, fails: bool
) -> None:
    """It was renamed after its stop: from then on cards say so, whatever comes of it."""
    if fails:
        details = {"touched": True, "state": "exited", "name": "web-1-old"}
        workers.docker.faults["tag"] = [failure(ErrorType.ENGINE_ERROR)]
        workers.docker.faults["ensure_running"] = [failure(ErrorType.CONTAINER_GONE, details)]
    else:
        workers.docker.name_now = "web-1-old"

    state = await (await workers.approved()).result()

    assert state.status is (RequestStatus.NEEDS_PERSON if fails else RequestStatus.SUCCEEDED)
    assert (state.renamed, state.name_now) == ("web-1-old", "web-1-old")
    assert state.container.name == "web-1"
    assert workers.slack.drawn[-1].renamed == "web-1-old"
