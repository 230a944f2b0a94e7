"""Does a refused start name what is missing around the container, on a real engine?"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import pytest
from docker.types import DeviceRequest, LogConfig, Mount

from tests.integration.activities.docker.docker_worker import DockerWorker, fail, run
from tests.rigs.docker_proxy import Answer, DockerProxy, Moment
from tests.rigs.dockerd import IMAGE, STOPS_AT_ONCE, DockerEngine
from workflows.model.errors import HOPELESS_ERRORS, ErrorType
from workflows.model.requests import ContainerState

CANARY: Final = "hunter2canary"


@dataclass(frozen=True)
class Case:
    """Something that keeps a container from starting, and what is told of it."""

    name: str
    make: Callable[[DockerEngine, Path], str]
    kind: ErrorType
    text: str

    def __str__(self) -> str:
        """Name it."""
        return self.name


def _make(engine: DockerEngine, command: list[str] | None = None, **host: Any) -> str:
    made = engine.api.create_container(
        IMAGE,
        command or ["sh", "-c", STOPS_AT_ONCE],
        name="app",
        user=host.pop("user", None),
        ports=[80] if "port_bindings" in host else None,
        host_config=engine.api.create_host_config(**{"network_mode": "none", **host}),
    )
    return str(made["Id"])


def _ran(engine: DockerEngine, **host: Any) -> str:
    container = _make(engine, **host)
    engine.api.start(container)
    engine.api.stop(container, timeout=1)
    return container


def _owner(setting: str, end: str) -> Callable[[DockerEngine, Path], str]:
    def make(engine: DockerEngine, _: Path) -> str:
        config = engine.api.create_host_config(network_mode="none", ipc_mode="shareable")
        command = ["sh", "-c", STOPS_AT_ONCE]
        made = engine.api.create_container(IMAGE, command, name="gw", host_config=config)["Id"]
        engine.api.start(made)
        container = _ran(engine, **{setting: "container:gw"})
        engine.api.stop(made, timeout=1)
        if end == "made anew":
            engine.api.remove_container(made)
            engine.run(name="gw")
        return container

    return make


def _bind(engine: DockerEngine, path: Path) -> str:
    source = path / "secret-source"
    source.mkdir()
    container = _ran(engine, mounts=[Mount("/data", str(source), type="bind")])
    source.rmdir()
    return container


def _bind_of_another_kind(engine: DockerEngine, path: Path) -> str:
    source = path / "secret-source"
    source.touch()
    container = _ran(engine, mounts=[Mount("/etc/app.conf", str(source), type="bind")])
    source.unlink()
    source.mkdir()
    return container


def _volume(engine: DockerEngine, _: Path) -> str:
    engine.api.create_volume("vanishing")
    container = _ran(engine, mounts=[Mount("/data", "vanishing", type="volume")])
    shutil.rmtree(Path(engine.api.inspect_volume("vanishing")["Mountpoint"]).parent)
    return container


def _broken_volume(engine: DockerEngine, path: Path) -> str:
    options = {"type": "none", "o": "bind", "device": str(path / "nowhere")}
    engine.api.create_volume("broken", driver_opts=options)
    return _make(engine, mounts=[Mount("/data", "broken", type="volume")])


def _device(engine: DockerEngine, path: Path) -> str:
    node = path / "node"
    os.mknod(node, stat.S_IFCHR | 0o600, os.makedev(1, 3))
    container = _ran(engine, devices=[f"{node}:/dev/app:rwm"])
    node.unlink()
    return container


def _gpu(engine: DockerEngine, _: Path) -> str:
    return _make(engine, device_requests=[DeviceRequest(count=-1, capabilities=[["gpu"]])])


def _network(engine: DockerEngine, _: Path) -> str:
    network = engine.api.create_network("lan")["Id"]
    container = _ran(engine, network_mode="lan")
    engine.api.remove_network(network)
    engine.api.create_network("lan")
    return container


def _port(engine: DockerEngine, _: Path) -> str:
    engine.api.create_network("lan")
    container = _make(engine, network_mode="lan", port_bindings={80: 18081})
    engine.run(name="thief", network="lan", ports={80: 18081})
    return container


def _link(engine: DockerEngine, _: Path) -> str:
    engine.create(name="db")
    return _make(engine, network_mode="bridge", links={"db": "db"})


def _log_driver(engine: DockerEngine, _: Path) -> str:
    nobody = {"fluentd-address": "127.0.0.1:1"}
    return _make(engine, log_config=LogConfig(type="fluentd", config=nobody))


_CASES: Final = (
    *(
        Case(f"{space}-{end}", _owner(setting, end), kind, text)
        for setting, space in (
            ("network_mode", "network"),
            ("ipc_mode", "IPC space"),
            ("pid_mode", "process space"),
        )
        for end, kind, text in (
            (
                "stopped",
                ErrorType.OWNER_MISSING,
                f"it uses the {space} of gw, which does not run (exited)",
            ),
            ("made anew", ErrorType.OWNER_GONE, f"it uses the {space} of container "),
        )
    ),
    Case("bind", _bind, ErrorType.MOUNT_MISSING, "its bind mount /data is missing on the host"),
    Case(
        "bind-of-another-kind",
        _bind_of_another_kind,
        ErrorType.MOUNT_MISSING,
        "its bind mount /etc/app.conf cannot be mounted",
    ),
    Case("volume", _volume, ErrorType.MOUNT_MISSING, "its volume /data is missing on the host"),
    Case(
        "broken-volume",
        _broken_volume,
        ErrorType.MOUNT_MISSING,
        "its volume /data cannot be mounted",
    ),
    Case("device", _device, ErrorType.DEVICE_MISSING, "its device /dev/app is missing on the host"),
    Case("gpu", _gpu, ErrorType.DEVICE_MISSING, "the host has no working driver for a device"),
    Case("network", _network, ErrorType.NETWORK_MISSING, "its network lan is missing"),
    Case("port", _port, ErrorType.PORT_BUSY, "port 18081, which it publishes, is taken"),
    Case(
        "program",
        lambda engine, _: _make(engine, ["/no/such"]),
        ErrorType.CANNOT_RUN,
        "its program is neither in the image nor in a mount",
    ),
    Case(
        "not-a-program",
        lambda engine, _: _make(engine, ["/etc/hostname"]),
        ErrorType.CANNOT_RUN,
        "its program may not be run: its permissions are wrong",
    ),
    Case(
        "user",
        lambda engine, _: _make(engine, user="nobody-here"),
        ErrorType.CANNOT_RUN,
        "the user or the group that it runs as is not in the image",
    ),
    Case("link", _link, ErrorType.OWNER_MISSING, "it is linked to db, which does not run"),
    Case(
        "sysctl",
        lambda engine, _: _make(engine, sysctls={"net.no.such": "1"}),
        ErrorType.CANNOT_RUN,
        "the engine cannot run it as it is set up",
    ),
    Case("log-driver", _log_driver, ErrorType.CANNOT_RUN, "its log driver is missing on the host"),
)


@pytest.mark.parametrize("case", _CASES, ids=str)
def test_what_is_missing_is_named(
    worker: DockerWorker,
    engine: DockerEngine,
    case: Case,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It is a cause for another try, never "gone"; people hear what, and the log the words."""
    container = case.make(engine, tmp_path)
    pin = replace(worker.pin(container), state=ContainerState.RUNNING)
    ended = engine.inspect(container)["State"]["FinishedAt"]
    error = fail(worker.containers.ensure_running, worker.put_back(pin))
    assert (error.type, error.non_retryable) == (case.kind, case.kind in HOPELESS_ERRORS)
    assert error.message.startswith(case.text)
    assert "secret-source" not in error.message
    (told,) = error.details
    assert told["touched"] is True
    assert told["state"] == engine.state(container)
    assert told["since"] is None or (
        datetime.fromisoformat(told["since"]) == datetime.fromisoformat(ended)
    )
    (line,) = [found.getMessage() for found in caplog.records if "refused" in found.getMessage()]
    assert line.startswith(f"the engine refused: start of app ({container[:12]}…): ")
    assert len(line) <= 300


def test_the_words_in_the_log_hold_no_secret(
    worker: DockerWorker, engine: DockerEngine, caplog: pytest.LogCaptureFixture
) -> None:
    """What the engine quotes of the environment and of the command line is hidden."""
    made = engine.api.create_container(
        IMAGE,
        [f"/no/{CANARY}-command"],
        name="app",
        environment={"WHERE": f"/srv/{CANARY}-environment"},
        working_dir="/srv",
        host_config=engine.api.create_host_config(
            network_mode="none", sysctls={f"net.{CANARY}-setting": "1"}
        ),
    )["Id"]
    pin = replace(worker.pin(made), state=ContainerState.RUNNING)
    fail(worker.containers.ensure_running, worker.put_back(pin))
    assert "net/hunter2canary-setting" in caplog.text, "the engine's words are there"
    engine.api.remove_container(made)

    caplog.clear()
    made = engine.api.create_container(
        IMAGE,
        [f"/no/{CANARY}-command"],
        name="app",
        environment={"WHERE": f"/no/{CANARY}-command"},
    )["Id"]
    pin = replace(worker.pin(made), state=ContainerState.RUNNING)
    error = fail(worker.containers.ensure_running, worker.put_back(pin))
    assert "no such file or directory" in caplog.text
    assert CANARY not in caplog.text
    assert CANARY not in str(error)


@pytest.mark.parametrize("verb", ["stop", "commit"])
def test_other_refusals_are_logged_too(
    make_worker: Callable[..., DockerWorker],
    engine: DockerEngine,
    caplog: pytest.LogCaptureFixture,
    verb: str,
) -> None:
    """Each call that changes a container tells in the log what the engine had against it."""
    container = engine.run(name="app", environment={"TOKEN": CANARY})
    with DockerProxy(engine.base_url) as docker_proxy:
        worker = make_worker(docker_proxy.base_url)
        pin = worker.pin(container)
        refusal = Answer(500, f"did not receive an exit event: {CANARY}")
        docker_proxy.trap(f"^POST .*/{verb}", Moment.BEFORE, lambda: refusal)
        if verb == "stop":
            error = fail(worker.containers.ensure_stopped, worker.stop(pin))
        else:
            engine.api.stop(container, timeout=1)
            error = fail(worker.snapshots.ensure_snapshot, worker.commit(pin))
        worker.engine.close()
    assert (error.type, error.non_retryable) == (ErrorType.ENGINE_ERROR, False)
    said = (
        f"the engine refused: {verb} of app ({container[:12]}…): did not receive an exit event: …"
    )
    assert said in caplog.text
    assert CANARY not in caplog.text


def test_a_look_starts_nothing(worker: DockerWorker, engine: DockerEngine) -> None:
    """It only tells whether the container is back: since a start of somebody, or untouched."""
    container = engine.run(name="web-1")
    pin = worker.pin(container)
    look = replace(worker.put_back(pin), look_only=True, settle_seconds=600)
    assert not run(worker.containers.ensure_running, look).started
    stopped = run(worker.containers.ensure_stopped, worker.stop(pin))
    error = fail(worker.containers.ensure_running, look)
    assert (error.type, error.non_retryable) == (ErrorType.NOT_RUNNING, True)
    assert error.message == "the container is exited, and was running when approved"
    assert stopped.stopped_at is not None
    assert error.details == (
        {
            "touched": False,
            "state": "exited",
            "since": stopped.stopped_at.isoformat(),
            "name": "web-1",
        },
    )
    assert engine.state(container) == "exited"
    engine.api.start(container)
    result = run(worker.containers.ensure_running, look)
    assert (result.state, result.started) == (ContainerState.RUNNING, False)
    assert result.ended_at == stopped.stopped_at
    assert result.started_at == datetime.fromisoformat(
        engine.inspect(container)["State"]["StartedAt"]
    )


@pytest.mark.parametrize(("was", "does"), [("running", "pause"), ("paused", "run")])
def test_a_look_neither_pauses_nor_unpauses(
    worker: DockerWorker, engine: DockerEngine, was: str, does: str
) -> None:
    """Back means back as it was."""
    container = engine.run(name="web-1")
    if was == "paused":
        engine.api.pause(container)
    pin = worker.pin(container)
    engine.api.stop(container, timeout=1)
    engine.api.start(container)
    if does == "pause":
        engine.api.pause(container)
    look = replace(worker.put_back(pin), look_only=True)
    error = fail(worker.containers.ensure_running, look)
    assert (error.type, error.non_retryable) == (ErrorType.NOT_RUNNING, True)
    assert engine.state(container) == ("paused" if does == "pause" else "running")
