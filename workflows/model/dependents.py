"""Who lives in a container that is to be stopped, and what became of them?

Others can use its network, IPC or process space. They are never changed: people are told of them
before they decide, and once more after it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum


class Fate(StrEnum):
    """What became of a container that uses a namespace of one that was stopped."""

    NOT_KNOWN = "not_known"
    UNHARMED = "unharmed"
    CUT_OFF = "cut_off"
    DOWN = "down"
    GONE = "gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependent:
    """A container that lives in another one; ``space`` is the namespace of it that it uses.

    ``restart`` is the command that restarts it, in its provider's words.
    """

    name: str
    container_id: str
    space: str
    fate: Fate = Fate.NOT_KNOWN
    restart: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependents:
    """The containers that live in another one: some of them, and how many ``more`` there are.

    ``unseen`` is the number of containers that there was no time to look at.
    """

    found: tuple[Dependent, ...] = ()
    more: int = 0
    unseen: int = 0


NO_DEPENDENTS = Dependents()


def with_newcomers(known: Dependents, users: tuple[Dependent, ...]) -> Dependents:
    """Add those that came after the container was looked at for its card."""
    ids = {one.container_id for one in known.found}
    newcomers = tuple(one for one in users if one.container_id not in ids)
    return replace(known, found=(*known.found, *newcomers)) if newcomers else known
