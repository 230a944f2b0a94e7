"""Who decides, how many, until when; and what is never counted."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.fakes.host import failure
from tests.rigs.temporal import Stage
from tests.rigs.waiting import eventually
from workflows import names
from workflows.errors import ErrorType, RefusalCode
from workflows.models import Choice
from workflows.state import RequestStatus


async def test_approved_request_stops_commits_and_tags(stage: Stage) -> None:
    """An approved request stops, commits and tags, in that order, and tells the outcome."""
    play = await stage.start(stage.request())
    waiting = await play.until(RequestStatus.WAITING)
    assert stage.host.calls == ["inspect_container"]

    await play.decide("UBOB")
    state = await play.result()

    assert state.status is RequestStatus.SUCCEEDED
    assert stage.host.calls[1:] == ["ensure_stopped", "ensure_snapshot", "ensure_tag"]
    assert state.snapshot is not None
    assert state.snapshot.reference == waiting.reference
    assert stage.office.drawn[-1].status is RequestStatus.SUCCEEDED
    assert [entry.key for entry in stage.office.thread][-1] == "outcome"
    parent, child = await play.events(play.handle), await play.events(play.operation)
    assert len(parent) + len(child) <= 80, (parent, child)


async def test_own_approval_is_refused_and_the_request_goes_on_waiting(stage: Stage) -> None:
    """The requester's approval is refused in private, through whatever door."""
    play = await stage.start(stage.request())
    await play.until(RequestStatus.WAITING)

    await play.decide("UALICE")
    await eventually(lambda: bool(stage.office.notices))

    assert stage.office.notices[0].refusal.code is RefusalCode.OWN_REQUEST
    assert (await play.state()).status is RequestStatus.WAITING
    assert stage.host.calls == ["inspect_container"]


REFUSALS = [
    # who sends what, what Slack knows, what becomes of it
    ("UDAVE", {}, {}, RefusalCode.NOT_AN_APPROVER),
    ("UBOB", {}, {"is_guest": True}, RefusalCode.GUEST),
    ("UBOB", {}, {"is_bot": True}, RefusalCode.BOT),
    ("UBOB", {}, {"deleted": True}, RefusalCode.DEACTIVATED),
    ("UBOB", {}, {"team_id": "T2"}, RefusalCode.WRONG_TEAM),
    ("UBOB", {"team_id": "T2"}, {}, RefusalCode.WRONG_TEAM),
    ("UNOBODY", {}, None, RefusalCode.UNKNOWN_PERSON),
    ("UBOB", {"request_id": "0" * 12}, {}, RefusalCode.WRONG_REQUEST),
    ("UBOB", {"source": "card:C1:9.9"}, {}, RefusalCode.WRONG_CARD),
    ("UBOB", {"source": "form:C2:1.0"}, {}, RefusalCode.WRONG_CARD),
]


@pytest.mark.parametrize(("who", "changes", "facts", "code"), REFUSALS)
async def test_decision_that_may_not_count_is_refused_in_private(
    stage: Stage, who: str, changes: dict[str, str], facts: dict[str, bool] | None, code: str
) -> None:
    """Who may not decide does not decide, and is told so alone."""
    if facts is not None:
        stage.office.person(who, **facts)
    play = await stage.start(stage.request())
    await play.until(RequestStatus.WAITING)

    await play.decide(who, **changes)
    await eventually(lambda: bool(stage.office.notices))

    assert [(n.user_id, n.refusal.code) for n in stage.office.notices] == [(who, code)]
    assert (await play.state()).decisions == ()


async def test_group_members_count_by_a_fresh_look_and_fail_closed(stage: Stage) -> None:
    """A member of an approver group counts; while the group cannot be read nobody does."""
    request = stage.request()
    group = replace(request.policies[0], approvers=("UALICE",), approver_groups=("SOPS",))
    stage.office.groups["SOPS"] = {"UDAVE"}
    play = await stage.start(replace(request, policies=(group,)))
    await play.until(RequestStatus.WAITING)

    stage.office.groups_known = False
    await play.decide("UDAVE")
    await eventually(lambda: bool(stage.office.notices))
    stage.office.groups_known = True
    await play.decide("UDAVE")

    assert stage.office.notices[0].refusal.code is RefusalCode.NOT_VERIFIED
    assert (await play.result()).status is RequestStatus.SUCCEEDED


async def test_quorum_counts_each_person_once(stage: Stage) -> None:
    """Two approvals mean two people, and the card shows one of two in between."""
    play = await stage.start(stage.request(required_approvals=2))
    await play.until(RequestStatus.WAITING)

    await play.decide("UBOB")
    await play.decide("UBOB", decision_id="another click")
    await eventually(lambda: bool(stage.office.notices))
    assert stage.office.notices[0].refusal.code is RefusalCode.ALREADY_APPROVED
    await eventually(lambda: any(len(s.approvals) == 1 for s in stage.office.drawn))
    await play.decide("UCAROL")

    state = await play.result()
    assert [d.approver_id for d in state.approvals] == ["UBOB", "UCAROL"]
    assert {e.key for e in stage.office.thread} >= {
        "decision.UBOB.approve",
        "decision.UCAROL.approve",
    }


async def test_rejection_ends_the_request_untouched(stage: Stage) -> None:
    """One rejection ends a request, and nothing was asked of the engine."""
    play = await stage.start(stage.request(required_approvals=2))
    await play.until(RequestStatus.WAITING)

    await play.decide("UBOB")
    await play.decide("UCAROL", Choice.REJECT)

    state = await play.result()
    assert state.status is RequestStatus.REJECTED
    assert state.rejection is not None
    assert stage.host.calls == ["inspect_container"]
    assert stage.office.drawn[-1].status is RequestStatus.REJECTED


async def test_fifty_clicks_at_once_have_one_outcome_and_each_is_told(stage: Stage) -> None:
    """Half approve, half reject: one decision counts, every other clicker hears of it."""
    clickers = [f"UCLICK{n}" for n in range(50)]
    for who in clickers:
        stage.office.person(who)
    request = stage.request()
    crowd = replace(request.policies[0], approvers=tuple(clickers))
    play = await stage.start(replace(request, policies=(crowd,)))
    await play.until(RequestStatus.WAITING)

    await asyncio.gather(
        *(
            play.decide(who, Choice.APPROVE if n % 2 else Choice.REJECT)
            for n, who in enumerate(clickers)
        ),
    )
    state = await play.result()

    assert len(state.decisions) == 1
    winner = state.decisions[0]
    told = sorted(n.user_id for n in stage.office.notices)
    assert told == sorted(set(clickers) - {winner.approver_id})
    assert stage.host.calls.count("ensure_stopped") == (winner.choice is Choice.APPROVE)


async def test_click_during_a_worker_outage_is_kept_and_counted(stage: Stage) -> None:
    """A decision sent while no worker runs is worked on when one is back."""
    play = await stage.start(stage.request())
    await play.until(RequestStatus.WAITING)
    await stage.stop_control()

    await play.decide("UBOB")
    await stage.start_control()

    assert (await play.result()).status is RequestStatus.SUCCEEDED


async def test_click_in_time_during_an_outage_counts_although_seen_late(stage: Stage) -> None:
    """What was sent in time counts after an outage, even behind what was sent too late."""
    play = await stage.start(stage.request(expires_after_seconds=5, required_approvals=1))
    expires_at = (await play.until(RequestStatus.WAITING)).expires_at
    assert expires_at is not None
    await stage.stop_control()
    late, early = expires_at + timedelta(seconds=1), expires_at - timedelta(seconds=1)
    await play.decide("UBOB", sent_at=late)
    await play.decide("UCAROL", sent_at=early)
    await eventually(lambda: datetime.now(UTC) > expires_at + timedelta(milliseconds=500))
    await stage.start_control()

    state = await play.result()

    assert [d.approver_id for d in state.decisions] == ["UCAROL"]
    assert [(n.user_id, n.refusal.code) for n in stage.office.notices] == [
        ("UBOB", RefusalCode.NOT_OPEN)
    ]


async def test_click_after_the_expiry_never_acts(stage: Stage) -> None:
    """A click that was made too late ends in an expired request, even after an outage."""
    play = await stage.start(stage.request(expires_after_seconds=5))
    expires_at = (await play.until(RequestStatus.WAITING)).expires_at
    assert expires_at is not None
    await stage.stop_control()
    await play.decide("UBOB", sent_at=expires_at + timedelta(seconds=1))
    await eventually(lambda: datetime.now(UTC) > expires_at + timedelta(milliseconds=500))
    await stage.start_control()

    assert (await play.result()).status is RequestStatus.EXPIRED
    assert stage.host.calls == ["inspect_container"]


async def test_only_click_in_time_during_an_outage_counts(stage: Stage) -> None:
    """A click made in time is not lost because the worker came back after the expiry."""
    play = await stage.start(stage.request(expires_after_seconds=5))
    expires_at = (await play.until(RequestStatus.WAITING)).expires_at
    assert expires_at is not None
    await stage.stop_control()
    await play.decide("UBOB", sent_at=expires_at - timedelta(seconds=1))
    await eventually(lambda: datetime.now(UTC) > expires_at + timedelta(milliseconds=500))
    await stage.start_control()

    assert (await play.result()).status is RequestStatus.SUCCEEDED


HOSTILE_SIGNALS = [
    # a word, an empty object, wrong types, a choice that does not exist, a giant
    "approve",
    {},
    {"decision_id": 1, "choice": []},
    {
        "decision_id": "x",
        "request_id": "x",
        "approver_id": "UBOB",
        "team_id": "T1",
        "choice": "maybe",
        "comment": "",
        "source": "",
    },
    {
        "decision_id": "x",
        "request_id": "x" * 100_000,
        "approver_id": "<!channel>",
        "team_id": "T1",
        "choice": "approve",
        "comment": "y" * 100_000,
        "source": "z",
    },
]


@pytest.mark.parametrize("payload", HOSTILE_SIGNALS)
@pytest.mark.parametrize(
    "signal", [names.DECIDE_SIGNAL, names.CANCEL_SIGNAL, names.PROGRESS_SIGNAL]
)
async def test_malformed_signal_harms_nothing(stage: Stage, signal: str, payload: object) -> None:
    """A hostile signal neither ends nor wedges a request, and a real one still counts."""
    play = await stage.start(stage.request())
    await play.until(RequestStatus.WAITING)

    await play.handle.signal(signal, payload)
    await play.decide("UBOB", Choice.REJECT)

    assert (await play.result()).status is RequestStatus.REJECTED


async def test_slack_down_at_the_look_up_delays_a_decision_and_loses_none(stage: Stage) -> None:
    """A look-up that fails is made again, and the decision counts then."""
    stage.office.look_up_faults = [failure(ErrorType.SLACK_UNAVAILABLE, retry=True)]
    play = await stage.start(stage.request())
    await play.until(RequestStatus.WAITING)

    await play.decide("UBOB")

    assert (await play.result()).status is RequestStatus.SUCCEEDED
    assert stage.office.look_ups == ["UBOB", "UBOB"]
