"""Which words are in a command text?

Words keep their position, so that a mistake can be shown where it was made. What Slack made of
the text is undone before, in ``bot/commands/typed.py``.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NoReturn

from bot.commands.odd_characters import keyword, show_invisible
from bot.commands.typed import QUOTES, Typed, closing_quote, quotes_like, read_typed
from workflows.model.text import DOUBLE_QUOTES, cut_off

#: Of a word that is wrong no more than this is shown.
SHOWN_LENGTH = 60
_CONTEXT_LENGTH = 80
_CLOSES = {True: '"', False: "'"}
#: A text that is longer is nothing to be copied.
_OWN_LENGTH = 300
#: Without quotes what stands behind it goes on to the end, whatever is in it.
_TO_THE_END = "reason"


class CommandError(Exception):
    """A text that cannot be a command.

    ``problem`` says what is wrong, ``marked`` shows the input with the bad word between arrows,
    ``example`` is one right text. ``own`` is the very text, corrected, where it is known how.
    """

    def __init__(self, problem: str, *, marked: str, example: str, own: str = "") -> None:
        super().__init__(problem)
        self.problem = problem
        self.marked = marked
        self.example = example
        self.own = own if len(own) <= _OWN_LENGTH else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """One word, or ``key=value``; the value may have been quoted. ``key`` is in small letters.

    ``value`` is what stands behind the key, or the whole word, read as a name; ``said`` is the
    same for people, with the addresses of links.
    """

    text: str
    key: str = ""
    value: str
    said: str
    quoted: bool = False
    start: int
    end: int

    @property
    def keyword(self) -> str:
        """The word as one of our own."""
        return keyword(self.text)

    @property
    def shown(self) -> str:
        """The word as a problem names it."""
        return f"“{cut_off(self.text, SHOWN_LENGTH)}”"


class Words:
    """The words of one text, taken from left to right."""

    def __init__(self, typed: Typed, words: list[Word], *, example: str) -> None:
        self.example = example
        self._typed = typed
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
        """Take all that is left, as a text for people."""
        word = self.peek()
        self._next = len(self._words)
        return self._typed.text(word.start).strip() if word is not None else ""

    def ahead(self) -> tuple[Word, ...]:
        """Look at all the words that are left without taking them."""
        return tuple(self._words[self._next :])

    def with_instead(self, word: Word, text: str, *, to_the_end: bool = False) -> str:
        """Write the whole with something in the place of a word, or of all from it on."""
        behind = "" if to_the_end else self._typed.name(word.end)
        return f"{self._typed.name(0, word.start)}{text}{behind}".strip()

    def refuse(
        self, problem: str, word: Word | None = None, *, instead: str | None = None, own: str = ""
    ) -> NoReturn:
        """Say what is wrong with ``word``, or with the end of the text.

        ``instead`` is what would be right in its place, ``own`` the whole text as it would be.

        Raises:
            CommandError: always.
        """
        typed = self._typed
        marked = _marked(typed, word.start, word.end) if word else _marked_end(typed)
        if word is not None and instead is not None:
            own = self.with_instead(word, instead)
        raise CommandError(problem, marked=marked, example=self.example, own=own)


def read_words(text: str, *, example: str) -> Words:
    """Split a text as Slack sends it.

    Raises:
        CommandError: a quote is not closed.
    """
    typed = read_typed(text)
    words: list[Word] = []
    position, takes_quotes = 0, True
    while position < len(typed.characters):
        if typed.characters[position].isspace():
            position += 1
            continue
        word = _read_word(typed, position, example, takes_quotes=takes_quotes)
        words.append(word)
        takes_quotes = takes_quotes and (word.key != _TO_THE_END or word.quoted)
        position = word.end
    return Words(typed, words, example=example)


def nearest(word: str, known: Iterable[str]) -> str:
    """Give the known word that was probably meant, or ``""``."""
    return next(iter(difflib.get_close_matches(word[:SHOWN_LENGTH], list(known), n=1)), "")


def _read_word(typed: Typed, start: int, example: str, *, takes_quotes: bool) -> Word:
    """Read one word; a quote opens one only at its start, or behind ``=``."""
    characters = typed.characters
    value = start
    key = ""
    if not takes_quotes or characters[start] not in QUOTES:
        end = _end_of_bare(characters, start)
        equals = characters.index("=", start, end) if "=" in characters[start:end] else start
        if equals == start:
            return _bare_word(typed, start, value=start, end=end)
        key = keyword(typed.name(start, equals))
        value = equals + 1
    if takes_quotes and value < len(characters) and characters[value] in QUOTES:
        return _quoted_word(typed, start, key, value, example)
    return _bare_word(typed, start, key=key, value=value, end=_end_of_bare(characters, value))


def _bare_word(typed: Typed, start: int, *, key: str = "", value: int, end: int) -> Word:
    return Word(
        text=typed.name(start, end),
        key=key,
        value=typed.name(value, end),
        said=typed.text(value, end),
        start=start,
        end=end,
    )


def _end_of_bare(characters: list[str], position: int) -> int:
    while position < len(characters) and not characters[position].isspace():
        position += 1
    return position


def _quoted_word(typed: Typed, start: int, key: str, opening: int, example: str) -> Word:
    characters = typed.characters
    closing = closing_quote(
        characters,
        opening,
        lambda end: end == len(characters) or characters[end].isspace(),
    )
    if closing < 0:
        problem = "A quote is opened and not closed, or something stands right behind its end."
        closed = f"{typed.name(0).rstrip()}{_CLOSES[characters[opening] in DOUBLE_QUOTES]}"
        marked = _marked(typed, start, None)
        raise CommandError(problem, marked=marked, example=example, own=closed)
    escapable = {*quotes_like(characters[opening]), "\\"}
    inside = []
    position = opening + 1
    while position < closing:
        if characters[position] == "\\" and characters[position + 1] in escapable:
            position += 1
        inside.append(position)
        position += 1
    value = "".join(typed.name(position, position + 1) for position in inside).strip()
    return Word(
        text=typed.name(start, opening) + value,
        key=key,
        value=value,
        said="".join(typed.text(position, position + 1) for position in inside).strip(),
        quoted=True,
        start=start,
        end=closing + 1,
    )


def _marked(typed: Typed, start: int, end: int | None) -> str:
    before, bad = typed.name(0, start), show_invisible(typed.name(start, end))
    behind = "" if end is None else cut_off(typed.name(end), _CONTEXT_LENGTH)
    shown = before if len(before) <= _CONTEXT_LENGTH else "…" + before[-_CONTEXT_LENGTH:]
    return f"{shown}→{cut_off(bad, SHOWN_LENGTH)}←{behind}"


def _marked_end(typed: Typed) -> str:
    shown = typed.name(0).rstrip()
    before = shown if len(shown) <= _CONTEXT_LENGTH else "…" + shown[-_CONTEXT_LENGTH:]
    return f"{before} →…←"
