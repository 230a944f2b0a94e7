"""Has every fact words, once and without mark-up?"""

from __future__ import annotations

from datetime import timedelta

import pytest

from workflows.model.words import duration


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-1, "0 s"),
        (0, "0 s"),
        (0.04, "less than 0.1 s"),
        (0.1, "0.1 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (119.4, "119 s"),
        (120, "2 min"),
        (7500, "2 h 5 min"),
        (90061, "1 d 1 h"),
    ],
)
def test_a_duration_reads_well(seconds: float, words: str) -> None:
    """A time is as exact as people need it, and what took a moment did not take 0 s."""
    assert duration(timedelta(seconds=seconds)) == words
