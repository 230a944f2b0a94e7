"""One Temporal server for the workflows' tests, and a fresh stage for each."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from temporalio.client import Client

from tests.rigs.dev_server import temporal_server
from tests.rigs.workers import Stage


@pytest.fixture(scope="session", name="client")
async def _client() -> AsyncIterator[Client]:
    async with temporal_server() as env:
        yield env.client


@pytest.fixture(name="stage")
async def _stage(client: Client) -> AsyncIterator[Stage]:
    async with Stage(client) as stage:
        yield stage


@pytest.fixture(scope="session", name="skipping_client")
async def _skipping_client() -> AsyncIterator[Client]:
    async with temporal_server(time_skipping=True) as env:
        yield env.client


@pytest.fixture(name="skipping")
async def _skipping(skipping_client: Client) -> AsyncIterator[Stage]:
    async with Stage(skipping_client) as stage:
        yield stage
