"""What does one laptop remember between two runs, and who may use it now?

Its ports, so that links and scripts stay valid, and Temporal's database. One laptop at a time
uses a state directory: two Temporal servers on one database would ruin it.
"""

from __future__ import annotations

import fcntl
import json
import random
import secrets
import socket
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Self

from deploy.laptop.console import LaptopError

LOOPBACK = "127.0.0.1"
#: Below the range from which systems take ports for outgoing connections: a part that is being
#: restarted finds its port free.
_RANGE = range(20_000, 32_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """The ports of the laptop's parts."""

    slack: int
    temporal: int
    temporal_ui: int
    bot_health: int
    worker_health: int


class StateDirectory:
    """The directory of one laptop. Use as a context manager: it is locked meanwhile."""

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        self._lock: IO[str] | None = None

    def __enter__(self) -> Self:
        """Take the directory, made if it is not there.

        Raises:
            LaptopError: another laptop has it.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        self.logs.mkdir(exist_ok=True)
        self._lock = (self.path / "lock").open("w", encoding="utf-8")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._lock.close()
            message = f"another laptop runs on {self.path}: stop it, or use another --state"
            raise LaptopError(message) from error
        return self

    def __exit__(self, *_exc: object) -> None:
        """Leave the directory to the next one."""
        if self._lock:
            self._lock.close()

    @property
    def logs(self) -> Path:
        """Where each part writes its log."""
        return self.path / "logs"

    @property
    def database(self) -> Path:
        """Temporal's database."""
        return self.path / "temporal.db"

    def forget_requests(self) -> None:
        """Remove Temporal's database, and with it all requests."""
        for file in self.path.glob(f"{self.database.name}*"):
            file.unlink()

    @property
    def owner(self) -> str:
        """Name this laptop on what it makes in an engine that others use too."""
        return f"{socket.gethostname()}:{self.path}"

    def ports(self) -> Ports:
        """Give the ports of this laptop: the same as last time where they are still free."""
        file = self.path / "ports.json"
        known: dict[str, int] = {}
        with suppress(OSError, ValueError, TypeError):
            known = asdict(Ports(**json.loads(file.read_text(encoding="utf-8"))))
        ports = Ports(**_choose(known))
        file.write_text(json.dumps(asdict(ports)), encoding="utf-8")
        return ports

    def secret(self, name: str) -> str:
        """Give a made-up secret of this laptop: it is nowhere else, and the same at each run."""
        return self.secret_file(name).read_text(encoding="utf-8")

    def secret_file(self, name: str) -> Path:
        """Name the file that holds such a secret."""
        file = self.path / f"{name}.secret"
        if not file.exists():
            file.touch(mode=0o600)
            file.write_text(secrets.token_hex(16), encoding="utf-8")
        return file


def is_alive(owner: str) -> bool:
    """Tell whether the laptop that made something is still running; one elsewhere counts as so."""
    host, _, path = owner.partition(":")
    if host != socket.gethostname():
        return True
    try:
        with (Path(path) / "lock").open("r+", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False


def write_atomically(file: Path, text: str) -> None:
    """Write a file that a reader sees whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    draft.write_text(text, encoding="utf-8")
    draft.replace(file)


def _choose(known: dict[str, int]) -> dict[str, int]:
    """Keep what is free, choose the rest; all are held open until all are chosen."""
    with ExitStack() as held:
        return {
            name: held.enter_context(_listener(known.get(name))).getsockname()[1]
            for name in Ports.__dataclass_fields__
        }


def _listener(preferred: int | None) -> socket.socket:
    candidates = random.SystemRandom().sample(_RANGE, k=min(200, len(_RANGE)))
    for port in [preferred, *candidates] if preferred else candidates:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((LOOPBACK, port))
            # One that only has its port shares it with the next that wants it.
            listener.listen()
        except OSError:
            listener.close()
            continue
        return listener
    message = f"no free port between {_RANGE.start} and {_RANGE.stop} on {LOOPBACK}"
    raise LaptopError(message)
