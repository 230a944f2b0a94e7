"""What runs for a measurement? One engine, and for each bot its own Slack and Temporal.

Dockwarden runs as on any laptop, by ``python -m deploy.laptop``; the naive bot gets the same
servers, of the same binaries with the same flags.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from slack_sdk.web.async_client import AsyncWebClient
from temporalio.client import Client

from deploy.laptop.slack_server import credentials, slack_server, slack_url
from deploy.laptop.state import LOOPBACK, StateDirectory
from deploy.laptop.supervisor import Part, Supervisor, part_environment
from deploy.laptop.temporal_server import temporal_server
from tests.bench.sides import Side, naive_side, our_side
from tests.rigs.dockerd import DockerEngine
from tests.rigs.laptop import LaptopProcess

_ROOT: Final = Path(__file__).parents[2]
#: Copies each file whole, for each container and each commit: what it takes hides all else.
_UNFIT_STORAGE: Final = "vfs"
#: Takes up to 50 ms to hear that it is to end, as a program does that has something to do.
_SCRIPT: Final = 'trap "exit 0" TERM; while true; do sleep 0.05; done'


class UnfitEngineError(Exception):
    """On this engine nothing can be measured; the message says why, and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """What is up. ``pids`` are those of the processes that are measured, by their names."""

    engine: DockerEngine
    naive: Side
    ours: Side
    naive_temporal: Client
    our_temporal: Client
    pids: dict[str, int]

    def make(self, name: str) -> None:
        """Make a container and start it."""
        self.engine.run(_SCRIPT, name=name)

    def remove(self, name: str) -> None:
        """Remove it."""
        self.engine.api.remove_container(name, force=True)


def refuse_unfit(info: dict[str, Any]) -> None:
    """See that an engine is one to measure on.

    Raises:
        UnfitEngineError: it is not.
    """
    if info["Driver"] == _UNFIT_STORAGE:
        message = (
            "this engine stores its layers by vfs, which copies a whole file system for each "
            "container and each commit: nothing measured on it would tell of anything else. "
            "Have the directory for temporary files (TMPDIR) on a disk that overlay2 can use"
        )
        raise UnfitEngineError(message)


@asynccontextmanager
async def running(directory: Path) -> AsyncIterator[Stack]:
    """Run it all; at the end nothing is left.

    Raises:
        UnfitEngineError: the engine is none to measure on.
    """
    async with AsyncExitStack() as ending:
        engine = DockerEngine()
        ending.push_async_callback(asyncio.to_thread, engine.close)
        await asyncio.to_thread(engine.start)
        refuse_unfit(engine.api.info())
        laptop = LaptopProcess(directory / "ours", engine.base_url, "--no-containers")
        (directory / "ours").mkdir()
        ending.push_async_callback(asyncio.to_thread, laptop.close)
        await asyncio.to_thread(laptop.start)
        supervisor = Supervisor(lambda _: None)
        ending.push_async_callback(supervisor.stop)
        state = ending.enter_context(StateDirectory(directory / "naive"))
        ports = state.ports()
        await supervisor.start(temporal_server(state, ports), slack_server(state, ports))
        address = f"{LOOPBACK}:{ports.temporal}"
        await supervisor.start(_naive_bot(state, slack_url(ports), address, engine.base_url))
        ready, pids = laptop.ready, supervisor.pids()
        yield Stack(
            engine=engine,
            naive=naive_side(slack_url(ports), _reader(state, slack_url(ports))),
            ours=our_side(ready["slack"], _reader(StateDirectory(laptop.state), ready["slack"])),
            naive_temporal=await Client.connect(address),
            our_temporal=await Client.connect(ready["temporal"]),
            pids={
                **{name: laptop.pids[name] for name in ("worker", "bot", "temporal")},
                "naive bot": pids["naive"],
                "naive bot's temporal": pids["temporal"],
            },
        )


def _reader(state: StateDirectory, slack: str) -> AsyncWebClient:
    return AsyncWebClient(token=credentials(state).bot_token, base_url=f"{slack}/api/")


def _naive_bot(state: StateDirectory, slack: str, temporal: str, docker_host: str) -> Part:
    app, ready = credentials(state), state.path / "ready"

    async def is_ready() -> bool:
        return ready.exists()

    return Part(
        name="naive",
        command=(
            *(sys.executable, "-m", "tests.bench.naive_bot"),
            *("--slack", slack, "--temporal", temporal, "--docker-host", docker_host),
            *("--bot-token", app.bot_token, "--app-token", app.app_token),
            *("--ready", str(ready)),
        ),
        environment=part_environment({"PYTHONPATH": str(_ROOT)}),
        log=state.logs / "naive.log",
        is_ready=is_ready,
    )
