"""How much will the snapshots that are under way still write to the disk of a host?

Many stops may be let through at once, and each sees the same free disk: what one was promised is
not free for the next. A promise is made right before a stop and kept until its commit is over. It
lapses by itself, for an operation may end in between, and its worker too.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

_T = TypeVar("_T")


class Underway:
    """What the snapshots of one host were promised, by container; for many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._promised: dict[str, tuple[int, float]] = {}

    def promise(
        self, container_id: str, size: int, seconds: float, shortage: Callable[[int], _T | None]
    ) -> _T | None:
        """Promise a container room for so many bytes, and for so long, if there is.

        Args:
            container_id: whose snapshot it is.
            size: how much it will write.
            seconds: when the promise lapses.
            shortage: is given what others were promised, and says why there is no room.
        """
        with self._lock:
            now = time.monotonic()
            self._promised = {
                other: promised for other, promised in self._promised.items() if promised[1] > now
            }
            others = sum(
                promised for other, (promised, _) in self._promised.items() if other != container_id
            )
            short = shortage(others)
            if short is None:
                self._promised[container_id] = size, now + seconds
            return short

    def prolong(self, container_id: str, seconds: float) -> None:
        """Keep what was promised for longer: its commit begins."""
        with self._lock:
            known = self._promised.get(container_id)
            if known is not None:
                self._promised[container_id] = known[0], time.monotonic() + seconds

    def over(self, container_id: str) -> None:
        """Forget a promise: it is kept, or there is to be no snapshot."""
        with self._lock:
            self._promised.pop(container_id, None)
