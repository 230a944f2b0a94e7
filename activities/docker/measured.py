"""How much has a container written, and was that measured a moment ago?

The engine walks through all files of a container to say it, so a question that anybody can ask as
often as they like must not make it do so each time. Many who ask at once wait for one answer.
"""

from __future__ import annotations

import math
import threading
import time
from dataclasses import dataclass, field
from typing import Final

from temporalio.exceptions import ApplicationError

from activities.docker.engine import Engine

#: A host has fewer containers.
_MOST_KEPT: Final = 1000


def written_bytes(engine: Engine, container_id: str) -> int | None:
    """Ask how big a snapshot will be; ``None`` when the engine cannot say just now.

    It may take too long, or files may vanish under its eyes; then the reserve has to do.
    """
    try:
        return engine.written_bytes(container_id)
    except ApplicationError as error:
        if error.non_retryable:
            raise
        return None


@dataclass(slots=True)
class _Answer:
    """What was measured of one container; its lock is held while it is measured."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    size: int | None = None
    at: float = -math.inf


class RecentSizes:
    """The sizes measured lately, for many threads.

    Args:
        most_kept: of so many containers; beyond that the oldest is forgotten.
    """

    def __init__(self, most_kept: int = _MOST_KEPT) -> None:
        self._most_kept = most_kept
        self._answers: dict[str, _Answer] = {}
        self._lock = threading.Lock()

    def written_bytes(self, engine: Engine, container_id: str, *, within: float) -> int:
        """Say what :meth:`measured` says; what the engine cannot say counts for nothing."""
        return self.measured(engine, container_id, within=within) or 0

    def measured(self, engine: Engine, container_id: str, *, within: float) -> int | None:
        """Say what :func:`written_bytes` says, or said within so many seconds.

        "Cannot say" is remembered as well.
        """
        with self._lock:
            answer = self._answers.setdefault(container_id, _Answer())
            if len(self._answers) > self._most_kept:
                del self._answers[next(iter(self._answers))]
        with answer.lock:
            if time.monotonic() - answer.at >= within:
                answer.size = written_bytes(engine, container_id)
                answer.at = time.monotonic()
            return answer.size
