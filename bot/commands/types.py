"""Which commands are there, and what does each hold once its text was read?"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """``stop NAME [on HOST] [snapshot[=REF]] [grace=30s] [reason="…"]``."""

    container: str
    host: str
    snapshot: bool = False
    reference: str | None = None
    grace_seconds: int | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """``snapshot NAME [on HOST] [as REF] [grace=30s] [reason="…"]``."""

    container: str
    host: str
    reference: str | None = None
    grace_seconds: int | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListContainers:
    """``list [on HOST]``."""

    host: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspect:
    """``inspect NAME [on HOST]``."""

    container: str
    host: str


class Selection(StrEnum):
    """Which requests somebody wants to see."""

    WAITING = "waiting"
    MINE = "mine"
    RECENT = "recent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Requests:
    """``requests [waiting|mine|recent]``."""

    selection: Selection = Selection.WAITING


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """``status ID``."""

    request_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel:
    """``cancel ID``."""

    request_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Approve:
    """``approve ID ["comment"]``."""

    request_id: str
    comment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reject:
    """``reject ID "reason"``."""

    request_id: str
    comment: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Help:
    """``help [SUBCOMMAND]``; an empty text asks for help too."""

    topic: str = ""


Command = (
    Stop
    | Snapshot
    | ListContainers
    | Inspect
    | Requests
    | Status
    | Cancel
    | Approve
    | Reject
    | Help
)

#: One right example of each sub-command; mistakes and the help show them.
EXAMPLES = {
    "stop": 'stop web-1 snapshot reason="CVE-2026-1"',
    "snapshot": 'snapshot web-1 as team/web:before-upgrade reason="before the upgrade"',
    "list": "list",
    "inspect": "inspect web-1",
    "requests": "requests waiting",
    "status": "status 3f9a1c2b4d5e",
    "cancel": "cancel 3f9a1c2b4d5e",
    "approve": 'approve 3f9a1c2b4d5e "looks good"',
    "reject": 'reject 3f9a1c2b4d5e "not during the sale"',
    "help": "help stop",
}

#: How each sub-command is written and what it does; the help shows it.
USAGE = {
    "stop": (
        'stop NAME [on HOST] [snapshot[=REF]] [grace=30s] [reason="…"]',
        "Asks to stop a container, with a snapshot of it if you want one. It stays stopped.",
    ),
    "snapshot": (
        'snapshot NAME [on HOST] [as REF] [grace=30s] [reason="…"]',
        "Asks to stop a container, make a snapshot and start it again if it was running.",
    ),
    "list": ("list [on HOST]", "Shows the containers of a host."),
    "inspect": ("inspect NAME [on HOST]", "Shows one container, without its environment."),
    "requests": ("requests [waiting|mine|recent]", "Shows requests; waiting ones if not told."),
    "status": ("status ID", "Shows where a request stands."),
    "cancel": ("cancel ID", "Cancels your own request."),
    "approve": ('approve ID ["comment"]', "Approves a request, like the button on its card."),
    "reject": ('reject ID "reason"', "Rejects a request, like the button on its card."),
    "help": ("help [SUBCOMMAND]", "Shows this, or more about one sub-command."),
}
