"""What does `dockwarden check` ask of what only a worker has: its engine and its policy book?

The program itself knows neither Docker nor the book; it hands these on.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from activities.docker.capacity import SnapshotCapacity
from activities.docker.engine import Engine
from activities.docker.protection import Protection
from activities.policies import book as books
from activities.policies.book import PolicyBookError
from workflows.model.requests import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineReport:
    """Whether an engine can be used as it is, and in one line how it is or what is wrong."""

    usable: bool
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BookReport:
    """What a policy book holds, or by ``problems`` why it is of no use.

    ``uncovered`` are the operations of no policy, and ``overtaken`` the names of policies that say
    nothing of operations which one below them allows.
    """

    policies: tuple[Policy, ...] = ()
    hash: str = ""
    uses_groups: bool = False
    uncovered: tuple[str, ...] = ()
    overtaken: dict[str, tuple[str, ...]] = field(default_factory=dict)
    problems: tuple[str, ...] = ()


def check_docker(base_url: str, min_free_mb: int, data_root: Path | None) -> EngineReport:
    """Say how the engine is."""
    engine = Engine(base_url=base_url, host="check", protection=Protection())
    capacity = SnapshotCapacity(min_free_mb=min_free_mb, data_root=data_root)
    try:
        facts = engine.facts()
        disk = capacity.describe(engine)
    except Exception as error:  # noqa: BLE001 - whatever is wrong, an operator wants one line
        words = f"{getattr(error, 'message', 'cannot be used')} ({base_url})"
        return EngineReport(usable=False, words=words)
    words = (
        f"{facts.version}, API {facts.api_version}, storage driver {facts.storage_driver}, "
        f"{disk.words}"
    )
    if facts.warning:
        return EngineReport(usable=False, words=f"{words}: {facts.warning}")
    return EngineReport(usable=disk.enough, words=words)


def check_policies(path: Path) -> BookReport:
    """Say what the book of a control worker that is set so holds."""
    try:
        book = books.load(path)
    except PolicyBookError as error:
        return BookReport(problems=tuple(str(error).splitlines()))
    return BookReport(
        policies=book.policies,
        hash=book.hash,
        uses_groups=book.uses_groups,
        uncovered=books.uncovered(book),
        overtaken=books.overtaken(book),
    )
