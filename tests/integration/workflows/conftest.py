"""One Temporal server for the workflows' tests, and fresh workers for each."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from temporalio.client import Client

from tests.rigs.dev_server import temporal_server
from tests.rigs.workers import Workers


@pytest.fixture(scope="session", name="client")
async def _client() -> AsyncIterator[Client]:
    async with temporal_server() as env:
        yield env.client


@pytest.fixture(scope="session", name="skipping_client")
async def _skipping_client() -> AsyncIterator[Client]:
    async with temporal_server(time_skipping=True) as env:
        yield env.client


@pytest.fixture(name="skipping_workers")
async def _skipping_workers(skipping_client: Client) -> AsyncIterator[Workers]:
    async with Workers(skipping_client) as workers:
        yield workers
