"""What becomes of the laptop when its terminal is closed?"""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from tests.rigs.dockerd import DockerEngine
from tests.rigs.waiting import wait_until

# Each starts a laptop, a host or a browser of its own.
pytestmark = pytest.mark.slow

_ROOT = Path(__file__).parents[2]


def test_a_closed_terminal_does_not_keep_it_from_ending(
    engine: DockerEngine, tmp_path: Path
) -> None:
    """With nobody left to print to, SIGTERM still ends it in order and all its parts with it."""
    ready = tmp_path / "ready.json"
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "deploy.laptop", "up", "--no-containers"),
            *("--docker-host", engine.base_url),
            *("--state", str(tmp_path / "state"), "--ready", str(ready)),
        ],
        cwd=_ROOT,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    try:
        os.close(theirs)
        wait_until(ready.exists, "the laptop is ready")
        os.close(ours)
        process.terminate()
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()
    assert not ready.exists()
