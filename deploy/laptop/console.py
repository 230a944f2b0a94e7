"""What does the laptop tell the person who started it?"""

from __future__ import annotations

import sys


def say(line: str) -> None:
    """Print one line at once, also into a pipe."""
    print(line, flush=True)


def warn(line: str) -> None:
    """Print one line that a person should not miss."""
    print(f"! {line}", file=sys.stderr, flush=True)


def is_terminal() -> bool:
    """Tell whether a person is looking on."""
    return sys.stdin.isatty() and sys.stdout.isatty()
