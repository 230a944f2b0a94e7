"""What if the disk of the engine is full when a snapshot is taken, or would be full after it?"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Iterator
from functools import partial

import pytest
from temporalio.client import Client

from tests.rigs.docker_proxy import DockerProxy, Moment
from tests.rigs.dockerd import DockerEngine
from tests.rigs.laptop import LaptopProcess
from tests.rigs.loop_disk import LoopDisk
from tests.rigs.people import People
from tests.rigs.request_driver import RequestDriver, step
from workflows.model.errors import ErrorType
from workflows.model.names import REQUEST_LABEL, request_workflow_id
from workflows.model.state import RequestStatus, StepName, StepStatus

_BIG = 40 << 20
#: What snapshots leave free when nothing is set.
_RESERVE = 1_000_000_000


@pytest.fixture
def disk() -> Iterator[LoopDisk]:
    """Give a small disk; not smaller than what snapshots must leave free."""
    with LoopDisk(2500) as disk:
        yield disk


@pytest.fixture
async def driver(
    disk: LoopDisk, laptop: LaptopProcess, client: Client, shared_proxy: DockerProxy
) -> AsyncIterator[RequestDriver]:
    """Serve requests on an engine whose data is on that disk."""
    engine = DockerEngine(arguments=(f"--data-root={disk.path}",))
    try:
        shared_proxy.lead_to(engine.start().base_url)
        yield RequestDriver(laptop, client, engine)
    finally:
        engine.close()
        gc.collect()


async def test_a_full_disk(
    driver: RequestDriver, disk: LoopDisk, shared_proxy: DockerProxy
) -> None:
    """The commit fails for good, the container runs again, and nothing is left on the disk.

    A start needs a few blocks of its own: they are left here, and taken in the next test.
    """
    container = await asyncio.to_thread(driver.engine.run_large, 40, name="full")
    before = driver.engine.inspect(container)
    filled = shared_proxy.trap("^POST .*/commit", Moment.BEFORE, partial(disk.leave, 512 << 10))
    request = await driver.start("full")
    state = await request.outcome()
    assert filled.fired == 1
    assert state.cause is ErrorType.DISK_FULL
    assert step(state, StepName.SNAPSHOT).status is StepStatus.FAILED
    await driver.check_put_back(request, state, before)
    assert "disk of the host is too full" in str(await driver.card(request))
    disk.empty()
    again = await driver.start("full")
    await driver.check_snapshotted(again, await again.outcome())


async def test_a_disk_full_to_the_last_block(
    driver: RequestDriver, disk: LoopDisk, shared_proxy: DockerProxy
) -> None:
    """The engine cannot even start the container: people are paged, and once there is room it is.

    Found with Docker 20.10 on overlay2: it makes a directory for each start.
    """
    container = await asyncio.to_thread(driver.engine.run_large, 40, name="stuck")
    before = driver.engine.inspect(container)
    filled = shared_proxy.trap("^POST .*/commit", Moment.BEFORE, disk.fill)
    request = await driver.start("stuck")
    state = await request.until(RequestStatus.NEEDS_PERSON)
    assert filled.fired == 1
    assert (state.cause, driver.engine.state(container)) == (ErrorType.DISK_FULL, "exited")
    card = await driver.until_card(request, "🛑")
    assert "disk of the host is too full" in str(card)
    assert "docker system df" in str(card)
    disk.empty()
    await driver.check_put_back(request, await request.outcome(), before)


async def test_a_flood_of_snapshots(
    driver: RequestDriver, disk: LoopDisk, laptop: LaptopProcess, client: Client
) -> None:
    """Of twenty requests those are refused that would not leave enough, and nothing goes down."""
    container = await asyncio.to_thread(driver.engine.run_large, 40, name="flooded")
    people = People(laptop.ready["slack"], client, driver.engine)
    disk.leave(_RESERVE + 3 * _BIG)
    taken = 0
    while disk.free() >= _RESERVE + _BIG:
        request = await driver.start("flooded", "snapshot {}")
        await driver.check_snapshotted(request, await request.outcome(), runs=True)
        taken += 1
    assert disk.free() >= _RESERVE
    assert 2 <= taken <= 3
    before = driver.engine.inspect(container)["State"]
    for _ in range(20 - taken):
        await people.arrive()
        await people.channel.ask("alice", "snapshot flooded")
        await people.told("alice", "disk of `local` is too full")
        await client.get_workflow_handle(request_workflow_id("local", "flooded")).result()
    assert driver.engine.inspect(container)["State"] == before
    assert len(driver.engine.images()) == taken
    # Old snapshots go by the command that docs/operating.md names.
    old = {"dangling": False, "label": REQUEST_LABEL, "until": "0s"}
    pruned = driver.engine.api.prune_images(filters=old)
    assert pruned["SpaceReclaimed"] >= taken * _BIG
    again = await driver.start("flooded", "snapshot {}")
    await driver.check_snapshotted(again, await again.outcome(), runs=True)


async def test_a_disk_that_filled_while_people_decided(
    driver: RequestDriver, disk: LoopDisk
) -> None:
    """What was asked for in time is out of date, is told why, and was never stopped."""
    container = await asyncio.to_thread(driver.engine.run_large, 40, name="waiting")
    before = driver.engine.inspect(container)["State"]
    (request,) = await driver.ask("waiting")
    disk.leave(_RESERVE)
    await driver.approve(request)
    state = await request.outcome()
    await driver.check(request, state, RequestStatus.STALE)
    assert state.cause is ErrorType.DISK_FULL
    assert "disk of the host is too full" in str(await driver.card(request))
    assert driver.engine.inspect(container)["State"] == before
    # A stop alone takes no room.
    plain = await driver.start("waiting", "stop {}")
    assert (await plain.outcome()).status is RequestStatus.SUCCEEDED
