"""One Temporal server, workers between a fake Docker and a fake Slack, and somebody who types."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from temporalio.client import Client

from activities.policies.book import parse
from tests.rigs.dev_server import temporal_server
from tests.rigs.typed import Typist
from tests.rigs.workers import Workers

_POLICIES = """\
[[policy]]
name = "in slack only"
containers = ["web-1"]
labels = { strict = "yes" }
approvers = ["UBOB", "UCAROL"]

[[policy]]
name = "two at terminals"
labels = { two = "yes" }
approvers = ["UBOB", "UCAROL"]
required_approvals = 2
terminal_decides = true

[[policy]]
name = "at terminals"
operations = ["*"]
approvers = ["UBOB", "UCAROL"]
terminal_decides = true
"""


@pytest.fixture(scope="package", name="client")
async def _client() -> AsyncIterator[Client]:
    async with temporal_server() as env:
        yield env.client


@pytest.fixture
def typist(client: Client, workers: Workers) -> Typist:
    """Give somebody who types on the machine of the workers."""
    workers.policies.book = parse(_POLICIES)
    return Typist(
        TEMPORAL_ADDRESS=client.service_client.config.target_host,
        DOCKWARDEN_DEFAULT_HOST=workers.docker.name,
        DOCKWARDEN_TEAM="T1",
        DOCKWARDEN_CHANNEL="C1",
    )
