"""What runs with the compose installation, in which order does it start, and how does it end?"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import docker

from deploy.composed.installation import Engine, Installation, container_name
from deploy.composed.relay import Target, relay
from deploy.laptop.console import say, warn
from deploy.laptop.containers import API_VERSION, Containers
from deploy.laptop.docker_engine import find_engine
from deploy.laptop.ending import uninterrupted
from deploy.laptop.slack_server import credentials
from deploy.laptop.stack import make_containers
from deploy.laptop.state import LOOPBACK, StateDirectory
from deploy.laptop.supervisor import Supervisor

_SLACK_PORT = 8080


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the person who starts it asks for.

    ``stand_ins`` asks for them where the engine is this machine's own, too. ``apart`` is the
    process of an engine that was named and has a network of its own.
    """

    state: Path
    policies: str
    containers: tuple[str, ...]
    docker_host: str | None = None
    stand_ins: bool = False
    apart: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """The running installation, and where people reach its Slack and its engine."""

    installation: Installation
    slack: str
    docker_url: str


@asynccontextmanager
async def running(options: Options) -> AsyncIterator[Running]:
    """Run the installation; at the end all that it started and made is gone, but for the images.

    Raises:
        LaptopError: something is missing or in the way.
    """
    ending = AsyncExitStack()
    try:
        state = ending.enter_context(StateDirectory(options.state))
        found = await find_engine(options.docker_host, state)
        ending.callback(found.clear)
        supervisor = Supervisor(lambda _name: None)
        ending.push_async_callback(supervisor.stop)
        if found.part:
            say("starting a Docker engine of its own")
            await supervisor.start(found.part)
        containers = Containers(found.url, state.owner)
        ending.callback(containers.close)
        ending.push_async_callback(asyncio.to_thread, containers.remove)
        await make_containers(containers, options.containers)
        apart = supervisor.pids()["docker"] if found.part else options.apart
        engine = Engine(
            url=found.url,
            has_registry=not found.part and not options.stand_ins,
            slack_port=None if apart else state.ports().slack,
        )
        installation = await Installation.prepare(
            state.path / "installation",
            engine,
            policies=options.policies,
            app=credentials(state),
            seal_key=state.secret("seal-key"),
        )
        _say_what_stands_in(engine)
        # A run that was killed left it.
        await installation.down()
        ending.push_async_callback(_down, installation)
        say("docker compose up")
        await installation.up()
        port = engine.slack_port
        if apart:
            port = await ending.enter_async_context(
                relay(lambda: where(found.url, apart, "slack", _SLACK_PORT))
            )
        warn(
            f"the local Slack at port {port} has no password: whoever is on this machine can press "
            "Approve"
        )
        yield Running(
            installation=installation, slack=f"http://{LOOPBACK}:{port}", docker_url=found.url
        )
    finally:
        await uninterrupted(ending.aclose())


async def _down(installation: Installation) -> None:
    say("docker compose down")
    await installation.down()


def where(engine_url: str, process: int, service: str, port: int) -> Target:
    """Say where a service of the installation is now, in the network of the engine's process.

    Raises:
        OSError: it does not run.
    """
    client = docker.APIClient(base_url=engine_url, version=API_VERSION, timeout=10)
    try:
        found = client.inspect_container(container_name(service))
    except docker.errors.NotFound as error:
        raise ConnectionRefusedError(service) from error
    finally:
        client.close()
    for network in found["NetworkSettings"]["Networks"].values():
        if network["IPAddress"]:
            return process, network["IPAddress"], port
    raise ConnectionRefusedError(service)


def _say_what_stands_in(engine: Engine) -> None:
    if engine.has_registry:
        say("stand-ins: the laptop's Slack; all other images are those of the compose file")
        return
    say(
        "stand-ins: the laptop's Slack; Temporal's development server on SQLite in place of its\n"
        "server on PostgreSQL, and no database; Debian's haproxy and Python. Dockwarden's image\n"
        "and all networks, users, secrets and volumes are those of the Dockerfile and compose file"
    )
