"""Does Podman keep the promises too, when the worker is killed under its calls?"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

import pytest

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
from tests.integration.activities.docker.docker_worker import DockerWorker, fail, run
from tests.rigs.docker_proxy import DockerProxy
from tests.rigs.dockerd import IMAGE, STOPS_AT_ONCE
from tests.rigs.laptop import LaptopProcess
from tests.rigs.podman import PodmanEngine
from tests.rigs.request_driver import RequestDriver
from tests.rigs.socket_proxy import SocketProxy
from workflows.model.errors import ErrorType, RefusalCode
from workflows.model.names import WAS_PROJECT_LABEL

_POINTS: Final = (
    *(Point(call=call, when=When.UNDERWAY) for call in Call),
    Point(call=Call.STOP, when=When.ANSWERED),
    Point(call=Call.COMMIT, when=When.ANSWERED),
    Point(call=Call.START, when=When.UNDERWAY, asked="start {}"),
    Point(call=Call.START, when=When.ANSWERED, asked="start {}"),
    Point(call=Call.START, when=When.UNDERWAY, asked="restart {}"),
)


@pytest.fixture(scope="module")
def module_engine(podman: PodmanEngine) -> Iterator[PodmanEngine]:
    """Strike Podman instead."""
    yield podman
    podman.remove_containers()


@pytest.fixture(scope="module")
async def struck(
    laptop: LaptopProcess, shared_proxy: DockerProxy, module_driver: RequestDriver
) -> dict[Point, Struck]:
    """Kill the worker under all points, and wait for all outcomes."""
    return await outcomes(
        await strike(_POINTS, module_driver, shared_proxy, partial(kill_worker, laptop))
    )


@pytest.mark.parametrize("point", _POINTS, ids=str)
async def test_the_request_goes_on(
    point: Point, struck: dict[Point, Struck], module_driver: RequestDriver
) -> None:
    """Rests with one tagged image; runs with one (``start``), without one (``put-back``)."""
    await struck[point].check(point, module_driver)


async def test_a_taken_tag(module_driver: RequestDriver) -> None:
    """A tag that was given away since the card: the container is put back, the tag untouched."""
    container = module_driver.engine.run(name="taken")
    before = module_driver.engine.inspect(container)
    (request,) = await module_driver.ask("taken")
    reference = (await request.state()).reference
    module_driver.engine.api.tag(before["Image"], *reference.split(":"))
    await module_driver.approve(request)
    state = await request.outcome()
    assert state.cause is ErrorType.REFERENCE_TAKEN
    await module_driver.check_put_back(request, state, before)
    assert module_driver.engine.api.inspect_image(reference)["Id"] == before["Image"]


def test_the_socket_proxy_lets_through_what_a_request_asks(podman: PodmanEngine) -> None:
    """The same configuration stands before Podman's socket."""
    container, reference = podman.run(name="proxied"), "team/web:before"
    with SocketProxy(podman.base_url) as proxy:
        capacity = SnapshotCapacity(snapshots_per_container=9, min_free_mb=1, data_root=Path("/"))
        worker = DockerWorker(proxy.base_url, capacity=capacity)
        pin = run(
            worker.containers.inspect_container, worker.inspect("proxied", reference=reference)
        ).pin
        stop = replace(worker.stop(pin), for_snapshot=True)
        assert run(worker.containers.ensure_stopped, stop).was_running
        made = run(worker.snapshots.ensure_snapshot, worker.commit(pin, reference=reference))
        assert podman.api.inspect_image(reference)["Id"] == made.image_id
        assert run(worker.containers.ensure_running, worker.put_back(pin)).started
        worker.engine.pause(container)
        worker.engine.unpause(container)
        assert podman.state(container) == "running"
        worker.engine.remove_image(made.image_id)
        assert worker.engine.image(reference) is None
        worker.engine.close()
        assert proxy.refused() == 0
        assert proxy.log() == []


def test_no_room_for_a_snapshot(podman: PodmanEngine) -> None:
    """Its answers too tell how many snapshots there are, and what the container wrote."""
    container = podman.run_large(20, name="roomy")
    free = shutil.disk_usage(podman.api.info()["DockerRootDir"]).free // 1_000_000
    full = DockerWorker(podman.base_url, capacity=SnapshotCapacity(min_free_mb=free + 500))
    wanted = full.inspect("roomy", reference="team/roomy:free")
    refused = fail(full.containers.inspect_container, wanted)
    assert refused.type == RefusalCode.DISK_FULL
    assert f"and {free + 521} MB are needed" in refused.message
    few = DockerWorker(podman.base_url, capacity=SnapshotCapacity(snapshots_per_container=1))
    pin = run(few.containers.inspect_container, wanted).pin
    podman.api.stop(container, timeout=1)
    run(few.snapshots.ensure_snapshot, few.commit(pin))
    refused = fail(few.containers.inspect_container, wanted)
    assert refused.type == RefusalCode.SNAPSHOT_QUOTA
    for worker in (full, few):
        worker.engine.close()


def test_a_snapshot_belongs_to_no_project(podman: PodmanEngine) -> None:
    """Podman takes an empty label in a commit as Docker does."""
    project = "com.docker.compose.project"
    container = podman.run(name="composed", labels={project: "shop", "team": "web"})
    worker = DockerWorker(podman.base_url)
    pin = worker.pin(container)
    podman.api.stop(container, timeout=1)
    image = run(worker.snapshots.ensure_snapshot, worker.commit(pin)).image_id
    worker.engine.close()
    labels = podman.api.inspect_image(image)["Config"]["Labels"]
    assert (labels[project], labels["team"]) == ("", "web")
    assert labels[WAS_PROJECT_LABEL] == b"shop".hex()
    copy = podman.create(name="copy", image=image)
    found = podman.api.containers(all=True, filters={"label": f"{project}=shop"})
    assert [one["Id"] for one in found] == [container] != [copy]


def test_every_mount_is_seen(podman: PodmanEngine) -> None:
    """Its answers too tell of what is in memory alone."""
    made = podman.api.create_container(
        IMAGE,
        ["sh", "-c", STOPS_AT_ONCE],
        name="mounted",
        volumes=["/volume"],
        host_config=podman.api.create_host_config(network_mode="none", tmpfs={"/data": ""}),
    )
    worker = DockerWorker(podman.base_url)
    mounts = worker.pin(made["Id"]).mounts
    worker.engine.close()
    assert {(mount.type, mount.destination) for mount in mounts} == {
        ("tmpfs", "/data"),
        ("volume", "/volume"),
    }


def test_the_image_of_a_failed_request_goes_with_its_tag(podman: PodmanEngine) -> None:
    """Podman names the hub in a tag, which the request and Docker leave out."""
    for number, reference in enumerate(("team/web:failed", "plain:failed")):
        container = podman.run(name=f"failed-{number}")
        worker = DockerWorker(podman.base_url)
        pin = worker.pin(container)
        podman.api.stop(container, timeout=1)
        made = run(worker.snapshots.ensure_snapshot, worker.commit(pin, reference=reference))
        assert podman.api.inspect_image(made.image_id)["RepoTags"] != [reference]
        swept = replace(worker.sweep(pin, any_image=True), reference=reference)
        assert run(worker.snapshots.sweep_snapshots, swept) == 1
        assert worker.engine.image(reference) is None
        worker.engine.close()
