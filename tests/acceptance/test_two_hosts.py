"""Do requests act on the host that they name, and there only?"""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import AsyncIterator

import pytest
from temporalio.client import Client

from tests.rigs.dockerd import DockerEngine
from tests.rigs.laptop import LaptopProcess
from tests.rigs.people import People
from tests.rigs.program import Program, dockwarden
from workflows.model.state import RequestStatus

# Each starts a laptop, a host or a browser of its own.
pytestmark = pytest.mark.slow

_SOON = 20.0


@pytest.fixture(name="edge_worker")
async def _edge_worker(
    laptop: LaptopProcess, second_engine: DockerEngine
) -> AsyncIterator[Program]:
    """A worker of a second host: it has no Slack token and no policies."""
    async with dockwarden(
        *("worker", "--serve", "docker", "--host", "edge"),
        TEMPORAL_ADDRESS=laptop.ready["temporal"],
        DOCKWARDEN_SEAL_KEY_FILE=laptop.ready["seal_key_file"],
        DOCKWARDEN_DOCKER_HOST=second_engine.base_url,
    ) as worker:
        await worker.until(" ready role=worker")
        yield worker
        second_engine.clear()


async def test_each_host_has_its_own_engine(
    laptop: LaptopProcess,
    client: Client,
    people: People,
    second_engine: DockerEngine,
    edge_worker: Program,
) -> None:
    """Containers of one name on two hosts are two; a request about one leaves the other alone."""
    here = people.engine.run(name="web-1")
    there = second_engine.run(name="web-1")
    edge = await People(laptop.ready["slack"], client, second_engine, host="edge").arrive()

    request = await edge.ask("stop web-1 on edge snapshot")
    other = await people.ask("stop web-1 snapshot")
    assert f"`{there[:12]}`" in await edge.until_card(request, "⏳")
    assert f"`{here[:12]}`" in await people.until_card(other, "⏳")
    await edge.approve(request)
    await edge.until(request, RequestStatus.SUCCEEDED)
    assert second_engine.state(there) == "exited"
    assert len(edge.images(request)) == 1
    assert people.engine.state(here) == "running"
    assert people.engine.images() == set()

    await people.approve(other)
    await people.until(other, RequestStatus.SUCCEEDED)
    assert people.engine.state(here) == "exited"
    assert len(people.images(other)) == 1
    assert len(second_engine.images()) == 1
    assert "web-1" in await edge.type("dave", "list on edge")
    assert edge_worker.process.returncode is None


async def test_a_stopped_worker_is_told_within_seconds(
    people: People, second_engine: DockerEngine, edge_worker: Program
) -> None:
    """When a host's worker has ended, whoever asks about the host is told so at once."""
    container = second_engine.run(name="web-2")
    edge_worker.process.send_signal(signal.SIGTERM)
    assert await edge_worker.end() == 0
    asked = time.monotonic()
    await asyncio.gather(
        people.channel.ask("alice", "stop web-2 on edge"),
        people.channel.ask("dave", "inspect web-2 on edge"),
    )
    # Temporal names it among those who ask for work for a minute more.
    await people.told("alice", "`stop web-2`: nobody looked at `edge` in time", "has just ended")
    await people.told("dave", "`inspect web-2 on edge`: nobody looked at `edge` in time")
    assert time.monotonic() - asked < _SOON
    assert second_engine.state(container) == "running"
