"""Does Podman keep the promises too, when the worker is killed under its calls?"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from functools import partial
from typing import Final

import pytest
from temporalio.client import Client

from activities.docker.capacity import SnapshotCapacity
from tests.faults.engine.points import (
    Call,
    Point,
    Struck,
    When,
    kill_worker,
    outcomes,
    strike,
)
from tests.integration.activities.docker.docker_worker import Host, fail, run
from tests.rigs.docker_proxy import DockerProxy
from tests.rigs.laptop import LaptopRig
from tests.rigs.podman import PodmanRig
from tests.rigs.request_driver import Desk
from workflows.model.errors import ErrorType, RefusalCode

_POINTS: Final = (
    *(Point(call=call, when=When.UNDERWAY) for call in Call),
    Point(call=Call.STOP, when=When.ANSWERED),
    Point(call=Call.COMMIT, when=When.ANSWERED),
)


@pytest.fixture(scope="module")
def desk(
    laptop: LaptopRig, temporal: Client, door: DockerProxy, podman_rig: PodmanRig
) -> Iterator[Desk]:
    """Serve all points; the containers stay until all were looked at."""
    door.lead_to(podman_rig.base_url)
    yield Desk(laptop, temporal, podman_rig)
    podman_rig.remove_containers()


@pytest.fixture(scope="module")
async def struck(laptop: LaptopRig, door: DockerProxy, desk: Desk) -> dict[Point, Struck]:
    """Kill the worker under all points, and wait for all outcomes."""
    return await outcomes(await strike(_POINTS, desk, door, partial(kill_worker, laptop)))


@pytest.mark.parametrize("point", _POINTS, ids=str)
async def test_the_request_goes_on(point: Point, struck: dict[Point, Struck], desk: Desk) -> None:
    """Rests with one tagged image; runs with one (``start``), without one (``put-back``)."""
    await struck[point].check(point, desk)


async def test_a_taken_tag(desk: Desk) -> None:
    """A tag that was given away since the card: the container is put back, the tag untouched."""
    container = desk.rig.run(name="taken")
    before = desk.rig.inspect(container)
    (request,) = await desk.ask("taken")
    reference = (await request.state()).reference
    desk.rig.api.tag(before["Image"], *reference.split(":"))
    await desk.approve(request)
    state = await request.outcome()
    assert state.cause is ErrorType.REFERENCE_TAKEN
    await desk.check_put_back(request, state, before)
    assert desk.rig.api.inspect_image(reference)["Id"] == before["Image"]


def test_no_room_for_a_snapshot(podman_rig: PodmanRig) -> None:
    """Its answers too tell how many snapshots there are, and what the container wrote."""
    container = podman_rig.run_large(20, name="roomy")
    free = shutil.disk_usage(podman_rig.api.info()["DockerRootDir"]).free // 1_000_000
    full = Host(podman_rig.base_url, room=SnapshotCapacity(min_free_mb=free + 500))
    wanted = full.inspect("roomy", reference="team/roomy:free")
    refused = fail(full.containers.inspect_container, wanted)
    assert refused.type == RefusalCode.DISK_FULL
    assert f"and {free + 521} MB are needed" in refused.message
    few = Host(podman_rig.base_url, room=SnapshotCapacity(snapshots_per_container=1))
    pin = run(few.containers.inspect_container, wanted).pin
    podman_rig.api.stop(container, timeout=1)
    run(few.snapshots.ensure_snapshot, few.commit(pin))
    refused = fail(few.containers.inspect_container, wanted)
    assert refused.type == RefusalCode.SNAPSHOT_QUOTA
    for host in (full, few):
        host.engine.close()
