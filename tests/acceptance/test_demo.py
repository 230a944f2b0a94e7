"""Does the demo go from its first line to its last, on a terminal, as a newcomer sees it?"""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rigs.dockerd import DockerEngine
from tests.rigs.waiting import wait_until

# It takes a laptop of its own, and three scenes.
pytestmark = pytest.mark.slow

_ROOT = Path(__file__).parents[2]
#: On a machine that does nothing else it is half of this and less.
_ENDS_WITHIN = 5.0


class Screen:
    """A terminal with the demo on it."""

    def __init__(self, docker_host: str) -> None:
        self._ours, theirs = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "deploy.laptop", "demo", "--docker-host", docker_host],
            cwd=_ROOT,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)
        self.text = ""
        self._reading = threading.Thread(target=self._read)
        self._reading.start()

    def until(self, pattern: str, seconds: float = 100) -> re.Match[str]:
        """Wait until something stands there."""
        wait_until(
            lambda: bool(re.search(pattern, self.text)) or self.process.poll() is not None,
            f"{pattern} stands there",
            seconds=seconds,
        )
        found = re.search(pattern, self.text)
        assert found, self.text
        return found

    def close(self) -> None:
        """End the demo if it still runs, and read to the end."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)
        self._reading.join()

    def _read(self) -> None:
        try:
            while some := os.read(self._ours, 4096):
                self.text += some.decode(errors="replace").replace("\r\n", "\n")
        except OSError:
            # So ends a terminal that nobody writes to any more.
            os.close(self._ours)


@pytest.fixture
def screen(engine: DockerEngine) -> Iterator[Screen]:
    """The demo, begun, on an engine that has nothing else to do."""
    engine.clear()
    begun = Screen(engine.base_url)
    yield begun
    begun.close()
    engine.clear()


def test_the_demo_from_its_first_line_to_its_last(screen: Screen, engine: DockerEngine) -> None:
    """Three scenes, what to type and what is a stand-in; a killed worker; Ctrl-C, and nothing left.

    The time is that from Ctrl-C on: longer, and people press it once more.
    """
    told = screen.until(r"kill -9 (\d+) \(the worker\), Approve\n(?:.*\n)+?Ctrl-C stops.*\n")
    assert "3 of 3 scenes went as they should" in screen.text
    assert '/container stop cache-1 snapshot reason="my first one"' in told.string
    assert "shows everybody's private messages to everybody" in told[0]

    os.kill(int(told[1]), signal.SIGKILL)
    back = screen.until(r"worker is back, pid (\d+)\n")
    os.kill(int(back[1]), 0)

    pressed = time.monotonic()
    screen.process.send_signal(signal.SIGINT)
    assert screen.process.wait(60) == 0
    took = time.monotonic() - pressed
    screen.close()
    assert screen.text.splitlines()[-1].startswith("stopped; nothing is left")
    assert engine.api.containers(all=True) == []
    assert engine.images() == set()
    with pytest.raises(ProcessLookupError):
        os.kill(int(back[1]), 0)
    assert took < _ENDS_WITHIN * _load()


def _load() -> float:
    """Say how many want each processor: here other tests run beside."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
