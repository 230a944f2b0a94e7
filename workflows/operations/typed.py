"""How is a request written as a command that somebody can type, and that a button can carry?

Plain words, without the slash command's own name; ``bot/commands`` reads them again. What an
option looks like when it is typed stands here for all who write one, and there for who reads it.
"""

from __future__ import annotations

from typing import Final

from workflows.model.requests import ContainerRef, OperationSpec
from workflows.model.text import DOUBLE_QUOTES, one_line, shows_nothing
from workflows.operations import catalog
from workflows.operations.operation import Option

_WORDS: Final = frozenset(map(str, Option))
#: Stands for a reason that is missing, or too long to be read twice.
SOME_REASON: Final = "…"
_SHORT_REASON = 120


def command_line(spec: OperationSpec, container: ContainerRef, *, reason: str = "") -> str:
    """Write a request so that it reads as what it is, whatever the default host of a bot."""
    operation = catalog.find(spec.kind)
    if operation is None:
        return ""
    written = {
        Option.HOST: f"on {container.host}",
        Option.SNAPSHOT: _snapshot(spec),
        Option.REFERENCE: f"as {spec.snapshot_ref}" if spec.snapshot_ref else "",
        Option.GRACE: "" if spec.grace_seconds is None else f"grace={spec.grace_seconds}s",
        Option.REASON: "" if shows_nothing(reason) else f"reason={quoted(reason)}",
    }
    # A container may be called like an option.
    name = quoted(container.name) if container.name in _WORDS else container.name
    parts = (spec.kind, name, *(written.get(option, "") for option in operation.options))
    return " ".join(part for part in parts if part)


def quoted(text: str) -> str:
    """Put a text into quotes; whatever could end it, or begins an escape, stands escaped."""
    return '"' + "".join(f"\\{c}" if c in DOUBLE_QUOTES or c == "\\" else c for c in text) + '"'


def brief_line(spec: OperationSpec, name: str) -> str:
    """Write what was asked for so that it can be known again: ``stop web-1 snapshot``."""
    operation = catalog.find(spec.kind)
    takes_one = operation is not None and Option.SNAPSHOT in operation.options
    return f"{spec.kind} {name}{' snapshot' if spec.snapshot and takes_one else ''}"


def shown_reason(reason: str) -> str:
    """Give a reason for a line that is shown: a long one is left to whoever types it."""
    shown = one_line(reason)
    return shown if len(shown) <= _SHORT_REASON else SOME_REASON


def _snapshot(spec: OperationSpec) -> str:
    if not spec.snapshot:
        return ""
    return f"snapshot={spec.snapshot_ref}" if spec.snapshot_ref else "snapshot"
