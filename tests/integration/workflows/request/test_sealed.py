"""Does a request take only what processes of ours have sent, and each of it once?

The seals are made by what the bot seals with, and verified by what the control worker verifies
with; only Slack and the engine are not real.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.client import Client

from bot.temporal.sealing import sealed, sealed_start
from tests.fakes.fake_docker import failure
from tests.rigs.waiting import eventually
from tests.rigs.workers import RequestUnderTest, Workers
from workflows.model import names
from workflows.model.errors import ErrorType, RefusalCode
from workflows.model.plan import PERMIT_SEAL, START_SEAL, permit_parts, start_parts
from workflows.model.requests import (
    Choice,
    Decision,
    Instruction,
    Intent,
    LifecycleRequest,
    Replacement,
)
from workflows.model.seal import NO_KEYS, SealKeys
from workflows.model.state import RequestState, RequestStatus

OLD, NEW = SealKeys(("o" * 32,)), SealKeys(("n" * 32,))
BOTH = SealKeys((*NEW.keys, *OLD.keys))


@asynccontextmanager
async def _working(client: Client, keys: SealKeys) -> AsyncIterator[Workers]:
    async with Workers(client, keys=keys) as workers:
        yield workers


@pytest.fixture(name="keyed")
async def _keyed(client: Client) -> AsyncIterator[Workers]:
    """Give workers with a key."""
    async with _working(client, OLD) as workers:
        yield workers


async def _waiting(workers: Workers, keys: SealKeys = OLD, **changes: int) -> RequestUnderTest:
    """Start a request as the bot does, and wait until it waits."""
    under_test = await _started(workers, workers.request(**changes), keys)
    await under_test.until(RequestStatus.WAITING)
    return under_test


async def _started(
    workers: Workers, request: LifecycleRequest, keys: SealKeys = OLD
) -> RequestUnderTest:
    return await workers.start(sealed_start(keys, request))


async def _decide(
    under_test: RequestUnderTest, who: str = "UBOB", *, keys: SealKeys = OLD, **changes: object
) -> Decision:
    """Decide as the bot does."""
    decision = under_test.decision(who, **changes)  # type: ignore[arg-type]  # fields of a decision
    message = sealed(keys, decision)
    await under_test.handle.signal(names.DECIDE_SIGNAL, message)
    assert isinstance(message, Decision)
    return message


async def _told(workers: Workers, code: RefusalCode) -> None:
    """Wait until somebody is told in private that something did not count, and why."""
    await eventually(
        lambda: code in [notice.refusal.code for notice in workers.slack.notices],
        what=f"nobody was told of {code}",
    )


async def test_what_is_sealed_counts_and_the_vote_brings_a_permit(keyed: Workers) -> None:
    """It is of this plan, for this container, and a docker worker can verify it."""
    under_test = await _waiting(keyed)
    await _decide(under_test)
    state = await under_test.result()

    assert state.status is RequestStatus.SUCCEEDED
    assert state.permit is not None
    assert state.permit.plan_hash == state.plan_hash != ""
    assert state.permit.container_id == keyed.docker.pin.container_id
    assert OLD.holds(state.permit.seal, PERMIT_SEAL, *permit_parts(state.permit))


FORGED: dict[str, tuple[Callable[[Decision], Decision], RefusalCode]] = {
    "without a seal": (lambda one: replace(one, seal=""), RefusalCode.NOT_SEALED),
    "in another's name": (lambda one: replace(one, approver_id="UCAROL"), RefusalCode.BAD_SEAL),
    "with another comment": (lambda one: replace(one, comment="x"), RefusalCode.BAD_SEAL),
    "at another time": (lambda one: replace(one, sent_at=datetime.now(UTC)), RefusalCode.BAD_SEAL),
    "by another key": (lambda one: _sealed_by(NEW, one), RefusalCode.BAD_SEAL),
    "of another plan": (
        lambda one: _sealed_by(OLD, replace(one, plan_hash=64 * "0")),
        RefusalCode.OTHER_PLAN,
    ),
    "of no plan": (lambda one: _sealed_by(OLD, replace(one, plan_hash="")), RefusalCode.OTHER_PLAN),
}


def _sealed_by(keys: SealKeys, decision: Decision) -> Decision:
    made = sealed(keys, decision)
    assert isinstance(made, Decision)
    return made


async def test_what_is_forged_or_altered_counts_for_nothing(keyed: Workers) -> None:
    """The person in whose name it was is told; then a real approval counts all the same."""
    under_test = await _waiting(keyed)
    real = _sealed_by(OLD, under_test.decision("UBOB"))
    for number, (forge, code) in enumerate(FORGED.values()):
        keyed.slack.notices.clear()
        forged = replace(forge(real), decision_id=real.decision_id)
        await under_test.handle.signal(names.DECIDE_SIGNAL, forged)
        judged = number + 1
        await eventually(lambda judged=judged: _has_judged(under_test, judged))  # type: ignore[misc]
        state = await under_test.state()
        refusal = state.judged[-1].refusal
        assert refusal is not None
        assert refusal.code is code
        assert (state.status, state.decisions) == (RequestStatus.WAITING, ())
    assert keyed.slack.look_ups == ["UALICE"], "Slack was asked about a forger"

    await under_test.handle.signal(names.DECIDE_SIGNAL, real)
    assert (await under_test.result()).status is RequestStatus.SUCCEEDED


async def _has_judged(under_test: RequestUnderTest, count: int) -> bool:
    return len((await under_test.state()).judged) == count


async def test_an_approval_is_for_one_request(keyed: Workers) -> None:
    """One that was sent for a request counts for no other, not even under its name and id."""
    first = await _waiting(keyed)
    approval = await _decide(first, choice=Choice.REJECT)
    await first.result()
    second = await _waiting(keyed)

    await second.handle.signal(
        names.DECIDE_SIGNAL, replace(approval, request_id=second.request.request_id)
    )

    await _told(keyed, RefusalCode.BAD_SEAL)
    assert (await second.state()).status is RequestStatus.WAITING


async def test_a_start_counts_once(keyed: Workers) -> None:
    """Sent once more it is refused, and what was decided about the first cannot be used."""
    request = sealed_start(OLD, keyed.request())
    first = await keyed.start(request)
    await first.until(RequestStatus.WAITING)
    await _decide(first, choice=Choice.REJECT)
    await first.result()

    again = await keyed.start(request)
    state = await again.result()

    assert state.refusal is not None
    assert state.refusal.code is RefusalCode.START_USED
    assert state.plan_hash == ""


@pytest.mark.parametrize("is_sealed", [True, False])
async def test_what_comes_in_place_of_another_is_sealed_too(
    keyed: Workers, *, is_sealed: bool
) -> None:
    """It is the first of its id in a run that continues the other's, and no door has started it."""
    first = await _waiting(keyed)
    wish = Replacement(
        decision=first.decision("UBOB", Choice.REJECT, decision_id="r"),
        request=keyed.request(requester="UBOB", container=first.request.container),
    )
    message = sealed(OLD, wish)
    assert isinstance(message, Replacement)
    if not is_sealed:
        message = replace(message, request=wish.request)
    await first.handle.signal(names.REPLACE_SIGNAL, message)

    second = keyed.under_test(wish.request)
    if is_sealed:
        await eventually(lambda: _is_waiting(second))
    else:
        await _told(keyed, RefusalCode.NOT_SEALED)


async def test_what_comes_in_place_of_another_may_have_waited_to_be_judged(keyed: Workers) -> None:
    """Its age says nothing then: no worker may have been there. It still counts once."""
    first = await _waiting(keyed)
    wish = Replacement(
        decision=first.decision("UBOB", Choice.REJECT, decision_id="r"),
        request=keyed.request(requester="UBOB", container=first.request.container),
    )
    message = sealed(OLD, wish)
    assert isinstance(message, Replacement)
    kept = replace(message.request, sealed_at=datetime.now(UTC) - timedelta(hours=1))
    kept = replace(kept, seal=OLD.seal(START_SEAL, *start_parts(kept)))
    await first.handle.signal(names.REPLACE_SIGNAL, replace(message, request=kept))

    second = keyed.under_test(kept)
    await eventually(lambda: _is_waiting(second))
    await second.handle.terminate()
    for seal_again, code in ((False, RefusalCode.START_TOO_OLD), (True, RefusalCode.START_USED)):
        again = sealed_start(OLD, kept) if seal_again else kept
        state = await (await keyed.start(again)).result()
        assert state.refusal is not None
        assert state.refusal.code is code


async def _is_waiting(under_test: RequestUnderTest) -> bool:
    state = await under_test.state()
    is_it = state.request_id == under_test.request.request_id
    return is_it and state.status is RequestStatus.WAITING and state.card is not None


async def test_a_start_that_was_kept_counts_no_more(keyed: Workers) -> None:
    """Ten minutes after it was sealed; and its time cannot be altered."""
    kept = replace(keyed.request(), sealed_at=datetime.now(UTC) - timedelta(minutes=11))
    kept = replace(kept, seal=OLD.seal(START_SEAL, *start_parts(kept)))
    late = replace(kept, sealed_at=datetime.now(UTC))
    bare = keyed.request()
    for request, code in (
        (kept, RefusalCode.START_TOO_OLD),
        (late, RefusalCode.BAD_SEAL),
        (bare, RefusalCode.NOT_SEALED),
    ):
        state = await (await keyed.start(request)).result()
        assert state.refusal is not None
        assert state.refusal.code is code


async def test_a_start_whose_first_use_cannot_be_looked_up_is_refused(keyed: Workers) -> None:
    """Without a key a list that cannot be read keeps nobody from asking; with one it does."""
    keyed.askers.fault = RuntimeError("no list")
    state = await (await _started(keyed, keyed.request())).result()

    assert state.refusal is not None
    assert state.refusal.code is RefusalCode.NOT_VERIFIED


def _wish_to_stop(under_test: RequestUnderTest, **changes: Any) -> Instruction:
    wish = Instruction(
        request_id=under_test.request.request_id,
        user_id="UALICE",
        team_id="T1",
        intent=Intent.STOP_TRYING,
        instruction_id="1",
    )
    return replace(wish, **changes)


async def test_only_what_is_sealed_cancels(keyed: Workers) -> None:
    """Nor can a sealed wish be sent as another one."""
    under_test = await _waiting(keyed)
    wish = _wish_to_stop(under_test)
    await under_test.handle.signal(names.CANCEL_SIGNAL, sealed(OLD, wish))
    await _told(keyed, RefusalCode.BAD_SEAL)
    await under_test.cancel()
    await _told(keyed, RefusalCode.NOT_SEALED)
    assert (await under_test.state()).status is RequestStatus.WAITING

    wish = replace(wish, intent=Intent.CANCEL, instruction_id="2")
    await under_test.handle.signal(names.CANCEL_SIGNAL, sealed(OLD, wish))
    assert (await under_test.result()).status is RequestStatus.CANCELLED


async def test_what_did_not_count_before_the_put_back_does_not_end_it(keyed: Workers) -> None:
    """A sealed *Stop trying*, refused while the request waited, is sent again by somebody else."""
    under_test = await _waiting(keyed)
    wish = _wish_to_stop(under_test, sent_at=datetime.now(UTC))
    early = sealed(OLD, wish)
    await under_test.handle.signal(names.STOP_TRYING_SIGNAL, early)
    await eventually(lambda: _has_judged(under_test, 1))
    keyed.docker.faults["ensure_snapshot"] = [failure(ErrorType.DISK_FULL)]
    keyed.docker.faults["ensure_running"] = [failure(ErrorType.PORT_BUSY, {"touched": True})] * 50
    await _decide(under_test)
    await under_test.until(RequestStatus.NEEDS_PERSON, within=30)

    await under_test.handle.signal(names.STOP_TRYING_SIGNAL, early)
    await eventually(lambda: _has_judged(under_test, 3))
    again = (await under_test.state()).judged[-1]
    now = replace(wish, instruction_id="2", sent_at=datetime.now(UTC))
    await under_test.handle.signal(names.STOP_TRYING_SIGNAL, sealed(OLD, now))
    state = await under_test.result()

    assert again.refusal is not None
    assert again.refusal.code is RefusalCode.NOT_TRYING
    assert state.stop_trying_by == "UALICE"


async def test_a_seal_without_a_key_to_verify_it_is_refused(client: Client) -> None:
    """It fails closed, and is told; what comes without a seal goes on as ever."""
    async with _working(client, NO_KEYS) as workers:
        state = await (await _started(workers, workers.request())).result()
        assert state.refusal is not None
        assert state.refusal.code is RefusalCode.SEAL_UNKNOWN

        under_test = await workers.approved()
        done = await under_test.result()
        assert (done.status, done.permit) == (RequestStatus.SUCCEEDED, None)


async def test_while_the_key_is_replaced_both_verify(client: Client) -> None:
    """What was sealed by the old one still counts, and what is given now is by the new one."""
    async with _working(client, BOTH) as workers:
        under_test = await _waiting(workers, OLD, required_approvals=2)
        await _decide(under_test, "UBOB", keys=OLD)
        await eventually(lambda: _approved_once(under_test))
        assert (await under_test.state()).permit is None, "a permit before all have approved"
        await _decide(under_test, "UCAROL", keys=NEW)
        state: RequestState = await under_test.result()

    assert state.status is RequestStatus.SUCCEEDED
    assert state.permit is not None
    assert NEW.holds(state.permit.seal, PERMIT_SEAL, *permit_parts(state.permit))


async def _approved_once(under_test: RequestUnderTest) -> bool:
    return len((await under_test.state()).approvals) == 1
