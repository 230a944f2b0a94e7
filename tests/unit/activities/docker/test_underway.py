"""Is what one snapshot was promised not promised to another, and for no longer than it holds?"""

from __future__ import annotations

from collections.abc import Callable

from activities.docker.underway import Underway

_FIRST, _SECOND = "a" * 64, "b" * 64


def _room(free: int, size: int) -> Callable[[int], str | None]:
    return lambda promised: "full" if size > free - promised else None


def test_two_at_once_are_told_of_each_other() -> None:
    """The second finds what the first will leave; the first does not count itself twice."""
    underway = Underway()
    assert underway.promise(_FIRST, 60, 60, _room(100, 60)) is None
    assert underway.promise(_SECOND, 60, 60, _room(100, 60)) == "full"
    assert underway.promise(_FIRST, 60, 60, _room(100, 60)) is None
    underway.over(_FIRST)
    assert underway.promise(_SECOND, 60, 60, _room(100, 60)) is None


def test_what_was_refused_is_promised_nothing() -> None:
    """One for which there is no room takes none from the others."""
    underway = Underway()
    assert underway.promise(_FIRST, 200, 60, _room(100, 200)) == "full"
    assert underway.promise(_SECOND, 100, 60, _room(100, 100)) is None


def test_a_promise_lapses_unless_its_commit_begins() -> None:
    """An operation that ended in between takes no room for ever; a long commit keeps its own."""
    underway = Underway()
    underway.promise(_FIRST, 60, -1, _room(100, 60))
    assert underway.promise(_SECOND, 60, -1, _room(100, 60)) is None
    underway.prolong(_SECOND, 60)
    assert underway.promise(_FIRST, 60, 60, _room(100, 60)) == "full"
    # Nothing is promised by what only goes on.
    underway.over(_SECOND)
    underway.prolong(_SECOND, 60)
    assert underway.promise(_FIRST, 60, 60, _room(100, 60)) is None
