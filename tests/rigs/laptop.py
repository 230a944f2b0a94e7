"""How do tests run the whole laptop as people do, and watch it from outside?

``python -m deploy.laptop up`` as a sub-process, known only by its exit status, what it prints,
and the file that it writes when it is ready.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Self

from deploy.laptop.channel import Channel

_ROOT = Path(__file__).parents[2]
_POLL_SECONDS = 0.02
_READY_SECONDS = 90.0


class LaptopProcess:
    """One laptop: start it, read its ready file, break parts of it, stop it."""

    def __init__(self, directory: Path, docker_host: str, *arguments: str) -> None:
        self.state = directory / "state"
        self.file = directory / "ready.json"
        self.output = directory / "output.log"
        self._arguments = (
            *("--state", str(self.state), "--ready", str(self.file)),
            *("--docker-host", docker_host, *arguments),
        )
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Self:
        """Start it and wait until it is ready."""
        with self.output.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "deploy.laptop", "up", "--no-limits", *self._arguments],
                cwd=_ROOT,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        self.await_ready(after=None)
        return self

    @property
    def ready(self) -> dict[str, Any]:
        """What the ready file says now."""
        found: dict[str, Any] = json.loads(self.file.read_text(encoding="utf-8"))
        return found

    @property
    def channel(self) -> Channel:
        """The channel of its Slack, to ask, press and read in."""
        return Channel(self.ready["slack"])

    @property
    def pids(self) -> dict[str, int]:
        """The process ids of its parts by their names."""
        return dict(self.ready["pids"])

    def kill(self, part: str) -> dict[str, Any]:
        """Kill one part; give what the ready file said before, for :meth:`await_ready`."""
        before = self.ready
        os.kill(before["pids"][part], signal.SIGKILL)
        return before

    def await_ready(self, *, after: dict[str, Any] | None) -> dict[str, Any]:
        """Wait until the ready file is there and says something else than ``after``."""
        deadline = time.monotonic() + _READY_SECONDS
        while True:
            assert self._process is not None
            assert self._process.poll() is None, f"the laptop ended:\n{self.said()}"
            if self.file.exists() and (ready := self.ready) != after:
                return ready
            assert time.monotonic() < deadline, f"the laptop is not ready:\n{self.said()}"
            time.sleep(_POLL_SECONDS)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal, wait for the end and give the exit status."""
        assert self._process is not None
        self._process.send_signal(number)
        status = self._process.wait(90)
        self._process = None
        return status

    def close(self) -> None:
        """Stop it if it still runs."""
        if self._process is not None:
            self.stop()

    def said(self) -> str:
        """What it has printed."""
        return self.output.read_text(encoding="utf-8", errors="replace")
