"""Is what a terminal shows lined up, tamed and complete, and what scripts read stable?"""

from __future__ import annotations

import json
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.temporal import errors as temporal_errors
from bot.temporal.errors import BotError, RequestSummary, Silent, TemporalCall
from bot.temporal.requests import Uptake
from bot.terminal import errors, exits, listings, objects, refusals, tables
from bot.terminal.exits import Exit
from bot.terminal.progress import Progress
from workflows.model.errors import ErrorType, RefusalCode
from workflows.model.requests import (
    Choice,
    ContainerRef,
    OperationSpec,
    Policy,
    RecordedDecision,
)
from workflows.model.state import (
    CardRef,
    Refusal,
    RequestState,
    RequestStatus,
    SnapshotResult,
    StepName,
    StepState,
    StepStatus,
)
from workflows.model.terminal import Terminal

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
HOSTILE = "\x1b[31mred\x07\u202egnirts\n<!here>\r\tx"
STATE = RequestState(
    request_id="0123456789ab",
    status=RequestStatus.WAITING,
    operation=OperationSpec(kind="stop", snapshot=True),
    container=ContainerRef(host="local", name="web-1"),
    requester="UALICE",
    team_id="T1",
    channel_id="C1",
    reason=HOSTILE,
    requested_at=NOON,
    expires_at=NOON + timedelta(minutes=15),
    workflow_id="request/local/web-1",
    policy=Policy(name="p", labels={}, approvers=("UBOB",)),
    card=CardRef(channel_id="C1", ts="1.0", permalink="https://slack/card"),
    terminal=Terminal(host="box", user="olga"),
)
APPROVAL = RecordedDecision(
    decision_id="d",
    approver_id="UBOB",
    choice=Choice.APPROVE,
    comment=HOSTILE,
    source="terminal:1",
    decided_at=NOON,
    terminal=Terminal(host="box", user="root", logged_in_as="petr"),
)
DONE = replace(
    STATE,
    status=RequestStatus.SUCCEEDED,
    closed=True,
    decisions=(APPROVAL,),
    steps=(
        StepState(
            name=StepName.STOP,
            status=StepStatus.DONE,
            started_at=NOON,
            finished_at=NOON + timedelta(seconds=1.5),
            note="exit code 0",
        ),
        StepState(name=StepName.SNAPSHOT, status=StepStatus.FAILED, note=HOSTILE),
    ),
    snapshot=SnapshotResult(image_id="sha256:" + "a" * 64, reference="team/web:v1"),
)


def _is_tame(text: str) -> bool:
    return all(c == "\n" or c.isprintable() for c in text) and "\u202e" not in text


def test_a_table_is_lined_up_whatever_its_cells_hold() -> None:
    """Letters of two columns and accents are counted as they are drawn; nothing is obeyed."""
    lines = tables.table(("A", "B"), [("日本", "x"), ("e\u0301", "y"), ("", HOSTILE)])
    assert lines[:3] == ["A     B", "日本  x", "e\u0301     y"]
    assert lines[3].startswith("-     [31mred")
    assert all(_is_tame(line) for line in lines)


@pytest.mark.parametrize("state", [STATE, DONE])
def test_a_request_shows_facts_and_no_control_characters(state: RequestState) -> None:
    """What people typed is shown in one line each."""
    shown = "\n".join(listings.request(state))
    assert _is_tame(shown)
    assert "UALICE at the terminal of box by olga" in shown
    assert "[31mred" in shown
    news = "\n".join(Progress().news(state))
    assert _is_tame(news)


def test_progress_tells_each_piece_of_news_once() -> None:
    """A step that goes on says nothing new, and one that ends does."""
    progress = Progress()
    assert [line.split(" ", 1)[1] for line in progress.news(STATE)] == [
        "waits for 1 approval until 2026-01-01 12:15:00 UTC, card https://slack/card"
    ]
    assert progress.news(STATE) == []
    running = replace(DONE.steps[0], status=StepStatus.RUNNING, note="", finished_at=None)
    told = progress.news(replace(STATE, decisions=(APPROVAL,), steps=(running,)))
    assert [line.split(" ", 1)[1] for line in told] == [
        (
            "approved by UBOB at the terminal of box by root (logged in as petr): "
            "[31mredgnirts <!here> x"
        ),
        "Stopping …",
    ]
    (ended,) = progress.news(replace(STATE, decisions=(APPROVAL,), steps=DONE.steps[:1]))
    assert ended.endswith("Stopped in 1.5 s (exit code 0)")


def test_the_object_of_a_request_is_what_scripts_know() -> None:
    """The names of its fields are a promise: more may come, none may go or change."""
    told = json.loads(json.dumps(objects.request(DONE)))
    assert set(told) >= {
        *("id", "status", "closed", "operation", "with_snapshot", "container", "host"),
        *("requester", "terminal", "reason", "requested_at", "expires_at", "finished_at"),
        *("policy", "approvals_needed", "approvals", "rejection", "cancelled_by", "refusal"),
        *("steps", "snapshot", "image_id", "down_seconds", "error", "error_text", "tries"),
        *("next_try_at", "card", "channel", "workflow_id", "run_id"),
    }
    assert told["terminal"] == {"host": "box", "user": "olga", "logged_in_as": None}
    assert told["approvals"][0]["by"] == "UBOB"
    assert told["approvals"][0]["terminal"]["logged_in_as"] == "petr"
    assert told["requested_at"] == "2026-01-01T12:00:00.000+00:00"
    assert told["steps"][0] == {
        "name": "stop",
        "status": "done",
        "seconds": 1.5,
        "note": "exit code 0",
        "error": None,
    }
    assert told["snapshot"] == "team/web:v1"
    known = objects.summary(_summary())
    assert set(known) - {"operation_words"} <= set(told)


@pytest.mark.parametrize("code", RefusalCode)
def test_every_refusal_has_words(code: RefusalCode) -> None:
    """With no brace left, and no word of the code itself."""
    refusal = Refusal(code=code, detail=HOSTILE)
    for words in (
        refusals.not_let_in(refusal, STATE),
        refusals.not_counted(refusal, replace(STATE, policy=None)),
        refusals.nothing_to_show(refusal, host="edge", name=""),
    ):
        assert _is_tame(words)
        assert not set("{}") & set(words)
        assert code.value not in words


@pytest.mark.parametrize(
    ("code", "detail", "told"),
    [
        (
            RefusalCode.UNKNOWN_CONTAINER,
            "no container has this name; did you mean web-2 or web-3?",
            "there is no container {name} on {host}. Did you mean web-2 or web-3? `dockwarden",
        ),
        (
            RefusalCode.AUTO_REMOVE,
            "it was started with --rm: stopping it would remove it",
            "{name} was started with --rm, so stopping it would delete it for good.",
        ),
        (
            RefusalCode.PROTECTED,
            "by its label dockwarden.protected",
            "{name} is protected, by its label dockwarden.protected. Whoever",
        ),
        (RefusalCode.ALREADY_STOPPED, "the container is exited", "{name} on {host} is stopped alr"),
    ],
)
def test_a_refusal_says_one_thing_once(code: RefusalCode, detail: str, told: str) -> None:
    """The detail and the general words do not stand beside each other."""
    state = replace(STATE, container=ContainerRef(host="edge", name="web-1"), renamed="")
    words = refusals.not_let_in(Refusal(code=code, detail=detail), state)

    assert words.startswith(f"Not done: {told.format(name='web-1', host='edge')}")


def _summary() -> RequestSummary:
    return RequestSummary(
        request_id="0123456789ab",
        status="waiting",
        host="local",
        container=HOSTILE,
        requester="UALICE",
        workflow_id="w",
        run_id="r",
        started_at=NOON,
        open=True,
    )


FAILURES: list[tuple[BotError, Exit, str]] = [
    (
        temporal_errors.AlreadyOpenError(_summary()),
        Exit.NOT_DONE,
        "--replace puts yours in its place",
    ),
    (
        temporal_errors.NothingAskedError(container="web-8", host="edge"),
        Exit.NOT_DONE,
        "There is no request for web-8 on edge",
    ),
    (
        temporal_errors.PlanUnreadError("0" * 12),
        Exit.NOT_CONFIRMED,
        "nobody says reliably now what request 000000000000 would",
    ),
    (temporal_errors.RequestEndedError(_summary()), Exit.NOT_DONE, "is over (waiting)"),
    (temporal_errors.RequestUnknownError("f" * 12), Exit.NOT_DONE, "There is no request"),
    *(
        (
            temporal_errors.TemporalUnavailableError(call, maybe_done=maybe),
            Exit.NOT_CONFIRMED,
            "Temporal d",
        )
        for call in TemporalCall
        for maybe in (False, True)
    ),
    *(
        (
            temporal_errors.LookUnansweredError("edge", silent, "edge-1"),
            Exit.NOT_CONFIRMED,
            "edge-1?",
        )
        for silent in Silent
    ),
    (temporal_errors.RequestStuckError("w"), Exit.NOT_CONFIRMED, "is stuck"),
    (temporal_errors.TemporalMisconfiguredError(HOSTILE), Exit.USAGE, "`dockwarden check`"),
]


@pytest.mark.parametrize(("error", "status", "words"), FAILURES)
def test_every_failure_has_a_status_and_words(error: BotError, status: Exit, words: str) -> None:
    """What is so, and what to do now."""
    assert exits.of_error(error) is status
    told = errors.failure(error)
    assert words in told
    assert _is_tame(told)


def test_no_failure_is_forgotten() -> None:
    """Each error that the bot knows is among those above."""
    kinds = set(BotError.__subclasses__())
    assert {type(error) for error, _, _ in FAILURES} == kinds


@pytest.mark.parametrize("uptake", Uptake)
def test_what_is_not_confirmed_says_what_is_known(uptake: Uptake) -> None:
    """It is recorded for good, so nobody has to repeat it."""
    words = errors.not_confirmed(uptake, "0" * 12)
    assert words.startswith("Recorded, and not confirmed: ")
    assert "You need not repeat it" in words


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (RequestStatus.SUCCEEDED, Exit.DONE),
        (RequestStatus.NEEDS_PERSON, Exit.NEEDS_PERSON),
        *(
            (status, Exit.NOT_DONE)
            for status in RequestStatus
            if status not in (RequestStatus.SUCCEEDED, RequestStatus.NEEDS_PERSON)
        ),
    ],
)
def test_the_status_of_an_outcome(status: RequestStatus, code: Exit) -> None:
    """What was asked for was done, or it was not, or the container may be down."""
    assert exits.of_outcome(replace(STATE, status=status)) is code
    assert listings.status_words(replace(STATE, status=status, cause=ErrorType.UNEXPECTED))


def test_the_statuses_are_what_scripts_know() -> None:
    """Their numbers are a promise, too."""
    assert {exit_.name: exit_.value for exit_ in Exit} == {
        "DONE": 0,
        "NOT_DONE": 1,
        "USAGE": 2,
        "NOT_CONFIRMED": 3,
        "STILL_WAITING": 4,
        "NEEDS_PERSON": 5,
        "INTERRUPTED": 130,
    }
    assert [one.name for one in fields(Terminal)] == ["host", "user", "logged_in_as"]
