"""What do the buttons and the form do?"""

from __future__ import annotations

import json
from typing import Any

import pytest

from bot.temporal.errors import RequestEndedError, TemporalCall, TemporalUnavailableError
from tests.fakes.slack_stub import TEAM
from tests.integration.bot.slack.bot_on_stub import (
    BUTTON,
    REQUEST,
    Bot,
    form_body,
    summary,
)
from workflows.model.names import ActionId
from workflows.model.requests import MAX_TEXT_LENGTH, Choice, Intent

METADATA = json.dumps({"v": 1, "request": BUTTON, "channel": "C0OPS", "ts": "17.1"})


async def test_approve_is_recorded_and_nothing_is_said(bot: Bot) -> None:
    """A click becomes one decision with its card; the workflow does the talking."""
    assert await bot.click(ActionId.APPROVE) == ""

    (decision,) = bot.requests.decisions
    assert (decision.request_id, decision.choice) == (REQUEST, Choice.APPROVE)
    assert (decision.approver_id, decision.team_id) == ("U0BOB", TEAM)
    assert decision.source == "card:C0OPS:17.1"
    assert bot.slack_stub.responses == []


async def test_two_clicks_are_one_decision_twice(bot: Bot) -> None:
    """A second click goes through with the same id, so it can count only once."""
    await bot.click(ActionId.APPROVE)
    await bot.click(ActionId.APPROVE)

    first, second = bot.requests.decisions
    assert first.decision_id == second.decision_id


async def test_other_acts_are_other_decisions(bot: Bot) -> None:
    """Another person, another card or another choice has another id."""
    await bot.click(ActionId.APPROVE)
    await bot.click(ActionId.APPROVE, user={"id": "U0CAROL", "team_id": TEAM})
    await bot.click(ActionId.APPROVE, container={"channel_id": "C0OPS", "message_ts": "18.1"})
    await bot.dispatch(form_body(METADATA, "no"))

    assert len({decision.decision_id for decision in bot.requests.decisions}) == 4


async def test_the_same_delivery_of_a_click_counts_once(bot: Bot) -> None:
    """A delivery that arrives twice is one click."""
    for _ in range(2):
        await bot.click(ActionId.APPROVE, trigger_id="same")

    assert len(bot.requests.decisions) == 1


async def test_cancel_is_recorded(bot: Bot) -> None:
    """The Cancel button says who pressed it."""
    await bot.click(ActionId.CANCEL)

    (cancel,) = bot.requests.instructions
    assert (cancel.request_id, cancel.user_id) == (REQUEST, "U0BOB")
    assert cancel.source == "card:C0OPS:17.1"


@pytest.mark.parametrize(
    ("action", "intent"),
    [
        # the button of earlier cards stays a cancel, also where they called it "Stop trying"
        ("request.cancel", Intent.CANCEL),
        (ActionId.STOP_TRYING, Intent.STOP_TRYING),
        (ActionId.TRY_NOW, Intent.TRY_NOW),
    ],
)
async def test_a_button_says_what_is_meant(bot: Bot, action: str, intent: Intent) -> None:
    """Each press is an act of its own, with the intent that its button names, and no words."""
    assert await bot.click(action) == ""
    assert await bot.click(action) == ""

    first, second = bot.requests.instructions
    assert (first.intent, second.intent) == (intent, intent)
    assert first.instruction_id
    assert first.instruction_id != second.instruction_id
    assert bot.slack_stub.responses == []


async def test_the_button_of_a_private_answer_is_used_once(bot: Bot) -> None:
    """Pressed where a command was answered, the question gives way to what was recorded."""
    container = {"channel_id": "C0OPS", "message_ts": "18.1", "is_ephemeral": True}
    await bot.click(ActionId.STOP_TRYING, container=container)

    (instruction,) = bot.requests.instructions
    assert instruction.intent is Intent.STOP_TRYING
    await bot.slack_stub.until(lambda: bot.slack_stub.responses)
    (answer,) = bot.slack_stub.responses
    assert answer["replace_original"] is True
    assert "Noted: “Stop trying” for request" in answer["text"]


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (TemporalUnavailableError(TemporalCall.DECIDE, maybe_done=False), "Not recorded"),
        (TemporalUnavailableError(TemporalCall.DECIDE, maybe_done=True), "Not confirmed"),
        (RequestEndedError(summary(status="expired")), "is over: ⌛ Expired"),
    ],
)
async def test_a_click_that_fails_is_told(bot: Bot, error: Exception, says: str) -> None:
    """Who clicked in vain reads so in private; the card stays as it is."""
    bot.requests.error = error

    assert await bot.click(ActionId.APPROVE) == ""

    await bot.slack_stub.until(lambda: bot.slack_stub.responses)
    (answer,) = bot.slack_stub.responses
    assert answer["response_type"] == "ephemeral"
    assert answer["replace_original"] is False
    assert says in answer["text"]
    assert "approved" not in answer["text"].lower()


@pytest.mark.parametrize(
    "value",
    ["", REQUEST, f"{REQUEST} local ../x", f"{REQUEST} local web-1 more", "x local web-1"],
)
async def test_a_forged_button_is_refused(bot: Bot, value: str) -> None:
    """A button value that no card has reaches no workflow."""
    for action in set(ActionId) - {ActionId.ASK} | {f"{ActionId.ASK}.0"}:
        await bot.click(action, value)

    assert (
        bot.requests.decisions,
        bot.requests.instructions,
        bot.requests.started,
    ) == ([], [], [])
    await bot.slack_stub.until(lambda: len(bot.slack_stub.responses) == len(ActionId))
    assert all("does not belong" in answer["text"] for answer in bot.slack_stub.responses)


@pytest.mark.parametrize(
    "changes",
    [
        # the person is from elsewhere, in a shared channel
        {"user": {"id": "U0EVE", "team_id": "T0FOREIGN"}},
        # the whole payload is from elsewhere
        {"team": {"id": "T0FOREIGN"}, "user": {"id": "U0EVE", "team_id": "T0FOREIGN"}},
        # it names no workspace
        {"team": None, "user": {"id": "U0EVE"}},
    ],
    ids=str,
)
async def test_clicks_of_other_workspaces_are_dropped(bot: Bot, changes: dict[str, Any]) -> None:
    """Nobody from another workspace decides."""
    await bot.click(ActionId.APPROVE, **changes)

    assert bot.requests.decisions == []


async def test_a_submitted_form_rejects(bot: Bot) -> None:
    """The reason of the form becomes the comment of a rejection; the form closes."""
    response = await bot.dispatch(form_body(METADATA, "  too late  "))

    (decision,) = bot.requests.decisions
    assert response.body == ""
    assert (decision.choice, decision.comment) == (Choice.REJECT, "too late")
    assert decision.source == "form:C0OPS:17.1"


async def test_a_huge_reason_is_cut(bot: Bot) -> None:
    """A reason that is too long rejects all the same."""
    await bot.dispatch(form_body(METADATA, "x" * 100_000))

    assert len(bot.requests.decisions[0].comment) == MAX_TEXT_LENGTH


@pytest.mark.parametrize(
    ("metadata", "reason", "says"),
    [
        (METADATA, None, "Write a reason"),
        (METADATA, "   ", "Write a reason"),
        ("", "why", "does not belong"),
        ("{}", "why", "does not belong"),
        ("[1]", "why", "does not belong"),
        (METADATA.replace("web-1", "../x"), "why", "does not belong"),
    ],
)
async def test_a_bad_form_stays_open(
    bot: Bot, metadata: str, reason: str | None, says: str
) -> None:
    """A form that cannot be used says so in the form and decides nothing."""
    response = await bot.dispatch(form_body(metadata, reason))

    answer = json.loads(response.body)
    assert bot.requests.decisions == []
    assert answer["response_action"] == "errors"
    assert says in answer["errors"]["reason"]


async def test_a_rejection_that_fails_keeps_the_form(bot: Bot) -> None:
    """With Temporal away the form stays with its text and says that nothing was recorded."""
    bot.requests.error = TemporalUnavailableError(TemporalCall.DECIDE, maybe_done=False)

    response = await bot.dispatch(form_body(METADATA, "why"))

    answer = json.loads(response.body)
    assert answer["response_action"] == "errors"
    assert "Not recorded" in answer["errors"]["reason"]


async def test_other_buttons_and_events_are_only_taken(bot: Bot) -> None:
    """A press on a link is acknowledged and does nothing."""
    assert await bot.click("open.temporal", "") == ""

    assert bot.slack_stub.responses == []
