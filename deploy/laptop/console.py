"""What does the laptop tell the person who started it?

The person may close the terminal, or the pipe may end: that is no reason not to clean up.
"""

from __future__ import annotations

import sys
from contextlib import suppress


class LaptopError(Exception):
    """Something on this machine is missing or in the way; the text says what to do about it."""


def say(line: str) -> None:
    """Print one line at once, also into a pipe."""
    with suppress(OSError):
        print(line, flush=True)


def warn(line: str) -> None:
    """Print one line that a person should not miss."""
    with suppress(OSError):
        print(f"! {line}", file=sys.stderr, flush=True)


def is_terminal() -> bool:
    """Tell whether a person is looking on."""
    return sys.stdin.isatty() and sys.stdout.isatty()
