"""How are a time and a group written for Slack, and how for one that knows less?

What Slack itself draws for each reader has one form here: a time in the reader's own zone, a group
that is called. Doors write that form and no other. The local Slack of the laptop shows it raw, so
there it is put into plain words right before it is sent: times in UTC, a group by its id.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

_TIME = re.compile(r"<!date\^[^<>|]*\|([^<>|]*)>")
_GROUP = re.compile(r"<!subteam\^([A-Z0-9]+)>")


def clock(at: datetime, now: datetime | None = None) -> str:
    """Write a time, with the day where it is not today."""
    if now is None or _utc(at).date() == _utc(now).date():
        return _shown(at, "{time}", "%H:%M UTC")
    return _shown(at, "{date_short_pretty} {time}", "%d %b %H:%M UTC")


def clock_to_the_second(at: datetime, now: datetime) -> str:
    """Write a time for whoever compares it with a log."""
    if _utc(at).date() == _utc(now).date():
        return _shown(at, "{time_secs}", "%H:%M:%S UTC")
    return _shown(at, "{date_short_pretty} {time_secs}", "%d %b %H:%M:%S UTC")


def group_mention(group_id: str) -> str:
    """Call the members of a group; the id was looked at before."""
    return f"<!subteam^{group_id}>"


def in_plain_words(text: str) -> str:
    """Write the same for a Slack that draws none of it."""
    return _GROUP.sub(r"@\1", _TIME.sub(r"\1", text))


def sent_in_plain_words(value: Any) -> Any:  # noqa: ANN401 - Slack's own arguments
    """Put all mark-up of a message, a form or a part of one into plain words; no text of people."""
    if isinstance(value, list | tuple):
        return [sent_in_plain_words(item) for item in value]
    if not isinstance(value, dict):
        return value
    parts = {key: sent_in_plain_words(item) for key, item in value.items()}
    text = parts.get("text")
    if isinstance(text, str) and value.get("type") != "plain_text":
        parts["text"] = in_plain_words(text)
    return parts


def _shown(at: datetime, slack_draws: str, otherwise: str) -> str:
    return f"<!date^{int(at.timestamp())}^{slack_draws}|{_utc(at).strftime(otherwise)}>"


def _utc(at: datetime) -> datetime:
    return at.astimezone(UTC)
