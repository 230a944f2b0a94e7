"""What did somebody type, before Slack made links, entities and marks of it?

Slack sends ``<http://web.example|web.example>`` for a name with dots, ``<#C012|ops>`` for a
channel and ``&amp;`` for ``&``; its editor leaves ``*bold*``, ``_italic_``, ``~strike~``,
backticks and fences in the text. A link reads in two ways: as a name it is what was typed, and
in a text for people it keeps its address. Marks mean nothing, except inside quotes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from workflows.model.text import DOUBLE_QUOTES, is_invisible

SINGLE_QUOTES = frozenset("'\u2018\u2019\u201a\u201b")
QUOTES = DOUBLE_QUOTES | SINGLE_QUOTES

_LINK = r"<([#@!]|(?=[A-Za-z][A-Za-z0-9+.-]*:))([^<>|\s]+)(?:\|([^<>]*))?>"
_ATOM = re.compile(rf"{_LINK}|&(?:amp|lt|gt);|.", re.DOTALL)
_ENTITIES = {"&amp;": "&", "&lt;": "<", "&gt;": ">"}
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:(?://)?")
_UNSEEN_SCHEME = re.compile(r"(?:mailto|tel):")
#: How a label ends that Slack cut.
_CUT = ("\u2026", "...")
#: What no name can hold; the other marks count only in pairs, for a name may end with one.
_BACKTICK = "`"
_PAIRED = "*_~"
_MARKS = frozenset(_BACKTICK + _PAIRED)
#: More marks than this at one end of a word are no mark-up.
_MOST_MARKS = 12


class Typed:
    """A text, character by character; a link counts as one, and reads in two ways."""

    def __init__(self, names: list[str], texts: list[str]) -> None:
        self.characters = names
        self._texts = texts

    def name(self, start: int, end: int | None = None) -> str:
        """Read a part as a name: what was typed."""
        return "".join(self.characters[start:end])

    def text(self, start: int, end: int | None = None) -> str:
        """Read a part as a text for people: addresses are kept, and nobody is called."""
        return "".join(self._texts[start:end])


def read_typed(sent: str) -> Typed:
    """Undo what Slack makes of a text."""
    names: list[str] = []
    texts: list[str] = []
    for match in _ATOM.finditer(sent):
        if match[2] is None:
            character = _ENTITIES.get(match[0], match[0])
            names.append(character)
            texts.append(character)
        else:
            sigil, target, label = match[1], _unescape(match[2]), _unescape(match[3] or "")
            names.append(_name(sigil, target, label))
            texts.append(_text(sigil, target, label))
    meaningless = _Marks(names).find()
    kept = [position for position in range(len(names)) if position not in meaningless]
    return Typed([names[position] for position in kept], [texts[position] for position in kept])


def closing_quote(characters: Sequence[str], opening: int, ends: Callable[[int], bool]) -> int:
    """Find where a quote closes: before a position at which its word ends; ``-1``: nowhere."""
    kind = quotes_like(characters[opening])
    position = opening + 1
    while position < len(characters):
        if characters[position] == "\\" and "".join(characters[position + 1 : position + 2]) in (
            *kind,
            "\\",
        ):
            position += 2
        elif characters[position] in kind and ends(position + 1):
            return position
        else:
            position += 1
    return -1


def quotes_like(quote: str) -> frozenset[str]:
    """Give the quotes that may close this one."""
    return DOUBLE_QUOTES if quote in DOUBLE_QUOTES else SINGLE_QUOTES


class _Marks:
    """Finds the marks, and what is not drawn, at the ends of words and values."""

    def __init__(self, characters: Sequence[str]) -> None:
        self._characters = characters
        self._opened: dict[str, list[int]] = {mark: [] for mark in _PAIRED}
        self._bare: set[int] = set()
        self._pairs: set[tuple[int, int]] = set()
        self._unpaired = -1
        self._word = 0

    def find(self) -> set[int]:
        """Give the positions of all that means nothing."""
        # Whether a word, or the value behind its first "=", has not begun yet.
        fresh, in_key = True, True
        position = 0
        while position < len(self._characters):
            character = self._characters[position]
            if fresh and character in QUOTES:
                closing = closing_quote(self._characters, position, self._ends_value)
                if closing < 0:
                    break
                position, fresh = closing, False
            elif character.isspace():
                fresh = in_key = True
                self._word = position
            elif not self._is_mark(position, fresh=fresh):
                is_equals = character == "=" and in_key and not fresh
                fresh, in_key = is_equals, in_key and not is_equals
            position += 1
        return self._at_the_ends()

    def _is_mark(self, position: int, *, fresh: bool) -> bool:
        """Take what is a mark where it stands, and say whether it was."""
        character = self._characters[position]
        if self._is_bare(character):
            if fresh or self._ends_word(position):
                self._bare.add(position)
        elif character not in self._opened:
            return False
        elif fresh and not self._closes_key(position) and self._opens(position):
            self._opened[character].append(position)
        elif self._closes_key(position) or self._ends_word(position):
            self._close(position)
        else:
            return False
        return True

    def _closes_key(self, position: int) -> bool:
        """Whether a mark behind ``=`` belongs to the key before it: ``*grace=*30s``."""
        opened = self._opened[self._characters[position]][-1:]
        return self._characters[position - 1 : position] == ["="] and opened >= [self._word]

    def _opens(self, position: int) -> bool:
        """Whether something follows that it can stand around."""
        return not "".join(self._characters[position + 1 : position + 2]).isspace()

    def _close(self, position: int) -> None:
        mark = self._characters[position]
        if not self._opened[mark]:
            if mark == "_":
                self._unpaired = position
            return
        behind = self._characters[position : self._behind_marks(position)]
        if behind.count(mark) > len(self._opened[mark]):
            return  # the outer ones are the marks, and this one is of the word
        self._pairs.add((self._opened[mark].pop(), position))

    def _is_doubtful(self, start: int, end: int) -> bool:
        """Whether it may belong to a name: ``_stop web_ snapshot_`` may be about ``web_``."""
        return (
            self._characters[start] == "_"
            and start < self._unpaired
            and any(map(str.isspace, self._characters[start:end]))
        )

    def _at_the_ends(self) -> set[int]:
        """Give what stands at an end of a word or value, with nothing behind it that stays.

        In ``*web*_`` the last one stays, and the name that is left must not be ``web_``.
        """
        pairs = {pair for pair in self._pairs if not self._is_doubtful(*pair)}
        while True:
            ends = self._reaching_an_end(self._bare.union(*pairs))
            inside = {pair for pair in pairs if not ends.issuperset(pair)}
            if not inside:
                return ends
            pairs -= inside

    def _reaching_an_end(self, found: set[int]) -> set[int]:
        """Give those of the marks between which, and an end of their word, is nothing else."""
        reaching: set[int] = set()
        row: list[int] = []
        for position in sorted(found):
            if row and row[-1] + 1 != position:
                reaching.update(row if self._is_at_an_end(row) else ())
                row = []
            row.append(position)
        reaching.update(row if row and self._is_at_an_end(row) else ())
        return reaching

    def _is_at_an_end(self, row: list[int]) -> bool:
        sides = (
            self._characters[max(0, row[0] - 1) : row[0]],
            self._characters[row[-1] + 1 : row[-1] + 2],
        )
        return any(not side or side[0].isspace() or side[0] == "=" for side in sides)

    def _ends_word(self, position: int) -> bool:
        end = self._behind_marks(position)
        return end == len(self._characters) or (
            self._characters[end].isspace() or self._characters[end] == "="
        )

    def _ends_value(self, position: int) -> bool:
        """Whether a quote can close before this: at most the marks around it follow."""
        end = self._behind_marks(position)
        behind = self._characters[position:end]
        are_open = all(behind.count(mark) <= len(self._opened[mark]) for mark in _PAIRED)
        return are_open and (end == len(self._characters) or self._characters[end].isspace())

    def _behind_marks(self, position: int) -> int:
        end = position
        while end < min(len(self._characters), position + _MOST_MARKS) and (
            self._characters[end] in _MARKS or self._is_bare(self._characters[end])
        ):
            end += 1
        return end

    @staticmethod
    def _is_bare(character: str) -> bool:
        """Whether it means nothing at the end of a word, also alone."""
        if character == _BACKTICK:
            return True
        return len(character) == 1 and not character.isspace() and is_invisible(character)


def _name(sigil: str, target: str, label: str) -> str:
    if sigil:
        return _called(sigil, target, label)
    if not label:
        return target
    if _is_cut(label):
        forms = (target, _SCHEME.sub("", target, count=1))
        typed = label.rstrip("\u2026.")
        return next((form for form in forms if form.startswith(typed)), label)
    return label


def _text(sigil: str, target: str, label: str) -> str:
    if sigil:
        return _called(sigil, target, label)
    address = _UNSEEN_SCHEME.sub("", target, count=1)
    same = {form.rstrip("/") for form in (target, address, _SCHEME.sub("", target, count=1))}
    if not label or _is_cut(label) or label.rstrip("/") in same:
        return address
    return f"{label} ({address})"


def _called(sigil: str, target: str, label: str) -> str:
    """Name a channel, a person, a group or everybody, without a call."""
    if sigil == "!" and "^" in target and not target.startswith("subteam^"):
        return label  # a date, in words
    sign = "#" if sigil == "#" else "@"
    return sign + (label or target.removeprefix("subteam^")).removeprefix(sign)


def _is_cut(label: str) -> bool:
    return label.endswith(_CUT)


def _unescape(text: str) -> str:
    return re.sub("|".join(_ENTITIES), lambda entity: _ENTITIES[entity[0]], text)
