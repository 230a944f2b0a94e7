"""When was something, as an engine writes it?

Docker writes "never" as the first moment of year 1, to nanoseconds; Podman adds its own zone.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

_NEVER: Final = datetime.min.replace(tzinfo=UTC)


def moment(text: str | None) -> datetime:
    """Read an engine's time; "never" sorts first."""
    try:
        found = datetime.fromisoformat(text or "")
    except ValueError:
        return _NEVER
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def ever(at: datetime) -> datetime | None:
    """Give a time, or ``None`` for "never"; Podman writes that in the zone of its machine."""
    return None if at.year == 1 else at
