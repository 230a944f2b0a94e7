"""What does a slash command do, and what is answered to the one who typed it?"""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from typing import Any

import pytest

from bot.temporal.errors import (
    AlreadyOpenError,
    BotError,
    LookUnansweredError,
    RequestEndedError,
    RequestStuckError,
    RequestUnknownError,
    Silent,
    TemporalCall,
    TemporalMisconfiguredError,
    TemporalUnavailableError,
)
from tests.fakes.slack_stub import TEAM, SlackStub
from tests.integration.bot.slack.bot_on_stub import REQUEST, Bot, bot_on, state, summary
from tests.unit.activities.slack.card_parts import PIN
from workflows.host_query import HostQueryResult
from workflows.model.errors import RefusalCode
from workflows.model.listing import ContainerList, ContainerSummary, Wanted, Which
from workflows.model.ports import Inspection
from workflows.model.requests import (
    Choice,
    ContainerPin,
    ContainerState,
    Intent,
    Policy,
)
from workflows.model.state import CardRef, Refusal, RequestStatus
from workflows.model.text import short_id


async def test_a_mistake_is_answered_in_private(bot: Bot) -> None:
    """A typing error gets what is wrong, where, and a right example; nothing starts."""
    answer = await bot.command("stop web-1 snapshoot")

    assert bot.requests.started == []
    assert answer["response_type"] == "ephemeral"
    assert "Did you mean snapshot?" in answer["text"]
    assert "→snapshoot←" in answer["text"]
    assert "/container stop web-1 snapshot" in answer["text"]


@pytest.mark.parametrize("evil", ["<!channel>", "<@U0BOB>", "<http://evil|ok>", "`*x*`", "a&b"])
async def test_text_of_people_is_never_markup(bot: Bot, evil: str) -> None:
    """What somebody typed is shown as plain text and can ping nobody."""
    answer = await bot.command(f"stop web-1 {evil}")

    assert "<" not in answer["text"].replace("&lt;", "")
    shown = [block["text"] for block in answer["blocks"]]
    typed = re.sub(r"[<>!@]|http://evil\|", "", evil)
    assert all(text["type"] == "plain_text" for text in shown if typed in text["text"])


@pytest.mark.parametrize(
    ("error", "says"),
    [
        # Temporal is down, or silent
        (
            TemporalUnavailableError(TemporalCall.START, maybe_done=False),
            "`stop web-1`: not started",
        ),
        (
            TemporalUnavailableError(TemporalCall.START, maybe_done=True),
            "`stop web-1`: not confirmed",
        ),
        # it lacks what Dockwarden needs
        (TemporalMisconfiguredError("no mapping"), "dockwarden check"),
        # Dockwarden itself is at fault
        (RequestStuckError("request/local/web-1"), "`request/local/web-1` is stuck"),
        # another request is in the way, with and without a card
        (
            AlreadyOpenError(summary(permalink="https://s/p1")),
            "🚫 `stop web-1`: not started, for <@U0ALICE> asked to",
        ),
        (AlreadyOpenError(summary(permalink="https://s/p1")), "<https://s/p1|See its card>"),
        (AlreadyOpenError(summary()), f"/container status {REQUEST}"),
    ],
)
async def test_a_start_that_fails_says_so(bot: Bot, error: BotError, says: str) -> None:
    """A request that was not started is never said to be."""
    bot.requests.error = error

    answer = await bot.command("stop web-1")

    assert bot.requests.started == []
    assert says in answer["text"]


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (TemporalUnavailableError(TemporalCall.DECIDE, maybe_done=False), "not recorded"),
        (RequestEndedError(summary(status="expired")), "is over: ⌛ Expired"),
        (RequestUnknownError(REQUEST), "`: there is no request"),
        (RequestUnknownError(REQUEST), "or it is no longer kept"),
    ],
)
async def test_a_decision_that_fails_says_so(bot: Bot, error: BotError, says: str) -> None:
    """A decision that does not count is never said to."""
    bot.requests.error = error

    answer = await bot.command(f"approve {REQUEST}")

    assert bot.requests.decisions == []
    assert says in answer["text"]
    assert "approved" not in answer["text"].lower()


async def test_decisions_by_command(bot: Bot) -> None:
    """Approve and reject by command carry who, where from, why, and the plan that is shown."""
    waiting = state(status=RequestStatus.WAITING, policy=Policy(name="default", labels={}), pin=PIN)
    assert waiting.plan is not None
    plan_hash = waiting.plan.hash
    bot.requests.state = replace(waiting, plan_hash=plan_hash)
    await bot.command(f'approve {REQUEST} "fine"')
    answer = await bot.command("reject web-1 too late", user_id="U0BOB")

    approval, rejection = bot.requests.decisions
    assert (approval.choice, approval.comment) == (Choice.APPROVE, "fine")
    assert (rejection.choice, rejection.comment) == (Choice.REJECT, "too late")
    assert (rejection.approver_id, rejection.team_id) == ("U0BOB", TEAM)
    assert rejection.source == "command"
    assert rejection.sent_at is not None
    assert approval.plan_hash == rejection.plan_hash == plan_hash
    assert answer["text"] == (
        f"👍 Noted: your rejection of request `{REQUEST}`.\nThat is to stop and snapshot `web-1` "
        f"(`{short_id(PIN.container_id)}`) on `local`, as <@U0ALICE> asked for · plan "
        f"`{plan_hash[:8]}`"
    )


async def test_what_nobody_can_show_is_approved_by_its_card_alone(bot: Bot) -> None:
    """An approval names its plan; a rejection changes nothing, and needs none."""
    answer = await bot.command(f"approve {REQUEST}")
    await bot.command(f"reject {REQUEST} no")

    (rejection,) = bot.requests.decisions
    assert rejection.choice is Choice.REJECT
    assert ": not recorded, for what request" in answer["text"]
    assert "Press the button of its card" in answer["text"]


async def test_a_cancel_by_command(bot: Bot) -> None:
    """Cancel carries who asks; whether they may is the workflow's to say."""
    await bot.command(f"cancel {REQUEST}")
    await bot.command("cancel web-1 on edge")
    bot.requests.summary = summary(status="expired", open=False)
    answer = await bot.command("cancel web-1 on edge")
    assert "is over: ⌛ Expired" in answer["text"], "nothing is sent to one that is over"

    cancel, by_name = bot.requests.instructions
    assert by_name.request_id == REQUEST
    assert (cancel.request_id, cancel.user_id, cancel.team_id) == (REQUEST, "U0ALICE", TEAM)
    assert cancel.intent is Intent.CANCEL


async def test_try_now_by_command(bot: Bot) -> None:
    """It acts at once, and says that it is recorded."""
    answer = await bot.command(f"try-now {REQUEST}")

    (instruction,) = bot.requests.instructions
    assert (instruction.intent, instruction.source) == (Intent.TRY_NOW, "command")
    assert f"Noted: “Try now” for request `{REQUEST}`" in answer["text"]


async def test_a_rejection_without_a_reason_shows_its_own_id(bot: Bot) -> None:
    """The right example can be copied: it names the request that was meant."""
    answer = await bot.command("reject 0123456789ab")

    assert '`/container reject 0123456789ab "not during the sale"`' in answer["text"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("requests", "Open requests"),
        ("requests waiting", "`web-1` on `local` · <@U0ALICE>"),
        ("requests mine", "Your requests"),
        ("requests recent", "none"),
        # no promise beyond what Temporal keeps, which a server may forget after a day
        ("requests recent", "of the last seven days, as far as they are kept"),
        (f"status {REQUEST}", "Waiting for approval — `web-1` on `local`"),
        ("help", "/container stop NAME"),
        ("help snapshot", "as REF"),
        ("", "/container stop NAME"),
    ],
)
async def test_questions_are_answered_in_private(bot: Bot, text: str, says: str) -> None:
    """What somebody asks to see only they see."""
    answer = await bot.command(text)

    assert answer["response_type"] == "ephemeral"
    assert says in answer["text"]


async def test_a_list_follows_its_acknowledgement(bot: Bot) -> None:
    """A host may answer slowly, so the list comes after the acknowledgement, in private."""
    web = ContainerSummary(name="web-1", image="nginx:1", state=ContainerState.RUNNING)
    bot.requests.looked = HostQueryResult(
        containers=ContainerList(containers=(web,), total=7, of=9)
    )

    assert await bot.command("list web-* running") == {}
    await bot.slack_stub.until(lambda: bot.slack_stub.responses)

    (answer,) = bot.slack_stub.responses
    assert answer["response_type"] == "ephemeral"
    assert answer["text"].startswith("`list web-* running`: 7 of 9 containers on `local`\n")
    assert "🟢 `web-1` · running" in answer["text"]
    assert "6 more" in answer["text"]
    assert answer["text"].endswith("Hosts: `edge-2`, `edge-10`")
    assert bot.requests.wanted == Wanted(pattern="web-*", which=Which.RUNNING)


async def test_the_hosts_are_shown(bot: Bot) -> None:
    """Which there are, in private, behind the acknowledgement."""
    assert await bot.command("list hosts") == {}
    await bot.slack_stub.until(lambda: bot.slack_stub.responses)

    (answer,) = bot.slack_stub.responses
    assert answer["response_type"] == "ephemeral"
    assert "🔴 `local` · meant where a command names none · engine E1 (20.10)" in answer["text"]


async def test_one_container_is_shown(bot: Bot) -> None:
    """Inspect shows what matters for a request."""
    pin = ContainerPin(
        container_id="a" * 64,
        name="web-1",
        image="nginx:1",
        image_id="sha256:" + "b" * 64,
        state=ContainerState.EXITED,
        started_at="2026-01-01T00:00:00Z",
        restart_policy="always",
        auto_remove=False,
        engine_id="e",
    )
    bot.requests.looked = HostQueryResult(inspection=Inspection(pin=pin))

    await bot.command("inspect web-1")
    await bot.slack_stub.until(lambda: bot.slack_stub.responses)

    text = bot.slack_stub.responses[0]["text"]
    assert "`web-1` on `local` · exited" in text
    assert "`aaaaaaaaaaaa`" in text
    assert "restart policy `always`" in text


@pytest.mark.parametrize(
    ("result", "says"),
    [
        (RefusalCode.UNKNOWN_HOST, "no Dockwarden worker serves the host `local`"),
        (RefusalCode.UNKNOWN_CONTAINER, "no container `web-1` on `local`"),
        (LookUnansweredError("local", Silent.WORKER), "no Dockwarden worker answers"),
        (LookUnansweredError("local", Silent.BUSY), "worker is busy, or has just ended"),
        (LookUnansweredError("local", Silent.HOST), "no Dockwarden worker serves `local`"),
        (LookUnansweredError("local", Silent.HOST, "loco"), "Did you mean `loco`?"),
        (LookUnansweredError("local", Silent.BUSY_HOST), "worker of `local` is busy"),
        (LookUnansweredError("local", Silent.ENGINE), "engine of `local` does not answer"),
    ],
)
async def test_a_look_that_fails_says_why(bot: Bot, result: Any, says: str) -> None:
    """A host that cannot be looked at is explained in private."""
    if isinstance(result, RefusalCode):
        bot.requests.looked = HostQueryResult(refusal=Refusal(code=result))
    else:
        bot.requests.error = result

    await bot.command("inspect web-1")
    await bot.slack_stub.until(lambda: bot.slack_stub.responses)

    text = bot.slack_stub.responses[0]["text"]
    assert text.startswith("⚠️ `inspect web-1`: ")
    assert says in text
    silent = getattr(result, "silent", None)
    is_of_host = result is RefusalCode.UNKNOWN_HOST or silent is Silent.HOST
    assert ("Hosts: `edge-2`, `edge-10`" in text) is is_of_host


@pytest.mark.fault
async def test_an_unexpected_error_is_told_with_its_id(
    bot: Bot, caplog: pytest.LogCaptureFixture
) -> None:
    """A bug is told to the one who typed, with the id under which the log has it."""
    bot.requests.error = ValueError("xoxb-secret in a bug")

    answer = await bot.command("stop web-1")

    found = re.search(r"error `([0-9a-f]{8})`", answer["text"])
    assert found
    assert any(getattr(record, "error_id", "") == found[1] for record in caplog.records)
    assert "secret" not in answer["text"]


@pytest.mark.fault
async def test_an_error_behind_the_acknowledgement_loses_neither(bot: Bot) -> None:
    """A listener that breaks right after its acknowledgement is acknowledged all the same."""
    bot.requests.error = ValueError("a bug")

    # At once: a late acknowledgement has words, and bolt waits for none beyond three seconds.
    assert await bot.command("list") == {}

    await bot.slack_stub.until(lambda: bot.slack_stub.responses)
    assert "`list`: something went wrong" in bot.slack_stub.responses[0]["text"]


@pytest.mark.fault
async def test_a_slow_start_is_acknowledged_in_time(slack_stub: SlackStub) -> None:
    """A start that hangs is acknowledged before Slack gives up; what was said then gives way."""
    release = asyncio.Event()
    async with bot_on(slack_stub, acknowledge_within=0.05, followed_after=0.05) as bot:
        bot.requests.before = release.wait
        bot.requests.state = state(card=CardRef(channel_id="C0OPS", ts="17.1"))

        answer = await bot.command("stop web-1")
        assert "not confirmed yet" in answer["text"]
        assert bot.requests.started == []

        release.set()
        await slack_stub.until(lambda: slack_stub.responses)
    (answer,) = slack_stub.responses
    assert answer["text"] == "✅ `stop web-1`: its card is up."
    assert answer["replace_original"] is True


async def test_the_same_delivery_is_worked_on_once(bot: Bot) -> None:
    """Twenty deliveries of one command make one request, and not a word."""
    answers = await asyncio.gather(
        *(bot.command("stop web-1", trigger_id="same") for _ in range(20))
    )

    assert len(bot.requests.started) == 1
    assert not any(answers)


@pytest.mark.parametrize(
    "changes", [{"team_id": "T0FOREIGN"}, {"team_id": None}, {"team_id": ""}], ids=str
)
async def test_other_workspaces_are_refused(bot: Bot, changes: dict[str, Any]) -> None:
    """A command of another workspace, or of none, starts nothing and is told so."""
    answer = await bot.command("stop web-1", **changes)

    assert bot.requests.started == []
    assert "Only members of this workspace" in answer["text"]


async def test_a_flood_of_commands_is_slowed_and_a_click_gets_through(bot: Bot) -> None:
    """Five hundred commands of one person are limited politely; a decision is not."""
    answers = [await bot.command("help") for _ in range(500)]

    refused = [answer for answer in answers if "Too many commands" in answer["text"]]
    assert 400 < len(refused) < 500
    assert "Too many" not in (await bot.command("help", user_id="U0OTHER"))["text"]
    await bot.click("request.approve")
    assert len(bot.requests.decisions) == 1
