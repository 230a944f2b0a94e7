"""How do tests get a real Docker engine of their own, one that they may break?

A second ``dockerd`` in a network namespace of its own, with its data, sockets and containers in
one temporary directory. It can be stopped, killed, frozen and started again, and it leaves
nothing behind. It never skips: what is missing is an error that says what to install.
"""

from __future__ import annotations

import contextlib
import json
import re
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, Self

import docker
import pytest
import requests.exceptions

from tests.rigs.engine_remains import has_containerd, remove_remains
from tests.rigs.machine import check_machine, path_of, root_file_system
from tests.rigs.waiting import wait_until

IMAGE: Final = "rig/busybox:1"
#: What the process with id 1 does. One without a handler for TERM ignores it.
STOPS_AT_ONCE: Final = 'trap "exit 0" TERM; sleep 100000 & wait $!'
IGNORES_TERM: Final = 'trap "" TERM; while :; do sleep 1; done'
#: Writes down that it was told to end, and does not.
HEARS_TERM: Final = 'trap "echo told" TERM; while :; do sleep 0.1; done'
_WAIT_SECONDS: Final = 60
#: The first Docker that keeps its id with its data (moby/moby#43555).
_IDS_IN_DATA_ROOT: Final = 23


class DockerEngine:
    """One engine; start it, break it, close it.

    Args:
        live_restore: whether containers outlive the engine; may be set to another value for the
            next start.
        arguments: further arguments of ``dockerd``.
    """

    def __init__(self, *, live_restore: bool = False, arguments: tuple[str, ...] = ()) -> None:
        check_machine()
        self._directory = Path(tempfile.mkdtemp(prefix="dw-engine-"))
        self.live_restore = live_restore
        self._arguments = arguments
        self._process: subprocess.Popen[bytes] | None = None
        self.base_url = f"unix://{self._directory}/docker.sock"
        self.api = docker.APIClient(base_url=self.base_url, version="1.41", timeout=60)

    @property
    def pid(self) -> int:
        """The process whose network the engine's containers are linked to."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> Self:
        """Start the engine, also after a stop or a kill, and wait until it answers."""
        directory = self._directory
        with (directory / "dockerd.log").open("ab") as log:
            self._process = subprocess.Popen(
                # The engine dies with the tests.
                ["setpriv", "--pdeathsig", "TERM", *self._command()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        wait_until(self._answers, f"the engine answers; see {directory}/dockerd.log")
        return self

    def stop(self) -> None:
        """Stop the engine in an orderly way."""
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            self._reap()

    def kill(self) -> None:
        """Kill the engine; its containers go on until it is started again."""
        if self._process is not None:
            self._process.kill()
            self._reap()

    def freeze(self) -> None:
        """Hang the engine: it takes connections and never answers."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen engine go on; what was sent meanwhile is worked through."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def close(self) -> None:
        """Remove the engine and all that it made."""
        if self._process is not None:
            self.thaw()
            with contextlib.suppress(requests.exceptions.RequestException, docker.errors.APIError):
                self.remove_containers()
            self.kill()
        self.api.close()
        remove_remains(self._directory)

    def create(
        self,
        script: str = STOPS_AT_ONCE,
        *,
        name: str | None = None,
        policy: str = "no",
        auto_remove: bool = False,
        labels: dict[str, str] | None = None,
        environment: dict[str, str] | None = None,
        healthcheck: str | None = None,
        image: str = IMAGE,
        network: str = "none",
        ipc: str | None = None,
        processes: str | None = None,
        memory: str | None = None,
        ports: dict[int, int] | None = None,
        stop_timeout: int | None = None,
        volumes: tuple[str, ...] = (),
        binds: dict[str, Path] | None = None,
    ) -> str:
        """Create a container that runs a shell script as its process 1, and give its id."""
        second = 1_000_000_000
        check = {"test": ["CMD-SHELL", healthcheck], "interval": second // 5, "retries": 2}
        made = self.api.create_container(
            image,
            command=["sh", "-c", script],
            name=name,
            labels=labels,
            environment=environment,
            healthcheck={**check, "timeout": second} if healthcheck else None,
            ports=list(ports or ()),
            stop_timeout=stop_timeout,
            volumes=list(volumes),
            host_config=self.api.create_host_config(
                auto_remove=auto_remove,
                network_mode=network,
                ipc_mode=ipc,
                pid_mode=processes,
                mem_limit=memory,
                port_bindings=ports,
                mounts=[
                    docker.types.Mount(target, str(source), type="bind")
                    for target, source in (binds or {}).items()
                ],
                restart_policy={"Name": policy} if policy != "no" else None,
            ),
        )
        return str(made["Id"])

    def run(self, script: str = STOPS_AT_ONCE, **options: Any) -> str:
        """Create a container as :meth:`create` does, and start it."""
        container = self.create(script, **options)
        self.api.start(container)
        return container

    def run_large(self, megabytes: int, *, name: str) -> str:
        """Run a container that writes so much to its own file system, and wait until it has."""
        written = f"dd if=/dev/zero of=/big bs=1M count={megabytes} 2>/dev/null; touch /written"
        container = self.run(f"{written}; {STOPS_AT_ONCE}", name=name)
        wait_until(lambda: self._has(container, "/written"), "it has written")
        return container

    def state(self, container: str) -> str:
        """Read the state of a container."""
        return str(self.inspect(container)["State"]["Status"])

    def inspect(self, container: str) -> dict[str, Any]:
        """Read all that the engine says about a container."""
        found: dict[str, Any] = self.api.inspect_container(container)
        return found

    def await_state(self, container: str, state: str) -> None:
        """Wait until a container is in this state."""
        wait_until(lambda: self.state(container) == state, f"the container is {state}")

    def images(self) -> set[str]:
        """Give the ids of all images but its own."""
        return {image["Id"] for image in self.api.images() if IMAGE not in image["RepoTags"]}

    def is_committing(self) -> bool:
        """Tell whether a commit is writing its layer."""
        partial = (self._directory / "data/image").glob("*/layerdb/tmp/write-set-*/*")
        return any(True for _ in partial)

    def remove_containers(self) -> None:
        """Remove all containers."""
        for container in self.api.containers(all=True, quiet=True):
            with contextlib.suppress(docker.errors.APIError):
                self.api.remove_container(container["Id"], force=True, v=True)

    def clear(self) -> None:
        """Remove all containers, networks, and images but its own."""
        self.remove_containers()
        for network in self.api.networks():
            if network["Name"] not in ("none", "host", "bridge"):
                self.api.remove_network(network["Id"])
        wait_until(self._remove_images, "all images are gone")

    def _has(self, container: str, path: str) -> bool:
        return any(change["Path"] == path for change in self.api.diff(container) or ())

    def _command(self) -> tuple[str, ...]:
        directory = self._directory
        return (
            # In a network of its own, it never touches the host's.
            *("unshare", "--net", path_of("dockerd")),
            *("--bridge=none", "--iptables=false", "--ip6tables=false"),
            *("--ip-forward=false", "--ip-masq=false", "--userland-proxy=true"),
            f"--data-root={directory}/data",
            f"--exec-root={directory}/exec",
            f"--pidfile={directory}/dockerd.pid",
            f"--host={self.base_url}",
            f"--live-restore={str(self.live_restore).lower()}",
            f"--config-file={self._configuration()}",
            *("--shutdown-timeout=5", *self._arguments),
        )

    def _configuration(self) -> Path:
        """Have the engine make up an id of its own: before Docker 23 a machine had one for all."""
        said = subprocess.run(
            [path_of("dockerd"), "--version"], capture_output=True, text=True, check=True
        ).stdout
        major = re.search(r"version (\d+)", said)
        is_old = major is not None and int(major[1]) < _IDS_IN_DATA_ROOT
        own_id = {"deprecated-key-path": f"{self._directory}/key.json"} if is_old else {}
        file = self._directory / "daemon.json"
        file.write_text(json.dumps(own_id), encoding="utf-8")
        return file

    def _remove_images(self) -> bool:
        """Remove what can be removed: an image stays as long as another is built on it."""
        for image in self.images():
            with contextlib.suppress(docker.errors.APIError):
                self.api.remove_image(image, force=True)
        return not self.images()

    def _answers(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            log = (self._directory / "dockerd.log").read_text(errors="replace")
            message = "dockerd ended:\n" + "\n".join(log.splitlines()[-15:])
            raise RuntimeError(message)
        try:
            # First by hand: docker-py leaves a socket open when nobody listens.
            with socket.socket(socket.AF_UNIX) as knock:
                knock.connect(self.base_url.removeprefix("unix://"))
            self.api.ping()
        except OSError:
            return False
        self._load_image()
        return True

    def _load_image(self) -> None:
        if not any(IMAGE in (image["RepoTags"] or ()) for image in self.api.images()):
            repository, _, tag = IMAGE.partition(":")
            self.api.import_image_from_data(root_file_system(), repository=repository, tag=tag)

    def _reap(self) -> None:
        """Wait for the engine and its containerd, which a next engine could not share."""
        assert self._process is not None
        self._process.wait(_WAIT_SECONDS)
        self._process = None
        (self._directory / "dockerd.pid").unlink(missing_ok=True)
        wait_until(lambda: not has_containerd(self._directory), "the engine's containerd has gone")
        (self._directory / "exec/containerd/containerd.pid").unlink(missing_ok=True)


@contextlib.contextmanager
def _running() -> Iterator[DockerEngine]:
    engine = DockerEngine()
    try:
        yield engine.start()
    finally:
        engine.close()


@pytest.fixture(scope="session")
def engine() -> Iterator[DockerEngine]:
    """Run one engine for the whole session; tests share it and name their own containers."""
    with _running() as engine:
        yield engine


@pytest.fixture(scope="module")
def second_engine() -> Iterator[DockerEngine]:
    """Run another one beside it, for the tests of one file."""
    with _running() as engine:
        yield engine
