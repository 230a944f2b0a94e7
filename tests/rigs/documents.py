"""What do README and docs/ tell people to type, and where do they point?"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)
_ENDS_A_COMMAND = {"&&", "||", ";", "|", "\n"}
_ASSIGNMENT = re.compile(r"[A-Z_]+=.*", re.S)


@dataclass(frozen=True, slots=True)
class Block:
    """A block between fences: its language is "" where it is typed into Slack, or only read."""

    page: Path
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        """Say where it stands."""
        return f"{self.page.name}:{self.line}"


@dataclass(frozen=True, slots=True)
class Typed:
    """One command of a shell: what stands before it as variables, and its words."""

    block: Block
    variables: tuple[str, ...]
    words: tuple[str, ...]

    def __str__(self) -> str:
        """Write it as a line."""
        return f"{self.block}: {shlex.join(self.words)}"


def blocks(language: str) -> list[Block]:
    """Give the blocks of a language, in the order in which people meet them."""
    return [
        Block(page, text.count("\n", 0, match.start()) + 1, match[1], match[2])
        for page in PAGES
        for text in (page.read_text(encoding="utf-8"),)
        for match in _FENCE.finditer(text)
        if match[1] == language
    ]


def first_steps() -> list[Block]:
    """Give README's blocks that make what an installation keeps beside the compose file."""
    steps = [block for block in blocks("sh") if "deploy/secrets" in block.text]
    return [block for block in steps if block.page == PAGES[0]]


def typed() -> list[Typed]:
    """Give each command of each block of a shell."""
    return [
        Typed(block, tuple(variables), tuple(words))
        for block in blocks("sh")
        for variables, words in _commands(block.text)
    ]


def prose(page: Path) -> str:
    """Give a page without its blocks."""
    return _FENCE.sub("", page.read_text(encoding="utf-8"))


def inline() -> Iterator[tuple[Path, str]]:
    """Give what stands between backticks in the text, with its page."""
    for page in PAGES:
        for match in re.finditer(r"`([^`]+)`", prose(page)):
            yield page, " ".join(match[1].split())


def _commands(text: str) -> Iterator[tuple[list[str], list[str]]]:
    without_comments = re.sub(r"(?m)(?:^|\s)#.*$", "", text)
    lexer = shlex.shlex(without_comments, posix=True, punctuation_chars="&|;<>\n")
    lexer.whitespace, lexer.commenters, lexer.whitespace_split = " \t", "", True
    words: list[str] = []
    for token in (*lexer, "\n"):
        if not token.strip("\n") or token in _ENDS_A_COMMAND:
            if words:
                yield _split(words)
            words = []
        else:
            words.append(token)


def _split(words: list[str]) -> tuple[list[str], list[str]]:
    """Part the variables before a command from it, and leave out where its output goes."""
    first = next((n for n, word in enumerate(words) if not _ASSIGNMENT.fullmatch(word)), len(words))
    last = next((n for n, word in enumerate(words) if word.strip("<>") == ""), len(words))
    return words[:first], words[first:last]
