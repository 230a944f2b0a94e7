"""What if the disk of the engine is full when the snapshot is taken?"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Iterator
from functools import partial

import pytest
from temporalio.client import Client

from tests.rigs.desk import Desk, step
from tests.rigs.docker_proxy import DockerProxy, Moment
from tests.rigs.dockerd import STOPS_AT_ONCE, DockerRig, wait_until
from tests.rigs.laptop import LaptopRig
from tests.rigs.loop_disk import LoopDisk
from workflows.errors import ErrorType
from workflows.state import StepName, StepStatus

_WRITTEN = f"dd if=/dev/zero of=/big bs=1M count=40 2>/dev/null; touch /written; {STOPS_AT_ONCE}"


@pytest.fixture
def disk() -> Iterator[LoopDisk]:
    """Give a small disk."""
    with LoopDisk(300) as disk:
        yield disk


@pytest.fixture
async def desk(
    disk: LoopDisk, laptop: LaptopRig, temporal: Client, door: DockerProxy
) -> AsyncIterator[Desk]:
    """Serve requests on an engine whose data is on that disk."""
    rig = DockerRig(arguments=(f"--data-root={disk.path}",))
    try:
        door.lead_to(rig.start().base_url)
        yield Desk(laptop, temporal, rig)
    finally:
        rig.close()
        gc.collect()


async def test_a_full_disk(desk: Desk, disk: LoopDisk, door: DockerProxy) -> None:
    """The commit fails for good, the container runs again, and nothing is left on the disk."""
    container = desk.rig.run(_WRITTEN, name="full")
    await asyncio.to_thread(
        wait_until, partial(_has_written, desk.rig, container), "it has written"
    )
    before = desk.rig.inspect(container)
    filled = door.trap("^POST .*/commit", Moment.BEFORE, disk.fill)
    request = await desk.start("full")
    state = await request.outcome()
    assert filled.fired == 1
    assert state.cause is ErrorType.DISK_FULL
    assert step(state, StepName.SNAPSHOT).status is StepStatus.FAILED
    await desk.check_put_back(request, state, before)
    assert "disk of the host is full" in str(await desk.card(request))
    disk.empty()
    again = await desk.start("full")
    await desk.check_snapshotted(again, await again.outcome())


def _has_written(rig: DockerRig, container: str) -> bool:
    return any(change["Path"] == "/written" for change in rig.api.diff(container) or ())
