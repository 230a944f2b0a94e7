"""What does a text after ``/container`` ask for?

Pure: text in, one frozen command out, or a :class:`CommandMistake` that says what is wrong, shows
the input with the bad word marked, and gives one right example. ``bot/commands/tokens.py`` splits
the text, ``bot/commands/options.py`` reads the parts that several commands share.
"""

from __future__ import annotations

from collections.abc import Callable

from bot.commands.options import take_comment, take_container, take_options, take_request_id
from bot.commands.tokens import CommandMistake, Words, nearest, read_words
from bot.commands.types import (
    EXAMPLES,
    Approve,
    Cancel,
    Command,
    Help,
    Inspect,
    ListContainers,
    Reject,
    Requests,
    Selection,
    Snapshot,
    Status,
    Stop,
)

__all__ = ["CommandMistake", "parse"]


def parse(text: str, *, default_host: str) -> Command:
    """Read a command; a command that names no host means ``default_host``.

    Raises:
        CommandMistake: the text asks for nothing that Dockwarden can do.
    """
    words = read_words(text, example=EXAMPLES["stop"])
    first = words.take()
    if first is None:
        return Help()
    name = first.text.lower()
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
    options = take_options(words, ("on", "snapshot", "grace", "reason"))
    return Stop(
        container=container,
        host=options.host or default_host,
        snapshot=options.snapshot,
        reference=options.reference,
        grace_seconds=options.grace_seconds,
        reason=options.reason,
    )


def _parse_snapshot(words: Words, default_host: str) -> Snapshot:
    container = take_container(words)
    options = take_options(words, ("on", "as", "grace", "reason"))
    return Snapshot(
        container=container,
        host=options.host or default_host,
        reference=options.reference,
        grace_seconds=options.grace_seconds,
        reason=options.reason,
    )


def _parse_list(words: Words, default_host: str) -> ListContainers:
    return ListContainers(host=take_options(words, ("on",)).host or default_host)


def _parse_inspect(words: Words, default_host: str) -> Inspect:
    container = take_container(words)
    return Inspect(container=container, host=take_options(words, ("on",)).host or default_host)


def _parse_requests(words: Words, _default_host: str) -> Requests:
    word = words.take()
    if word is None:
        return Requests()
    choice = word.text.lower()
    if choice not in list(Selection):
        hint = nearest(choice, Selection) or "waiting, mine or recent"
        words.refuse(f"There is no list {word.shown}. Did you mean {hint}?", word)
    return Requests(selection=Selection(choice))


def _parse_status(words: Words, _default_host: str) -> Status:
    return Status(request_id=take_request_id(words))


def _parse_cancel(words: Words, _default_host: str) -> Cancel:
    return Cancel(request_id=take_request_id(words))


def _parse_approve(words: Words, _default_host: str) -> Approve:
    return Approve(request_id=take_request_id(words), comment=take_comment(words))


def _parse_reject(words: Words, _default_host: str) -> Reject:
    request_id = take_request_id(words)
    comment = take_comment(words)
    if not comment:
        words.refuse("A rejection needs a reason, in quotes.")
    return Reject(request_id=request_id, comment=comment)


def _parse_help(words: Words, _default_host: str) -> Help:
    word = words.take()
    if word is None:
        return Help()
    topic = word.text.lower()
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
    "status": _parse_status,
    "cancel": _parse_cancel,
    "approve": _parse_approve,
    "reject": _parse_reject,
    "help": _parse_help,
}
