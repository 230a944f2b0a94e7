"""Is what a stop or a start changes for good known before it, and told after it, as it is?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from docker.types import Mount as WantedMount

from tests.integration.activities.docker.docker_worker import DockerWorker, run
from tests.rigs.dockerd import IMAGE, STOPS_AT_ONCE, DockerEngine
from workflows.model.ports import Inspection
from workflows.model.requests import ContainerPin, FactPlace
from workflows.model.state import CautionCode


def _run(engine: DockerEngine, *, ports: tuple[int, ...] = (), **host: Any) -> str:
    made = engine.api.create_container(
        IMAGE,
        ["sh", "-c", STOPS_AT_ONCE],
        name="web-1",
        ports=list(ports),
        host_config=engine.api.create_host_config(**{"network_mode": "none", **host}),
    )
    engine.api.start(made["Id"])
    return str(made["Id"])


def _look(worker: DockerWorker) -> Inspection:
    return run(worker.containers.inspect_container, worker.inspect("web-1"))


def _cautions(inspection: Inspection) -> dict[CautionCode, str]:
    return {caution.code: caution.detail for caution in inspection.cautions}


def _host_port(engine: DockerEngine, container: str) -> int:
    (binding, *_) = engine.inspect(container)["NetworkSettings"]["Ports"]["80/tcp"]
    return int(binding["HostPort"])


@pytest.fixture
def lan(engine: DockerEngine) -> str:
    """Give a network whose containers can publish ports; the engine's own one is switched off."""
    engine.api.create_network("lan")
    return "lan"


@pytest.mark.parametrize(
    "host",
    [
        {"port_bindings": {80: None}},
        {"publish_all_ports": True},
        {"port_bindings": {80: "18090-18099"}},
    ],
    ids=["-p 80", "-P", "-p 18090-18099:80"],
)
def test_a_port_that_the_engine_chooses_is_said_before_and_after(
    worker: DockerWorker, engine: DockerEngine, lan: str, host: dict[str, Any]
) -> None:
    """The engine gives another one at each start, as nobody was told."""
    container = _run(engine, ports=(80,), network_mode=lan, **host)
    before = _host_port(engine, container)
    inspection = _look(worker)
    assert _cautions(inspection) == {CautionCode.PORTS_CHANGE: f"80/tcp is at {before} now"}
    untouched = run(worker.containers.ensure_running, worker.put_back(inspection.pin))
    assert untouched.moved_ports == ()
    run(worker.containers.ensure_stopped, worker.stop(inspection.pin))
    result = run(worker.containers.ensure_running, worker.put_back(inspection.pin))
    after = _host_port(engine, container)
    assert after != before, "the engine itself changes it"
    (moved,) = result.moved_ports
    assert (moved.port, moved.before, moved.after) == ("80/tcp", (before,), (after,))


def test_a_port_that_people_chose_stays_and_is_no_matter(
    worker: DockerWorker, engine: DockerEngine, lan: str
) -> None:
    """No caution that is none, and no news where there is none."""
    _run(engine, ports=(80,), network_mode=lan, port_bindings={80: 18080})
    inspection = _look(worker)
    assert inspection.cautions == ()
    run(worker.containers.ensure_stopped, worker.stop(inspection.pin))
    result = run(worker.containers.ensure_running, worker.put_back(inspection.pin))
    assert (result.started, result.moved_ports) == (True, ())


def _pinned_mounts(pin: ContainerPin) -> set[tuple[str, str]]:
    assert len({mount.destination for mount in pin.mounts}) == len(pin.mounts)
    return {(mount.type, mount.destination) for mount in pin.mounts}


def test_every_mount_is_on_the_card_and_shown_to_a_look(
    worker: DockerWorker, engine: DockerEngine, tmp_path: Path
) -> None:
    """However it was asked for; what is in memory alone the stop itself empties."""
    _run(
        engine,
        tmpfs={"/data": "size=1m", "/tmp": ""},  # noqa: S108 - in the container
        binds=[f"{tmp_path}:/bound/:ro", "named:/named"],
        mounts=[
            WantedMount("/memory", None, type="tmpfs"),
            WantedMount("/volume", "other", type="volume"),
        ],
    )
    asked, looked = (
        run(worker.containers.inspect_container, worker.inspect("web-1", for_request=for_request))
        for for_request in (True, False)
    )
    assert (
        _pinned_mounts(asked.pin)
        == _pinned_mounts(looked.pin)
        == {
            ("tmpfs", "/data"),
            ("tmpfs", "/tmp"),  # noqa: S108
            ("bind", "/bound"),
            ("volume", "/named"),
            ("tmpfs", "/memory"),
            ("volume", "/volume"),
        }
    )
    assert str(tmp_path) not in repr(asked)
    assert _cautions(asked) == {CautionCode.MEMORY_LOST: "tmpfs /memory and tmpfs /data"}


def test_the_volumes_of_another_are_among_them(worker: DockerWorker, engine: DockerEngine) -> None:
    """The engine lists them as the container's own."""
    engine.create(name="owner", volumes=("/shared",))
    _run(engine, volumes_from=["owner"])
    assert _pinned_mounts(_look(worker).pin) == {("volume", "/shared")}


def test_a_stop_empties_what_is_in_memory_alone(worker: DockerWorker, engine: DockerEngine) -> None:
    """So the caution says the truth, and a put-back brings nothing of it back."""
    container = _run(engine, tmpfs={"/data": ""})
    _execute(engine, container, "echo kept > /data/x; cp /data/x /x")
    pin = _look(worker).pin
    run(worker.containers.ensure_stopped, worker.stop(pin))
    run(worker.containers.ensure_running, worker.put_back(pin))
    assert _execute(engine, container, "cat /x; ls -A /data") == "kept"


def _execute(engine: DockerEngine, container: str, script: str) -> str:
    command = engine.api.exec_create(container, ["/bin/busybox", "sh", "-c", script])["Id"]
    return str(engine.api.exec_start(command).decode().strip())


@pytest.fixture(params=[False, True], ids=["without live-restore", "with live-restore"])
def own_engine(request: pytest.FixtureRequest) -> Iterator[DockerEngine]:
    """Give an engine that can be restarted beside the other tests."""
    engine = DockerEngine(live_restore=request.param)
    try:
        yield engine.start()
    finally:
        engine.close()


@pytest.mark.slow
def test_only_one_policy_starts_again_what_was_stopped(own_engine: DockerEngine) -> None:
    """What the card says of each restart policy is what the engine does when it is restarted."""
    worker = DockerWorker(own_engine.base_url)
    made = {
        policy: own_engine.run(name=policy, policy=policy)
        for policy in ("always", "unless-stopped", "on-failure", "no")
    }
    told = {}
    for policy, container in made.items():
        pin = worker.pin(container)
        (told[policy],) = (fact.label for fact in pin.told(FactPlace.AFTERWARDS))
        run(worker.containers.ensure_stopped, worker.stop(pin))
    own_engine.stop()
    own_engine.start()
    own_engine.await_state(made["always"], "running")
    states = {policy: own_engine.state(container) for policy, container in made.items()}
    worker.engine.close()
    assert states == {**dict.fromkeys(made, "exited"), "always": "running"}
    comes_back = {
        policy: words.startswith("comes back by itself") for policy, words in told.items()
    }
    assert comes_back == {policy: state == "running" for policy, state in states.items()}


def test_a_container_that_rests_needs_no_caution(
    worker: DockerWorker, engine: DockerEngine, lan: str
) -> None:
    """A snapshot of it neither stops nor starts it."""
    container = _run(
        engine, ports=(80,), network_mode=lan, port_bindings={80: None}, tmpfs={"/data": ""}
    )
    engine.api.stop(container, timeout=1)
    arg = replace(worker.inspect("web-1"), reference="team/web:free")
    assert run(worker.containers.inspect_container, arg).cautions == ()
