"""What do the measured rounds come to, and how is it told?"""

from __future__ import annotations

import statistics
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

#: What the issue of this bar asks for; the table sets each figure beside it.
MOST_TIMES: Final = 1.3
MOST_EVENTS: Final = 60
MOST_CPU_MS: Final = {"worker": 90.0, "temporal": 170.0}
#: With more than this waiting for each processor before it began, a run tells little.
_BUSY: Final = 0.3
BARE, NAIVE, OURS = "bare docker-py", "naive bot", "Dockwarden"


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """The seconds that the same work took on the three sides, one after the other."""

    bare: float
    naive: float
    ours: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What one process used of the machine for each request, and holds of its memory now."""

    cpu_ms: float
    rss_mb: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """Where it was measured; ``load`` is what waited for the processors before it began."""

    processors: int
    load: float
    engine: str
    storage: str

    @property
    def is_idle(self) -> bool:
        """Whether nothing else was at work."""
        return self.load <= _BUSY * self.processors


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """All that a run came to. ``events`` are of the history of one request, by workflow."""

    at: datetime
    version: str
    is_sealed: bool
    machine: Machine
    rounds: Sequence[Round]
    events: Mapping[str, int]
    usage: Mapping[str, Usage]

    def milliseconds(self, side: str, share: float) -> float:
        """Give the time within which that share of a side's rounds was done."""
        taken = {
            BARE: [one.bare for one in self.rounds],
            NAIVE: [one.naive for one in self.rounds],
            OURS: [one.ours for one in self.rounds],
        }[side]
        return round(1000 * percentile(taken, share), 1)

    @property
    def times_naive(self) -> float:
        """How many times as long as the naive bot we take: the median of the pairs."""
        return round(statistics.median(one.ours / one.naive for one in self.rounds), 2)

    @property
    def naive_times_bare(self) -> float:
        """How many times as long as bare calls the naive bot takes."""
        return round(statistics.median(one.naive / one.bare for one in self.rounds), 2)

    @property
    def events_of_ours(self) -> int:
        """How many events an approved stop with a snapshot has, in both of its histories."""
        return sum(number for name, number in self.events.items() if name != NAIVE)

    def as_json(self) -> dict[str, Any]:
        """Give all of it as JSON takes it."""
        return {
            "measured_at": self.at.isoformat(timespec="seconds"),
            "version": self.version,
            "sealed": self.is_sealed,
            "machine": {
                "processors": self.machine.processors,
                "load_before": self.machine.load,
                "idle": self.machine.is_idle,
                "engine": self.machine.engine,
                "storage": self.machine.storage,
            },
            "rounds": len(self.rounds),
            "click_to_done_ms": {
                side: {
                    "p50": self.milliseconds(side, 0.5),
                    "p95": self.milliseconds(side, 0.95),
                }
                for side in (BARE, NAIVE, OURS)
            },
            "ours_times_naive": self.times_naive,
            "naive_times_bare": self.naive_times_bare,
            "history_events": {**self.events, "ours": self.events_of_ours},
            "usage": {
                name: {"cpu_ms_per_request": used.cpu_ms, "rss_mb": used.rss_mb}
                for name, used in self.usage.items()
            },
        }


def percentile(values: Sequence[float], share: float) -> float:
    """Give the value that this share of all values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def table(figures: Figures) -> list[str]:
    """Write the figures as people read them."""
    machine = figures.machine
    where = f"{machine.processors} processors, Docker {machine.engine} on {machine.storage}"
    sealed = f"{'with' if figures.is_sealed else 'without'} a seal key"
    return [
        f"{len(figures.rounds)} rounds on {where}, {sealed}",
        *_warnings(machine),
        "",
        *_times(figures),
        "",
        *_events(figures),
        "",
        *_usage(figures),
    ]


def _warnings(machine: Machine) -> Iterator[str]:
    if not machine.is_idle:
        yield (
            f"! other work waited for the processors (load {machine.load:.2f}): these times tell "
            "little; measure on an idle machine"
        )


def _times(figures: Figures) -> Iterator[str]:
    yield f"{'click to done, ms':<28}{'p50':>8}{'p95':>8}"
    for side in (BARE, NAIVE, OURS):
        told = (figures.milliseconds(side, share) for share in (0.5, 0.95))
        yield f"  {side:<26}" + "".join(f"{one:>8.0f}" for one in told)
    yield f"{'median of the pairs':<28}"
    yield f"  {'naive bot / bare':<26}{figures.naive_times_bare:>8.2f}"
    yield f"  {'Dockwarden / naive bot':<26}{figures.times_naive:>8.2f}{_bar(MOST_TIMES)}"


def _events(figures: Figures) -> Iterator[str]:
    yield "history events of an approved stop with a snapshot"
    for name, number in figures.events.items():
        yield f"  {name:<26}{number:>8}"
    yield f"  {'Dockwarden, together':<26}{figures.events_of_ours:>8}{_bar(MOST_EVENTS)}"


def _usage(figures: Figures) -> Iterator[str]:
    yield f"{'of a request':<28}{'CPU ms':>8}{'RSS MB':>8}"
    for name, used in figures.usage.items():
        bar = _bar(MOST_CPU_MS[name], of="CPU ms") if name in MOST_CPU_MS else ""
        yield f"  {name:<26}{used.cpu_ms:>8.0f}{used.rss_mb:>8.0f}{bar}"


def _bar(most: float, of: str = "") -> str:
    return f"   (goal: at most {most:g}{f' {of}' if of else ''})"


def sentence(figures: Figures) -> str:
    """Tell the ratio as docs/performance.md does: with its date, and how it was measured."""
    idle = "an idle machine" if figures.machine.is_idle else "a machine with other work"
    sealed = "with" if figures.is_sealed else "without"
    words = (
        f"**Speed:** from the click on Approve until the card says that a stop with a snapshot is "
        f"done, Dockwarden takes {figures.times_naive:g} times as long as a bot without any "
        f"safety, {sealed} a seal key ({figures.at:%Y-%m-%d}, `make bench`: the median of "
        f"{len(figures.rounds)} pairs that took turns on one engine on {idle} with "
        f"{figures.machine.processors} processors: {figures.milliseconds(OURS, 0.5):.0f} ms, "
        f"{figures.milliseconds(NAIVE, 0.5):.0f} ms; the engine's own calls alone "
        f"{figures.milliseconds(BARE, 0.5):.0f} ms)."
    )
    return textwrap.fill(words, 100, break_long_words=False, break_on_hyphens=False)
