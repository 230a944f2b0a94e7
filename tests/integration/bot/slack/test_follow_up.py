"""Is somebody told whose act nobody takes up, once, and nobody else?"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.temporal.requests import Uptake
from tests.fakes.slack_stub import TEAM, SlackStub
from tests.integration.bot.slack.bot_on_stub import (
    BUTTON,
    REQUEST,
    Bot,
    bot_on,
    form_body,
    state,
)
from tests.rigs.payload_rules import problems
from tests.rigs.waiting import eventually
from workflows.model.errors import RefusalCode
from workflows.model.names import ActionId
from workflows.model.state import CardRef, Refusal, RequestStatus

METADATA = json.dumps({"v": 1, "request": BUTTON, "channel": "C0OPS", "ts": "17.1"})


@pytest.fixture(name="bot")
async def _bot(slack_stub: SlackStub) -> AsyncIterator[Bot]:
    async with bot_on(slack_stub, followed_after=0.05) as bot:
        yield bot


async def _followed(bot: Bot) -> None:
    """Wait until nothing is followed any more."""
    await eventually(lambda: not bot.follow_ups._tasks)


async def test_what_is_taken_up_gets_no_words(bot: Bot) -> None:
    """Each act is asked about once, by its id; a start by none."""
    await bot.command("stop web-1")
    await bot.click(ActionId.APPROVE)
    await bot.click(ActionId.STOP_TRYING)
    await bot.command(f"try-now {REQUEST}")
    await bot.dispatch(form_body(METADATA, "no"))
    await _followed(bot)

    acts = [d.decision_id for d in bot.requests.decisions]
    acts += [i.instruction_id for i in bot.requests.instructions]
    assert sorted(bot.requests.asked) == sorted(["", *acts])
    assert bot.slack_stub.responses == []
    assert bot.slack_stub.count("chat.postEphemeral") == 0


@pytest.mark.parametrize(
    ("act", "says"),
    [
        (ActionId.APPROVE, "Your approval of `web-1` is noted"),
        (ActionId.CANCEL, "Your cancel for `web-1` is noted"),
        (ActionId.STOP_TRYING, "“Stop trying” is noted for `web-1`"),
        (ActionId.TRY_NOW, "“Try now” is noted for `web-1`"),
        (f"approve {REQUEST}", "Your approval of `web-1` is noted"),
        (f"reject {REQUEST} no", "Your rejection of `web-1` is noted"),
        (f"cancel {REQUEST}", "Your cancel for `web-1` is noted"),
        (f"try-now {REQUEST}", "“Try now” is noted for `web-1`"),
    ],
)
async def test_what_nobody_takes_up_is_told_in_private(bot: Bot, act: str, says: str) -> None:
    """Whoever acted reads once what is noted, beside the card, in words that their Slack knows."""
    bot.requests.uptake_is = Uptake.NO_ANSWER
    bot.requests.state = state(status=RequestStatus.WAITING)

    await (bot.click(act) if act in set(ActionId) else bot.command(act))
    await _followed(bot)

    (answer,) = bot.slack_stub.responses
    assert says in answer["text"]
    assert "<!date" not in str(answer)
    assert answer["response_type"] == "ephemeral"
    assert answer["replace_original"] is False


_CARD = CardRef(channel_id="C0OPS", ts="17.1", permalink="https://slack.test/p17")


@pytest.mark.parametrize(
    ("becomes", "gives_way"),
    [
        (
            {"card": _CARD},
            "✅ `stop web-1 on edge`: its card is up. <https://slack.test/p17|See it>",
        ),
        ({"refusal": Refusal(code=RefusalCode.PROTECTED), "closed": True}, None),
        ({"status": RequestStatus.CANCELLED, "closed": True}, "`stop web-1 on edge`: it is over:"),
    ],
)
async def test_a_line_gives_way_to_the_card_or_to_the_refusal(
    bot: Bot, becomes: dict[str, Any], gives_way: str | None
) -> None:
    """Only when neither has come is there a line; what follows it is true by itself, too."""
    bot.requests.uptake_is = Uptake.NO_WORKER

    assert await bot.command("stop web-1 on edge") == {}
    await bot.slack_stub.until(lambda: len(bot.slack_stub.responses) == 1)
    (line,) = bot.slack_stub.responses
    bot.requests.state, bot.requests.uptake_is = state(**becomes), Uptake.TAKEN
    await _followed(bot)

    assert line["text"].startswith("⏳ `stop web-1 on edge`: noted (")
    assert "But no Dockwarden worker answers" in line["text"]
    assert line["replace_original"] is False, "nothing of ours was there"
    for last in bot.slack_stub.responses[1:]:
        assert gives_way is not None, "the refusal itself is told by the workflow"
        assert last["text"].startswith(gives_way)
        assert last["replace_original"] is True
    assert len(bot.slack_stub.responses) == (1 if gives_way is None else 2)
    assert bot.slack_stub.count("chat.postEphemeral") == 0


async def test_a_card_is_never_replaced_by_a_line(bot: Bot) -> None:
    """What a click is answered to is the card: the line is told beside it, once."""
    bot.requests.state = state(status=RequestStatus.SUCCEEDED, reason="")
    bot.requests.uptake_is = Uptake.NO_WORKER

    await bot.click(ActionId.START_AGAIN)
    await _followed(bot)

    (answer,) = bot.slack_stub.responses
    assert answer["text"].startswith("⏳ `web-1`: noted (")
    assert answer["replace_original"] is False


async def test_a_form_is_answered_in_the_channel_of_its_card(bot: Bot) -> None:
    """A form has no way back of its own: the one who sent it reads it beside the card."""
    bot.requests.uptake_is = Uptake.NO_ANSWER

    await bot.dispatch(form_body(METADATA, "no"))
    await _followed(bot)

    (call,) = [given for method, given in bot.slack_stub.calls if method == "chat.postEphemeral"]
    assert (call["channel"], call["user"]) == ("C0OPS", "U0BOB")
    assert "Your rejection of `web-1` is noted" in call["text"]
    assert not problems("chat.postEphemeral", call)


async def test_what_failed_is_not_followed(bot: Bot) -> None:
    """Whoever was told that nothing is recorded reads no second answer."""
    bot.requests.error = ValueError("a bug")
    await bot.click(ActionId.APPROVE)
    await bot.command("stop web-1")

    assert not bot.follow_ups._tasks


@pytest.mark.fault
async def test_a_flood_is_followed_within_bounds_and_no_end_waits(slack_stub: SlackStub) -> None:
    """No more than two hundred acts are followed at once, and a shutdown drops them."""
    async with bot_on(slack_stub, followed_after=600) as bot:
        for number in range(220):
            person = {"id": f"U0MANY{number}", "team_id": TEAM}
            await bot.click(ActionId.APPROVE, user=person)
        assert len(bot.follow_ups._tasks) == 200
        assert await bot.runner.drain(1)
        await bot.follow_ups.close()
        assert not bot.follow_ups._tasks

    assert len(bot.requests.decisions) == 220
    assert bot.requests.asked == []
