"""How does a log line look, and what never gets into it?

One event a line, as text or JSON, with ids as fields (``extra=``). Whatever looks like a Slack
token is blotted out, wherever it came from.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from datetime import UTC, datetime
from typing import TextIO

_TOKEN = re.compile(r"\b(?:xox[a-z](?:\.xox[a-z])?|xapp|xwfp)-[A-Za-z0-9-]+")
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
#: Libraries whose lower levels hold payloads, and with them what people wrote.
_QUIET = (
    *("slack_bolt", "slack_sdk", "aiohttp", "aiohttp.access", "asyncio", "docker", "urllib3"),
    # It says of each of its workers that it ends, and how long that may take: we say it once.
    "temporalio.worker._worker",
)


def redact(text: str) -> str:
    """Blot out whatever looks like a Slack token."""
    return _TOKEN.sub("[token]", text)


class TextFormatter(logging.Formatter):
    """``2026-11-20T12:00:00Z info bot.cli: ready host=local``."""

    def format(self, record: logging.LogRecord) -> str:
        """Write one event as one line; only a stack trace adds lines."""
        fields = "".join(f" {key}={_shown(value)}" for key, value in _fields(record).items())
        event = " ".join(record.getMessage().splitlines())
        trace = "\n" + self.formatException(record.exc_info) if record.exc_info else ""
        level = record.levelname.lower()
        return redact(f"{_time(record)} {level} {record.name}: {event}{fields}{trace}")


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Write one event as one line."""
        entry = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
            **_fields(record),
        }
        if record.exc_info:
            entry["trace"] = self.formatException(record.exc_info)
        return redact(json.dumps(entry, default=str, ensure_ascii=False))


def configure(*, as_json: bool, level: str, stream: TextIO | None = None) -> None:
    """Send all log lines to ``stream``, standard error unless told otherwise."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter() if as_json else TextFormatter())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    logging.captureWarnings(capture=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def _fields(record: logging.LogRecord) -> dict[str, object]:
    return {key: value for key, value in vars(record).items() if key not in _STANDARD}


def _shown(value: object) -> str:
    text = str(value)
    return text if re.fullmatch(r"[^\s\"=]+", text) else json.dumps(text, ensure_ascii=False)


def _time(record: logging.LogRecord) -> str:
    moment = datetime.fromtimestamp(record.created, tz=UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
