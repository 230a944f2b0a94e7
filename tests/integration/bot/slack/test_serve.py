"""Does a bot say from outside whether people reach it?"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace

import aiohttp
import pytest

from bot.slack import serve
from bot.slack.client import slack_client
from bot.slack.serve import Presence
from tests.fakes.slack_stub import SlackStub
from tests.rigs.waiting import eventually


@pytest.fixture(name="presence")
async def _presence(
    slack_stub: SlackStub, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Presence]:
    """Watch the token of a bot that is connected, more often than a bot does."""
    monkeypatch.setattr(serve, "_TOKEN_EVERY", 0.02)
    presence = Presence(asyncio.Event())
    presence.transport = SimpleNamespace(is_ready=True)  # type: ignore[assignment]  # all it asks
    async with aiohttp.ClientSession() as session:
        slack = slack_client("xoxb-test", f"{slack_stub.url}/api/", session)
        watching = asyncio.create_task(presence.watch_token(slack))
        yield presence
        watching.cancel()
        await asyncio.wait((watching,))


async def test_a_token_that_is_refused_later_shows(
    presence: Presence, slack_stub: SlackStub, caplog: pytest.LogCaptureFixture
) -> None:
    """It is named as long as Slack refuses it, and logged once; troubles of Slack's own are not."""
    slack_stub.refusals["auth.test"] = "internal_error"
    await slack_stub.until(lambda: slack_stub.count("auth.test") >= 2)
    assert presence.what_is_wrong() == ""

    slack_stub.refusals["auth.test"] = "token_revoked"
    await eventually(lambda: presence.what_is_wrong() == "slack: token_revoked")
    asked = slack_stub.count("auth.test")
    await slack_stub.until(lambda: slack_stub.count("auth.test") >= asked + 2)
    slack_stub.refusals.clear()
    await eventually(lambda: presence.what_is_wrong() == "")

    assert [r.levelname for r in caplog.records if "refuses" in r.getMessage()] == ["ERROR"]


def test_what_is_wrong_without_a_connection() -> None:
    """Before the first connection, and while the bot ends, nobody is served."""
    stop = asyncio.Event()
    presence = Presence(stop)
    assert presence.what_is_wrong() == "slack: not connected"
    stop.set()
    assert presence.what_is_wrong() == "stopping"
