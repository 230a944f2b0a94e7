"""What does the bot say in a channel that it joins, and on its Home tab?"""

from __future__ import annotations

from typing import Any

import pytest

from bot.temporal.errors import TemporalCall, TemporalUnavailableError
from bot.temporal.hosts import HostStanding
from tests.fakes.slack_stub import TEAM
from tests.integration.bot.slack.bot_on_stub import Bot
from tests.rigs.payload_rules import problems


async def _tell(bot: Bot, event_id: str = "Ev1", **event: Any) -> None:
    """Deliver an event as Slack does."""
    body = {"type": "event_callback", "team_id": TEAM, "event_id": event_id, "event": event}
    assert (await bot.dispatch(body)).status == 200


async def test_a_channel_is_greeted_once(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only where the bot itself has come, and once however often Slack tells of it."""
    served = HostStanding(host="local", workers=("1@h",))
    away = HostStanding(host="edge")

    async def hosts(*, default: str) -> tuple[HostStanding, ...]:
        assert default == "local"
        return (served, away)

    monkeypatch.setattr(bot.requests.hosts, "standings", hosts)
    joined = {"type": "member_joined_channel", "channel": "C0NEW"}
    await _tell(bot, "Ev1", **joined, user="U0ALICE")
    for _ in range(2):
        await _tell(bot, "Ev2", **joined, user="U0BOT")
    await bot.slack_stub.until(lambda: bot.slack_stub.count("chat.postMessage"))

    (call,) = [given for method, given in bot.slack_stub.calls if method == "chat.postMessage"]
    assert call["channel"] == "C0NEW"
    assert call["text"] == (
        "I stop, snapshot, start and restart containers, after somebody else has said yes."
        "\nType `/container list` to see the containers, or ask: `/container stop "
        'web-1 snapshot reason="CVE-2026-1"`\nHosts: `local`. Who decides about a container: '
        "`/container inspect NAME`. All that can be typed: `/container help`"
    )
    assert not problems("chat.postMessage", call)


async def test_without_temporal_the_greeting_names_no_hosts(
    bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What to type is as true as ever."""

    async def away(*, default: str) -> tuple[HostStanding, ...]:
        raise TemporalUnavailableError(TemporalCall.READ, maybe_done=bool(default))

    monkeypatch.setattr(bot.requests.hosts, "standings", away)
    await _tell(bot, type="member_joined_channel", channel="C0NEW", user="U0BOT")
    await bot.slack_stub.until(lambda: bot.slack_stub.count("chat.postMessage"))

    text = bot.slack_stub.calls[-1][1]["text"]
    assert ("/container help" in text, "Hosts" in text) == (True, False)


async def test_the_home_tab_says_what_to_type(bot: Bot) -> None:
    """To who opens it; the other tab of the app is none of it."""
    await _tell(bot, "Ev1", type="app_home_opened", user="U0ALICE", tab="messages")
    await _tell(bot, "Ev2", type="app_home_opened", user="U0ALICE", tab="home")
    await bot.slack_stub.until(lambda: bot.slack_stub.count("views.publish"))

    (call,) = [given for method, given in bot.slack_stub.calls if method == "views.publish"]
    assert (call["user_id"], call["view"]["type"]) == ("U0ALICE", "home")
    shown = str(call["view"]["blocks"])
    assert all(typed in shown for typed in ("/container stop", "/container requests", "/invite"))
