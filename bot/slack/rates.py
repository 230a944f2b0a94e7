"""How often may somebody act, and when may they again?

A token bucket: so many acts at once, and then one after the other as time goes by. Nobody is
remembered for longer than needed: whoever has not acted for long is like somebody new.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

#: So many buckets are kept, those that were used last.
REMEMBERED = 10_000
_MINUTE = 60.0

Clock = Callable[[], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """A limit: ``burst`` at once, then ``per_second``."""

    burst: int
    per_second: float

    @classmethod
    def a_minute(cls, number: int, *, at_once: int | None = None) -> Rate:
        """Allow so many a minute, all of them at once unless told otherwise."""
        return cls(burst=at_once or number, per_second=number / _MINUTE)


class Bucket:
    """What is left of a limit for one person, or one pair of a person and a request."""

    def __init__(self, rate: Rate, now: float) -> None:
        self._rate = rate
        self._tokens = float(rate.burst)
        self._at = now
        #: Whether its person was told that it is empty, and has taken nothing since.
        self.told = False

    def wait(self, now: float) -> float:
        """Give the seconds until something can be taken."""
        grown = self._tokens + (now - self._at) * self._rate.per_second
        self._tokens = min(float(self._rate.burst), grown)
        self._at = now
        return max(0.0, (1 - self._tokens) / self._rate.per_second)

    def take(self, now: float) -> bool:
        """Take one if there is one."""
        if self.wait(now):
            return False
        self._tokens -= 1
        self.told = False
        return True


class Buckets:
    """The buckets of all to whom one limit applies."""

    def __init__(self, rate: Rate, clock: Clock = time.monotonic) -> None:
        self._rate = rate
        self._clock = clock
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()

    def of(self, key: str) -> Bucket:
        """Give the bucket of one of them; the one used longest ago makes room."""
        bucket = self._buckets.pop(key, None) or Bucket(self._rate, self._clock())
        self._buckets[key] = bucket
        if len(self._buckets) > REMEMBERED:
            self._buckets.popitem(last=False)
        return bucket

    def __len__(self) -> int:
        """Say how many there are."""
        return len(self._buckets)
