"""One local Slack with the proxy before it, emptied for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest
from slack_sdk.web.async_client import AsyncWebClient

from activities.slack.client import slack_client
from tests.integration.activities.slack.desk import Desk
from tests.rigs.local_slack import CREDENTIALS, LocalSlack
from tests.rigs.slack_proxy import SlackProxy


@pytest.fixture(scope="session", name="running_slack")
async def _running_slack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[LocalSlack]:
    async with LocalSlack(tmp_path_factory.mktemp("slack")) as slack:
        yield slack


@pytest.fixture(scope="session", name="running_proxy")
async def _running_proxy(running_slack: LocalSlack) -> AsyncIterator[SlackProxy]:
    async with SlackProxy(running_slack.url) as proxy:
        yield proxy


@pytest.fixture(scope="session", name="client")
async def _client(running_proxy: SlackProxy) -> AsyncIterator[AsyncWebClient]:
    async with aiohttp.ClientSession() as session:
        yield slack_client(CREDENTIALS.bot_token, running_proxy.api_url, session)


@pytest.fixture
async def slack(running_slack: LocalSlack) -> LocalSlack:
    """Give an empty workspace."""
    await running_slack.reset()
    return running_slack


@pytest.fixture
def proxy(running_proxy: SlackProxy) -> SlackProxy:
    """Give a proxy that has seen nothing and disturbs nothing."""
    running_proxy.forget()
    return running_proxy


@pytest.fixture
async def desk(slack: LocalSlack, proxy: SlackProxy, client: AsyncWebClient) -> AsyncIterator[Desk]:
    """Give the activities; whatever they send must be what Slack would take."""
    yield Desk(client, slack)
    assert proxy.violations == []
