"""How do tests get a real PostgreSQL of their own, reached as in the compose installation?

It is Debian's, run by a user without rights, for it refuses root. The scripts of an installation
reach it by Compose; here a ``docker`` stands before it that takes just that one call.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.rigs.waiting import wait_until

_USER = "nobody"
_DOCKER = """#!/bin/sh
[ "$1 $2 $4 $5 $6" = "compose -f exec -T postgres" ] && [ -f "$3" ] || exit 64
shift 6
exec "$@"
"""


class Postgres:
    """A server with the user and the database that the official image makes at its first start."""

    def __init__(self, folder: Path, programs: Path) -> None:
        self.folder = folder
        self._programs = programs
        self._server: subprocess.Popen[bytes] | None = None
        commands = folder / "bin"
        commands.mkdir()
        (commands / "docker").write_text(_DOCKER, encoding="utf-8")
        (commands / "docker").chmod(0o755)
        #: What a script needs to find it.
        self.environment = {
            "PATH": f"{commands}:{programs}:{os.defpath}",
            "PGHOST": str(folder / "data"),
        }

    def make(self) -> None:
        """Make its files and start it."""
        self._as_user("initdb", "--no-sync", "--username=temporal", "--auth=trust", "data")
        self.start()
        self.sql("postgres", "CREATE DATABASE temporal")

    def start(self) -> None:
        """Start it, and wait until it takes calls."""
        options = ("-c", "fsync=off", "-c", "listen_addresses=", "-k", str(self.folder / "data"))
        self._server = subprocess.Popen(
            [self._programs / "postgres", "-D", "data", *options],
            user=_USER,
            group="nogroup",
            extra_groups=[],
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        ready = [self._programs / "pg_isready", "--quiet", "--host", self.folder / "data"]
        wait_until(lambda: subprocess.run(ready, check=False).returncode == 0, "PostgreSQL answers")

    def stop(self) -> None:
        """End it as the official image does: what is under way is broken off, nothing is lost."""
        if self._server is not None:
            self._server.send_signal(2)
            self._server.wait(30)
            self._server = None

    def sql(self, database: str, statement: str) -> str:
        """Have it carry out a statement."""
        return subprocess.run(
            [*self.client(database), "--command", statement],
            env=self.environment,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()

    def client(self, database: str) -> list[str]:
        """Give the command of a client that is connected as long as it runs."""
        options = ("--no-psqlrc", "--quiet", "--tuples-only", "--no-align")
        return [str(self._programs / "psql"), "--username=temporal", *options, database]

    def _as_user(self, program: str, *words: str) -> None:
        subprocess.run(
            [self._programs / program, *words],
            user=_USER,
            group="nogroup",
            extra_groups=[],
            cwd=self.folder,
            capture_output=True,
            check=True,
        )


@contextmanager
def postgres() -> Iterator[Postgres]:
    """Run one; its folder is reached by the user who runs it, as those of pytest are not."""
    programs = max(Path("/usr/lib/postgresql").glob("*/bin"), default=None)
    assert programs, "setup.sh test installs postgresql"
    # In memory, where there is such a folder: it writes a few files for each database.
    memory = "/dev/shm"  # noqa: S108 - the folder in it has a name of its own
    folder = Path(
        tempfile.mkdtemp(prefix="postgres-", dir=memory if Path(memory).is_dir() else None)
    )
    os.chown(folder, pwd.getpwnam(_USER).pw_uid, -1)
    server = Postgres(folder, programs)
    try:
        server.make()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder)
