"""What the tests of the bot share."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from temporalio.client import Client

from tests.fakes.slack_stub import SlackStub
from tests.integration.bot.slack.bot_on_stub import Bot, bot_on
from tests.rigs.dev_server import temporal_server
from tests.rigs.program import free_port

POLICIES = '[[policy]]\nname = "all"\napprovers = ["U0BOB"]\n'


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


@pytest.fixture(name="environment")
def _environment(slack_stub: SlackStub, tmp_path: Path) -> dict[str, str]:
    """Settings of a bot on the stub of Slack, with a Temporal that is not there."""
    policies = tmp_path / "policies.toml"
    policies.write_text(POLICIES)
    return {
        "DOCKWARDEN_SLACK_BOT_TOKEN": "xoxb-test",
        "DOCKWARDEN_SLACK_APP_TOKEN": "xapp-test",
        "DOCKWARDEN_SLACK_API_URL": f"{slack_stub.url}/api",
        "DOCKWARDEN_SOCKET_PING_SECONDS": "1",
        "DOCKWARDEN_POLICIES": str(policies),
        "DOCKWARDEN_HEALTH_PORT": str(free_port()),
        "TEMPORAL_ADDRESS": f"127.0.0.1:{free_port()}",
    }


@pytest.fixture(scope="module", name="client")
async def _client() -> AsyncIterator[Client]:
    async with temporal_server() as env:
        yield env.client
