"""What is good to know of a container, and worth no waiting?

How large its snapshot would be, which the engine finds out by walking through all of its files;
which snapshots of it are kept; by which digest its image is known. Asked beside the look that a
person waits for: what is not there in time is left out, and no failure of it is one of the look.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, TimeoutError as NotInTime
from dataclasses import dataclass
from typing import Final, TypeVar

from temporalio.exceptions import ApplicationError

from activities.docker.answers import ContainerInspect, EngineFacts, ImageInspect
from activities.docker.capacity import SnapshotCapacity
from activities.docker.engine import Engine
from activities.docker.kept import KeptSnapshots
from activities.docker.measured import RecentSizes
from workflows.model.requests import Fact, FactPlace
from workflows.model.words import size

_WITHIN: Final = 1.0
#: Of as many looks at once as a worker makes some may be slow, and the others not for that.
_THREADS: Final = 8
_Answer = TypeVar("_Answer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What was asked of one container; ``written`` for a snapshot alone."""

    until: float
    kept: Future[KeptSnapshots]
    image: Future[ImageInspect | None]
    written: Future[int | None] | None

    def size(self) -> int:
        """Wait until the size is known; what the engine cannot say counts for nothing."""
        return (self.written.result() if self.written is not None else None) or 0


class Beside:
    """Asks one engine, beside the looks of all threads of its worker."""

    def __init__(self, engine: Engine, capacity: SnapshotCapacity, sizes: RecentSizes) -> None:
        self._engine = engine
        self._capacity = capacity
        self._sizes = sizes
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="beside")

    def ask(self, seen: ContainerInspect, *, for_snapshot: bool) -> Asked:
        """Begin to ask, and wait for nothing."""
        container, kept = seen.container_id, self._engine.timing.size_kept
        written = None
        if for_snapshot:
            measure = self._sizes.measured
            written = self._pool.submit(measure, self._engine, container, within=kept)
        return Asked(
            until=time.monotonic() + _WITHIN,
            kept=self._pool.submit(self._engine.snapshots, container),
            image=self._pool.submit(self._engine.image, seen.image_id),
            written=written,
        )

    def kept(self) -> KeptSnapshots:
        """Ask for the snapshots of all containers; what comes too late is as if there were none."""
        asked = self._pool.submit(self._engine.snapshots)
        return _in_time(asked, time.monotonic() + _WITHIN) or KeptSnapshots(())

    def facts(self, seen: ContainerInspect, engine: EngineFacts, asked: Asked) -> Iterator[Fact]:
        """Tell what is known by now, or in a moment."""
        if asked.written is not None:
            written = _in_time(asked.written, asked.until)
            words = _room(written, self._capacity.free_bytes(self._engine, engine))
            if words:
                yield Fact(label=words, place=FactPlace.SNAPSHOT)
        kept = _in_time(asked.kept, asked.until)
        if kept is not None:
            yield from kept.facts(seen.container_id)
        yield Fact(label="image id", value=seen.image_id, place=FactPlace.DETAILS)
        image = _in_time(asked.image, asked.until)
        if image is not None and image.digest:
            yield Fact(label="image digest", value=image.digest, place=FactPlace.DETAILS)


def _in_time(asked: Future[_Answer], until: float) -> _Answer | None:
    try:
        return asked.result(max(until - time.monotonic(), 0))
    except (NotInTime, ApplicationError):
        asked.cancel()
        return None


def _room(written: int | None, free: int | None) -> str:
    """Say how large a snapshot will be beyond its image, and how much room there is for it."""
    large = "" if written is None else f"about {size(written)}" if written else "nothing written"
    return ", ".join(part for part in (large, "" if free is None else f"{size(free)} free") if part)
