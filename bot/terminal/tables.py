"""How is a value written at a terminal, and how are rows of them lined up?

Whatever people or machines have named goes through :func:`tamed`: a terminal obeys control
characters, and a direction mark would turn the rest of a line. There are no colours.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from workflows.model.text import cut_off, one_line

_GAP = "  "
_LONGEST_CELL = 400
_WIDE = ("W", "F")


def tamed(text: str, limit: int = _LONGEST_CELL) -> str:
    """Write a text in one line that does nothing but show itself."""
    return cut_off(one_line(text), limit)


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Line up rows under a header; the last column is as long as it is."""
    written = [list(header), *([tamed(cell) or "-" for cell in row] for row in rows)]
    widths = [max(map(_width, column)) for column in zip(*written, strict=True)]
    return [_line(row, widths) for row in written]


def facts(pairs: Iterable[tuple[str, str]]) -> list[str]:
    """Line up names with their values; what has no value is left out."""
    told = [(name, tamed(value)) for name, value in pairs if value]
    width = max((_width(name) for name, _ in told), default=0)
    return [_line(pair, (width, 0)) for pair in told]


def moment(at: datetime | None) -> str:
    """Write a time, in UTC."""
    return "" if at is None else f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def ago(now: datetime, then: datetime) -> str:
    """Write how long ago something was."""
    return f"{span(now - then)} ago"


def span(length: timedelta) -> str:
    """Write a duration in its largest whole unit."""
    seconds = max(0, round(length.total_seconds()))
    for size, unit, least in ((86_400, "d", 2), (3_600, "h", 1), (60, "min", 1)):
        if seconds >= least * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = [
        f"{cell}{' ' * (width - _width(cell))}" for cell, width in zip(cells, widths, strict=True)
    ]
    return _GAP.join(padded).rstrip()


def _width(text: str) -> int:
    """Count the columns that a text takes: many letters of Asia take two, an accent none."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in _WIDE else 1
        for c in text
    )
