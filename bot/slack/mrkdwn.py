"""How does a private answer look to Slack?

Text of people goes into ``plain_text`` objects, which parse nothing; what stands in ``mrkdwn`` is
ours or went through :func:`escape` or :func:`code`.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from workflows.model.markup import group_mention
from workflows.model.names import GROUP_ID_FORM, USER_ID_FORM
from workflows.model.requests import Policy
from workflows.model.text import cut_off, one_line, strip_control_chars
from workflows.model.words import capital

#: Of what somebody typed an answer repeats no more than this.
ASKED_LENGTH = 60
_SECTION_LENGTH = 2900
_TEXT_LENGTH = 10_000
_LABEL_LENGTH = 75
_QUESTION_LENGTH = 300
_CHANNEL = re.compile(r"[CG][A-Z0-9]{1,30}")

Block = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """A button under a paragraph; with a ``question`` it asks once more, in plain text."""

    action_id: str
    value: str
    label: str
    means: str
    style: str = ""
    question: str = ""

    def build(self) -> Block:
        """Draw the button; ``means`` is what those hear who do not see it."""
        drawn: Block = {
            "type": "button",
            "action_id": self.action_id,
            "value": self.value,
            "text": {"type": "plain_text", "text": self.label},
            "accessibility_label": cut_off(self.means, _LABEL_LENGTH),
        }
        if self.style:
            drawn["style"] = self.style
        if self.question:
            texts = {
                "title": f"{self.label}?",
                "text": cut_off(self.question, _QUESTION_LENGTH),
                "confirm": self.label,
                "deny": "Back",
            }
            drawn["confirm"] = {
                key: {"type": "plain_text", "text": text} for key, text in texts.items()
            }
        return drawn


@dataclass(frozen=True, slots=True)
class Line:
    """A paragraph: ``mrkdwn`` of ours, or, when ``plain``, text of people."""

    content: str
    plain: bool = False
    buttons: tuple[Button, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DangerButton:
    """A button for what must not happen by mistake: it asks once more.

    ``question`` is what is asked, as plain text, and ``back`` is the way out.
    """

    action_id: str
    value: str
    label: str
    question: str
    back: str

    def build(self) -> Block:
        """Draw the button."""
        texts = {"title": f"{self.label}?", "text": self.question, "confirm": self.label}
        confirm: Block = {
            key: {"type": "plain_text", "text": text}
            for key, text in {**texts, "deny": self.back}.items()
        }
        return {
            "type": "button",
            "action_id": self.action_id,
            "value": self.value,
            "text": {"type": "plain_text", "text": self.label},
            "style": "danger",
            "confirm": {**confirm, "style": "danger"},
        }


@dataclass(frozen=True, slots=True)
class Reply:
    """A private answer, with a button under it if there is something left to decide."""

    lines: tuple[Line, ...]
    button: DangerButton | None = None

    @property
    def text(self) -> str:
        """The whole answer for notifications and for readers without blocks."""
        parts = [escape(line.content) if line.plain else line.content for line in self.lines]
        return cut_off("\n".join(parts), _TEXT_LENGTH)

    @property
    def bare_text(self) -> str:
        """The answer without any mark-up, for the error line of a form."""
        parts = [line.content if line.plain else _bare(line.content) for line in self.lines]
        return " ".join(parts)

    @property
    def blocks(self) -> list[Block]:
        """The answer in sections, none longer than Slack takes."""
        blocks: list[Block] = []
        for line in self.lines:
            parts = (part for part in _split(line.content) if part.strip())
            blocks.extend(_section(part, plain=line.plain) for part in parts)
            if line.buttons:
                blocks.append(_row(*line.buttons))
        if self.button is not None:
            blocks.append(_row(self.button))
        return [{**block, "block_id": f"answer.{n}"} for n, block in enumerate(blocks)]

    def as_arguments(self) -> dict[str, Any]:
        """Give the arguments of ``ack`` and ``respond``; only the one who asked reads it."""
        return {"response_type": "ephemeral", "text": self.text, "blocks": self.blocks}


def reply(*lines: str | Line | None, button: DangerButton | None = None) -> Reply:
    """Put an answer together; empty lines are left out."""
    given = (Line(line) if isinstance(line, str) else line for line in lines)
    return Reply(tuple(line for line in given if line is not None and line.content), button)


def plain(text: str) -> Line:
    """Show text of people without reading anything in it."""
    return Line(strip_control_chars(text), plain=True)


def bullet_list(rows: Iterable[str]) -> str:
    """Write one row a line."""
    return "\n".join(f"• {row}" for row in rows)


def escape(text: str) -> str:
    """Take away the meaning of what Slack would read as a link or a mention."""
    harmless = strip_control_chars(text)
    return harmless.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def code(text: str) -> str:
    """Show a name as code; a backtick or a new line in it cannot end the code."""
    return "`" + (escape(one_line(text.replace("`", " "))) or " ") + "`"


def person(user_id: str) -> str:
    """Name a person; an id that is none is shown as text."""
    return f"<@{user_id}>" if USER_ID_FORM.fullmatch(user_id) else code(user_id)


def group(group_id: str) -> str:
    """Mention a user group; in a private answer that calls nobody."""
    return group_mention(group_id) if GROUP_ID_FORM.fullmatch(group_id) else code(group_id)


def deciders(policy: Policy, *besides: str) -> list[str]:
    """Mention who decides by a policy, groups first, but for these people: who asked never does."""
    people = (person(user_id) for user_id in policy.approvers if user_id not in besides)
    return [*map(group, policy.approver_groups), *people]


def some(names: Sequence[str], most: int) -> str:
    """List the first of them, and say how many more there are."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")


def answer_to(asked: str, words: str) -> str:
    """Begin an answer with the command that it answers, without the slash command's own name.

    Slack shows nobody what they typed, and a slow answer may come after the next one. ``words``
    go on behind a colon, so they begin small; where nothing was typed they are a sentence.
    """
    return f"{code(cut_off(one_line(asked), ASKED_LENGTH))}: {words}" if asked else capital(words)


def channel(channel_id: str) -> str:
    """Name a channel, which Slack shows to those who may see it; a conversation of two has none."""
    return f"<#{channel_id}>" if _CHANNEL.fullmatch(channel_id) else ""


def link(url: str, words: str) -> str:
    """Write a link to an address of ours."""
    return f"<{url}|{words}>" if re.fullmatch(r"https?://[^\s<>|]+", url) else ""


def _row(*buttons: Button | DangerButton) -> Block:
    return {"type": "actions", "elements": [button.build() for button in buttons]}


def _section(text: str, *, plain: bool) -> Block:
    if plain:
        return {"type": "section", "text": {"type": "plain_text", "text": text, "emoji": False}}
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def _split(text: str) -> list[str]:
    """Split at the ends of lines into parts that fit into a section."""
    parts = [""]
    for row in text.split("\n"):
        shown = cut_off(row, _SECTION_LENGTH)
        if len(parts[-1]) + len(shown) + 1 > _SECTION_LENGTH:
            parts.append(shown)
        else:
            parts[-1] = f"{parts[-1]}\n{shown}" if parts[-1] else shown
    return parts


def _bare(mrkdwn: str) -> str:
    words = re.sub(r"<[^<>|]*\|([^<>]*)>", r"\1", mrkdwn)
    return html.unescape(re.sub(r"[`*<>]", "", words))
