"""One local Slack with the proxy before it, emptied for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest

from activities.slack.client import SlackClient, slack_client
from activities.slack.health import SlackHealth
from tests.integration.activities.slack.slack_worker import SlackWorker
from tests.rigs.local_slack import CREDENTIALS, LocalSlack
from tests.rigs.slack_proxy import SlackProxy


@pytest.fixture(scope="session", name="running_slack")
async def _running_slack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[LocalSlack]:
    async with LocalSlack(tmp_path_factory.mktemp("slack")) as local_slack:
        yield local_slack


@pytest.fixture(scope="session", name="running_proxy")
async def _running_proxy(running_slack: LocalSlack) -> AsyncIterator[SlackProxy]:
    async with SlackProxy(running_slack.url) as slack_proxy:
        yield slack_proxy


@pytest.fixture(scope="session", name="running_client")
async def _running_client(running_proxy: SlackProxy) -> AsyncIterator[SlackClient]:
    async with aiohttp.ClientSession() as session:
        yield slack_client(CREDENTIALS.bot_token, running_proxy.api_url, session, plain_markup=True)


@pytest.fixture
async def local_slack(running_slack: LocalSlack) -> LocalSlack:
    """Give an empty workspace."""
    await running_slack.reset()
    return running_slack


@pytest.fixture
def slack_proxy(running_proxy: SlackProxy) -> SlackProxy:
    """Give a proxy that has seen nothing and disturbs nothing."""
    running_proxy.forget()
    return running_proxy


@pytest.fixture
def web_client(running_client: SlackClient) -> SlackClient:
    """Give a client that knows nothing yet of how Slack takes its token."""
    running_client.health = SlackHealth()
    return running_client


@pytest.fixture
async def worker(
    local_slack: LocalSlack, slack_proxy: SlackProxy, web_client: SlackClient
) -> AsyncIterator[SlackWorker]:
    """Give the activities; whatever they send must be what Slack would take."""
    yield SlackWorker(web_client, local_slack)
    assert slack_proxy.violations == []
