"""What does somebody ask to be done to a container, and how is each option of that written?

One command for every operation: which options an operation takes stands in the catalogue, and how
an option is written, read and explained stands here, once.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from bot.commands.odd_characters import keyword
from bot.commands.options import (
    VALUES,
    cut_with_notice,
    read_host,
    read_reference,
    take_container,
    take_options,
)
from bot.commands.tokens import Word, Words
from workflows.model.requests import ContainerRef, OperationSpec
from workflows.model.text import shows_nothing
from workflows.model.timing import MAX_GRACE_SECONDS, MIN_GRACE_SECONDS
from workflows.operations.operation import Operation, Option
from workflows.operations.typed import quoted

_DURATION = re.compile(r"(?:(\d{1,4})m)?(?:(\d{1,5})s?)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What somebody asks to be done; ``replace``: in the place of another's request that waits."""

    operation: OperationSpec
    container: ContainerRef
    reason: str = ""
    replace: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Grammar:
    """How an option is written, what it makes of an ask, and what the help says of it."""

    usage: str
    read: Callable[[Words, Word, Ask], Ask]
    explained: str = ""


def take_ask(words: Words, operation: Operation, default_host: str) -> Ask:
    """Take what stands behind the word for an operation.

    Raises:
        CommandError: the name is missing, or an option is none of this operation.
    """
    ask = Ask(
        container=ContainerRef(host=default_host, name=take_container(words)),
        operation=OperationSpec(kind=operation.kind, snapshot=operation.always_snapshots),
    )
    for option, word in take_options(words, operation.options):
        ask = _GRAMMAR[option].read(words, word, ask)
    return ask


def usage_of(operation: Operation) -> str:
    """Show how an operation is asked for."""
    options = (f"[{_GRAMMAR[option].usage}]" for option in operation.options)
    return " ".join((operation.kind, "NAME", *options))


def explain_options(operation: Operation) -> str:
    """Say what the options of an operation mean that do not explain themselves."""
    explained = (_GRAMMAR[option].explained for option in operation.options)
    return " ".join(words for words in explained if words)


def _read_host(words: Words, word: Word, ask: Ask) -> Ask:
    return replace(ask, container=replace(ask.container, host=read_host(words, word)))


def _read_snapshot(words: Words, word: Word, ask: Ask) -> Ask:
    named = read_reference(words, word) if word.key else None
    return replace(ask, operation=replace(ask.operation, snapshot=True, snapshot_ref=named))


def _read_reference(words: Words, word: Word, ask: Ask) -> Ask:
    named = read_reference(words, word)
    return replace(ask, operation=replace(ask.operation, snapshot_ref=named))


def _read_grace(words: Words, word: Word, ask: Ask) -> Ask:
    _need_value(words, word, Option.GRACE)
    match = _DURATION.fullmatch(keyword(word.value))
    if match is None:
        problem = f"{word.shown} is no time; write grace=30s or grace=2m."
        words.refuse(problem, word, instead=f"{Option.GRACE}=30s")
    seconds = 60 * int(match[1] or 0) + int(match[2] or 0)
    if not MIN_GRACE_SECONDS <= seconds <= MAX_GRACE_SECONDS:
        problem = f"grace takes {MIN_GRACE_SECONDS} to {MAX_GRACE_SECONDS} seconds."
        nearest = min(max(seconds, MIN_GRACE_SECONDS), MAX_GRACE_SECONDS)
        words.refuse(problem, word, instead=f"{Option.GRACE}={nearest}s")
    return replace(ask, operation=replace(ask.operation, grace_seconds=seconds))


def _read_reason(words: Words, word: Word, ask: Ask) -> Ask:
    if not word.key and words.peek() is not None:
        own = words.with_instead(word, f"{word.text}={quoted(words.rest())}", to_the_end=True)
        words.refuse(f"{Option.REASON} needs {VALUES[Option.REASON]}.", word, own=own)
    _need_value(words, word, Option.REASON)
    return replace(ask, reason=cut_with_notice(word.said))


def _read_replace(words: Words, word: Word, ask: Ask) -> Ask:
    if word.key:
        problem = "replace takes no value: it means the request that waits."
        words.refuse(problem, word, instead=Option.REPLACE)
    return replace(ask, replace=True)


def _need_value(words: Words, word: Word, option: Option) -> None:
    if not word.key or shows_nothing(word.said):
        words.refuse(f"{option} needs {VALUES[option]}.", word)


_REFERENCE_EXPLAINED: Final = (
    "REF is an image name like team/web:before-upgrade; left out, the snapshot is called after "
    "the container and the request."
)
_GRAMMAR: Final[dict[Option, _Grammar]] = {
    Option.HOST: _Grammar(usage="on HOST", read=_read_host),
    Option.SNAPSHOT: _Grammar(
        usage="snapshot[=REF]", read=_read_snapshot, explained=_REFERENCE_EXPLAINED
    ),
    Option.REFERENCE: _Grammar(
        usage="as REF", read=_read_reference, explained=_REFERENCE_EXPLAINED
    ),
    Option.GRACE: _Grammar(
        usage="grace=30s",
        read=_read_grace,
        explained="grace is how long the container may take to stop, from 1s to 10m.",
    ),
    Option.REASON: _Grammar(usage='reason="…"', read=_read_reason),
    Option.REPLACE: _Grammar(
        usage="replace",
        read=_read_replace,
        explained="With replace, somebody else's request that waits for the container is "
        "rejected, if you may, and yours comes in its place; it stays rejected if yours is "
        "refused.",
    ),
}
