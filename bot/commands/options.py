"""What do the parts of a command mean that several share: names, ids, comments, options?

Which options an operation takes stands in the catalogue; how each is read, in ``ask.py``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final, NoReturn

from bot.commands.odd_characters import find_oddity, keyword, with_plain_hyphens
from bot.commands.tokens import SHOWN_LENGTH, Word, Words, nearest
from workflows.model.image_reference import complete_reference, reference_problem
from workflows.model.names import CONTAINER_NAME, HOST_NAME, REQUEST_ID_FORM
from workflows.model.requests import MAX_TEXT_LENGTH, ContainerRef
from workflows.operations import catalog
from workflows.operations.operation import Option
from workflows.operations.typed import quoted

_SOME_REQUEST_ID = "0" * 12
_TAKE_A_WORD: Final = (Option.HOST, Option.REFERENCE)
#: What is always written with its value, as ``grace=30s``, and what that is.
VALUES: Final = {
    Option.GRACE: "a time, like grace=30s",
    Option.REASON: 'a text, like reason="CVE-2026-1"',
}
#: Where a name is missing one of these follows; a container that is called so needs quotes.
_NO_BARE_NAMES: Final = frozenset(
    option for one in catalog.OPERATIONS for option in one.options if option not in VALUES
)


def cut_with_notice(text: str) -> str:
    """Cut a text that is too long for a request, and say so in it."""
    if len(text) <= MAX_TEXT_LENGTH:
        return text
    notice = f" … (cut: {len(text)} characters were too long)"
    return text[: MAX_TEXT_LENGTH - len(notice)] + notice


def take_container(words: Words) -> str:
    """Take the name of a container."""
    word = words.peek()
    if word is None or word.key:
        words.refuse("The name of the container is missing.", word)
    if not word.quoted and word.keyword in _NO_BARE_NAMES:
        problem = "The name of the container is missing; one that is called like an option"
        words.refuse(f'{problem} goes in quotes: "{word.keyword}".', word)
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


def name_after(words: Words) -> str:
    """Give the next word, without taking it, if it can be nothing but a container's name.

    One that is too long to be shown whole is left out.
    """
    word = words.peek()
    if word is None or word.key or word.keyword in _NO_BARE_NAMES:
        return ""
    name = with_plain_hyphens(word.value)
    return name if CONTAINER_NAME.fullmatch(name) and len(name) <= SHOWN_LENGTH else ""


def _refuse_name(words: Words, word: Word, name: str, problem: str, rule: str) -> NoReturn:
    """Refuse a name by the character that no name has, or else by the rule for names."""
    oddity = find_oddity(name)
    told = problem + (f"{oddity.words}.{oddity.question}" if oddity else rule)
    is_clear = oddity is not None and len(oddity.meant) == 1
    instead = word.text.replace(word.value, oddity.meant[0]) if oddity and is_clear else None
    words.refuse(told, word, instead=instead)


def take_request(words: Words, default_host: str) -> str | ContainerRef:
    """Take the id of a request, as cards show it, or else the container that it is about."""
    word = words.peek()
    if word is None:
        words.refuse("Which request? Write its id, or the name of its container.")
    # Nothing but twelve digits can come of it, whatever stands around them.
    request_id = keyword(word.value).removeprefix("req-")
    if REQUEST_ID_FORM.fullmatch(request_id):
        words.take()
        return request_id
    name, host = take_container(words), default_host
    behind = words.peek()
    if (
        behind is not None
        and Option.HOST in (behind.key, behind.keyword)
        and not (behind.quoted and not behind.key)
    ):
        words.take()
        host = read_host(words, behind)
    return ContainerRef(host=host, name=name)


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


def take_options(words: Words, allowed: Sequence[Option]) -> Iterator[tuple[Option, Word]]:
    """Take the options of a command, in any order and once each; who asks for them reads them.

    Raises:
        CommandError: one is unknown or double.
    """
    seen: set[Option] = set()
    while (word := words.take()) is not None:
        # Some are used to --snapshot: no option begins with a dash, so none can be mistaken.
        name = (word.key or word.keyword).lstrip("-")
        if word.quoted and not word.key:
            problem = f"{word.shown} is too much here; was it meant as reason=?"
            words.refuse(problem, word, instead=f"{Option.REASON}={quoted(word.said)}")
        option = next((one for one in allowed if one == name), None)
        if option is None:
            _refuse_unknown(words, word, name, allowed)
        if option in seen:
            words.refuse(f"{name} is there twice.", word, instead="" if word.key else None)
        seen.add(option)
        if option is Option.REASON and word.key and not word.quoted:
            word = _to_the_end(words, word, allowed)
        yield option, word


def take_host(words: Words, default_host: str) -> str:
    """Take the host of a command that has no other option."""
    host = default_host
    for _, word in take_options(words, (Option.HOST,)):
        host = read_host(words, word)
    return host


def read_host(words: Words, word: Word) -> str:
    """Read the name of a host, behind the word for it."""
    named = _value_or_next(words, word, "the name of a host")
    host = with_plain_hyphens(named.value).lower()
    if not HOST_NAME.fullmatch(host):
        rule = "those have small letters, digits, dots and hyphens."
        _refuse_name(words, named, host, f"{named.shown} is no host name: ", rule)
    return host


def read_reference(words: Words, word: Word) -> str:
    """Read the name of an image, behind the word for it."""
    named = _value_or_next(words, word, "an image name")
    reference = with_plain_hyphens(named.value)
    if not reference:
        words.refuse("The name of the image is missing.", named)
    problem = reference_problem(complete_reference(reference, "container", _SOME_REQUEST_ID))
    if problem:
        rule = f"{problem}."
        _refuse_name(words, named, reference, f"{named.shown} is no image name: ", rule)
    return reference


def name_in_list(names: Sequence[str]) -> str:
    """Write names as a sentence does: ``stop, snapshot and restart``."""
    return " and ".join((", ".join(names[:-1]), names[-1]) if len(names) > 1 else names)


def _value_or_next(words: Words, word: Word, what: str) -> Word:
    """Give the word with the value: ``on=edge`` means the same as ``on edge``."""
    if word.key:
        return word
    following = words.take()
    if following is None:
        words.refuse(f"Behind {word.shown} {what} is missing.")
    return following


def _to_the_end(words: Words, reason: Word, allowed: Sequence[Option]) -> Word:
    """Take all the rest as the reason, unless an option may be meant by a part of it.

    Nothing is left out in silence that somebody wanted, nor done that nobody did.
    """
    rest = words.ahead()
    doubtful = _may_be_option(rest, allowed)
    said = f"{reason.said} {words.rest()}".strip()
    if doubtful is not None:
        problem = (
            f"{doubtful.shown} may be a part of the reason, or an option: put the reason in quotes."
        )
        own = words.with_instead(reason, f"{Option.REASON}={quoted(said)}", to_the_end=True)
        words.refuse(problem, doubtful, own=own)
    return replace(reason, said=said)


def _may_be_option(rest: Sequence[Word], allowed: Sequence[Option]) -> Word | None:
    """Find what reads as an option: one with its value anywhere, or one at the very end."""
    with_value = next((word for word in rest if word.key.lstrip("-") in allowed), None)
    if with_value is not None:
        return with_value
    # "on" and "as" are words of every sentence; with one word behind them they may be options.
    ends = (*(word for word in rest[-2:-1] if _bare(word) in _TAKE_A_WORD), *rest[-1:])
    return next((word for word in ends if _bare(word) in allowed), None)


def _bare(word: Word) -> str:
    return word.keyword.lstrip("-")


def _refuse_unknown(words: Words, word: Word, name: str, allowed: Sequence[Option]) -> NoReturn:
    value = f"={word.text.partition('=')[2]}" if word.key else ""
    instead = None
    if name == Option.SNAPSHOT and Option.REFERENCE in allowed:
        # A snapshot is what is asked for, so the word says nothing more.
        instead = f"{Option.REFERENCE} {value[1:]}" if value else ""
    elif name == Option.REFERENCE and Option.SNAPSHOT in allowed and value:
        instead = f"{Option.SNAPSHOT}{value}"
    elif not any(name in one.options for one in catalog.OPERATIONS):
        near = nearest(name, allowed)
        instead = f"{near}{value}" if near else None
    words.refuse(_unknown(word, name, allowed), word, instead=instead)


def _unknown(word: Word, name: str, allowed: Sequence[Option]) -> str:
    if name == Option.SNAPSHOT and Option.REFERENCE in allowed:
        return f"{word.shown} is not understood: name the image with “as NAME:TAG”."
    possible = f"Possible here: {', '.join(allowed)}."
    owners = [one.kind for one in catalog.OPERATIONS if name in one.options]
    if owners:
        here = possible
        if name == Option.REFERENCE and Option.SNAPSHOT in allowed:
            here = "Here write snapshot=NAME:TAG."
        plural = "s" if len(owners) > 1 else ""
        return f"“{name}” belongs to the sub-command{plural} {name_in_list(owners)}. {here}"
    hint = nearest(name, allowed)
    if hint:
        return f"{word.shown} is not understood. Did you mean {hint}?"
    return f"{word.shown} is not understood. {possible}"
