"""Do the time limits fit into each other?"""

from __future__ import annotations

import pytest

from workflows.model.timing import MAX_GRACE_SECONDS, Timing


def test_time_limits_fit_into_each_other() -> None:
    """The limits that ship pass their own check."""
    Timing().check()


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"stop_margin": 5}, "kill"),
        ({"stop_extra": 20}, "stop"),
        ({"commit_extra": 0}, "commit"),
        ({"verify_health": 0}, "undo of a start"),
        ({"heartbeat_interval": 9}, "heartbeat"),
    ],
)
def test_time_limits_that_do_not_fit_are_named(changes: dict[str, int], rule: str) -> None:
    """A limit that breaks the arithmetic stops the program at start, not a container at night."""
    with pytest.raises(ValueError, match=rule):
        Timing(**changes).check()


def test_longest_stop_fits() -> None:
    """Even the longest grace leaves room for the engine's own escalation."""
    timing = Timing()
    assert timing.stop_http(MAX_GRACE_SECONDS) < timing.stop_attempt(MAX_GRACE_SECONDS)
