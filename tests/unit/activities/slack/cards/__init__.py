"""How does a card read, as plain text?

Each state of ``card_states.py`` beside this folder has its text here. After a change that is
meant, ``python -m tests.unit.activities.slack.cards`` writes them anew; look at the difference
before committing.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from activities.slack.card import card
from tests.unit.activities.slack.card_parts import LINKS, NOW
from workflows.model.markup import sent_in_plain_words
from workflows.model.state import RequestState

DIRECTORY = Path(__file__).parent


def read_out(state: RequestState) -> str:
    """Write a card as people would read it: typed text in quotes, buttons in brackets.

    It is what people read where Slack draws little; what is sent to Slack itself in another form
    follows below.
    """
    text, blocks = card(state, LINKS, NOW)
    sent = [block.to_dict() for block in blocks]
    lines = [f"notification: {text}", ""]
    lines += [line for block in sent_in_plain_words(sent) for line in [*_block(block), ""]]
    said = set("\n".join(lines).split("\n"))
    marked_up = "\n".join(line for block in sent for line in _block(block))
    differs = [line for line in marked_up.split("\n") if line not in said]
    if differs:
        lines += ["for Slack itself:", *differs]
    return "\n".join(lines).rstrip() + "\n"


def _block(block: dict[str, Any]) -> list[str]:
    if block["type"] == "actions":
        row = "  ".join(f"[ {element['text']['text']} ]" for element in block["elements"])
        return [row, *(_question(e) for e in block["elements"] if "confirm" in e)]
    parts = [block.get("text"), *block.get("fields", []), *block.get("elements", [])]
    return [_text(part) for part in parts if part]


def _question(element: dict[str, Any]) -> str:
    confirm = element["confirm"]
    answers = f"[ {confirm['confirm']['text']} ]  [ {confirm['deny']['text']} ]"
    return f"    {confirm['title']['text']} {confirm['text']['text']}  {answers}"


def _text(part: dict[str, Any]) -> str:
    text = str(part["text"])
    is_typed = part["type"] == "plain_text" and not text.startswith("“")
    return f"“{text}”" if is_typed else text
