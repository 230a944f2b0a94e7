"""How much of the machine does a process use, and is anything else at work on it?"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.bench.figures import Usage

_TICKS = os.sysconf("SC_CLK_TCK")
_MEGABYTE = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The processor's seconds of each process until now, by its name, at a time of a clock."""

    at: float
    seconds: Mapping[str, float]


def read(pids: Mapping[str, int], at: float) -> Reading:
    """Read what processes have used until now."""
    return Reading(at=at, seconds={name: cpu_seconds(pid) for name, pid in pids.items()})


def cpu_seconds(pid: int) -> float:
    """Give the processor time that a process has used, of all its threads."""
    # The name, in brackets, may hold anything.
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    user, system = int(fields[11]), int(fields[12])
    return (user + system) / _TICKS


def resident_mb(pid: int) -> float:
    """Give the memory that a process holds."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmRSS:"):
            return round(int(line.split()[1]) / _MEGABYTE, 1)
    message = f"process {pid} tells no memory: it has ended"
    raise RuntimeError(message)


def usage(
    pids: Mapping[str, int], *, idle: tuple[Reading, Reading], busy: tuple[Reading, Reading], n: int
) -> dict[str, Usage]:
    """Share out what ``n`` requests cost; what a process uses while it waits is not theirs."""
    return {
        name: Usage(
            cpu_ms=round(1000 * _above_idle(name, idle, busy) / n, 1), rss_mb=resident_mb(pid)
        )
        for name, pid in pids.items()
    }


def _above_idle(name: str, idle: tuple[Reading, Reading], busy: tuple[Reading, Reading]) -> float:
    def used(span: tuple[Reading, Reading]) -> float:
        return span[1].seconds[name] - span[0].seconds[name]

    rate = used(idle) / (idle[1].at - idle[0].at)
    return used(busy) - rate * (busy[1].at - busy[0].at)
