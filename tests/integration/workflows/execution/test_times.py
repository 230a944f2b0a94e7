"""What is told of time: how long a container was down, how long it may take, and what was paged?"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.fakes.fake_docker import failure
from tests.rigs.waiting import eventually
from tests.rigs.workers import Workers
from workflows.model.errors import ErrorType, RefusalCode
from workflows.model.requests import ContainerState, OperationSpec
from workflows.model.state import PortMove, RequestStatus

_ENDED = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
_SNAPSHOT = OperationSpec(kind="snapshot", snapshot=True)


@pytest.mark.parametrize("fails", [False, True], ids=["done", "put back"])
async def test_down_time_is_measured_by_the_engines_clock(workers: Workers, *, fails: bool) -> None:
    """From the stop to when it ran again, whether all went well or not."""
    workers.docker.stopped_at = _ENDED
    workers.docker.running_since = _ENDED + timedelta(seconds=4.2)
    if fails:
        workers.docker.faults["ensure_snapshot"] = [failure(ErrorType.DISK_FULL)]

    state = await (await workers.approved(operation=_SNAPSHOT)).result()

    assert state.status is (RequestStatus.PUT_BACK if fails else RequestStatus.SUCCEEDED)
    assert state.down_seconds == pytest.approx(4.2)


@pytest.mark.parametrize("fails", [False, True], ids=["done", "put back"])
async def test_ports_that_a_start_moved_are_told(workers: Workers, *, fails: bool) -> None:
    """Whether the start was planned, or was the way back."""
    moved = (PortMove(port="80/tcp", before=(32768,), after=(32770,)),)
    workers.docker.moved_ports = moved
    if fails:
        workers.docker.faults["ensure_snapshot"] = [failure(ErrorType.DISK_FULL)]

    state = await (await workers.approved(operation=_SNAPSHOT)).result()

    assert state.status is (RequestStatus.PUT_BACK if fails else RequestStatus.SUCCEEDED)
    assert state.moved_ports == moved


async def test_what_never_went_down_has_no_down_time(workers: Workers) -> None:
    """A container that rested is left so: nothing is said of it."""
    workers.docker.state = ContainerState.EXITED

    state = await (await workers.approved(operation=_SNAPSHOT)).result()

    assert (state.status, state.down_seconds) == (RequestStatus.SUCCEEDED, None)


@pytest.mark.parametrize(
    ("own", "asked", "grace"),
    [
        (None, None, 10),
        (3, None, 3),
        (-1, None, 600),
        (0, None, 0),
        (1800, None, 600),
        (-1, 7, 7),
    ],
)
async def test_a_stop_time_out_of_the_container_is_taken_as_what_it_means(
    workers: Workers, own: int | None, asked: int | None, grace: int
) -> None:
    """To Docker a negative one is no limit, and 0 kills at once."""
    workers.docker.pin = replace(workers.docker.pin, stop_timeout_seconds=own)
    operation = OperationSpec(kind="stop", grace_seconds=asked)

    under_test = await workers.start(workers.request(operation=operation))

    assert (await under_test.until(RequestStatus.WAITING)).grace_seconds == grace


@pytest.mark.parametrize("is_gone", [False, True], ids=["busy", "gone"])
async def test_that_nobody_is_there_is_told_by_who_asks_for_work(
    workers: Workers, *, is_gone: bool
) -> None:
    """A host that did not look in time is busy, unless nobody asks for its work at all."""
    await workers.stop_docker()
    workers.queues.is_gone = is_gone

    state = await (await workers.start(workers.request())).result()

    assert state.refusal is not None
    wanted = RefusalCode.UNKNOWN_HOST if is_gone else RefusalCode.HOST_BUSY
    assert state.refusal.code is wanted


async def test_a_worker_of_an_earlier_release_is_told_by_name(workers: Workers) -> None:
    """It would never take up a stop: the request is refused, and says which worker it is."""
    workers.docker.is_of_earlier_release = True

    state = await (await workers.start(workers.request())).result()

    assert state.refusal is not None
    assert state.refusal.code is RefusalCode.OLD_WORKER
    assert state.refusal.detail == workers.docker.name


async def test_a_call_for_help_that_slack_does_not_take_is_made_again(workers: Workers) -> None:
    """The drawing with the page is refused for now: it comes all the same, and once."""
    workers.docker.faults["ensure_snapshot"] = [failure(ErrorType.DISK_FULL)]
    workers.docker.faults["ensure_running"] = [failure(ErrorType.PORT_BUSY) for _ in range(30)]
    under_test = await workers.approved()
    await eventually(lambda: workers.docker.fired.count("ensure_running") >= 2, within=30)
    workers.slack.publish_faults = [failure(ErrorType.SLACK_REFUSED) for _ in range(2)]

    await eventually(lambda: "page" in [entry.key for entry in workers.slack.thread], within=30)

    assert workers.slack.publish_faults == []
    assert [entry.key for entry in workers.slack.thread].count("page") == 1
    workers.docker.faults["ensure_running"].clear()
    assert (await under_test.result()).paged


async def test_a_last_card_that_slack_refuses_is_left_to_the_last_word(workers: Workers) -> None:
    """The request ends, its container can be asked for again, and the card comes later."""
    under_test = await workers.start(workers.request())
    await under_test.until(RequestStatus.WAITING)
    workers.slack.publish_faults = [failure(ErrorType.SLACK_REFUSED)]

    await under_test.cancel()
    state = await under_test.result()

    assert (state.status, state.closed) == (RequestStatus.CANCELLED, True)
    await eventually(lambda: workers.slack.drawn[-1].status is RequestStatus.CANCELLED)
    assert workers.slack.publish_faults == []
    assert "outcome" in [entry.key for entry in workers.slack.thread]
