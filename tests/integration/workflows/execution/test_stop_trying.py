"""Who can end the tries to put a container back, and what is taken for it that is not meant so?"""

from __future__ import annotations

import threading
import time

import pytest

from tests.fakes.fake_docker import failure
from tests.rigs.waiting import eventually
from tests.rigs.workers import RequestUnderTest, Workers
from workflows.model import names
from workflows.model.errors import ErrorType, RefusalCode
from workflows.model.requests import ContainerState, Intent
from workflows.model.state import RequestStatus

_MANY = 50


async def _in_need(workers: Workers, faults: int = _MANY) -> RequestUnderTest:
    """Approve a request that fails, and whose container cannot be started so many times."""
    workers.docker.faults["ensure_snapshot"] = [failure(ErrorType.DISK_FULL)]
    workers.docker.faults["ensure_running"] = [
        failure(ErrorType.PORT_BUSY, {"touched": True, "state": "exited"}) for _ in range(faults)
    ]
    under_test = await workers.approved()
    await under_test.until(RequestStatus.NEEDS_PERSON, within=30)
    return under_test


def _told(workers: Workers) -> list[RefusalCode]:
    return [notice.refusal.code for notice in workers.slack.notices]


async def test_a_cancel_never_ends_the_tries(workers: Workers) -> None:
    """The same button pressed again, and again: it is being put back already, and goes on."""
    under_test = await _in_need(workers, 4)

    for _ in range(3):
        await under_test.cancel()
    await eventually(lambda: bool(_told(workers)))
    await under_test.instruct(Intent.TRY_NOW)
    await eventually(lambda: workers.docker.fired.count("ensure_running") == 4)
    await under_test.instruct(Intent.TRY_NOW)
    state = await under_test.result()

    assert _told(workers) == [RefusalCode.PUTTING_BACK]
    assert state.status is RequestStatus.PUT_BACK
    assert workers.docker.state is ContainerState.RUNNING


async def test_whoever_decided_may_end_the_tries(workers: Workers) -> None:
    """It looks once more, leaves the container to people, and says who wanted it so."""
    under_test = await _in_need(workers)

    await under_test.instruct(Intent.STOP_TRYING, "UBOB")
    state = await under_test.result()

    assert (state.status, state.closed) == (RequestStatus.NEEDS_PERSON, True)
    assert state.stop_trying_by == "UBOB"
    assert state.next_try_at is None
    assert [arg.look_only for arg in workers.docker.put_back] == [False] * 3 + [True]
    assert [entry.key for entry in workers.slack.thread][-2:] == ["given-up", "outcome"]


async def test_a_start_that_worked_after_all_is_told_as_such(workers: Workers) -> None:
    """Somebody mended it by hand in the meantime: nothing is left to people."""
    under_test = await _in_need(workers, 3)
    workers.docker.state = ContainerState.RUNNING

    await under_test.instruct(Intent.STOP_TRYING)
    state = await under_test.result()

    assert workers.docker.put_back[-1].look_only
    assert (state.status, state.stop_trying_by) == (RequestStatus.PUT_BACK, "")


async def test_nobody_else_may_end_the_tries(workers: Workers) -> None:
    """One who has no part in it is told so, and nothing ends."""
    under_test = await _in_need(workers, 3)

    await under_test.instruct(Intent.STOP_TRYING, "UDAVE")
    await eventually(lambda: bool(_told(workers)))
    await under_test.instruct(Intent.TRY_NOW, "UBOB")
    state = await under_test.result()

    assert _told(workers) == [RefusalCode.NOT_REQUESTER]
    assert state.status is RequestStatus.PUT_BACK


@pytest.mark.parametrize("payload", [[], ["UALICE"], [{"a": 1}, 2]])
async def test_the_operation_gives_up_for_its_request_alone(
    workers: Workers, payload: list[object]
) -> None:
    """Signals from a terminal, which no request confirms, neither end nor hurry the tries."""
    under_test = await _in_need(workers, 3)

    for signal in (names.GIVE_UP_SIGNAL, names.TRY_NOW_SIGNAL, names.CANCEL_SIGNAL):
        await under_test.operation.signal(signal, args=payload)
    await eventually(lambda: _has_asked(under_test))
    assert len(workers.docker.put_back) == 3
    await under_test.instruct(Intent.TRY_NOW)
    state = await under_test.result()

    assert state.status is RequestStatus.PUT_BACK
    assert workers.docker.state is ContainerState.RUNNING


async def test_a_flood_of_forged_signals_asks_little(workers: Workers) -> None:
    """One question at a time, and two seconds apart; what people want counts all the same."""
    under_test = await _in_need(workers)
    began = time.monotonic()

    for _ in range(50):
        await under_test.operation.signal(names.GIVE_UP_SIGNAL)
        await under_test.operation.signal(names.TRY_NOW_SIGNAL)
    await eventually(lambda: _has_asked(under_test))
    await under_test.instruct(Intent.STOP_TRYING)
    state = await under_test.result()

    assert state.stop_trying_by == "UALICE"
    assert len(workers.docker.put_back) == 4
    assert len(await _questions(under_test)) <= 2 + (time.monotonic() - began) / 2


@pytest.mark.parametrize("intent", [Intent.STOP_TRYING, Intent.TRY_NOW])
async def test_there_must_be_tries_to_end_or_to_hurry(workers: Workers, intent: Intent) -> None:
    """While a request waits nothing is tried: it is answered so, and goes on waiting."""
    under_test = await workers.start(workers.request())
    await under_test.until(RequestStatus.WAITING)

    await under_test.instruct(intent)
    await eventually(lambda: bool(_told(workers)))

    assert _told(workers) == [RefusalCode.NOT_TRYING]
    assert (await under_test.state()).status is RequestStatus.WAITING


async def test_a_second_cancel_while_it_works_is_answered(workers: Workers) -> None:
    """It was heard the first time, and the step under way is waited for."""
    gate = workers.docker.gates["ensure_stopped"] = threading.Event()
    under_test = await workers.approved()
    await eventually(workers.docker.entered["ensure_stopped"].is_set)

    await under_test.cancel()
    # Two that come at once are one.
    await eventually(lambda: any(drawn.cancel_requested_by for drawn in workers.slack.drawn))
    await under_test.cancel()
    await eventually(lambda: bool(_told(workers)))
    gate.set()
    state = await under_test.result()

    assert _told(workers) == [RefusalCode.PUTTING_BACK]
    assert state.status is RequestStatus.PUT_BACK


async def test_that_nothing_is_tried_is_told_to_whoever_asks(workers: Workers) -> None:
    """Not that somebody else may cancel, which was not the question."""
    gate = workers.docker.gates["ensure_stopped"] = threading.Event()
    under_test = await workers.approved()
    await eventually(workers.docker.entered["ensure_stopped"].is_set)

    await under_test.instruct(Intent.TRY_NOW, "UDAVE")
    await eventually(lambda: bool(_told(workers)))
    gate.set()

    assert _told(workers) == [RefusalCode.NOT_TRYING]
    assert (await under_test.result()).status is RequestStatus.SUCCEEDED


async def test_the_card_tells_of_each_try(workers: Workers) -> None:
    """What the engine says now, how often it was tried, and when the next try is."""
    under_test = await _in_need(workers)
    state = workers.slack.drawn[-1]
    await under_test.instruct(Intent.STOP_TRYING)
    await under_test.result()

    assert (state.attempts, state.paged) == (3, True)
    assert state.seen is not None
    assert state.seen.state is ContainerState.EXITED
    assert state.tried_at is not None
    assert state.next_try_at is not None
    assert state.next_try_at > state.tried_at


async def _has_asked(under_test: RequestUnderTest) -> bool:
    return any(await _questions(under_test))


async def _questions(under_test: RequestUnderTest) -> list[bool]:
    """Say of each question of the operation to its request whether it was answered."""
    history = await under_test.operation.fetch_history()
    asked = [
        event.event_id
        for event in history.events
        if event.activity_task_scheduled_event_attributes.activity_type.name == "last_state"
    ]
    answered = {
        event.activity_task_completed_event_attributes.scheduled_event_id
        for event in history.events
    }
    return [question in answered for question in asked]
