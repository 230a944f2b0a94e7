"""Is a part looked at soon while it is away, seldom while it is there, each change told once?"""

from __future__ import annotations

import asyncio
import logging

import pytest

from activities import watch
from activities.watch import Sight, Watch

_THERE = Sight(event="there", facts={"version": "1"})
_AWAY = Sight(event="away", problem="no answer")


class Part:
    """A part that is found as the test says, and then the test's end."""

    def __init__(self, *sights: Sight | None) -> None:
        self._sights = list(sights)
        self.problems: list[str] = []
        self.watch = Watch(self._look, every=30, until_known="not asked yet")

    async def watched(self) -> list[str]:
        """Watch until all was seen; give what was wrong before each look."""
        with pytest.raises(asyncio.CancelledError):
            await self.watch.run()
        return self.problems

    async def _look(self) -> Sight | None:
        self.problems.append(self.watch.problem)
        if not self._sights:
            raise asyncio.CancelledError
        return self._sights.pop(0)


@pytest.fixture(name="waits")
def _waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Note how long the watch waits, and do not."""
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr(watch.asyncio, "sleep", sleep)  # type: ignore[attr-defined]  # its import
    return waits


async def test_the_waits_grow_while_it_is_away(waits: list[float]) -> None:
    """Up to the usual time between two looks, and anew at each absence."""
    await Part(*[_AWAY] * 7, _THERE, _AWAY, _AWAY).watched()

    assert waits == [1, 2, 4, 8, 16, 30, 30, 30, 1, 2]


async def test_what_is_wrong_is_known_from_the_start(waits: list[float]) -> None:
    """Before the first look, after each, and what nobody knows stays as it was."""
    problems = await Part(_AWAY, None, _THERE, None).watched()

    assert problems == ["not asked yet", "no answer", "no answer", "", ""]
    assert waits


async def test_each_change_is_told_once(
    waits: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    """A line for each change, with its facts; an upgrade is one too."""
    caplog.set_level(logging.INFO)
    upgraded = Sight(event="there", facts={"version": "2"})

    await Part(_AWAY, _AWAY, _THERE, _THERE, upgraded, None, upgraded).watched()

    told = [(record.levelname, record.getMessage()) for record in caplog.records]
    assert told == [("WARNING", "away"), ("INFO", "there"), ("INFO", "there")]
    assert [vars(record).get("version") for record in caplog.records] == [None, "1", "2"]
    assert waits
