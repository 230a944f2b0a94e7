"""Does the laptop find, make and leave Docker engines and containers as it says?"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

from deploy.laptop import docker_engine
from deploy.laptop.console import LaptopError
from deploy.laptop.containers import IMAGE, NAMES, Containers
from deploy.laptop.docker_engine import Engine, engine_answers, find_engine
from deploy.laptop.state import StateDirectory
from deploy.laptop.supervisor import Supervisor
from tests.rigs.dockerd import DockerEngine
from tests.rigs.waiting import wait_until


@pytest.fixture
def state(tmp_path: Path) -> Iterator[StateDirectory]:
    """A state directory, taken."""
    with StateDirectory(tmp_path / "state") as taken:
        yield taken


async def test_an_engine_that_is_asked_for_is_used(
    engine: DockerEngine, state: StateDirectory
) -> None:
    """An engine that answers at the address asked for is used, and not run by the laptop."""
    assert await find_engine(engine.base_url, state) == Engine(url=engine.base_url)


async def test_an_engine_that_does_not_answer_is_a_problem(
    state: StateDirectory, tmp_path: Path
) -> None:
    """No other engine is taken in place of the one asked for."""
    with pytest.raises(LaptopError, match="no Docker engine answers at unix:"):
        await find_engine(f"unix://{tmp_path}/none.sock", state)


async def test_an_engine_of_the_laptops_own(
    state: StateDirectory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where none answers, the laptop runs one with its data in its state, and ends it whole."""
    monkeypatch.setattr(docker_engine, "DEFAULT_SOCKET", tmp_path / "none.sock")
    monkeypatch.setenv("HOME", str(tmp_path))
    found = await find_engine(None, state)
    assert found.part
    supervisor = Supervisor(print)
    await supervisor.start(found.part)
    try:
        containers = Containers(found.url, state.owner)
        containers.make(NAMES[:1])
        client = docker.APIClient(base_url=found.url, version="1.41")
        process = Path("/proc", str(client.inspect_container(NAMES[0])["State"]["Pid"]))
        wait_until(process.exists, "the container's process is there")
        assert client.info()["DockerRootDir"] == str(state.path / "engine")
        assert [n["Name"] for n in client.networks() if n["Driver"] == "bridge"] == []
        client.close()
        containers.close()
    finally:
        await supervisor.stop()
    assert not engine_answers(found.url)
    wait_until(lambda: not process.exists(), "the container's process has gone")
    found.clear()
    assert found.run_directory
    assert not found.run_directory.exists()


def test_containers_run_and_vanish(engine: DockerEngine, state: StateDirectory) -> None:
    """The containers run apart from any network, stop at once, and go with their snapshots."""
    engine.clear()
    containers = Containers(engine.base_url, state.owner)
    containers.make()
    api = engine.api
    for name in NAMES:
        found = api.inspect_container(name)
        assert found["State"]["Running"]
        assert found["HostConfig"]["NetworkMode"] == "none"
    api.stop(NAMES[0], timeout=10)
    assert api.inspect_container(NAMES[0])["State"]["ExitCode"] == 0
    api.commit(NAMES[0], repository="dockwarden/web-1", tag="req-1")
    containers.remove()
    containers.close()
    assert api.containers(all=True) == []
    assert engine.images() == set()


def test_what_others_made_is_left_alone(engine: DockerEngine, state: StateDirectory) -> None:
    """A container that is not the laptop's is neither removed nor replaced."""
    engine.clear()
    engine.run(name="web-1")
    other = engine.run(name="other", labels={"dockwarden.laptop": f"another-machine:{state.path}"})
    containers = Containers(engine.base_url, state.owner)
    with pytest.raises(LaptopError, match=r"a container named web-1 .*--no-containers"):
        containers.make()
    containers.remove()
    containers.close()
    assert engine.state("web-1") == engine.state(other) == "running"
    engine.clear()


def test_leftovers_of_a_dead_laptop_are_removed(
    engine: DockerEngine, state: StateDirectory, tmp_path: Path
) -> None:
    """What a laptop left that is gone is removed by the next; what a living one has is not."""
    engine.clear()
    with StateDirectory(tmp_path / "living") as living:
        for name, owner in {
            "of-living": living.owner,
            "of-dead": f"{socket.gethostname()}:{tmp_path / 'dead'}",
        }.items():
            engine.run(name=name, labels={"dockwarden.laptop": owner})
        containers = Containers(engine.base_url, state.owner)
        containers.remove()
        containers.close()
        names = {name for entry in engine.api.containers() for name in entry["Names"]}
    assert names == {"/of-living"}
    engine.clear()


async def test_without_root_there_is_one_clear_line(
    state: StateDirectory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody who may not start an engine is told how to get one, and nothing is installed."""
    monkeypatch.setattr(docker_engine, "DEFAULT_SOCKET", tmp_path / "none.sock")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(LaptopError, match="--docker-host URL"):
        await find_engine(None, state)


def test_the_image_is_shared_and_marked(engine: DockerEngine, state: StateDirectory) -> None:
    """The image itself belongs to no one laptop: another one may use it at the same time."""
    engine.clear()
    containers = Containers(engine.base_url, state.owner)
    containers.make(NAMES[:1])
    found = engine.api.images(filters={"label": "dockwarden.laptop=shared"})
    containers.remove()
    containers.close()
    assert [image["RepoTags"] for image in found] == [[IMAGE]]
