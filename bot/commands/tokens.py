"""Which words are in a command text?

Slack sends escaped entities, links (``<http://x|x>``), channels and people; phones and Macs turn
quotes and dashes into typographic ones. Words keep their position, so that a mistake can be shown
where it was made.
"""

from __future__ import annotations

import difflib
import html
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NoReturn

from workflows.model.text import cut_off

_LINK = re.compile(r"<([#@!]?)([^<>|]*)(?:\|([^<>]*))?>")
# Straight, English, low, reversed, French and full-width quotes.
_DOUBLE_QUOTES = '"\u201c\u201d\u201e\u201f\u00ab\u00bb\uff02'
_SINGLE_QUOTES = "'\u2018\u2019\u201a\u201b"
# Hyphens, en and em dash, bar, minus.
_DASHES = dict.fromkeys((*range(0x2010, 0x2016), 0x2212), "-")
# Zero-width characters and changes of the writing direction.
_INVISIBLE = dict.fromkeys((*range(0x200B, 0x2010), *range(0x202A, 0x202F), 0x2060, 0xFEFF))
_SHOWN_LENGTH = 60
_CONTEXT_LENGTH = 80


class CommandError(Exception):
    """A text that cannot be a command.

    ``problem`` says what is wrong, ``marked`` shows the input with the bad word between arrows,
    ``example`` is one right text.
    """

    def __init__(self, problem: str, *, marked: str, example: str) -> None:
        super().__init__(problem)
        self.problem = problem
        self.marked = marked
        self.example = example


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """One word, or ``key=value``; the value may have been quoted. ``key`` is in small letters."""

    text: str
    key: str = ""
    value: str = ""
    quoted: bool = False
    start: int
    end: int

    @property
    def shown(self) -> str:
        """The word as a problem names it."""
        return f"“{cut_off(self.text, _SHOWN_LENGTH)}”"


class Words:
    """The words of one text, taken from left to right."""

    def __init__(self, text: str, words: list[Word], *, example: str) -> None:
        self.example = example
        self._text = text
        self._words = words
        self._next = 0

    def take(self) -> Word | None:
        """Take the next word, or ``None`` at the end."""
        word = self.peek()
        if word is not None:
            self._next += 1
        return word

    def peek(self) -> Word | None:
        """Look at the next word without taking it."""
        return self._words[self._next] if self._next < len(self._words) else None

    def rest(self) -> str:
        """Take all that is left, as it was written."""
        word = self.peek()
        self._next = len(self._words)
        return self._text[word.start :].strip() if word is not None else ""

    def refuse(self, problem: str, word: Word | None = None) -> NoReturn:
        """Say what is wrong with ``word``, or with the end of the text.

        Raises:
            CommandError: always.
        """
        marked = _marked(self._text, word.start, word.end) if word else _marked_end(self._text)
        raise CommandError(problem, marked=marked, example=self.example)


def read_words(text: str, *, example: str) -> Words:
    """Split a text as Slack sends it.

    Raises:
        CommandError: a quote is not closed.
    """
    plain = _as_typed(text)
    words = []
    position = 0
    while position < len(plain):
        if plain[position].isspace():
            position += 1
            continue
        word = _read_word(plain, position, example)
        words.append(word)
        position = word.end
    return Words(plain, words, example=example)


def nearest(word: str, known: Iterable[str]) -> str:
    """Give the known word that was probably meant, or ``""``."""
    return next(iter(difflib.get_close_matches(word[:_SHOWN_LENGTH], list(known), n=1)), "")


def _as_typed(text: str) -> str:
    """Undo what Slack makes of links, mentions and ``&``."""
    return html.unescape(_LINK.sub(_unwrap, text)) if "<" in text or "&" in text else text


def _unwrap(match: re.Match[str]) -> str:
    sigil, target, label = match.groups()
    if sigil in ("#", "@"):
        return sigil + (label or target).removeprefix(sigil)
    if sigil == "!":
        return "@" + (label or target).removeprefix("@")
    return label or target


def _read_word(text: str, start: int, example: str) -> Word:
    """Read one word; a quote opens one only at its start, or behind ``=``."""
    position = start
    key = ""
    if text[position] not in _DOUBLE_QUOTES + _SINGLE_QUOTES:
        while position < len(text) and not text[position].isspace() and text[position] != "=":
            position += 1
        bare = text[start:position]
        if position == len(text) or text[position] != "=" or not bare:
            end = _end_of_bare(text, position)
            return Word(text=_tidy(text[start:end]), start=start, end=end)
        key = _tidy(bare).lower()
        position += 1
    if position < len(text) and text[position] in _DOUBLE_QUOTES + _SINGLE_QUOTES:
        value, end = _read_quoted(text, position, start, example)
        shown = f"{_tidy(text[start:position])}{value}"
        return Word(text=shown, key=key, value=value, quoted=True, start=start, end=end)
    end = _end_of_bare(text, position)
    return Word(
        text=_tidy(text[start:end]),
        key=key,
        value=_tidy(text[position:end]),
        start=start,
        end=end,
    )


def _end_of_bare(text: str, position: int) -> int:
    while position < len(text) and not text[position].isspace():
        position += 1
    return position


def _read_quoted(text: str, opening: int, start: int, example: str) -> tuple[str, int]:
    kind = _DOUBLE_QUOTES if text[opening] in _DOUBLE_QUOTES else _SINGLE_QUOTES
    value = []
    position = opening + 1
    while position < len(text):
        character = text[position]
        following = text[position + 1 : position + 2]
        if character == "\\" and following and following in kind + "\\":
            value.append(following)
            position += 2
        elif character in kind and (not following or following.isspace()):
            return "".join(value).strip(), position + 1
        else:
            value.append(character)
            position += 1
    problem = "A quote is opened and not closed, or something stands right behind its end."
    raise CommandError(problem, marked=_marked(text, start, len(text)), example=example)


def _tidy(bare: str) -> str:
    return bare.translate(_DASHES).translate(_INVISIBLE)


def _marked(text: str, start: int, end: int) -> str:
    before = (
        text[:start] if start <= _CONTEXT_LENGTH else "…" + text[start - _CONTEXT_LENGTH : start]
    )
    bad, behind = cut_off(text[start:end], _SHOWN_LENGTH), cut_off(text[end:], _CONTEXT_LENGTH)
    return f"{before}→{bad}←{behind}"


def _marked_end(text: str) -> str:
    shown = text.rstrip()
    before = shown if len(shown) <= _CONTEXT_LENGTH else "…" + shown[-_CONTEXT_LENGTH:]
    return f"{before} →…←"
