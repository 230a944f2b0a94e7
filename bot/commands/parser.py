"""Which sub-commands are there, and which one does the text after the slash command ask for?

Pure: text in, one frozen command out, or a :class:`~bot.commands.tokens.CommandError` that says
what is wrong, shows the input with the bad word marked, and gives one right example.
``bot/commands/tokens.py`` splits the text, ``bot/commands/options.py`` reads the parts that
several commands share.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from bot.commands.options import take_comment, take_container, take_options, take_request_id
from bot.commands.tokens import Words, nearest, read_words
from workflows.model.text import shows_nothing

#: One right example of each sub-command; mistakes and the help show them.
EXAMPLES = {
    "stop": 'stop web-1 snapshot reason="CVE-2026-1"',
    "snapshot": 'snapshot web-1 as team/web:before-upgrade reason="before the upgrade"',
    "list": "list",
    "inspect": "inspect web-1",
    "requests": "requests waiting",
    "status": "status 3f9a1c2b4d5e",
    "cancel": "cancel 3f9a1c2b4d5e",
    "stop-trying": "stop-trying 3f9a1c2b4d5e",
    "try-now": "try-now 3f9a1c2b4d5e",
    "approve": 'approve 3f9a1c2b4d5e "looks good"',
    "reject": 'reject 3f9a1c2b4d5e "not during the sale"',
    "help": "help stop",
}
#: How each sub-command is written and what it does; the help shows it.
USAGE = {
    "stop": (
        'stop NAME [on HOST] [snapshot[=REF]] [grace=30s] [reason="…"] [replace]',
        "Asks to stop a container, with a snapshot of it if you want one. It stays stopped.",
    ),
    "snapshot": (
        'snapshot NAME [on HOST] [as REF] [grace=30s] [reason="…"] [replace]',
        "Asks to stop a container, make a snapshot and start it again if it was running.",
    ),
    "list": (
        "list [hosts|on HOST]",
        "Shows the containers of a host; “list hosts” shows the hosts, and who serves them.",
    ),
    "inspect": ("inspect NAME [on HOST]", "Shows one container, without its environment."),
    "requests": (
        "requests [waiting|mine|recent]",
        "Shows requests; if not told which, those that need a person or an approval.",
    ),
    "status": ("status ID", "Shows where a request stands."),
    "cancel": (
        "cancel ID",
        "Cancels your own request; what was begun is undone, and the container put back.",
    ),
    "stop-trying": (
        "stop-trying ID",
        "Ends the tries to put a container back. It asks once more before it does.",
    ),
    "try-now": ("try-now ID", "Tries at once to put a container back that needs a person."),
    "approve": ('approve ID ["comment"]', "Approves a request, like the button on its card."),
    "reject": ('reject ID "reason"', "Rejects a request, like the button on its card."),
    "help": ("help [SUBCOMMAND]", "Shows this, or more about one sub-command."),
}
_HOSTS = "hosts"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """``stop NAME [on HOST] [snapshot[=REF]] [grace=30s] [reason="…"] [replace]``."""

    container: str
    host: str
    snapshot: bool = False
    reference: str | None = None
    grace_seconds: int | None = None
    reason: str = ""
    replace: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """``snapshot NAME [on HOST] [as REF] [grace=30s] [reason="…"] [replace]``."""

    container: str
    host: str
    reference: str | None = None
    grace_seconds: int | None = None
    reason: str = ""
    replace: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ListContainers:
    """``list [on HOST]``."""

    host: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListHosts:
    """``list hosts``."""


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
    """``requests [waiting|mine|recent]``; ``None`` asks for all that somebody has to see to."""

    selection: Selection | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """``status ID``."""

    request_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel:
    """``cancel ID``."""

    request_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StopTrying:
    """``stop-trying ID``."""

    request_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TryNow:
    """``try-now ID``."""

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
    | ListHosts
    | Inspect
    | Requests
    | Status
    | Cancel
    | StopTrying
    | TryNow
    | Approve
    | Reject
    | Help
)


def parse(text: str, *, default_host: str) -> Command:
    """Read a command; a command that names no host means ``default_host``.

    Raises:
        CommandError: the text asks for nothing that Dockwarden can do.
    """
    words = read_words(text, example=EXAMPLES["stop"])
    first = words.take()
    if first is not None and first.quoted and not first.key and words.peek() is None:
        # Quotes around the whole, as it stood in what it was copied from.
        words = read_words(first.value, example=EXAMPLES["stop"])
        first = words.take()
    if first is None:
        return Help()
    name = first.keyword
    if name not in _PARSERS:
        hint = nearest(name, _PARSERS)
        words.example = EXAMPLES[hint or "stop"]
        did_you_mean = f"Did you mean {hint}?" if hint else "Try help."
        words.refuse(f"There is no sub-command {first.shown}. {did_you_mean}", first)
    words.example = EXAMPLES[name]
    command = _PARSERS[name](words, default_host)
    extra = words.take()
    if extra is not None:
        words.refuse(f"{extra.shown} is too much here.", extra)
    return command


def _parse_stop(words: Words, default_host: str) -> Stop:
    container = take_container(words)
    options = take_options(words, ("on", "snapshot", "grace", "reason", "replace"))
    return Stop(
        container=container,
        host=options.host or default_host,
        snapshot=options.snapshot,
        reference=options.reference,
        grace_seconds=options.grace_seconds,
        reason=options.reason,
        replace=options.replace,
    )


def _parse_snapshot(words: Words, default_host: str) -> Snapshot:
    container = take_container(words)
    options = take_options(words, ("on", "as", "grace", "reason", "replace"))
    return Snapshot(
        container=container,
        host=options.host or default_host,
        reference=options.reference,
        grace_seconds=options.grace_seconds,
        reason=options.reason,
        replace=options.replace,
    )


def _parse_list(words: Words, default_host: str) -> ListContainers | ListHosts:
    word = words.peek()
    if word is not None and not word.quoted and word.text.lower() == _HOSTS:
        words.take()
        return ListHosts()
    if word is not None and nearest(word.text.lower(), (_HOSTS, "on")) == _HOSTS:
        words.refuse(f"{word.shown} is not understood. Did you mean hosts?", word)
    return ListContainers(host=take_options(words, ("on",)).host or default_host)


def _parse_inspect(words: Words, default_host: str) -> Inspect:
    container = take_container(words)
    return Inspect(container=container, host=take_options(words, ("on",)).host or default_host)


def _parse_requests(words: Words, _default_host: str) -> Requests:
    word = words.take()
    if word is None:
        return Requests()
    choice = word.keyword
    if choice not in list(Selection):
        hint = nearest(choice, Selection) or "waiting, mine or recent"
        words.refuse(f"There is no list {word.shown}. Did you mean {hint}?", word)
    return Requests(selection=Selection(choice))


def _by_id(
    kind: type[Status | Cancel | StopTrying | TryNow],
) -> Callable[[Words, str], Command]:
    """Parse a sub-command that takes the id of a request, and nothing else."""
    return lambda words, _default_host: kind(request_id=take_request_id(words))


def _parse_approve(words: Words, _default_host: str) -> Approve:
    return Approve(request_id=take_request_id(words), comment=take_comment(words))


def _parse_reject(words: Words, _default_host: str) -> Reject:
    request_id = take_request_id(words)
    words.example = f'reject {request_id} "not during the sale"'
    comment = take_comment(words)
    if shows_nothing(comment):
        words.refuse("A rejection needs a reason, in quotes.")
    return Reject(request_id=request_id, comment=comment)


def _parse_help(words: Words, _default_host: str) -> Help:
    word = words.take()
    if word is None:
        return Help()
    topic = word.keyword
    if topic not in _PARSERS:
        hint = nearest(topic, _PARSERS)
        did_you_mean = f" Did you mean {hint}?" if hint else ""
        words.refuse(f"There is no sub-command {word.shown}.{did_you_mean}", word)
    return Help(topic=topic)


_PARSERS: dict[str, Callable[[Words, str], Command]] = {
    "stop": _parse_stop,
    "snapshot": _parse_snapshot,
    "list": _parse_list,
    "inspect": _parse_inspect,
    "requests": _parse_requests,
    "status": _by_id(Status),
    "cancel": _by_id(Cancel),
    "stop-trying": _by_id(StopTrying),
    "try-now": _by_id(TryNow),
    "approve": _parse_approve,
    "reject": _parse_reject,
    "help": _parse_help,
}
