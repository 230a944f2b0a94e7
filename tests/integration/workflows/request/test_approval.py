"""Who decides, how many, until when; and what is never counted."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.fakes.fake_docker import failure
from tests.rigs.waiting import eventually
from tests.rigs.workers import Workers
from workflows.model import names
from workflows.model.errors import ErrorType, RefusalCode
from workflows.model.requests import Choice, ContainerState
from workflows.model.state import RequestStatus, StepName, waiting_attributes

#: Signals, look-ups, steps, cards and all: what an approved stop with a snapshot may leave in both
#: histories. What takes longer than the limits of local activities, as on a machine that does much
#: else, costs more.
_EVENTS = 60
_TRIES = 3


async def test_approved_request_stops_commits_and_tags(workers: Workers) -> None:
    """An approved request stops, commits and tags, in that order, and tells the outcome."""
    under_test = await workers.start(workers.request())
    waiting = await under_test.until(RequestStatus.WAITING)
    assert workers.docker.calls == ["inspect_container"]

    await under_test.decide("UBOB")
    state = await under_test.result()

    assert state.status is RequestStatus.SUCCEEDED
    assert workers.docker.calls[1:] == ["ensure_stopped", "ensure_snapshot", "tag"]
    assert state.snapshot is not None
    assert state.snapshot.reference == waiting.reference
    assert workers.slack.drawn[-1].status is RequestStatus.SUCCEEDED
    assert [entry.key for entry in workers.slack.thread][-1] == "outcome"


async def test_an_approved_request_leaves_a_short_history(workers: Workers) -> None:
    """Each event is a write to Temporal's disk, and each task a way there and back."""
    histories = []
    for _ in range(_TRIES):
        request = workers.request()
        # As every door starts one.
        under_test = await workers.start(request, search_attributes=waiting_attributes(request))
        # Not by asking it: Temporal would end a workflow task for each question.
        await eventually(
            lambda: [card.status for card in workers.slack.drawn[-1:]] == [RequestStatus.WAITING],
            what="no card was drawn",
        )
        await under_test.decide("UBOB", plan_hash=workers.slack.drawn[-1].plan_hash)
        await under_test.result()
        workers.docker.state = ContainerState.RUNNING
        histories.append(
            [
                *await under_test.events(under_test.handle),
                *await under_test.events(under_test.operation),
            ]
        )
        if len(histories[-1]) <= _EVENTS:
            return
    pytest.fail(f"{[len(history) for history in histories]} events: {histories[-1]}")


async def test_a_worker_that_only_commits_is_asked_for_the_tag(workers: Workers) -> None:
    """One of an earlier release beside this control worker: the snapshot gets its name."""
    workers.docker.only_commits = True

    state = await (await workers.approved()).result()

    assert state.status is RequestStatus.SUCCEEDED
    assert workers.docker.calls[1:] == ["ensure_stopped", "ensure_snapshot", "ensure_tag"]
    assert [step.name for step in state.steps] == [StepName.STOP, StepName.SNAPSHOT]
    assert state.snapshot is not None
    assert state.snapshot.reference == state.reference
    assert list(workers.docker.images.values()) == [state.reference]


async def test_an_operation_that_takes_its_time_is_shown_meanwhile(workers: Workers) -> None:
    """Its first card comes a second after its beginning, and before its end."""
    workers.docker.gates["ensure_stopped"] = gate = threading.Event()
    under_test = await workers.approved()
    await eventually(
        lambda: workers.slack.drawn[-1].status is RequestStatus.RUNNING, what="no card was drawn"
    )
    gate.set()

    assert (await under_test.result()).status is RequestStatus.SUCCEEDED
    assert workers.slack.drawn[-1].status is RequestStatus.SUCCEEDED


async def test_own_approval_is_refused_and_the_request_goes_on_waiting(workers: Workers) -> None:
    """The requester's approval is refused in private, through whatever door."""
    under_test = await workers.start(workers.request())
    await under_test.until(RequestStatus.WAITING)

    await under_test.decide("UALICE")
    await eventually(lambda: bool(workers.slack.notices))

    assert workers.slack.notices[0].refusal.code is RefusalCode.OWN_REQUEST
    assert (await under_test.state()).status is RequestStatus.WAITING
    assert workers.docker.calls == ["inspect_container"]


REFUSALS = [
    # who sends what, what Slack knows, what becomes of it
    ("UDAVE", {}, {}, RefusalCode.NOT_AN_APPROVER),
    ("UBOB", {}, {"is_guest": True}, RefusalCode.GUEST),
    ("UBOB", {}, {"is_bot": True}, RefusalCode.BOT),
    ("UBOB", {}, {"deleted": True}, RefusalCode.DEACTIVATED),
    ("UBOB", {}, {"team_id": "T2"}, RefusalCode.WRONG_TEAM),
    ("UBOB", {"team_id": "T2"}, {}, RefusalCode.WRONG_TEAM),
    ("UBOB", {}, None, RefusalCode.UNKNOWN_PERSON),
    ("UNOBODY", {}, None, RefusalCode.NOT_AN_APPROVER),
    ("UBOB", {"request_id": "0" * 12}, {}, RefusalCode.WRONG_REQUEST),
    ("UBOB", {"source": "card:C1:9.9"}, {}, RefusalCode.WRONG_CARD),
    ("UBOB", {"source": "form:C2:1.0"}, {}, RefusalCode.WRONG_CARD),
]


@pytest.mark.parametrize(("who", "changes", "facts", "code"), REFUSALS)
async def test_decision_that_may_not_count_is_refused_in_private(
    workers: Workers, who: str, changes: dict[str, str], facts: dict[str, bool] | None, code: str
) -> None:
    """Who may not decide does not decide, and is told so alone."""
    if facts is not None:
        workers.slack.person(who, **facts)
    else:
        workers.slack.people.pop(who, None)
    under_test = await workers.start(workers.request())
    await under_test.until(RequestStatus.WAITING)

    await under_test.decide(who, **changes)
    await eventually(lambda: bool(workers.slack.notices))

    assert [(n.user_id, n.refusal.code) for n in workers.slack.notices] == [(who, code)]
    assert (await under_test.state()).decisions == ()


async def test_group_members_count_by_a_fresh_look_and_fail_closed(workers: Workers) -> None:
    """A member of an approver group counts; while the group cannot be read nobody does."""
    request = workers.request()
    group = replace(request.policies[0], approvers=("UALICE",), approver_groups=("SOPS",))
    workers.slack.groups["SOPS"] = {"UDAVE"}
    under_test = await workers.start(replace(request, policies=(group,)))
    await under_test.until(RequestStatus.WAITING)

    workers.slack.groups_known = False
    await under_test.decide("UDAVE")
    await eventually(lambda: bool(workers.slack.notices))
    workers.slack.groups_known = True
    await under_test.decide("UDAVE")

    assert workers.slack.notices[0].refusal.code is RefusalCode.NOT_VERIFIED
    assert (await under_test.result()).status is RequestStatus.SUCCEEDED


async def test_quorum_counts_each_person_once(workers: Workers) -> None:
    """Two approvals mean two people, and the card shows one of two in between."""
    under_test = await workers.start(workers.request(required_approvals=2))
    await under_test.until(RequestStatus.WAITING)

    await under_test.decide("UBOB")
    await under_test.decide("UBOB", decision_id="another click")
    await eventually(lambda: bool(workers.slack.notices))
    assert workers.slack.notices[0].refusal.code is RefusalCode.ALREADY_APPROVED
    await eventually(lambda: any(len(s.approvals) == 1 for s in workers.slack.drawn))
    await under_test.decide("UCAROL")

    state = await under_test.result()
    assert [d.approver_id for d in state.approvals] == ["UBOB", "UCAROL"]
    assert {e.key for e in workers.slack.thread} >= {
        "decision.UBOB.approve",
        "decision.UCAROL.approve",
    }


async def test_rejection_ends_the_request_untouched(workers: Workers) -> None:
    """One rejection ends a request, and nothing was asked of the engine."""
    under_test = await workers.start(workers.request(required_approvals=2))
    await under_test.until(RequestStatus.WAITING)

    await under_test.decide("UBOB")
    await under_test.decide("UCAROL", Choice.REJECT)

    state = await under_test.result()
    assert state.status is RequestStatus.REJECTED
    assert state.rejection is not None
    assert workers.docker.calls == ["inspect_container"]
    assert workers.slack.drawn[-1].status is RequestStatus.REJECTED


async def test_fifty_clicks_at_once_have_one_outcome_and_each_is_told(workers: Workers) -> None:
    """Half approve, half reject: one decision counts, every other clicker hears of it."""
    clickers = [f"UCLICK{n}" for n in range(50)]
    for who in clickers:
        workers.slack.person(who)
    request = workers.request()
    crowd = replace(request.policies[0], approvers=tuple(clickers))
    under_test = await workers.start(replace(request, policies=(crowd,)))
    await under_test.until(RequestStatus.WAITING)

    await asyncio.gather(
        *(
            under_test.decide(who, Choice.APPROVE if n % 2 else Choice.REJECT)
            for n, who in enumerate(clickers)
        ),
    )
    state = await under_test.result()

    assert len(state.decisions) == 1
    winner = state.decisions[0]
    told = sorted(n.user_id for n in workers.slack.notices)
    assert told == sorted(set(clickers) - {winner.approver_id})
    assert workers.docker.calls.count("ensure_stopped") == (winner.choice is Choice.APPROVE)


async def test_click_during_a_worker_outage_is_kept_and_counted(workers: Workers) -> None:
    """A decision sent while no worker runs is worked on when one is back."""
    under_test = await workers.start(workers.request())
    await under_test.until(RequestStatus.WAITING)
    await workers.stop_control()

    await under_test.decide("UBOB")
    await workers.start_control()

    assert (await under_test.result()).status is RequestStatus.SUCCEEDED


async def test_click_in_time_during_an_outage_counts_although_seen_late(workers: Workers) -> None:
    """What was sent in time counts after an outage, even behind what was sent too late."""
    under_test = await workers.start(workers.request(expires_after_seconds=5, required_approvals=1))
    expires_at = (await under_test.until(RequestStatus.WAITING)).expires_at
    assert expires_at is not None
    await workers.stop_control()
    late, early = expires_at + timedelta(seconds=1), expires_at - timedelta(seconds=1)
    await under_test.decide("UBOB", sent_at=late)
    await under_test.decide("UCAROL", sent_at=early)
    await eventually(lambda: datetime.now(UTC) > expires_at + timedelta(milliseconds=500))
    await workers.start_control()

    state = await under_test.result()

    assert [d.approver_id for d in state.decisions] == ["UCAROL"]
    assert [(n.user_id, n.refusal.code) for n in workers.slack.notices] == [
        ("UBOB", RefusalCode.NOT_OPEN)
    ]


async def test_click_after_the_expiry_never_acts(workers: Workers) -> None:
    """A click that was made too late ends in an expired request, even after an outage."""
    under_test = await workers.start(workers.request(expires_after_seconds=5))
    expires_at = (await under_test.until(RequestStatus.WAITING)).expires_at
    assert expires_at is not None
    await workers.stop_control()
    await under_test.decide("UBOB", sent_at=expires_at + timedelta(seconds=1))
    await eventually(lambda: datetime.now(UTC) > expires_at + timedelta(milliseconds=500))
    await workers.start_control()

    assert (await under_test.result()).status is RequestStatus.EXPIRED
    assert workers.docker.calls == ["inspect_container"]


async def test_only_click_in_time_during_an_outage_counts(workers: Workers) -> None:
    """A click made in time is not lost because the worker came back after the expiry."""
    under_test = await workers.start(workers.request(expires_after_seconds=5))
    expires_at = (await under_test.until(RequestStatus.WAITING)).expires_at
    assert expires_at is not None
    await workers.stop_control()
    await under_test.decide("UBOB", sent_at=expires_at - timedelta(seconds=1))
    await eventually(lambda: datetime.now(UTC) > expires_at + timedelta(milliseconds=500))
    await workers.start_control()

    assert (await under_test.result()).status is RequestStatus.SUCCEEDED


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
async def test_malformed_signal_harms_nothing(
    workers: Workers, signal: str, payload: object
) -> None:
    """A hostile signal neither ends nor wedges a request, and a real one still counts."""
    under_test = await workers.start(workers.request())
    await under_test.until(RequestStatus.WAITING)

    await under_test.handle.signal(signal, payload)
    await under_test.decide("UBOB", Choice.REJECT)

    assert (await under_test.result()).status is RequestStatus.REJECTED


async def test_slack_down_at_the_look_up_delays_a_decision_and_loses_none(workers: Workers) -> None:
    """A look-up that fails is made again, and the decision counts then."""
    under_test = await workers.start(workers.request())
    await under_test.until(RequestStatus.WAITING)
    workers.slack.look_up_faults = [failure(ErrorType.SLACK_UNAVAILABLE, retry=True)]

    await under_test.decide("UBOB")

    assert (await under_test.result()).status is RequestStatus.SUCCEEDED
    assert workers.slack.look_ups == ["UALICE", "UBOB", "UBOB"]
