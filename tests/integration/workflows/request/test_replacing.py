"""May an approver put a request of their own in the place of a stranger's that waits?"""

from __future__ import annotations

import asyncio
import threading
import uuid
from dataclasses import replace
from typing import Any

import pytest

from tests.rigs.waiting import eventually
from tests.rigs.workers import RequestUnderTest, Workers
from workflows.model import names
from workflows.model.errors import RefusalCode
from workflows.model.requests import Choice, OperationSpec, Replacement
from workflows.model.state import RequestStatus


async def _waiting(workers: Workers) -> RequestUnderTest:
    under_test = await workers.start(workers.request())
    await under_test.until(RequestStatus.WAITING)
    return under_test


def _of(workers: Workers, waiting: RequestUnderTest, who: str, **changes: Any) -> Replacement:
    """Let somebody ask for a mere stop in place of the request that waits."""
    request = workers.request(requester=who, operation=OperationSpec(kind="stop"), **changes)
    decision = waiting.decision(
        who, Choice.REJECT, decision_id=uuid.uuid4().hex, comment=request.request_id
    )
    return Replacement(decision=decision, request=request)


async def test_an_approver_takes_the_place_of_a_stranger(workers: Workers) -> None:
    """The stranger's is rejected with its card, and the other begins with a card of its own."""
    strangers = await _waiting(workers)
    replacement = _of(workers, strangers, "UBOB")

    await strangers.handle.signal(names.REPLACE_SIGNAL, replacement)
    urgent = workers.under_test(replacement.request)
    await eventually(lambda: _is_about(urgent))
    waiting = await urgent.until(RequestStatus.WAITING)
    # The requester of the new one does not decide about it, as ever.
    await urgent.decide("UBOB", decision_id="own")
    await urgent.decide("UCAROL")
    state = await urgent.result()

    assert waiting.decisions == ()
    assert state.status is RequestStatus.SUCCEEDED
    assert state.requester == "UBOB"
    assert workers.docker.calls == ["inspect_container", "inspect_container", "ensure_stopped"]
    old = [s for s in workers.slack.drawn if s.request_id == strangers.request.request_id]
    assert (old[-1].status, old[-1].closed) == (RequestStatus.REJECTED, True)
    assert old[-1].rejection is not None
    assert old[-1].rejection.approver_id == "UBOB"
    assert [(n.user_id, n.refusal.code) for n in workers.slack.notices] == [
        ("UBOB", RefusalCode.OWN_REQUEST)
    ]
    described = await urgent.handle.describe()
    assert described.typed_search_attributes.get(names.REQUEST_ID) == state.request_id
    assert described.typed_search_attributes.get(names.REQUESTER) == "UBOB"


async def _is_about(under_test: RequestUnderTest) -> bool:
    return (await under_test.state()).request_id == under_test.request.request_id


@pytest.mark.parametrize(
    ("who", "code"),
    [("UDAVE", RefusalCode.NOT_AN_APPROVER), ("UALICE", RefusalCode.OWN_REQUEST)],
)
async def test_nobody_else_takes_its_place(workers: Workers, who: str, code: RefusalCode) -> None:
    """Who may not reject it may not put something else there; the request goes on waiting."""
    waiting = await _waiting(workers)

    await waiting.handle.signal(names.REPLACE_SIGNAL, _of(workers, waiting, who))
    await eventually(lambda: bool(workers.slack.notices))

    assert [(n.user_id, n.refusal.code) for n in workers.slack.notices] == [(who, code)]
    assert (await waiting.state()).status is RequestStatus.WAITING
    await waiting.cancel()
    await waiting.result()


async def test_refused_wishes_leave_room_for_the_one_that_counts(workers: Workers) -> None:
    """However many strangers have asked in vain, an approver can still take the place."""
    waiting = await _waiting(workers)
    for number in range(60):
        stranger = _of(workers, waiting, f"USTRANGER{number}")
        await waiting.handle.signal(names.REPLACE_SIGNAL, stranger)
    await eventually(lambda: len(workers.slack.notices) == 60)

    replacement = _of(workers, waiting, "UBOB")
    await waiting.handle.signal(names.REPLACE_SIGNAL, replacement)

    urgent = workers.under_test(replacement.request)
    await eventually(lambda: _is_about(urgent))
    await urgent.until(RequestStatus.WAITING)
    await urgent.cancel("UBOB")
    await urgent.result()


async def test_a_flood_of_wishes_fits_into_one_workflow_task(workers: Workers) -> None:
    """While no worker ran, thousands have come: the one approval still counts."""
    waiting = await _waiting(workers)
    await workers.stop_control()
    wish = _of(workers, waiting, "UDAVE")

    async def ask(first: int) -> None:
        for number in range(first, 3_000, 50):
            decision = replace(wish.decision, decision_id=f"wish-{number}")
            signal = replace(wish, decision=decision)
            await waiting.handle.signal(names.REPLACE_SIGNAL, signal)

    await asyncio.gather(*(ask(first) for first in range(50)))
    await waiting.decide("UBOB")
    await workers.start_control()

    assert (await waiting.result()).status is RequestStatus.SUCCEEDED


async def test_what_is_under_way_is_not_replaced(workers: Workers) -> None:
    """A container that is being worked on is not handed to another request."""
    gate = workers.docker.gates["ensure_stopped"] = threading.Event()
    under_test = await workers.approved()
    await eventually(workers.docker.entered["ensure_stopped"].is_set)
    await under_test.handle.signal(names.REPLACE_SIGNAL, _of(workers, under_test, "UCAROL"))
    await eventually(lambda: bool(workers.slack.notices))
    gate.set()
    state = await under_test.result()

    assert state.status is RequestStatus.SUCCEEDED
    assert state.request_id == under_test.request.request_id
    assert workers.docker.calls.count("inspect_container") == 1


@pytest.mark.parametrize(
    "garbled", ["another requester", "an approval", "another container", "its own id"]
)
async def test_what_is_no_replacement_is_dropped(workers: Workers, garbled: str) -> None:
    """A rejection of one person is not taken for the wish of another, nor for another container."""
    waiting = await _waiting(workers)
    good = _of(workers, waiting, "UBOB")
    elsewhere = replace(good.request.container, name="web-2")
    bad = {
        "another requester": replace(good, request=replace(good.request, requester="UDAVE")),
        "an approval": replace(good, decision=replace(good.decision, choice=Choice.APPROVE)),
        "another container": replace(good, request=replace(good.request, container=elsewhere)),
        "its own id": replace(
            good, request=replace(good.request, request_id=waiting.request.request_id)
        ),
    }[garbled]

    await waiting.handle.signal(names.REPLACE_SIGNAL, bad)
    await waiting.decide("UDAVE")
    await eventually(lambda: bool(workers.slack.notices))

    assert (await waiting.state()).status is RequestStatus.WAITING
    await waiting.cancel()
    assert (await waiting.result()).status is RequestStatus.CANCELLED
