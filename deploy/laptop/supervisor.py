"""How are the laptop's processes started, kept up, and stopped so that nothing stays behind?"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import aiohttp

from deploy.laptop.console import LaptopError, say, warn

_TIMEOUT = aiohttp.ClientTimeout(total=15)
_OURS = ("DOCKWARDEN_", "TEMPORAL_", "SLACK_", "DOCKER_")
_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "grpc_proxy", "ws_proxy", "wss_proxy")
_FIRST_PAUSE = 0.2
_LONGEST_PAUSE = 5.0
#: A part that was up this long did not die of its start.
_SETTLED_AFTER = 10.0
_POLL = 0.05
_LOG_TAIL = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One process of the laptop.

    ``is_ready`` is asked until it says yes. ``stop_within`` is the time between SIGTERM and
    SIGKILL; with 0 it is killed at once. ``orphan_signal`` is what the process gets when the laptop
    itself is killed.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)
    log: Path
    is_ready: Callable[[], Awaitable[bool]]
    ready_within: float = 30.0
    stop_within: float = 10.0
    orphan_signal: str = "KILL"


class _Running:
    """A part and the process that it is at the moment."""

    def __init__(self, part: Part) -> None:
        self.part = part
        self.process: asyncio.subprocess.Process | None = None
        self.watch: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        process = self.process
        return process.pid if process and process.returncode is None else None


class Supervisor:
    """Starts parts in order, restarts what dies, stops all in reverse order.

    ``on_return`` is called each time a part is ready again after it had died.
    """

    def __init__(self, on_return: Callable[[str], None]) -> None:
        self._on_return = on_return
        self._running: list[_Running] = []

    async def start(self, *parts: Part) -> None:
        """Start parts at once and wait until all are ready; from then on they are kept up.

        Raises:
            LaptopError: one ended or was not ready in time; the text shows the end of its log.
        """
        started = [_Running(part) for part in parts]
        self._running.extend(started)
        for running in started:
            await _spawn(running)
        for running in started:
            await _wait_ready(running)
            running.watch = asyncio.create_task(self._keep_up(running))

    def pids(self) -> dict[str, int]:
        """Give the process ids of the parts that are up."""
        return {r.part.name: r.pid for r in self._running if r.pid is not None}

    async def stop(self, *names: str) -> None:
        """Stop the parts named, or all: the last one started first, each with its descendants."""
        for running in reversed(self._running.copy()):
            if running in self._running and (not names or running.part.name in names):
                self._running.remove(running)
                await _end(running)

    async def _keep_up(self, running: _Running) -> None:
        pause = _FIRST_PAUSE
        while running.process:
            began = time.monotonic()
            code = await running.process.wait()
            if time.monotonic() - began > _SETTLED_AFTER:
                pause = _FIRST_PAUSE
            warn(f"{running.part.name} ended {_ending(code)}; starting it again")
            _kill_group(running)
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
            await _spawn(running)
            try:
                await _wait_ready(running)
            except LaptopError as problem:
                warn(str(problem))
                _kill_group(running)
                continue
            say(f"{running.part.name} is back, pid {running.pid}")
            self._on_return(running.part.name)


async def answers(url: str) -> bool:
    """Tell whether a GET is answered with 200."""
    try:
        async with aiohttp.ClientSession(timeout=_TIMEOUT) as session, session.get(url) as response:
            return response.status == 200  # noqa: PLR2004 - OK
    except (aiohttp.ClientError, TimeoutError):
        return False


async def get_json(url: str) -> Any:  # noqa: ANN401 - JSON
    """Get a JSON document.

    Raises:
        aiohttp.ClientError: nobody answers, or with an error.
    """
    async with (
        aiohttp.ClientSession(timeout=_TIMEOUT, raise_for_status=True) as session,
        session.get(url) as response,
    ):
        return await response.json()


async def post_json(url: str, body: dict[str, Any]) -> Any:  # noqa: ANN401 - JSON
    """Post a JSON document and give the answer.

    Raises:
        aiohttp.ClientError: nobody answers, or with an error.
    """
    async with (
        aiohttp.ClientSession(timeout=_TIMEOUT, raise_for_status=True) as session,
        session.post(url, json=body) as response,
    ):
        return await response.json()


def machine_environment() -> dict[str, str]:
    """Give the environment for tools of this machine (apt, npm): a proxy is theirs to use."""
    everything = os.environ  # noqa: TID251 - handed on to children, never read for a setting
    return {name: value for name, value in everything.items() if not name.upper().startswith(_OURS)}


def part_environment(settings: Mapping[str, str] | None = None) -> dict[str, str]:
    """Give the environment of one part: the machine's without settings and proxies, and its own."""
    inherited = {
        name: value for name, value in machine_environment().items() if name.lower() not in _PROXIES
    }
    return {**inherited, **(settings or {})}


async def until_ready(*parts: Part) -> None:
    """Wait until parts that are kept up are all ready."""
    for part in parts:
        while not await part.is_ready():  # noqa: ASYNC110 - another process has no event to set
            await asyncio.sleep(_POLL)


async def _spawn(running: _Running) -> None:
    part = running.part
    with part.log.open("ab") as log:
        running.process = await asyncio.create_subprocess_exec(
            *_bound_to_us(part),
            env=dict(part.environment),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def _bound_to_us(part: Part) -> tuple[str, ...]:
    """Have the kernel end the part when the laptop is killed; elsewhere than Linux it cannot."""
    setpriv = shutil.which("setpriv")
    if not setpriv:
        return part.command
    return (setpriv, "--pdeathsig", part.orphan_signal, "--", *part.command)


async def _wait_ready(running: _Running) -> None:
    part, process = running.part, running.process
    deadline = time.monotonic() + part.ready_within
    while process and process.returncode is None:
        if await part.is_ready():
            return
        if time.monotonic() > deadline:
            message = f"{part.name} was not ready within {part.ready_within:g} s"
            raise LaptopError(message + _tail(part.log))
        await asyncio.sleep(_POLL)
    code = process.returncode if process else None
    message = f"{part.name} ended {_ending(code)} before it was ready"
    raise LaptopError(message + _tail(part.log))


async def _end(running: _Running) -> None:
    if running.watch:
        running.watch.cancel()
        with suppress(asyncio.CancelledError):
            await running.watch
    process = running.process
    if process is None:
        return
    if process.returncode is None and running.part.stop_within:
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), running.part.stop_within)
        except TimeoutError:
            warn(f"{running.part.name} did not end within {running.part.stop_within:g} s; killed")
    _kill_group(running)
    await process.wait()


def _kill_group(running: _Running) -> None:
    """End what the part left of its own process group, itself included."""
    if running.process:
        with suppress(ProcessLookupError):
            os.killpg(running.process.pid, signal.SIGKILL)


def _ending(code: int | None) -> str:
    if code is not None and code < 0:
        return f"by {signal.Signals(-code).name}"
    return f"with status {code}"


def _tail(log: Path) -> str:
    def last_lines(file: IO[str]) -> str:
        return "".join(f"\n    {line.rstrip()}" for line in file.readlines()[-_LOG_TAIL:])

    with log.open(encoding="utf-8", errors="replace") as file:
        lines = last_lines(file)
    return f"; the end of {log}:{lines}" if lines else f"; its log {log} is empty"
