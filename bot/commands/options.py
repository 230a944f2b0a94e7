"""What do the parts of a command mean: names, options, durations, request ids, comments?"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NoReturn

from bot.commands.odd_characters import find_oddity, keyword, with_plain_hyphens
from bot.commands.tokens import Word, Words, nearest
from workflows.model.image_reference import complete_reference, reference_problem
from workflows.model.names import CONTAINER_NAME, HOST_NAME, REQUEST_ID_FORM
from workflows.model.requests import MAX_TEXT_LENGTH
from workflows.model.text import shows_nothing
from workflows.model.timing import MAX_GRACE_SECONDS, MIN_GRACE_SECONDS

_SOME_REQUEST_ID = "0" * 12
_DURATION = re.compile(r"(?:(\d{1,4})m)?(?:(\d{1,5})s?)?")
#: Where a name is missing one of these follows; a container that is called so needs quotes.
_NO_BARE_NAMES = ("on", "as", "snapshot")
_VALUES = {
    "grace": "a time, like grace=30s",
    "reason": 'a text in quotes, like reason="CVE-2026-1"',
}


@dataclass(slots=True, kw_only=True)
class Options:
    """What may stand behind the name of a container, in any order and once each."""

    host: str = ""
    snapshot: bool = False
    reference: str | None = None
    grace_seconds: int | None = None
    reason: str = ""
    replace: bool = False


def cut_with_notice(text: str) -> str:
    """Cut a text that is too long for a request, and say so in it."""
    if len(text) <= MAX_TEXT_LENGTH:
        return text
    notice = f" … (cut: {len(text)} characters were too long)"
    return text[: MAX_TEXT_LENGTH - len(notice)] + notice


def take_container(words: Words) -> str:
    """Take the name of a container."""
    word = words.peek()
    missing = word is None or (not word.quoted and (word.key or word.keyword in _NO_BARE_NAMES))
    if word is None or missing:
        words.refuse("The name of the container is missing.", word)
    words.take()
    # A channel that is called like the container is meant, never a person: those have many names.
    name = with_plain_hyphens(word.value if word.quoted else word.value.lstrip("#"))
    if not CONTAINER_NAME.fullmatch(name):
        rule = (
            "those have two or more letters, digits, underscores, dots and hyphens, "
            "and begin with a letter or digit."
        )
        oddity = find_oddity(name)
        meant = oddity.meant if oddity else ()
        if (
            len(meant) == 1
            and meant[0] not in _NO_BARE_NAMES
            and CONTAINER_NAME.fullmatch(meant[0])
        ):
            words.example = f"{words.example.partition(' ')[0]} {meant[0]}"
        _refuse_name(words, word, name, f"{word.shown} is no container name: ", rule)
    return name


def _refuse_name(words: Words, word: Word, name: str, problem: str, rule: str) -> NoReturn:
    """Refuse a name by the character that no name has, or else by the rule for names."""
    oddity = find_oddity(name)
    words.refuse(problem + (f"{oddity.words}.{oddity.question}" if oddity else rule), word)


def take_request_id(words: Words) -> str:
    """Take the id of a request, as cards show it."""
    word = words.take()
    if word is None:
        words.refuse("The id of the request is missing; every card shows it.")
    # Nothing but twelve digits can come of it, whatever stands around them.
    request_id = keyword(word.value).removeprefix("req-")
    if not REQUEST_ID_FORM.fullmatch(request_id):
        form = "those have 12 characters, digits and letters from a to f"
        problem = f"{word.shown} is no request id: {form}."
        words.refuse(problem, word)
    return request_id


def take_comment(words: Words) -> str:
    """Take all the rest as a comment; the quotes around it may be missing."""
    word = words.take()
    if word is None:
        return ""
    if word.key not in ("", "reason"):
        words.refuse(f"{word.shown} is not understood; a comment goes in quotes.", word)
    if words.peek() is None:
        return cut_with_notice(word.said)
    if word.quoted:
        extra = words.peek()
        words.refuse("Only one comment is possible, in one pair of quotes.", extra)
    return cut_with_notice(f"{word.said} {words.rest()}")


def take_options(words: Words, allowed: tuple[str, ...]) -> Options:
    """Take the options of a command.

    Raises:
        CommandError: one is unknown, double, incomplete or impossible.
    """
    options = Options()
    seen: set[str] = set()
    bare_reason = False
    while (word := words.take()) is not None:
        # Some are used to --snapshot: no option begins with a dash, so none can be mistaken.
        name = (word.key or word.keyword).lstrip("-")
        if word.quoted and not word.key:
            words.refuse(f"{word.shown} is too much here; was it meant as reason=?", word)
        if name not in allowed:
            words.refuse(_unknown(word, name, allowed, bare_reason=bare_reason), word)
        if name in seen:
            words.refuse(f"{name} is there twice.", word)
        seen.add(name)
        bare_reason = name == "reason" and not word.quoted
        _read_option(words, word, name, options)
    return options


def _read_option(words: Words, word: Word, name: str, options: Options) -> None:
    if name == "on":
        options.host = _host(words, word)
    elif name == "as":
        options.reference = _reference(words, _value_or_next(words, word, "an image name"))
    elif name == "snapshot":
        options.snapshot = True
        if word.key:
            options.reference = _reference(words, word)
    elif name == "replace" and not word.key:
        options.replace = True
    elif name == "replace":
        words.refuse("replace takes no value: it means the request that waits.", word)
    elif not word.key or shows_nothing(word.said):
        words.refuse(f"{name} needs {_VALUES[name]}.", word)
    elif name == "grace":
        options.grace_seconds = _grace(words, word)
    else:
        options.reason = cut_with_notice(word.said)


def _value_or_next(words: Words, word: Word, what: str) -> Word:
    """Give the word with the value: ``on=edge`` means the same as ``on edge``."""
    if word.key:
        return word
    following = words.take()
    if following is None:
        words.refuse(f"Behind {word.shown} {what} is missing.")
    return following


def _host(words: Words, word: Word) -> str:
    named = _value_or_next(words, word, "the name of a host")
    host = with_plain_hyphens(named.value).lower()
    if not HOST_NAME.fullmatch(host):
        rule = "those have small letters, digits, dots and hyphens."
        _refuse_name(words, named, host, f"{named.shown} is no host name: ", rule)
    return host


def _reference(words: Words, word: Word) -> str:
    reference = with_plain_hyphens(word.value)
    if not reference:
        words.refuse("The name of the image is missing.", word)
    problem = reference_problem(complete_reference(reference, "container", _SOME_REQUEST_ID))
    if problem:
        rule = f"{problem}."
        _refuse_name(words, word, reference, f"{word.shown} is no image name: ", rule)
    return reference


def _grace(words: Words, word: Word) -> int:
    match = _DURATION.fullmatch(keyword(word.value))
    if match is None:
        words.refuse(f"{word.shown} is no time; write grace=30s or grace=2m.", word)
    seconds = 60 * int(match[1] or 0) + int(match[2] or 0)
    if not MIN_GRACE_SECONDS <= seconds <= MAX_GRACE_SECONDS:
        problem = f"grace takes {MIN_GRACE_SECONDS} to {MAX_GRACE_SECONDS} seconds."
        words.refuse(problem, word)
    return seconds


def _unknown(word: Word, name: str, allowed: tuple[str, ...], *, bare_reason: bool) -> str:
    if bare_reason:
        return f"{word.shown} is not understood: a reason of several words needs quotes."
    if name == "as":
        return "“as” belongs to the sub-command snapshot; here write snapshot=NAME:TAG."
    if name == "snapshot" and "as" in allowed:
        return f"{word.shown} is not understood: name the image with “as NAME:TAG”."
    hint = nearest(name, allowed)
    if hint:
        return f"{word.shown} is not understood. Did you mean {hint}?"
    return f"{word.shown} is not understood. Possible here: {', '.join(allowed)}."
