"""How does a Slack message look on a terminal?"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from typing import Any

Message = Mapping[str, Any]

_MENTION = re.compile(r"<@([A-Z0-9]+)(?:\|[^>]*)?>")
_LINK = re.compile(r"<(?:[^>|]*)\|([^>]*)>")
_BOLD = re.compile(r"(?<![\w*])\*([^*\n]+)\*(?![\w*])")


def render(message: Message, names: Mapping[str, str]) -> list[str]:
    """Draw a message as lines of plain text; ``names`` are the people by their ids."""
    lines = list(_block_lines(message.get("blocks") or [], names))
    if not lines:
        lines = _mrkdwn(message.get("text", ""), names).splitlines()
    author = names.get(message.get("user", ""), "somebody")
    margin = "    ↳ " if message.get("thread_ts") else "  "
    reader = message.get("ephemeral_to")
    title = f"{author}  (only {names.get(reader, reader)} sees this)" if reader else author
    return [f"{margin}{title}", *(f"{' ' * len(margin)}│ {line}".rstrip() for line in lines)]


def _block_lines(blocks: list[Message], names: Mapping[str, str]) -> Iterator[str]:
    for block in blocks:
        match block["type"]:
            case "section" | "header":
                if "text" in block:
                    yield from _text(block["text"], names).splitlines()
                for field in block.get("fields", []):
                    yield "  " + _text(field, names).replace("\n", ": ", 1).replace("\n", " ")
            case "context":
                yield "   ".join(_text(element, names) for element in block["elements"])
            case "actions":
                yield " ".join(f"[ {_text(e['text'], names)} ]" for e in block["elements"])
            case "divider":
                yield "─" * 40
            case other:
                yield f"({other})"


def _text(piece: Message, names: Mapping[str, str]) -> str:
    text: str = piece.get("text", "")
    return text if piece["type"] == "plain_text" else _mrkdwn(text, names)


def _mrkdwn(text: str, names: Mapping[str, str]) -> str:
    text = _MENTION.sub(lambda found: f"@{names.get(found[1], found[1])}", text)
    return html.unescape(_BOLD.sub(r"\1", _LINK.sub(r"\1", text)))
