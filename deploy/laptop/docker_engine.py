"""Which Docker engine does the laptop use, and how does it get one where there is none?

An engine that answers is used as it is and left as it was. Where none answers, and we are root,
the laptop starts one of its own: apart from the system's in every way (data, socket, network and
mounts), kept in the laptop's supervisor and stopped with it.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import docker
import requests
from docker.errors import DockerException

from deploy.laptop.console import LaptopError, say
from deploy.laptop.state import StateDirectory
from deploy.laptop.supervisor import Part, machine_environment, part_environment

DEFAULT_SOCKET = Path("/var/run/docker.sock")
_PACKAGES = ("docker.io", "busybox-static")
_HOW_TO_GET_ONE = (
    "no Docker engine answers on this machine: start the one you have, "
    "name one with --docker-host URL, or install one (on Debian as root this does it by itself)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """An engine by its address; where the laptop runs it itself, also the part that it is."""

    url: str
    part: Part | None = None
    run_directory: Path | None = None

    def clear(self) -> None:
        """Remove the sockets and pid files of an engine of the laptop's own."""
        if self.run_directory:
            shutil.rmtree(self.run_directory, ignore_errors=True)


async def find_engine(asked_for: str | None, state: StateDirectory) -> Engine:
    """Find the engine to use.

    Raises:
        LaptopError: the engine asked for does not answer, or none can be had here.
    """
    if asked_for:
        if not await asyncio.to_thread(engine_answers, asked_for):
            message = (
                f"no Docker engine answers at {asked_for}: start it, or leave out --docker-host"
            )
            raise LaptopError(message)
        return Engine(url=asked_for)
    if url := await asyncio.to_thread(_running_engine):
        return Engine(url=url)
    if os.geteuid() != 0:
        raise LaptopError(_HOW_TO_GET_ONE)
    if not _dockerd():
        await asyncio.to_thread(_install)
        if url := await asyncio.to_thread(_running_engine):
            return Engine(url=url)
    return _own_engine(state)


def engine_answers(url: str) -> bool:
    """Tell whether an engine answers at an address."""
    # The client leaks a socket with each connection that fails; mostly the file is just missing.
    if url.startswith("unix://") and not Path(url.removeprefix("unix://")).exists():
        return False
    try:
        client = docker.APIClient(base_url=url, version="1.41", timeout=5)
        try:
            return bool(client.ping())
        finally:
            client.close()
    except (DockerException, requests.RequestException):
        return False


def _running_engine() -> str | None:
    home = Path.home()
    sockets = (
        DEFAULT_SOCKET,
        Path(f"/run/user/{os.getuid()}/docker.sock"),
        home / ".docker" / "run" / "docker.sock",
        home / ".colima" / "default" / "docker.sock",
    )
    urls = (f"unix://{socket}" for socket in sockets if socket.exists())
    return next((url for url in urls if engine_answers(url)), None)


def _dockerd() -> str | None:
    return shutil.which("dockerd", path=f"{os.defpath}:/usr/sbin:/sbin:/usr/local/sbin")


def _install() -> None:
    apt = shutil.which("apt-get")
    if not apt or not Path("/etc/debian_version").exists():
        raise LaptopError(_HOW_TO_GET_ONE)
    packages = " and ".join(_PACKAGES)
    say(f"there is no Docker engine: installing {packages} with apt-get, 0.3 GB, some minutes")
    environment = {**machine_environment(), "DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (
        ("update", "-qq"),
        ("install", "-y", "-qq", "--no-install-recommends", *_PACKAGES),
    ):
        ended = subprocess.run(
            [apt, *arguments],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if ended.returncode:
            message = f"apt-get {arguments[0]} failed:\n{ended.stderr.strip()}\n{_HOW_TO_GET_ONE}"
            raise LaptopError(message)


def _own_engine(state: StateDirectory) -> Engine:
    dockerd = _dockerd()
    if not dockerd:
        raise LaptopError(_HOW_TO_GET_ONE)
    # A socket's path takes 107 bytes, and a state directory may lie deep.
    short = hashlib.sha256(str(state.path).encode()).hexdigest()[:10]
    run = Path("/run") / f"dockwarden-{short}"
    run.mkdir(mode=0o700, exist_ok=True)
    url = f"unix://{run}/docker.sock"
    # An engine that was killed leaves a pid file behind, and would not start over it.
    (run / "docker.pid").unlink(missing_ok=True)
    # The system's own configuration is not for this engine.
    config = run / "daemon.json"
    config.write_text("{}", encoding="utf-8")
    return Engine(
        url=url,
        run_directory=run,
        part=Part(
            name="docker",
            command=(
                *_apart(),
                dockerd,
                f"--host={url}",
                f"--data-root={state.path / 'engine'}",
                f"--exec-root={run / 'exec'}",
                f"--pidfile={run / 'docker.pid'}",
                f"--config-file={config}",
                "--iptables=false",
                "--bridge=none",
                "--log-level=warn",
            ),
            environment=part_environment(),
            log=state.logs / "docker.log",
            is_ready=lambda: asyncio.to_thread(engine_answers, url),
            stop_within=30.0,
            # On SIGTERM it stops its containers; killed, it would leave them running.
            orphan_signal="TERM",
        ),
    )


def _apart() -> tuple[str, ...]:
    """Give the engine a network and mounts of its own where this machine allows it.

    In the network of another engine, ``--bridge=none`` would take away that engine's bridge.
    """
    unshare = shutil.which("unshare")
    if unshare:
        tried = subprocess.run(
            [unshare, "--net", "--mount", "true"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
        if tried.returncode == 0:
            return (unshare, "--net", "--mount")
    if DEFAULT_SOCKET.exists():
        message = (
            f"a second engine cannot be started beside the one of {DEFAULT_SOCKET}; start that"
        )
        raise LaptopError(message)
    return ()
