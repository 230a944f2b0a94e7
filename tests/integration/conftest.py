"""What the tests on a real Temporal server share; each room says which ``client`` it has."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from temporalio.client import Client

from tests.rigs.workers import Workers


@pytest.fixture(name="workers")
async def _workers(client: Client) -> AsyncIterator[Workers]:
    async with Workers(client) as workers:
        yield workers
