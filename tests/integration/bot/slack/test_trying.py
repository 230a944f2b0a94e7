"""Who is asked whether Dockwarden is to stop trying, and what do others read?"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from bot.temporal.errors import RequestEndedError
from tests.integration.bot.slack.bot_on_stub import BUTTON, REQUEST, Bot, state, summary
from tests.rigs.payload_rules import problems
from workflows.model.names import ActionId
from workflows.model.requests import Choice, ContainerState, RecordedDecision
from workflows.model.state import RequestStatus, Sighting

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


async def test_stop_trying_by_command_asks_once_more(bot: Bot) -> None:
    """What is meant is said, and nothing recorded before the button under it is pressed."""
    seen = Sighting(state=ContainerState.EXITED, at=NOW)
    bot.requests.state = state(status=RequestStatus.NEEDS_PERSON, seen=seen)

    answer = await bot.command(f"stop-trying {REQUEST}")

    assert bot.requests.instructions == []
    assert "goes on trying to put `web-1` on `local` back by itself" in answer["text"]
    assert "it stays down until somebody starts it by hand." in answer["text"]
    (button,) = answer["blocks"][-1]["elements"]
    assert (button["action_id"], button["value"]) == (ActionId.STOP_TRYING, BUTTON)
    assert button["style"] == "danger"
    assert "by hand" in button["confirm"]["text"]["text"]
    assert not problems("chat.postEphemeral", answer)


@pytest.mark.parametrize(
    ("found", "says"),
    [
        ({"status": RequestStatus.WAITING}, "waits for approval, and nothing was touched. To with"),
        ({"status": RequestStatus.RUNNING}, "🔄 Working; nothing has failed for good"),
        ({"status": RequestStatus.NEEDS_PERSON, "closed": True}, "does not try"),
        ({"status": RequestStatus.PUT_BACK}, "Cancelled and put back"),
        (None, "Dockwarden has not answered in time"),
    ],
    ids=str,
)
async def test_stop_trying_where_nothing_is_tried(
    bot: Bot, found: dict[str, Any] | None, says: str
) -> None:
    """A request that does not need a person gets a true answer and no button."""
    bot.requests.state = state(**found) if found else None

    answer = await bot.command(f"stop-trying {REQUEST}")

    assert says in answer["text"]
    assert all(block["type"] == "section" for block in answer["blocks"])


@pytest.mark.parametrize(
    ("changes", "may"),
    [
        ({"user_id": "U0ALICE"}, True),
        ({"user_id": "U0BOB"}, True),
        ({"user_id": "U0CAROL"}, False),
    ],
    ids=str,
)
async def test_stop_trying_asks_only_who_may(bot: Bot, changes: dict[str, str], may: bool) -> None:
    """Who asked for it and who decided are asked; anybody else is refused before."""
    approval = RecordedDecision(
        decision_id="d",
        approver_id="U0BOB",
        choice=Choice.APPROVE,
        comment="",
        source="command",
        decided_at=NOW,
    )
    bot.requests.state = state(status=RequestStatus.NEEDS_PERSON, decisions=(approval,))

    answer = await bot.command(f"stop-trying {REQUEST}", **changes)

    assert (answer["blocks"][-1]["type"] == "actions") == may
    assert ("only <@U0ALICE>, who asked for it, and those who decided" in answer["text"]) != may


@pytest.mark.parametrize("text", ["stop-trying", "try-now", "cancel"])
async def test_a_request_whose_tries_were_ended_says_how_it_was_left(bot: Bot, text: str) -> None:
    """Once nobody tries any more, that is what is said, and how the container was."""
    ended = summary(open=False, status="needs_person")
    seen = Sighting(state=ContainerState.EXITED, at=NOW)
    left = state(status=RequestStatus.NEEDS_PERSON, closed=True, seen=seen)
    bot.requests.summary, bot.requests.state = ended, left
    if text != "stop-trying":
        bot.requests.error = RequestEndedError(ended, left)

    answer = await bot.command(f"{text} {REQUEST}")

    words = "is over: 🛑 Dockwarden has stopped trying to put it back; it was DOWN then."
    assert words in answer["text"]


async def test_stop_trying_when_the_request_is_over(bot: Bot) -> None:
    """It is said how it ended."""
    bot.requests.summary = summary(open=False, status="succeeded")

    answer = await bot.command(f"stop-trying {REQUEST}")

    assert "is over: ✅ Done" in answer["text"]
