"""Does a test of many cases run each of them, and name all that fail?"""

from __future__ import annotations

import inspect

import pytest

from tests.rigs.every_case import every_case


def test_every_case_runs_and_those_that_fail_are_named() -> None:
    """One that fails does not keep the others from being tried."""
    tried: list[tuple[str, int]] = []

    @every_case("number", [1, 2, 3])
    def check(number: int, word: str) -> None:
        tried.append((word, number))
        assert number == 2

    with pytest.raises(ExceptionGroup, match="2 of 3 cases of number fail") as failed:
        check(word="a fixture")
    assert tried == [("a fixture", 1), ("a fixture", 2), ("a fixture", 3)]
    notes = [error.__notes__ for error in failed.value.exceptions]
    assert notes == [["with number = 1"], ["with number = 3"]]


def test_what_a_test_asks_for_beside_its_cases_is_still_asked_for() -> None:
    """Pytest gives fixtures by the names that are left; the cases are no fixture."""

    @every_case("number", [1])
    def check(number: int, word: str) -> None:
        """Take both."""

    assert list(inspect.signature(check).parameters) == ["word"]


def test_a_test_of_no_case_is_a_mistake() -> None:
    """It would pass, whatever it says."""
    with pytest.raises(AssertionError, match="no case of number"):
        every_case("number", [])
