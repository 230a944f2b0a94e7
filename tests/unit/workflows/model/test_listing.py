"""Are exactly those containers listed that somebody wants to see, in the order of people?"""

from __future__ import annotations

import pytest

from workflows.model.listing import EVERY, Wanted, Which, in_natural_order
from workflows.model.requests import ContainerState

_NAMES = ("db-1", "shop-db", "Web-1", "web-10")


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("", _NAMES),
        ("db", ("db-1", "shop-db")),
        ("db-*", ("db-1",)),
        ("WEB-?", ("Web-1",)),
        ("*-1", ("db-1", "Web-1")),
        ("x", ()),
    ],
)
def test_a_pattern_is_a_part_of_a_name_unless_it_has_a_joker(
    pattern: str, names: tuple[str, ...]
) -> None:
    """Large and small letters are the same to whoever looks for something."""
    wanted = Wanted(pattern=pattern)
    assert tuple(n for n in _NAMES if wanted.matches(n, ContainerState.RUNNING, "")) == names


def test_how_a_container_stands_is_asked_for_in_words() -> None:
    """What is paused is not stopped, and what is dead is."""
    stands = [
        (ContainerState.RUNNING, "healthy"),
        (ContainerState.RUNNING, "unhealthy"),
        (ContainerState.PAUSED, ""),
        (ContainerState.EXITED, ""),
        (ContainerState.DEAD, ""),
    ]

    def found(which: Which) -> list[int]:
        wanted = Wanted(which=which)
        return [n for n, (state, health) in enumerate(stands) if wanted.matches("a", state, health)]

    assert found(Which.ALL) == [0, 1, 2, 3, 4]
    assert found(Which.RUNNING) == [0, 1, 2]
    assert found(Which.STOPPED) == [3, 4]
    assert found(Which.UNHEALTHY) == [1]
    assert (bool(EVERY), bool(Wanted(which=Which.STOPPED))) == (False, True)


def test_names_are_sorted_as_people_count() -> None:
    """Ten comes after two, and a number before a letter."""
    names = ["svc-10", "svc-2", "Svc-1", "svc-b", "9lives", "svc", "svc-٣"]
    assert sorted(names, key=in_natural_order) == [
        "9lives", "svc", "Svc-1", "svc-2", "svc-٣", "svc-10", "svc-b",
    ]  # fmt: skip
