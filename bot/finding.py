"""What is one line of what `dockwarden check` says?"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: a thing, whether it is right, and what it is or what to do."""

    right: bool
    thing: str
    words: str

    def __str__(self) -> str:
        """Write the line."""
        return f"{'ok  ' if self.right else 'FAIL'}  {self.thing}: {self.words}"
