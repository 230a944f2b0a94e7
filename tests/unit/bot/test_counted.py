"""Does a line that may come at any rate stay one a minute, with its number?"""

from __future__ import annotations

import logging
from typing import Any

import pytest

from bot.counted import CountedLine, server_log
from tests.rigs.waiting import eventually

_log = logging.getLogger("tests.counted")


def _lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    return [vars(record) for record in caplog.records if record.name.startswith(_log.name)]


async def test_the_first_is_a_line_at_once_and_the_rest_of_the_minute_is_one_more(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A thousand times are two lines, which count them all; a silent minute is none."""
    line = CountedLine(_log, "forged", every=0.3)

    for number in range(1000):
        line.note(remote=number)
    assert [(found["times"], found["remote"]) for found in _lines(caplog)] == [(1, 0)]
    await eventually(lambda: len(_lines(caplog)) == 2)
    assert [(found["times"], found["remote"]) for found in _lines(caplog)] == [(1, 0), (999, 999)]

    # The next one within the minute behind the second line waits for its end too.
    line.note(remote=1)
    assert len(_lines(caplog)) == 2
    await eventually(lambda: len(_lines(caplog)) == 3)
    assert _lines(caplog)[-1]["times"] == 1


async def test_after_a_silent_minute_the_next_is_a_line_at_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """What comes seldom is told when it comes."""
    line = CountedLine(_log, "forged", every=0.01)
    line.note()
    await eventually(lambda: line._silence is None)

    line.note()

    assert [found["times"] for found in _lines(caplog)] == [1, 1]


async def test_the_level_is_that_of_the_event(caplog: pytest.LogCaptureFixture) -> None:
    """What harms nobody is no warning."""
    with caplog.at_level(logging.INFO):
        CountedLine(_log, "seen before", level=logging.INFO).note(kind="click")

    (found,) = _lines(caplog)
    assert (found["levelname"], found["msg"], found["kind"]) == ("INFO", "seen before", "click")


async def test_a_fault_of_our_own_keeps_its_stack_trace(caplog: pytest.LogCaptureFixture) -> None:
    """Only what outsiders do is counted."""
    log = server_log(_log)
    for _ in range(3):
        for error in (ConnectionResetError("gone"), ValueError("a bug")):
            try:
                raise error
            except (ConnectionError, ValueError):
                log.exception("Error handling request from %s", "192.0.2.1")

    lines = _lines(caplog)
    assert [line["msg"] for line in lines if line["levelname"] == "WARNING"] == [
        "refused: a call that is no HTTP"
    ]
    bugs = [line for line in lines if line["levelname"] == "ERROR"]
    assert len(bugs) == 3
    assert all(line["exc_info"][0] is ValueError for line in bugs)
