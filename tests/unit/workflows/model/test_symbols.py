"""Does each symbol have one meaning, and do people meet no other?"""

from __future__ import annotations

import ast
import unicodedata
from pathlib import Path

import pytest

from workflows.model.state import RequestStatus
from workflows.model.symbols import MEANINGS, Symbol
from workflows.model.words import STATUS, STEP_EMOJI

_ROOT = Path(__file__).parents[4]
_FILES = sorted(
    path for room in ("activities", "bot", "workflows") for path in (_ROOT / room).rglob("*.py")
)
#: What is taken out of texts, for it is not drawn.
_WRITING = {"\u2800", "\U0001d159"}


def test_every_symbol_is_explained() -> None:
    """Each has a meaning, and no two have the same."""
    assert set(MEANINGS) == set(Symbol)
    assert len(set(MEANINGS.values())) == len(Symbol)


def test_only_what_was_not_done_shares_a_symbol() -> None:
    """Each status is told from every other at a glance; why it was not done, its words say."""
    shown = [STATUS[status].emoji for status in RequestStatus if status is not RequestStatus.FAILED]
    assert len(set(shown)) == len(shown)
    assert not {Symbol(emoji) for emoji in STEP_EMOJI.values()} & {Symbol(s) for s in shown}


@pytest.mark.parametrize("room", ["activities", "bot", "workflows"])
def test_no_door_shows_another_symbol(room: str) -> None:
    """Whatever text is written anywhere: a new symbol needs a meaning first."""
    known = set("".join(Symbol))
    strange = {
        f"{path.relative_to(_ROOT)}: {character}"
        for path in _FILES
        if path.relative_to(_ROOT).parts[0] == room
        for text in _texts(path)
        for character in text
        if unicodedata.category(character) == "So" and character not in known | _WRITING
    }
    assert not strange


def _texts(path: Path) -> list[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
