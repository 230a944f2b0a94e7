"""One Temporal server for the tests of the bot's way to it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from temporalio.client import Client

from bot.temporal.requests import RequestClient
from tests.rigs.dev_server import temporal_server


@pytest.fixture(scope="package", name="client")
async def _client() -> AsyncIterator[Client]:
    async with temporal_server() as env:
        yield env.client


@pytest.fixture(name="requests")
def _requests(client: Client) -> RequestClient:
    return RequestClient(client)
