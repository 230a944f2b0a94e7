"""What does an engine leave when it is killed, and how is that removed?"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path


def has_containerd(directory: Path) -> bool:
    """Tell whether the containerd of the engine in a directory still runs."""
    return any(line.split()[0].endswith("containerd") for _, line in _processes(directory))


def remove_remains(directory: Path) -> None:
    """End the shims and containers of a killed engine, and remove all its files."""
    for pid in _leftovers(directory):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    mounts = Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()
    for point in sorted((line.split()[1] for line in mounts), reverse=True):
        if Path(point).is_relative_to(directory):
            subprocess.run(["umount", "--lazy", point], check=False)
    shutil.rmtree(directory, ignore_errors=True)


def _leftovers(directory: Path) -> list[int]:
    shims = [pid for pid, _ in _processes(directory)]
    children = [
        int(child) for pid in shims for child in _read(f"/proc/{pid}/task/{pid}/children").split()
    ]
    return [*shims, *children]


def _processes(directory: Path) -> Iterator[tuple[int, str]]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            line = _read(f"{entry}/cmdline").replace("\0", " ")
            if f"{directory}/exec" in line and int(entry.name) != os.getpid():
                yield int(entry.name), line


def _read(path: str) -> str:
    try:
        return Path(path).read_text(errors="replace")
    except OSError:
        return ""
