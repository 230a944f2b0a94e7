"""What do thousands of messages that count for nothing cost a request, and the one that counts?"""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.rigs.waiting import eventually
from tests.rigs.workers import RequestUnderTest, Workers
from workflows.model import limits
from workflows.model.errors import RefusalCode
from workflows.model.limits import LIMITS, Limits
from workflows.model.requests import MAX_TEXT_LENGTH, Choice
from workflows.model.state import RequestStatus

_CLICKS = 3_000
_AT_ONCE = 50


async def _waiting(workers: Workers, **changes: int) -> RequestUnderTest:
    under_test = await workers.start(workers.request(**changes))
    await under_test.until(RequestStatus.WAITING)
    return under_test


async def _flood(under_test: RequestUnderTest, *, people: int) -> None:
    """Send thousands of clicks, each with an id of its own, as no button does."""

    async def click(first: int) -> None:
        for number in range(first, _CLICKS, _AT_ONCE):
            who = f"USTRANGER{number % people}"
            await under_test.decide(who, decision_id=f"click-{number}")

    await asyncio.gather(*(click(first) for first in range(_AT_ONCE)))


@pytest.mark.alone
@pytest.mark.parametrize("people", [1, _CLICKS])
async def test_thousands_of_refused_clicks_while_no_worker_runs(
    workers: Workers, people: int
) -> None:
    """The one approval among them is carried out within half a minute, and nothing is wedged."""
    under_test = await _waiting(workers)
    await workers.stop_control()
    await _flood(under_test, people=people)
    await under_test.decide("UBOB")

    began = time.monotonic()
    await workers.start_control()
    state = await under_test.result()

    assert time.monotonic() - began < 30
    assert state.status is RequestStatus.SUCCEEDED
    assert len(await under_test.events(under_test.handle)) < LIMITS.history_events
    assert workers.slack.look_ups == ["UALICE", "UBOB"], "who asks, and who decides"
    assert 1 <= len(workers.slack.notices) <= LIMITS.told + 1
    assert state.dropped == _CLICKS - LIMITS.inbox


async def test_clicks_of_a_stranger_cost_no_look_ups_of_the_group(
    workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Slack tells the members of a group some twenty times a minute; the approver must not wait."""
    monkeypatch.setattr(limits, "LIMITS", Limits(quiet_seconds=100))
    request = workers.request()
    group = replace(request.policies[0], approvers=(), approver_groups=("SOPS",))
    workers.slack.groups["SOPS"] = {"UBOB"}
    workers.slack.look_up_seconds = 0.2
    under_test = await workers.start(replace(request, policies=(group,)))
    await under_test.until(RequestStatus.WAITING)

    for number in range(100):
        await under_test.decide("UDAVE", decision_id=f"click-{number}")
    began = time.monotonic()
    await under_test.decide("UBOB")
    state = await under_test.result()

    assert state.status is RequestStatus.SUCCEEDED
    assert time.monotonic() - began < 10
    assert workers.slack.look_ups.count("UDAVE") == 1
    assert [n.refusal.code for n in workers.slack.notices] == [RefusalCode.NOT_AN_APPROVER]


async def test_who_may_decide_by_now_is_looked_up_again(
    workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A refusal is remembered for seconds only, and one that Slack could not give not at all."""
    monkeypatch.setattr(limits, "LIMITS", Limits(quiet_seconds=1))
    request = workers.request()
    group = replace(request.policies[0], approvers=(), approver_groups=("SOPS",))
    workers.slack.groups["SOPS"] = {"UBOB"}
    under_test = await workers.start(replace(request, policies=(group,)))
    await under_test.until(RequestStatus.WAITING)
    await under_test.decide("UDAVE", decision_id="first")
    await eventually(lambda: bool(workers.slack.notices))
    workers.slack.groups["SOPS"] = {"UDAVE"}

    async def counts() -> bool:
        await under_test.decide("UDAVE")
        return (await under_test.state()).status is not RequestStatus.WAITING

    await eventually(counts)

    assert (await under_test.result()).status is RequestStatus.SUCCEEDED


async def test_notices_go_out_in_portions(workers: Workers) -> None:
    """Many people hear at once of a request with many long comments, in payloads of some kB."""
    voters = [f"UVOTER{number}" for number in range(40)]
    for who in voters:
        workers.slack.person(who)
    request = workers.request(required_approvals=41)
    crowd = replace(request.policies[0], approvers=(*voters, "UBOB"))
    under_test = await workers.start(replace(request, policies=(crowd,)))
    await under_test.until(RequestStatus.WAITING)
    for who in voters:
        await under_test.decide(who, comment="x" * MAX_TEXT_LENGTH)
    await eventually(lambda: _has_votes(under_test, len(voters)))
    await workers.stop_control()
    for number in range(LIMITS.told - 10):
        await under_test.decide(f"USTRANGER{number}")
    await workers.start_control()
    await eventually(lambda: len(workers.slack.notices) == LIMITS.told - 10, within=60)

    history = await under_test.handle.fetch_history()
    sizes = [
        sum(len(payload.data) for payload in scheduled.input.payloads)
        for event in history.events
        if (scheduled := event.activity_task_scheduled_event_attributes).activity_type.name
        == "notify"
    ]
    assert len(sizes) > 1
    assert max(sizes) < LIMITS.notice_bytes + 1_000
    await under_test.cancel()
    await under_test.result()


async def _has_votes(under_test: RequestUnderTest, votes: int) -> bool:
    return len((await under_test.state()).approvals) == votes


@pytest.mark.parametrize(
    ("away", "status", "code"),
    [(1, RequestStatus.SUCCEEDED, None), (5, RequestStatus.EXPIRED, RefusalCode.TOO_LATE)],
)
async def test_a_click_in_time_counts_only_as_long_as_people_had_to_decide(
    workers: Workers, away: int, status: RequestStatus, code: RefusalCode | None
) -> None:
    """Nobody expects any more what was approved hours ago; who clicked is told to ask again."""
    wait = 4
    under_test = await _waiting(workers, expires_after_seconds=wait)
    state = await under_test.state()
    assert state.expires_at is not None
    await workers.stop_control()
    await under_test.decide("UBOB", sent_at=state.requested_at)
    back_at = state.expires_at + timedelta(seconds=away)
    await eventually(lambda: datetime.now(UTC) > back_at)
    await workers.start_control()

    state = await under_test.result()

    assert state.status is status
    assert [n.refusal.code for n in workers.slack.notices] == ([code] if code else [])
    assert ("ensure_stopped" in workers.docker.calls) is (code is None)


async def test_a_click_that_was_on_its_way_when_the_time_ran_out_blames_nobody(
    workers: Workers,
) -> None:
    """It came a moment too late while all were there: nothing was away for long."""
    under_test = await _waiting(workers, expires_after_seconds=2)
    expires_at = (await under_test.state()).expires_at
    assert expires_at is not None
    workers.slack.may_publish.clear()
    await under_test.until(RequestStatus.EXPIRED)
    await under_test.decide("UBOB", sent_at=expires_at - timedelta(milliseconds=100))
    workers.slack.may_publish.set()

    assert (await under_test.result()).status is RequestStatus.EXPIRED
    assert [n.refusal.code for n in workers.slack.notices] == [RefusalCode.NOT_OPEN]


async def test_a_click_that_says_it_comes_from_the_future_is_no_click_in_time(
    workers: Workers,
) -> None:
    """A clock that is far ahead rescues nothing."""
    under_test = await _waiting(workers, expires_after_seconds=3)
    expires_at = (await under_test.state()).expires_at
    assert expires_at is not None
    await workers.stop_control()
    await under_test.decide("UBOB", Choice.APPROVE, sent_at=expires_at + timedelta(days=1))
    await eventually(lambda: datetime.now(UTC) > expires_at)
    await workers.start_control()

    assert (await under_test.result()).status is RequestStatus.EXPIRED
    assert [n.refusal.code for n in workers.slack.notices] == [RefusalCode.NOT_OPEN]
