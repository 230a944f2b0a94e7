"""Two Temporal servers: one that reports runs whose tasks fail, and one that does not."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from temporalio.client import Client

from tests.rigs.dev_server import temporal_server
from tests.rigs.looks import REPORTED_AFTER


@pytest.fixture(scope="package", name="client")
async def _client() -> AsyncIterator[Client]:
    """Give a server whose report is turned off, as it is before server 1.32."""
    async with temporal_server(settings=[f"{REPORTED_AFTER}=0"]) as env:
        yield env.client
