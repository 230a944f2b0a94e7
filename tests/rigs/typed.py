"""What does somebody see who types ``dockwarden …`` at a terminal, as one user of the machine?

Another user is the same one in a name space where its number is another: the program takes the
number for that user's, and nobody needs to be root.
"""

from __future__ import annotations

import asyncio
import json
import os
import pwd
import shutil
import subprocess
import sysconfig
from asyncio.subprocess import DEVNULL, PIPE, Process
from dataclasses import dataclass
from typing import Any

import pytest

#: Users that every Linux has.
OTHER_USER, THIRD_USER = "nobody", "daemon"


def _as_user(user: str) -> tuple[str, ...]:
    entry = pwd.getpwnam(user)
    ids = (f"--map-user={entry.pw_uid}", f"--map-group={entry.pw_gid}")
    return ("unshare", "--user", *ids)


def _can_be_others() -> bool:
    if shutil.which("unshare") is None:
        return False
    return subprocess.run([*_as_user(OTHER_USER), "true"], check=False).returncode == 0


needs_users = pytest.mark.skipif(not _can_be_others(), reason="no name spaces of users here")


@dataclass(frozen=True, slots=True)
class Typed:
    """One command that has ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """Read the one object."""
        told: dict[str, Any] = json.loads(self.out)
        assert told["exit"] == self.code
        return told


class Typist:
    """Types commands, with settings in the environment; no Slack token is ever among them."""

    def __init__(self, **environment: str) -> None:
        self.environment = environment

    async def begin(self, *arguments: str, user: str | None = None, **changes: str) -> Process:
        """Type a command, and leave it running."""
        command = shutil.which("dockwarden", path=sysconfig.get_path("scripts"))
        assert command, "install the project: pip install -e ."
        return await asyncio.create_subprocess_exec(
            *(_as_user(user) if user else ()),
            command,
            *arguments,
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=PIPE,
            env={"PATH": os.defpath} | self.environment | changes,
            cwd="/",
        )

    async def type(self, *arguments: str, user: str | None = None, **changes: str) -> Typed:
        """Type a command, and wait for its end."""
        return await end(await self.begin(*arguments, user=user, **changes))


async def end(process: Process, *, within: float = 90) -> Typed:
    """Wait for the end of a command, and read what it said."""
    try:
        out, err = await asyncio.wait_for(process.communicate(), within)
    except TimeoutError:
        process.kill()
        await process.wait()
        raise
    assert process.returncode is not None
    return Typed(process.returncode, out.decode(), err.decode())


async def line_with(process: Process, text: str, *, within: float = 60) -> str:
    """Wait for a line on standard output that holds a text."""
    assert process.stdout is not None
    async with asyncio.timeout(within):
        while line := (await process.stdout.readline()).decode():
            if text in line:
                return line
    message = f"it ended without {text!r}"
    raise AssertionError(message)
