"""How do tests run the installed ``dockwarden`` as a process, and read what it says?"""

from __future__ import annotations

import asyncio
import random
import shutil
import socket
import sysconfig
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

#: Each at most once, and all below the range from which systems take ports for outgoing
#: connections: what is free is still free when a program binds it much later.
_PORTS = iter(random.SystemRandom().sample(range(20_000, 32_000), k=12_000))


class Program:
    """One run of ``dockwarden``; its log is kept in ``lines``."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.lines: list[str] = []
        self._changed = asyncio.Condition()
        self._reading = asyncio.create_task(self._read())

    async def until(self, text: str, seconds: float = 20) -> str:
        """Wait for a line with a text."""

        def found() -> str | None:
            return next((line for line in self.lines if text in line), None)

        try:
            async with asyncio.timeout(seconds), self._changed:
                await self._changed.wait_for(found)
        except TimeoutError:
            message = f"no {text!r} in:\n" + "".join(self.lines)
            raise AssertionError(message) from None
        return found() or ""

    async def end(self, seconds: float = 20) -> int:
        """Wait for the end, and give the exit status."""
        code = await asyncio.wait_for(self.process.wait(), seconds)
        await self._reading
        return code

    def has(self, text: str) -> bool:
        """Tell whether a text was written."""
        return any(text in line for line in self.lines)

    async def _read(self) -> None:
        assert self.process.stdout is not None
        while line := await self.process.stdout.readline():
            self.lines.append(line.decode())
            async with self._changed:
                self._changed.notify_all()


@asynccontextmanager
async def dockwarden(*arguments: str, **environment: str) -> AsyncIterator[Program]:
    """Run the installed command."""
    command = shutil.which("dockwarden", path=sysconfig.get_path("scripts"))
    assert command, "install the project: pip install -e ."
    process = await asyncio.create_subprocess_exec(
        command,
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=environment,
        cwd="/",
    )
    program = Program(process)
    try:
        yield program
    finally:
        if process.returncode is None:
            process.kill()
        await program.end()


def free_port() -> int:
    """Find a port of loopback on which nobody listens."""
    return next(port for port in _PORTS if _is_free(port))


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
