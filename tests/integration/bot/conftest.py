"""What the tests of the bot share."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.fakes.slack_stub import SlackStub
from tests.integration.bot.slack.bot_on_stub import Bot, bot_on


@pytest.fixture
async def slack_stub() -> AsyncIterator[SlackStub]:
    """Serve a stub of Slack."""
    stub = SlackStub()
    await stub.start()
    yield stub
    await stub.close()


@pytest.fixture
async def bot(slack_stub: SlackStub) -> AsyncIterator[Bot]:
    """Build the real app on the stub."""
    async with bot_on(slack_stub) as built:
        yield built
