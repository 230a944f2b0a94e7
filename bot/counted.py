"""How does the log stay readable when somebody outside causes the same line again and again?

What reaches a port, and what another workspace or a repeated delivery causes, costs nobody
anything: so the first is a line at once, and those of the minute behind it are one line together,
with their number.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Final

_EVERY_SECONDS: Final = 60.0


class CountedLine:
    """One event of the log that may come at any rate."""

    def __init__(
        self,
        log: logging.Logger,
        event: str,
        *,
        level: int = logging.WARNING,
        every: float = _EVERY_SECONDS,
    ) -> None:
        self._log = log
        self._event = event
        self._level = level
        self._every = every
        self._times = 0
        self._last: dict[str, object] = {}
        self._silence: asyncio.TimerHandle | None = None

    def note(self, **fields: object) -> None:
        """Note the event once more; the line has the fields of its last time."""
        self._times += 1
        self._last = fields
        if self._silence is None:
            self._write()

    def _write(self) -> None:
        self._log.log(self._level, self._event, extra={**self._last, "times": self._times})
        self._times = 0
        self._silence = asyncio.get_running_loop().call_later(self._every, self._end_of_silence)

    def _end_of_silence(self) -> None:
        self._silence = None
        if self._times:
            self._write()


class ServerLog(logging.Filter):
    """Counts what is no HTTP, or breaks off: the server has a stack trace for each."""

    def __init__(self, refused: CountedLine) -> None:
        super().__init__()
        self._refused = refused

    def filter(self, record: logging.LogRecord) -> bool:
        """Let through what is no outsider's doing."""
        error = record.exc_info[0] if record.exc_info else None
        if error is None or not (
            issubclass(error, ConnectionError) or error.__module__.startswith("aiohttp.")
        ):
            return True
        self._refused.note(why=error.__name__)
        return False


def server_log(log: logging.Logger) -> logging.Logger:
    """Give the log of a server that outsiders may reach, in the name of ``log``."""
    own = log.getChild("server")
    own.filters = [ServerLog(CountedLine(log, "refused: a call that is no HTTP"))]
    return own
