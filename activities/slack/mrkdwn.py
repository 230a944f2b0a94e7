"""How is a value written so that Slack shows it, and nothing else happens?

Slack reads mark-up and mentions in every ``mrkdwn`` text. What people typed only ever goes into
:func:`plain` texts, and what machines named is escaped or put into inline code here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from slack_sdk.models.blocks import MarkdownTextObject, PlainTextObject

from workflows.model.markup import clock, group_mention
from workflows.model.names import GROUP_ID_FORM, USER_ID_FORM
from workflows.model.requests import Fact
from workflows.model.terminal import Terminal
from workflows.model.text import one_line, shorten, strip_control_chars, workflow_url

_MARKUP = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_MOST_LINES = 15
_LABEL_LENGTH = 60
_VALUE_LENGTH = 60
#: What is told of a container began on any day.
_ANOTHER_DAY = datetime.min.replace(tzinfo=UTC)


def mrkdwn(text: str) -> MarkdownTextObject:
    """Wrap a text that is ours, with everything foreign in it escaped."""
    return MarkdownTextObject(text=text, verbatim=True)


def plain(text: str, limit: int) -> PlainTextObject:
    """Wrap a text that somebody typed: no mark-up, no mention, no emoji, cut with a notice."""
    return PlainTextObject(text=cut(strip_control_chars(text), limit) or "-", emoji=False)


def cut(text: str, limit: int) -> str:
    """Cut a text to ``limit`` characters and few lines; a notice says how much is missing."""
    lines = text.split("\n")
    tall = len(lines) > _MOST_LINES
    if len(text) <= limit and not tall:
        return text
    head = "\n".join(lines[:_MOST_LINES])
    notice = " … ({} more characters)"
    kept = min(len(head), limit - len(notice) - len(f"{len(text):,}"))
    return text[:kept].rstrip() + notice.format(f"{len(text) - kept:,}")


def safe(text: str, limit: int = 300) -> str:
    """Escape a short text for mrkdwn: one line, no mention, no link."""
    return shorten(one_line(text), limit).translate(_MARKUP)


def code(text: str, limit: int = 255) -> str:
    """Write a name as inline code; a backtick in it would end the code."""
    name = one_line(text.replace("`", ""))
    return f"`{shorten(name, limit).translate(_MARKUP)}`" if name else "-"


def person(user_id: str) -> str:
    """Mention a user; what is no user id is only named."""
    return f"<@{user_id}>" if USER_ID_FORM.fullmatch(user_id) else safe(user_id, 40) or "somebody"


def group(group_id: str) -> str:
    """Mention a user group; what is no group id is only named."""
    return group_mention(group_id) if GROUP_ID_FORM.fullmatch(group_id) else safe(group_id, 40)


def typed_at(terminal: Terminal | None) -> str:
    """Say at which terminal something was typed, to be added to who did it: it proves no person."""
    if terminal is None:
        return ""
    login = f" (logged in as {code(terminal.logged_in_as)})" if terminal.logged_in_as else ""
    return f" at the terminal of {code(terminal.host)} by {code(terminal.user)}{login}"


def join_limited(items: Iterable[str], limit: int, *, separator: str = ", ") -> str:
    """Join the first ``limit`` items and count the rest: nothing is left out in silence."""
    every = list(items)
    more = f" and {len(every) - limit} more" if len(every) > limit else ""
    return separator.join(every[:limit]) + more


def provider_fact(fact: Fact) -> str:
    """Write what a provider tells as it comes: the engine's own texts may be in it."""
    label, value = safe(fact.label, _LABEL_LENGTH), code(shorten(fact.value, _VALUE_LENGTH))
    at = clock(fact.at, _ANOTHER_DAY) if fact.at else ""
    return " ".join(part for part in (label, value if fact.value else "", at) if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """Where Temporal's own UI shows a workflow; an empty ``temporal_ui`` gives no links."""

    temporal_ui: str
    namespace: str

    def workflow(self, workflow_id: str, run_id: str) -> str:
        """Write the link to a run of a workflow as mrkdwn, or nothing."""
        url = workflow_url(self.temporal_ui, self.namespace, workflow_id, run_id)
        return f"<{url}|Open in Temporal>" if url else ""
