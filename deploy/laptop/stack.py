"""What does the whole laptop consist of, in which order does it start, and who is told?"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import requests
from docker.errors import DockerException

from deploy.laptop.console import LaptopError, say, warn
from deploy.laptop.containers import NAMES, Containers
from deploy.laptop.docker_engine import find_engine
from deploy.laptop.dockwarden import DEFAULT_POLICIES, HOST, LIMITS, dockwarden, seal_key_file
from deploy.laptop.ending import uninterrupted
from deploy.laptop.slack_server import CHANNEL_ID, CHANNEL_NAME, USERS, slack_server, slack_url
from deploy.laptop.state import LOOPBACK, Ports, StateDirectory, write_atomically
from deploy.laptop.supervisor import Part, Supervisor, until_ready
from deploy.laptop.temporal_server import NAMESPACE, keep_records, temporal_server, temporal_ui_url


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the person who starts the laptop asks for.

    ``fresh`` forgets all earlier requests; ``limits`` are those on what one person does.
    """

    state: Path
    fresh: bool = False
    policies: Path | None = None
    docker_host: str | None = None
    containers: tuple[str, ...] = NAMES
    limits: bool = True
    ready: Path | None = None


class Laptop:
    """The running laptop."""

    def __init__(self, *, options: Options, ports: Ports, docker_url: str) -> None:
        self.ports = ports
        self.docker_url = docker_url
        self.supervisor = Supervisor(self._on_return)
        self._options = options
        self._dockwarden: tuple[Part, ...] = ()
        self._seal_key_file = Path()
        self._announcing: asyncio.Task[None] | None = None
        self._ending: asyncio.Task[None] | None = None

    @property
    def slack(self) -> str:
        """The address of the local Slack."""
        return slack_url(self.ports)

    @property
    def temporal_ui(self) -> str:
        """The address of Temporal's UI."""
        return temporal_ui_url(self.ports)

    async def start(self, state: StateDirectory, policies: Path) -> None:
        """Start all parts, and announce that they are ready."""
        say("starting Temporal and the local Slack")
        is_kept = not self._options.fresh
        await self.supervisor.start(
            temporal_server(state, self.ports, is_kept=is_kept), slack_server(state, self.ports)
        )
        await keep_records(self.ports)
        warn(
            f"the local Slack listens on all interfaces, port {self.ports.slack}, without a "
            "password: whoever reaches that port can press Approve"
        )
        say("starting dockwarden worker and dockwarden bot")
        self._seal_key_file = seal_key_file(state)
        self._dockwarden = dockwarden(
            state,
            self.ports,
            docker_url=self.docker_url,
            policies=policies,
            limits=self._options.limits,
            finishes=is_kept,
        )
        await self.supervisor.start(*self._dockwarden)
        self._announce()

    def _on_return(self, _name: str) -> None:
        if self._announcing:
            self._announcing.cancel()
        self._announcing = asyncio.create_task(self._announce_when_ready())

    async def _announce_when_ready(self) -> None:
        await until_ready(*self._dockwarden)
        self._announce()

    def _announce(self) -> None:
        pids = self.supervisor.pids()
        names = ("bot", "worker", "temporal", "slack")
        if not self._options.ready or not all(name in pids for name in names):
            return
        ready: dict[str, object] = {
            "slack": self.slack,
            "temporal": f"{LOOPBACK}:{self.ports.temporal}",
            "temporal_ui": self.temporal_ui,
            "namespace": NAMESPACE,
            "host": HOST,
            "seal_key_file": str(self._seal_key_file),
            "docker_host": self.docker_url,
            "channel": {"id": CHANNEL_ID, "name": CHANNEL_NAME},
            "users": USERS,
            "pids": {name: pids[name] for name in names},
        }
        if not self._options.limits:
            ready["limits"] = f"off: {', '.join(LIMITS)}"
        write_atomically(self._options.ready, json.dumps(ready, indent=2) + "\n")

    async def stop(self) -> None:
        """Stop all parts but the engine, which still has to give back what was made in it."""
        if self._announcing:
            self._announcing.cancel()
        await self.supervisor.stop("bot", "worker")
        # Nobody asks them any more, and Temporal takes seconds: the containers go meanwhile.
        self._ending = asyncio.create_task(self.supervisor.stop("slack", "temporal"))
        if self._options.ready:
            self._options.ready.unlink(missing_ok=True)

    async def end(self) -> None:
        """Stop what is left, the engine too."""
        await self.supervisor.stop()
        if self._ending:
            await self._ending


@asynccontextmanager
async def running(options: Options) -> AsyncIterator[Laptop]:
    """Run the laptop; at the end all that it started and made is gone.

    Raises:
        LaptopError: something is missing or in the way.
    """
    ending = AsyncExitStack()
    try:
        state = ending.enter_context(StateDirectory(options.state))
        if options.fresh:
            state.forget_requests()
        policies = _policies(options, state)
        engine = await find_engine(options.docker_host, state)
        ending.callback(engine.clear)
        laptop = Laptop(options=options, ports=state.ports(), docker_url=engine.url)
        ending.push_async_callback(laptop.end)
        if engine.part:
            say("starting a Docker engine of the laptop's own")
            await laptop.supervisor.start(engine.part)
        containers = Containers(engine.url, state.owner)
        ending.callback(containers.close)
        ending.push_async_callback(asyncio.to_thread, containers.remove)
        await make_containers(containers, options.containers)
        ending.push_async_callback(laptop.stop)
        await laptop.start(state, policies)
        yield laptop
    finally:
        await uninterrupted(ending.aclose())


async def make_containers(containers: Containers, names: Iterable[str]) -> None:
    """Remove what an earlier run left, and make these.

    Raises:
        LaptopError: the engine cannot.
    """
    try:
        await asyncio.to_thread(containers.remove)
        if names:
            say(f"making the containers {', '.join(names)}")
            await asyncio.to_thread(containers.make, names)
    except (DockerException, requests.RequestException) as error:
        message = f"the Docker engine cannot make the laptop's containers: {error}"
        raise LaptopError(message) from error


def _policies(options: Options, state: StateDirectory) -> Path:
    if options.policies:
        if not options.policies.is_file():
            message = f"there is no policy file {options.policies}"
            raise LaptopError(message)
        return options.policies.resolve()
    file = state.path / "policies.toml"
    file.write_text(DEFAULT_POLICIES, encoding="utf-8")
    return file
