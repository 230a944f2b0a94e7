"""What do the tests of the installation run on? One of it, on an engine of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.rigs.composed import Composed, composed_on
from tests.rigs.dockerd import DockerEngine


@pytest.fixture(scope="session")
async def composed(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Composed]:
    """Build the image and run the installation once; at its end nothing of it is left."""
    # By its rules, as on any machine, no network of an engine reaches another one.
    engine = DockerEngine(arguments=("--iptables=true",))
    try:
        await asyncio.to_thread(engine.start)
        async with composed_on(engine, tmp_path_factory.mktemp("composed")) as composed:
            yield composed
            made = [engine.run(name="bystander")]
        assert [one["Id"] for one in engine.api.containers(all=True)] == made
        assert engine.api.volumes()["Volumes"] in (None, [])
    finally:
        await asyncio.to_thread(engine.close)
