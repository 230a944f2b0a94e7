"""What does the card of a request look like in each of its states?

Pure: a state in, a text for notifications and Block Kit blocks out. The card is one message that
is redrawn in place: its first line says the state, and below it stands all that a person needs
to decide, or to know what became of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from slack_sdk.models.blocks import Block, ContextBlock, SectionBlock

from activities.slack.afterwards import afterwards
from activities.slack.buttons import buttons
from activities.slack.dependents import dependents_left, dependents_warning
from activities.slack.error_help import HAVE_DETAILS
from activities.slack.mrkdwn import (
    clock,
    code,
    group,
    join_limited,
    mrkdwn,
    person,
    plain,
    safe,
    typed_at,
)
from activities.slack.needs_person import what_to_do
from activities.slack.outcome import failure_summary
from activities.slack.plan import caution_lines, plan_lines
from activities.slack.status import headline, notification, snapshot_line, step_lines
from workflows.model.names import card_block_id
from workflows.model.requests import Fact, FactKind
from workflows.model.state import RequestState, RequestStatus
from workflows.model.text import short_id, shorten, shows_nothing, workflow_url
from workflows.model.words import duration
from workflows.operations import catalog

_NOTHING_RAN = frozenset(
    {
        RequestStatus.REJECTED,
        RequestStatus.EXPIRED,
        RequestStatus.CANCELLED,
        RequestStatus.STALE,
        RequestStatus.FAILED,
    }
)
_MOST_LEFT_OUT = 12
_MOST_FACTS = 9
_MOST_PEOPLE = 20
_LABEL_LENGTH = 60
_VALUE_LENGTH = 60
_IMAGE_LENGTH = 200
_REASON_LIMIT = 1000
_COMMENT_LIMIT = 1000
_CAUSE_LIMIT = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """Where Temporal's own UI shows a workflow; an empty ``temporal_ui`` gives no links."""

    temporal_ui: str
    namespace: str

    def workflow(self, workflow_id: str, run_id: str) -> str:
        """Write the link to a run of a workflow as mrkdwn, or nothing."""
        url = workflow_url(self.temporal_ui, self.namespace, workflow_id, run_id)
        return f"<{url}|Open in Temporal>" if url else ""


def drawing_block_id(state: RequestState) -> str:
    """Name the last block of a card, which tells this drawing from every other."""
    return f"foot.{state.request_id}.{state.revision}"


def card(state: RequestState, links: Links, now: datetime) -> tuple[str, list[Block]]:
    """Draw the card: the text of the notification, and the blocks."""
    first = SectionBlock(block_id=card_block_id(state.request_id), text=mrkdwn(headline(state)))
    body = _waiting(state) if state.status is RequestStatus.WAITING else _decided(state)
    row = buttons(state)
    blocks: list[Block | None] = [first, *body, row, _foot(state, links, now)]
    return notification(state), [block for block in blocks if block is not None]


def _waiting(state: RequestState) -> list[Block | None]:
    return [
        SectionBlock(block_id=_id(state, "people"), fields=[mrkdwn(f) for f in _people(state)]),
        _section(state, "container", _container(state)),
        _reason(state),
        _section(state, "plan", f"*What will happen*\n{plan_lines(state)}" if state.steps else ""),
        _context(state, "cautions", caution_lines(state)),
        _context(state, "others", dependents_warning(state)),
        _context(state, "stuck", _stuck(state)),
        _context(state, "mounts", _not_in_the_snapshot(state)),
        _context(state, "who", _approvers_line(state)),
    ]


def _decided(state: RequestState) -> list[Block | None]:
    nothing_ran = state.status in _NOTHING_RAN and not state.started_by_us
    steps = [
        _section(state, "steps", "" if nothing_ran else step_lines(state)),
        _section(state, "snapshot", snapshot_line(state)),
    ]
    if state.status is RequestStatus.NEEDS_PERSON:
        # What is to be done comes before what was done.
        told = [_section(state, "left", what_to_do(state)), *steps]
    else:
        told = [*steps, _section(state, "left", failure_summary(state)), _cause(state)]
    told.append(_section(state, "others", dependents_left(state)))
    return [
        _comment(state),
        *told,
        _context(state, "afterwards", afterwards(state)),
        _context(state, "restarted", _restarted(state)),
        _context(state, "stuck", _stuck(state)),
        _reason(state),
        _context(state, "who", f"Requested by {_requester(state)}{_approvals_suffix(state)}"),
    ]


def _people(state: RequestState) -> list[str]:
    """Say who asked and who approved, as fields: a bold name, and the value below."""
    return [
        f"*Requested by*\n{_requester(state)}",
        f"*Approvals*\n{_approvals(state)}",
    ]


def _requester(state: RequestState) -> str:
    return person(state.requester) + typed_at(state.terminal)


def _container(state: RequestState) -> str:
    """Say which container exactly is meant, and what its provider tells of it."""
    pin = state.pin
    if pin is None:
        return ""
    seen = [_fact(fact) for fact in pin.told(FactKind.SEEN)]
    told = join_limited([str(pin.state), *seen], _MOST_FACTS, separator=" · ")
    image = code(pin.image or short_id(pin.image_id), _IMAGE_LENGTH)
    return f"*Container* {code(short_id(pin.container_id))} · {told}\n*Image* {image}"


def _approvals(state: RequestState) -> str:
    """Count the approvals and name who gave them: ``1 of 2 · ✅ @bob``."""
    count = f"{len(state.approvals)} of {_needed(state)}"
    return f"{count} · ✅ {_approvers(state)}" if state.approvals else count


def _approvals_suffix(state: RequestState) -> str:
    """Name who approved, to be added to a line; nothing when nobody did."""
    if not state.approvals:
        return ""
    if len(state.approvals) < _needed(state):
        return f" · {len(state.approvals)} of {_needed(state)} approvals: {_approvers(state)}"
    return f" · approved by {_approvers(state)}"


def _approvers_line(state: RequestState) -> str:
    """Name who may decide. They are mentioned, so that Slack tells them once, at the posting."""
    if state.policy is None:
        return ""
    people = [person(user) for user in state.policy.approvers if user != state.requester]
    groups = [group(group_id) for group_id in state.policy.approver_groups]
    names = join_limited([*groups, *people], _MOST_PEOPLE)
    return f"May decide: {names} (never the requester)" if names else ""


def _not_in_the_snapshot(state: RequestState) -> str:
    """List what a snapshot of this container leaves out."""
    if not catalog.makes_image(state.operation) or state.pin is None:
        return ""
    left_out = [_fact(fact) for fact in state.pin.told(FactKind.NOT_IN_SNAPSHOT)]
    return f"⚠️ Not in the snapshot: {join_limited(left_out, _MOST_LEFT_OUT)}" if left_out else ""


def _fact(fact: Fact) -> str:
    """Write what a provider tells as it comes: the engine's own texts may be in it."""
    label, value = safe(fact.label, _LABEL_LENGTH), code(shorten(fact.value, _VALUE_LENGTH))
    return f"{label} {value}" if fact.value else label


def _reason(state: RequestState) -> Block | None:
    label = "Reason of the request" if state.status is RequestStatus.REJECTED else "Reason"
    return _typed(state, "reason", label, state.reason, _REASON_LIMIT)


def _comment(state: RequestState) -> Block | None:
    rejection = state.rejection
    why = rejection.comment if rejection else ""
    return _typed(state, "why", "Why it was rejected", why, _COMMENT_LIMIT)


def _cause(state: RequestState) -> Block | None:
    """Show the detail that our own activities give, where it tells more than the cause's words."""
    if not state.cause_text or state.cause not in HAVE_DETAILS:
        return None
    detail = plain(f"Detail: {state.cause_text}", _CAUSE_LIMIT)
    return ContextBlock(block_id=_id(state, "cause"), elements=[detail])


def _stuck(state: RequestState) -> str:
    """Say that people were called for Dockwarden's own sake, while the request still goes on."""
    if not state.paged or state.status not in (RequestStatus.WAITING, RequestStatus.RUNNING):
        return ""
    return (
        "🛑 Dockwarden itself failed again and again at this request. Whoever runs it was called."
    )


def _restarted(state: RequestState) -> str:
    if not state.restarted_since:
        return ""
    return "🔁 It had been started anew since the card was posted. It is the same container."


def _foot(state: RequestState, links: Links, now: datetime) -> Block:
    parts = [code(state.request_id), _when(state, now)]
    if state.policy is not None:
        parts.append(f"policy {code(state.policy.name, 60)}")
    parts.append(links.workflow(state.workflow_id, state.run_id))
    text = " · ".join(part for part in parts if part)
    return ContextBlock(block_id=drawing_block_id(state), elements=[mrkdwn(text)])


def _when(state: RequestState, now: datetime) -> str:
    if state.status is RequestStatus.WAITING:
        if state.expires_at is None:
            return ""
        left = duration(state.expires_at - now)
        return f"until {clock(state.expires_at, now)} (in {left})"
    if state.finished_at is None:
        return f"asked for at {clock(state.requested_at, now)}"
    return f"ended at {clock(state.finished_at, now)}"


def _approvers(state: RequestState) -> str:
    given = [person(d.approver_id) + typed_at(d.terminal) for d in state.approvals]
    return join_limited(given, _MOST_PEOPLE)


def _needed(state: RequestState) -> int:
    return state.policy.required_approvals if state.policy else 1


def _typed(state: RequestState, name: str, label: str, text: str, limit: int) -> Block | None:
    if shows_nothing(text):
        return None
    return SectionBlock(
        block_id=_id(state, name), text=plain(f"{label}: {text}", limit + len(label))
    )


def _section(state: RequestState, name: str, text: str) -> Block | None:
    return SectionBlock(block_id=_id(state, name), text=mrkdwn(text)) if text else None


def _context(state: RequestState, name: str, text: str) -> Block | None:
    return ContextBlock(block_id=_id(state, name), elements=[mrkdwn(text)]) if text else None


def _id(state: RequestState, name: str) -> str:
    return f"{name}.{state.request_id}"
