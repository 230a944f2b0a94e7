"""What do the tests of the installation run on? One of it, on an engine of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.rigs.composed import Composed, composed_on
from tests.rigs.dockerd import IMAGE, DockerEngine


@pytest.fixture(scope="module")
async def composed(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Composed]:
    """Build the image and run the installation once; at its end nothing of it is left.

    For these tests alone: its health checks would take time from all others.
    """
    # By its rules, as on any machine, no network of an engine reaches another one.
    engine = DockerEngine(arguments=("--iptables=true",))
    try:
        await asyncio.to_thread(engine.start)
        async with composed_on(engine, tmp_path_factory.mktemp("composed")) as composed:
            yield composed
            engine.run(name="bystander-1")
        # What the tests made there themselves is left alone.
        left = engine.api.containers(all=True)
        assert "/bystander-1" in [name for one in left for name in one["Names"]]
        assert {one["Image"] for one in left} == {IMAGE}
        assert engine.api.volumes()["Volumes"] in (None, [])
        assert {one["Name"] for one in engine.api.networks()} <= {"host", "none", "bridge"}
    finally:
        await asyncio.to_thread(engine.close)
