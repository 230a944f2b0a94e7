"""Which containers of a host does somebody want to see, in which order, and what of them?

One rule for the worker that lists them and for the door that reads the wish: a part of a name, or
a pattern with ``*`` and ``?`` in it, and how a container stands.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase

from workflows.model.requests import ContainerState

#: What a pattern is made of: what names are made of, and what stands for something else.
PATTERN_FORM = re.compile(r"[a-zA-Z0-9_.*?-]{1,255}")
UNHEALTHY = "unhealthy"
_JOKERS = frozenset("*?")
_DIGITS = re.compile(r"(\d+)")


class Which(StrEnum):
    """How a container must stand."""

    ALL = ""
    RUNNING = "running"
    STOPPED = "stopped"
    UNHEALTHY = UNHEALTHY


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is wanted of a list; with nothing in it, all."""

    pattern: str = ""
    which: Which = Which.ALL

    def __bool__(self) -> bool:
        """Whether anything is left out for it."""
        return bool(self.pattern or self.which)

    def matches(self, name: str, state: ContainerState, health: str) -> bool:
        """Whether a container is wanted. A pattern without a joker is a part of the name."""
        pattern = self.pattern.lower()
        if not _JOKERS & set(pattern):
            pattern = f"*{pattern}*"
        return self._stands_so(state, health) and fnmatchcase(name.lower(), pattern)

    def _stands_so(self, state: ContainerState, health: str) -> bool:
        match self.which:
            case Which.RUNNING:
                return not _is_down(state)
            case Which.STOPPED:
                return _is_down(state)
            case Which.UNHEALTHY:
                return health == UNHEALTHY
            case _:
                return True


#: All that there are.
EVERY = Wanted()


@dataclass(frozen=True, slots=True, kw_only=True)
class ListInput:
    """Asks for the containers of a host that are wanted; ``limit`` bounds the answer."""

    host: str
    limit: int = 100
    wanted: Wanted = EVERY


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerSummary:
    """One line of a list of containers.

    ``standing`` says in words how it stands and since when, ``part_of`` which project and service
    it is, and ``ports`` by which ports of its host it is reached; ``snapshots`` counts those kept
    of it. A worker of an earlier release tells none of these.
    """

    name: str
    image: str
    state: ContainerState
    protected: bool = False
    standing: str = ""
    health: str = ""
    part_of: str = ""
    ports: str = ""
    snapshots: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerList:
    """The containers of a host that are wanted, by name; ``total`` counts those left out too.

    ``of`` counts all that the host has; 0 by a worker of an earlier release, which lists them all,
    whatever is wanted.
    """

    containers: tuple[ContainerSummary, ...]
    total: int
    of: int = 0


def in_natural_order(name: str) -> tuple[tuple[int, int, str], ...]:
    """Sort names as people count: ``svc-2`` before ``svc-10``."""
    parts = _DIGITS.split(name.lower())
    return tuple((0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts if part)


def _is_down(state: ContainerState) -> bool:
    return state.is_down or state is ContainerState.DEAD
