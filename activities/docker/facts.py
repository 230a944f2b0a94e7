"""What do people read of a container of Docker's, on the card and at a look?

In Docker's words, and made here alone: whoever shows it prints it as it comes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from workflows.model.requests import Fact, FactPlace, Mount

_NO_POLICY: Final = "no"


def facts(
    *,
    health: str,
    restart_policy: str,
    has_healthcheck: bool,
    stop_timeout_seconds: int | None,
    auto_remove: bool,
    mounts: Sequence[Mount],
) -> tuple[Fact, ...]:
    """Tell what an approver should see, what a look adds, and what a commit leaves out."""
    return (
        *_seen(health, restart_policy),
        *_at_a_look(
            has_healthcheck=has_healthcheck,
            stop_timeout_seconds=stop_timeout_seconds,
            auto_remove=auto_remove,
        ),
        *_outside(mounts),
    )


def _seen(health: str, restart_policy: str) -> Iterator[Fact]:
    if health == "unhealthy":
        yield Fact(label=health)
    yield Fact(label="restart policy", value=restart_policy or _NO_POLICY)


def _at_a_look(
    *, has_healthcheck: bool, stop_timeout_seconds: int | None, auto_remove: bool
) -> Iterator[Fact]:
    if has_healthcheck:
        yield Fact(label="has a health check", place=FactPlace.LOOK)
    if stop_timeout_seconds is not None:
        yield Fact(label=_stop_timeout(stop_timeout_seconds), place=FactPlace.LOOK)
    if auto_remove:
        yield Fact(label="removed when it stops (--rm)", place=FactPlace.LOOK)


def _stop_timeout(seconds: int) -> str:
    """Say what a stop without a grace of its own means for a container."""
    if seconds < 0:
        return "stop time-out: none"
    return f"stop time-out {seconds} s" if seconds else "stop time-out 0 s: killed at once"


def _outside(mounts: Sequence[Mount]) -> Iterator[Fact]:
    """Name the mounts, whose content ``docker commit`` leaves out."""
    if not mounts:
        yield Fact(label="no mounts", place=FactPlace.LOOK)
    for mount in mounts:
        yield Fact(label=mount.type, value=mount.destination, place=FactPlace.NOT_IN_SNAPSHOT)
