"""What does the card of a request look like in each of its states?

Pure: a state in, a text for notifications and Block Kit blocks out. The card is one message that
is redrawn in place: its first line says the state, and below it stands all that a person needs
to decide, or to know what became of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from slack_sdk.models.blocks import Block, ContextBlock, SectionBlock

from activities.slack import mrkdwn as wording
from activities.slack.buttons import buttons
from activities.slack.error_help import HAVE_DETAILS, lesson
from activities.slack.facts import container, deciders, not_in_the_snapshot, people, votes
from activities.slack.mrkdwn import clock, code, duration, mrkdwn, person
from activities.slack.needs_person import what_to_do
from activities.slack.status import headline, notification
from activities.slack.steps import plan_lines, snapshot_line, step_lines
from workflows.model.names import card_block_id
from workflows.model.state import RequestState, RequestStatus

_REASON_LIMIT = 1500
_COMMENT_LIMIT = 1000
_CAUSE_LIMIT = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """Where Temporal's own UI shows a workflow; an empty ``temporal_ui`` gives no links."""

    temporal_ui: str
    namespace: str

    def workflow(self, workflow_id: str, run_id: str) -> str:
        """Write the link to a run of a workflow as mrkdwn, or nothing.

        Without the run Temporal shows the newest: a later request for the same container.
        """
        if not self.temporal_ui:
            return ""
        parts = ("namespaces", self.namespace, "workflows", workflow_id, run_id)
        place = "/".join(quote(part, safe="") for part in parts if part)
        return f"<{self.temporal_ui.rstrip('/')}/{place}|Open in Temporal>"


def card(state: RequestState, links: Links, now: datetime) -> tuple[str, list[Block]]:
    """Draw the card: the text of the notification, and the blocks."""
    first = SectionBlock(block_id=card_block_id(state.request_id), text=mrkdwn(headline(state)))
    body = _waiting(state) if state.status is RequestStatus.WAITING else _decided(state)
    row = buttons(state)
    blocks: list[Block | None] = [first, *body, row, _foot(state, links, now)]
    return notification(state), [block for block in blocks if block is not None]


def _waiting(state: RequestState) -> list[Block | None]:
    return [
        SectionBlock(block_id=_id(state, "people"), fields=[mrkdwn(f) for f in people(state)]),
        _section(state, "container", container(state)),
        _reason(state),
        _section(state, "plan", f"*What will happen*\n{plan_lines(state)}" if state.steps else ""),
        _context(state, "mounts", not_in_the_snapshot(state)),
        _context(state, "who", deciders(state)),
    ]


def _decided(state: RequestState) -> list[Block | None]:
    nothing_ran = state.status in (
        RequestStatus.REJECTED,
        RequestStatus.EXPIRED,
        RequestStatus.CANCELLED,
        RequestStatus.STALE,
    )
    return [
        _comment(state),
        _section(state, "steps", "" if nothing_ran else step_lines(state)),
        _section(state, "snapshot", snapshot_line(state)),
        _section(state, "left", what_to_do(state) or lesson(state)),
        _cause(state),
        _context(state, "restarted", _restarted(state)),
        _reason(state),
        _context(state, "who", f"Requested by {person(state.requester)}{votes(state)}"),
    ]


def _reason(state: RequestState) -> Block | None:
    return _typed(state, "reason", "Reason", state.reason, _REASON_LIMIT)


def _comment(state: RequestState) -> Block | None:
    rejection = state.rejection
    why = rejection.comment if rejection else ""
    return _typed(state, "why", "Why", why, _COMMENT_LIMIT)


def _cause(state: RequestState) -> Block | None:
    """Show the detail that our own activities give, where it tells more than the cause's words."""
    if not state.cause_text or state.cause not in HAVE_DETAILS:
        return None
    detail = wording.plain(f"Detail: {state.cause_text}", _CAUSE_LIMIT)
    return ContextBlock(block_id=_id(state, "cause"), elements=[detail])


def _restarted(state: RequestState) -> str:
    if not state.restarted_since:
        return ""
    return "🔁 It had restarted by itself since the card was posted. It is the same container."


def _foot(state: RequestState, links: Links, now: datetime) -> Block | None:
    parts = [code(state.request_id), _when(state, now)]
    if state.policy is not None:
        parts.append(f"policy {code(state.policy.name, 60)}")
    parts.append(links.workflow(state.workflow_id, state.run_id))
    return _context(state, "foot", " · ".join(part for part in parts if part))


def _when(state: RequestState, now: datetime) -> str:
    if state.status is RequestStatus.WAITING:
        if state.expires_at is None:
            return ""
        left = duration(state.expires_at - now)
        return f"until {clock(state.expires_at, now)} (in {left})"
    if state.finished_at is None:
        return f"asked for at {clock(state.requested_at, now)}"
    return f"ended at {clock(state.finished_at, now)}"


def _typed(state: RequestState, name: str, label: str, text: str, limit: int) -> Block | None:
    if not text.strip():
        return None
    return SectionBlock(
        block_id=_id(state, name), text=wording.plain(f"{label}: {text}", limit + len(label))
    )


def _section(state: RequestState, name: str, text: str) -> Block | None:
    return SectionBlock(block_id=_id(state, name), text=mrkdwn(text)) if text else None


def _context(state: RequestState, name: str, text: str) -> Block | None:
    return ContextBlock(block_id=_id(state, name), elements=[mrkdwn(text)]) if text else None


def _id(state: RequestState, name: str) -> str:
    return f"{name}.{state.request_id}"
