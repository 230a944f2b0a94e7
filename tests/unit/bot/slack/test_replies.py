"""Which words does somebody read in private?"""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from slack_sdk.models.blocks import Block

from activities.slack.mrkdwn import plain as card_plain
from bot.commands.parser import SUB_COMMANDS
from bot.commands.tokens import CommandError
from bot.service import Actor
from bot.slack import listings, replies, request_list, request_status
from bot.slack.mrkdwn import Reply
from bot.slack.standing import status_words
from bot.slack.uptake_words import Act, not_taken_up
from bot.temporal.errors import (
    ENDED,
    AlreadyOpenError,
    BotError,
    LookUnansweredError,
    RequestEndedError,
    RequestStuckError,
    RequestSummary,
    RequestUnknownError,
    Silent,
    TemporalCall,
    TemporalMisconfiguredError,
    TemporalUnavailableError,
)
from bot.temporal.requests import Uptake
from bot.work_list import Item, WorkPage
from tests.rigs.every_case import every_case
from workflows.model.errors import ErrorType, RefusalCode
from workflows.model.listing import ContainerList, ContainerSummary
from workflows.model.names import RequestAddress
from workflows.model.ports import Inspection
from workflows.model.requests import (
    Choice,
    ContainerPin,
    ContainerRef,
    ContainerState,
    Mount,
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

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
ID = "3f9a1c2b4d5e"
ADDRESS = RequestAddress(request_id=ID, host="local", container="web-1")
EVIL = "<!channel> `x` <@U0BOB> <http://evil|ok> & \u202etxt"
SUMMARY = RequestSummary(
    request_id=ID,
    status="waiting",
    host="local",
    container="web-1",
    requester="U0ALICE",
    workflow_id="request/local/web-1",
    run_id="run",
    started_at=NOW - timedelta(minutes=4),
    open=True,
)
PIN = ContainerPin(
    container_id="a" * 64,
    name="web-1",
    image=EVIL,
    image_id="sha256:" + "b" * 64,
    state=ContainerState.RUNNING,
    started_at="2026-01-01T00:00:00Z",
    restart_policy="always",
    auto_remove=True,
    engine_id="e",
    mounts=(Mount(type="bind", destination=f"/data/{EVIL}"),),
    has_healthcheck=True,
    stop_timeout_seconds=9,
)


def make_state(**changes: object) -> RequestState:
    """Describe a request that waits, with text of people in it."""
    facts: dict[str, object] = {
        "request_id": ID,
        "status": RequestStatus.WAITING,
        "operation": OperationSpec(kind="stop", snapshot=True),
        "container": ContainerRef(host="local", name="web-1"),
        "requester": "U0ALICE",
        "team_id": "T1",
        "channel_id": "C1",
        "reason": EVIL,
        "requested_at": NOW - timedelta(minutes=4),
        "expires_at": NOW + timedelta(minutes=11),
        "workflow_id": "request/local/web-1",
        "policy": Policy(name="p", labels={}, approvers=("U0BOB",), required_approvals=2),
        "card": CardRef(channel_id="C1", ts="1.1", permalink="https://slack.test/p1"),
        "steps": (
            StepState(
                name=StepName.STOP,
                status=StepStatus.DONE,
                started_at=NOW,
                finished_at=NOW + timedelta(seconds=1.25),
                note=EVIL,
            ),
            StepState(name=StepName.PUT_BACK),
        ),
    }
    return RequestState(**{**facts, **changes})  # type: ignore[arg-type]


def show_status(state: RequestState | None, *, may_read: bool = True) -> Reply:
    """Show it as ``status`` does."""
    return request_status.show(SUMMARY, state, now=NOW, ui="http://t.test/w", may_read=may_read)


def show_list(*items: Item, **changes: int) -> Reply:
    """Show them as ``requests`` does, to bob."""
    facts = {"total": len(items), "yours": sum(item.is_yours for item in items), **changes}
    return request_list.show(
        WorkPage(items=items, **facts),
        None,
        actor=Actor(user_id="U0BOB", team_id="T1"),
        channel_id="C0OPS",
        now=NOW,
        command="/container",
    )


_DECISION = RecordedDecision(
    decision_id="d",
    approver_id="U0BOB",
    choice=Choice.REJECT,
    comment=EVIL,
    source="command",
    decided_at=NOW,
)
ERRORS: list[BotError] = [
    *(
        TemporalUnavailableError(act, maybe_done=maybe)
        for act in TemporalCall
        for maybe in (True, False)
    ),
    *(LookUnansweredError("local", silent) for silent in Silent),
    TemporalMisconfiguredError(EVIL),
    AlreadyOpenError(SUMMARY),
    AlreadyOpenError(replace(SUMMARY, operation=EVIL, requester=EVIL), make_state()),
    RequestUnknownError(ID),
    RequestEndedError(SUMMARY),
    RequestStuckError("request/local/web-1"),
    BotError(EVIL),
]
ALL: list[Reply] = [
    replies.help_text("/container"),
    *(replies.help_text("/container", topic) for topic in SUB_COMMANDS),
    *(
        replies.mistake("/container", CommandError(EVIL, marked=EVIL, example="help", own=own))
        for own in ("", EVIL)
    ),
    replies.left_out(replies.reason_left_out()),
    *(replies.recorded(ID, act) for act in Act if act is not Act.START),
    *(
        not_taken_up(act, uptake, ADDRESS, asked=EVIL, at=NOW, command="/container")
        for act in Act
        for uptake in Uptake
    ),
    replies.form_unavailable("/container", ID),
    replies.too_many(),
    replies.foreign_team(),
    replies.bad_button(),
    replies.again_unknown("/container", ID, "start"),
    replies.unexpected("12345678"),
    *(replies.failure(error, "/container") for error in ERRORS),
    show_status(None),
    show_status(make_state()),
    show_status(make_state(status=RequestStatus.REJECTED, decisions=(_DECISION,), cause_text=EVIL)),
    show_status(make_state(refusal=Refusal(code=RefusalCode.NO_POLICY, detail=EVIL))),
    show_status(make_state(requester=EVIL, snapshot=SnapshotResult(image_id="i", reference=EVIL))),
    show_list(
        *(Item(summary=replace(SUMMARY, container=EVIL, operation=EVIL)),) * 5,
        *(Item(summary=SUMMARY, state=make_state(), is_yours=True),) * 5,
    ),
    listings.container("local", Inspection(pin=PIN)),
    listings.container_list(
        "local",
        ContainerList(
            containers=(
                ContainerSummary(
                    name="x" * 250,
                    image=EVIL + "y" * 250,
                    state=ContainerState.RUNNING,
                    standing=EVIL,
                    part_of=EVIL,
                    ports=EVIL,
                ),
            )
            * 100,
            total=300,
        ),
    ),
    *(
        listings.look_refused(Refusal(code=refusal, detail=EVIL), host="local", name="web-1")
        for refusal in RefusalCode
    ),
]


@every_case("answer", ALL)
def test_every_answer_fits_into_slack(answer: Reply) -> None:
    """Each answer has words, keeps Slack's limits, and is for one person only."""
    arguments = answer.as_arguments()

    blocks = Block.parse_all(arguments["blocks"])
    assert blocks
    for block in blocks:
        block.validate_json()
    assert len(blocks) <= 50
    assert 0 < len(arguments["text"]) <= 10_000
    assert (
        sum(len(str(block["text"]["text"])) for block in arguments["blocks"] if "text" in block)
        < 10_000
    )
    assert arguments["response_type"] == "ephemeral"


@every_case("answer", ALL)
def test_no_answer_lets_markup_of_people_through(answer: Reply) -> None:
    """Nothing that somebody wrote can ping, link, or end a piece of code."""
    texts = [answer.text] + [
        block["text"]["text"]
        for block in answer.blocks
        if block.get("text", {}).get("type") == "mrkdwn"
    ]

    for text in texts:
        assert "<!" not in text.replace("<!date^", "a time of ours: ")
        assert "<http://evil" not in text


@every_case("answer", ALL)
def test_no_answer_lets_the_writing_direction_be_turned(answer: Reply) -> None:
    """What a card does not show is not shown here either: direction and control characters."""
    arguments = answer.as_arguments()

    shown = [block["text"]["text"] for block in arguments["blocks"] if "text" in block]
    for text in (arguments["text"], *shown):
        assert not {unicodedata.category(c) for c in text.replace("\n", "")} & {"Cc", "Cf", "Cs"}


@pytest.mark.parametrize("status", StepStatus)
def test_every_step_is_shown(status: StepStatus) -> None:
    """No status of a step is missing, and one that waits for its turn says so."""
    text = show_status(make_state(steps=(StepState(name=StepName.STOP, status=status),))).text

    assert "stop" in text
    assert ("waits for its turn" in text) == (status is StepStatus.QUEUED)


def test_a_reason_reads_the_same_as_on_the_card() -> None:
    """One reason, two doors: the status shows the very text that the card shows."""
    typed = "see\u202egnp.exe\x07\r\n\n\n\nand\ttabs"
    on_card = card_plain(f"Reason: {typed}", 1500).text

    shown = [block["text"]["text"] for block in show_status(make_state(reason=typed)).blocks]

    assert on_card in shown


@pytest.mark.parametrize("act", list(TemporalCall))
def test_an_outage_never_sounds_like_a_success(act: TemporalCall) -> None:
    """Whoever acts during an outage reads that it is not done, and that they can repeat it."""
    for maybe_done in (True, False):
        error = TemporalUnavailableError(act, maybe_done=maybe_done)
        words = replies.failure(error, "/container").text
        asked = replies.failure(error, "/container", asked="stop web-1").text

        assert asked.startswith("⚠️ `stop web-1`: ")
        assert "Not " in words or "does not answer" in words
        assert "Try again" in words
        assert "approved" not in words.lower()


def test_the_status_of_a_request_says_what_matters() -> None:
    """Who asked, how many approved, how long it waits, which steps, and where to look."""
    text = show_status(make_state()).text

    assert "⏳ 2 approvals needed — stop and snapshot `web-1` on `local`" in text
    assert "asked by <@U0ALICE>, 4 min ago" in text
    assert "approvals 0 of 2" in text
    assert "expires in 11 min" in text
    assert "✓ Stopped in 1.2 s" in text
    assert "○ Put it back" in text
    assert "<https://slack.test/p1|See its card>" in text
    assert "<http://t.test/w|Open in Temporal>" in text


@pytest.mark.parametrize("status", [*RequestStatus, ENDED])
def test_every_status_has_words(status: str) -> None:
    """No status is shown by its code only."""
    emoji, _, words = status_words(status).partition(" ")

    assert emoji != "•"
    assert words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "just now"),
        (1, "1 s ago"),
        (59, "59 s ago"),
        (60, "1 min ago"),
        (3599, "59 min ago"),
        (3600, "1 h ago"),
        (172_799, "47 h ago"),
        (172_800, "2 days ago"),
    ],
)
def test_times_are_read_at_a_glance(seconds: int, words: str) -> None:
    """A time is told in its largest whole unit."""
    assert request_status.ago(NOW, NOW - timedelta(seconds=seconds)) == words


@pytest.mark.parametrize("state", ContainerState)
def test_a_container_has_one_colour(state: ContainerState) -> None:
    """The list of a host and the look at one container agree whether it is up."""
    summary = ContainerSummary(name="web-1", image="web", state=state)
    in_list = listings.container_list("local", ContainerList(containers=(summary,), total=1))
    alone = listings.container("local", Inspection(pin=replace(PIN, state=state)))

    assert in_list.lines[1].content[0] == alone.lines[0].content[0]


@pytest.mark.parametrize(
    ("changes", "begins"),
    [
        ({"status": RequestStatus.WAITING}, "⏳ 2 approvals needed —"),
        (
            {"status": RequestStatus.REJECTED, "decisions": (_DECISION,)},
            "❌ Rejected, nothing was changed —",
        ),
        (
            {
                "status": RequestStatus.REJECTED,
                "refusal": Refusal(code=RefusalCode.SNAPSHOT_QUOTA, detail="20 are there"),
            },
            "🚫 Refused —",
        ),
        ({"status": RequestStatus.PUT_BACK}, "↩️ Cancelled and put back, as it was —"),
        (
            {"status": RequestStatus.PUT_BACK, "cause": ErrorType.DISK_FULL},
            "↩️ Failed and put back, as it was —",
        ),
        (
            {"status": RequestStatus.STALE, "cause": ErrorType.DISK_FULL},
            "⚠️ Not done, no room, nothing was changed —",
        ),
        (
            {"status": RequestStatus.STALE, "cause": ErrorType.CONTAINER_CHANGED},
            "⚠️ Out of date, nothing was changed —",
        ),
    ],
)
def test_the_status_says_whose_doing_it_was(changes: dict[str, object], begins: str) -> None:
    """What was cancelled did not fail, and what the rules refused nobody rejected."""
    assert show_status(make_state(**changes)).text.startswith(begins)
