"""What does somebody want to look at: which containers of a host, which one, or the hosts?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from bot.commands.odd_characters import with_plain_hyphens
from bot.commands.options import take_container, take_host
from bot.commands.tokens import Word, Words, nearest
from workflows.model.listing import EVERY, PATTERN_FORM, Wanted, Which

_HOSTS: Final = "hosts"
_ON: Final = "on"
_STATES: Final = tuple(which for which in Which if which)
LIST_USAGE: Final = f"list [hosts|PATTERN] [{'|'.join(_STATES)}] [on HOST]"
LIST_EXPLAINED: Final = (
    "PATTERN is a part of the name, or has * for anything: web, db-*. “list hosts” shows the "
    "hosts, and who serves them."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListContainers:
    """``list [PATTERN] [running|stopped|unhealthy] [on HOST]``."""

    host: str
    wanted: Wanted = EVERY


@dataclass(frozen=True, slots=True, kw_only=True)
class ListHosts:
    """``list hosts``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspect:
    """``inspect NAME [on HOST]``."""

    container: str
    host: str


def parse_list(words: Words, default_host: str) -> ListContainers | ListHosts:
    """Read which containers are to be listed, or that the hosts are.

    Raises:
        CommandError: a word means nothing here, or is a slip of one that does.
    """
    word = words.peek()
    if word is not None and not word.quoted and word.keyword == _HOSTS:
        words.take()
        return ListHosts()
    pattern, which = "", Which.ALL
    while word is not None and not _is_option(word):
        if not word.quoted and word.keyword in _STATES and not which:
            which = Which(word.keyword)
        elif pattern:
            break
        else:
            pattern = _read_pattern(words, word)
        words.take()
        word = words.peek()
    wanted = Wanted(pattern=pattern, which=which)
    return ListContainers(host=take_host(words, default_host), wanted=wanted)


def parse_inspect(words: Words, default_host: str) -> Inspect:
    """Read which container is to be shown."""
    container = take_container(words)
    return Inspect(container=container, host=take_host(words, default_host))


def _is_option(word: Word) -> bool:
    return bool(word.key) or (not word.quoted and word.keyword == _ON)


def _read_pattern(words: Words, word: Word) -> str:
    pattern = with_plain_hyphens(word.value)
    slip = nearest(word.keyword, (_HOSTS, *_STATES)) if not word.quoted else ""
    if slip:
        problem = f"{word.shown} is not understood. Did you mean {slip}?"
        words.refuse(f"{problem} For a name write {word.keyword}*.", word, instead=slip)
    if not PATTERN_FORM.fullmatch(pattern):
        rule = "letters, digits, underscores, dots and hyphens, and * for anything"
        words.refuse(f"{word.shown} is no part of a name: those have {rule}.", word)
    return pattern
