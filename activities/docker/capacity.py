"""Is there room for one more snapshot: on the engine's disk, and beside those already kept?

Asked when a request is planned, and again before the container is stopped for it: a snapshot
that will not fit must cost no down time. Nothing is ever removed to make room; which snapshots
are still needed is for people to say.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from activities.docker.answers import EngineFacts
from activities.docker.engine import Engine
from activities.docker.preflight import Obstacle
from workflows.model.errors import ErrorType

_UNIX: Final = "unix://"
_MB: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class DiskSpace:
    """Whether the disk has room for a snapshot at all, and in words how much."""

    enough: bool
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotCapacity:
    """How much of one host snapshots may take; 0 switches a limit off.

    ``data_root`` is a directory on the file system that holds the engine's images, as this
    process sees it; ``None`` for the one that the engine itself names.
    """

    snapshots_per_container: int = 0
    min_free_mb: int = 0
    data_root: Path | None = None

    @property
    def is_limited(self) -> bool:
        """Whether there is anything to look at, which takes the engine some time."""
        return bool(self.snapshots_per_container or self.min_free_mb)

    def shortage(
        self,
        engine: Engine,
        facts: EngineFacts,
        container_id: str,
        measure: Callable[[], int],
    ) -> Obstacle | None:
        """Say why one more snapshot of a container does not fit, or ``None``.

        ``measure`` says how much the container has written, which is dear to find out.
        """
        short = self.too_many(engine, container_id)
        if short is None and self.min_free_mb:
            short = self.too_full(engine, facts, measure())
        return short

    def describe(self, engine: Engine) -> DiskSpace:
        """Say how the engine's disk is, for an operator."""
        free = self.free_bytes(engine)
        if free is None and self.data_root is not None:
            return DiskSpace(False, f"DOCKWARDEN_DATA_ROOT cannot be read: {self.data_root}")
        if free is None:
            return DiskSpace(True, "free space not to be seen from here (DOCKWARDEN_DATA_ROOT)")
        words = f"{free // _MB} MB free"
        if free < self.min_free_mb * _MB:
            return DiskSpace(False, f"{words}, less than the {self.min_free_mb} MB to leave")
        return DiskSpace(True, words)

    def too_many(self, engine: Engine, container_id: str) -> Obstacle | None:
        """Say that as many snapshots of a container are kept as may be, or ``None``."""
        if not self.snapshots_per_container:
            return None
        kept = engine.snapshots(container_id).count(container_id)
        if kept < self.snapshots_per_container:
            return None
        text = f"{kept} are there, and at most {self.snapshots_per_container} are kept"
        return Obstacle(ErrorType.SNAPSHOT_QUOTA, text)

    def too_full(
        self, engine: Engine, facts: EngineFacts, size: int, promised: int = 0
    ) -> Obstacle | None:
        """Say that so many bytes do not fit on the disk beside what others were promised."""
        free = self.free_bytes(engine, facts) if self.min_free_mb else None
        if free is None:
            return None
        free = max(0, free - promised)
        needed = size + self.min_free_mb * _MB
        if free >= needed:
            return None
        text = f"{free // _MB} MB are free, and {-(-needed // _MB)} MB are needed"
        return Obstacle(ErrorType.DISK_FULL, text)

    def free_bytes(self, engine: Engine, facts: EngineFacts | None = None) -> int | None:
        """Say how much is free where the engine keeps its images; ``None``: not to be seen here.

        The engine's own name for the directory holds on its own machine alone, so it is not
        believed of an engine that is reached over a network.
        """
        root = self.data_root
        if root is None and engine.base_url.startswith(_UNIX):
            root = Path((facts or engine.facts()).data_root)
        if root is None or not root.is_absolute():
            return None
        try:
            return shutil.disk_usage(root).free
        except OSError:
            return None
