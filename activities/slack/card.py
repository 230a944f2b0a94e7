"""What does the card of a request look like in each of its states?

Pure: a state in, a text for notifications and Block Kit blocks out. The card is one message that
is redrawn in place: its first line says the state, and below it stands all that a person needs to
decide, or to know what became of it. It is as short as that allows, for a channel holds many: what
else there is to know is behind *Details* and in the thread.
"""

from __future__ import annotations

from datetime import datetime

from slack_sdk.models.blocks import Block, ContextBlock, SectionBlock, TextObject

from activities.slack.buttons import buttons
from activities.slack.error_help import HAVE_DETAILS
from activities.slack.impact import (
    afterwards,
    dependents_left,
    left_by_it,
    restarted_since,
    warnings,
    what_it_comes_to,
    what_it_is,
    what_the_snapshot_holds,
)
from activities.slack.mrkdwn import Links, code, mrkdwn, person, plain, typed_at
from activities.slack.needs_person import what_to_do
from activities.slack.status import (
    failure_summary,
    headline,
    notification,
    snapshot_line,
    step_lines,
)
from activities.slack.voters import approved_by, approvers, who_can_still_decide
from workflows.model.markup import clock
from workflows.model.names import card_block_id
from workflows.model.plan import SHOWN_DIGITS
from workflows.model.state import RequestState, RequestStatus
from workflows.model.symbols import Symbol
from workflows.model.text import one_line, short_id, shows_nothing
from workflows.operations.facts import was_late, was_left_running

_NOTHING_RAN = frozenset(
    {
        RequestStatus.REJECTED,
        RequestStatus.EXPIRED,
        RequestStatus.CANCELLED,
        RequestStatus.STALE,
        RequestStatus.FAILED,
    }
)
_REASON_LIMIT = 400
#: What was said stays on a card that is over, but is no longer what it is about.
_SAID_LIMIT = 120
_COMMENT_LIMIT = 400
_CAUSE_LIMIT = 200


def drawing_block_id(state: RequestState) -> str:
    """Name the last block of a card, which tells this drawing from every other."""
    return f"foot.{state.request_id}.{state.revision}"


def card(state: RequestState, links: Links, now: datetime) -> tuple[str, list[Block]]:
    """Draw the card: the text of the notification, and the blocks."""
    first = SectionBlock(block_id=card_block_id(state.request_id), text=mrkdwn(headline(state)))
    body = _waiting(state) if state.status is RequestStatus.WAITING else _decided(state)
    blocks: list[Block | None] = [first, *body, buttons(state), _foot(state, links, now)]
    return notification(state), [block for block in blocks if block is not None]


def _waiting(state: RequestState) -> list[Block | None]:
    """Say why, what it comes to, what the container is, and what is better known first."""
    told = (what_it_comes_to(state), what_it_is(state), what_the_snapshot_holds(state))
    return [
        _reason(state),
        _section(state, "container", "\n".join(line for line in told if line)),
        _context(state, "cautions", warnings(state)),
        _context(state, "stuck", _stuck(state)),
    ]


def _decided(state: RequestState) -> list[Block | None]:
    if state.status is RequestStatus.SUCCEEDED and not was_late(state):
        return _done(state)
    nothing_ran = state.status in _NOTHING_RAN and not was_left_running(state)
    steps = [
        _section(state, "steps", "" if nothing_ran else step_lines(state)),
        _section(state, "snapshot", snapshot_line(state)),
    ]
    if state.status is RequestStatus.NEEDS_PERSON:
        # What is to be done comes before what was done.
        told = [_section(state, "left", what_to_do(state)), *steps]
    else:
        told = [*steps, _section(state, "left", failure_summary(state)), _cause(state)]
    return [
        _comment(state),
        *told,
        _section(state, "others", dependents_left(state)),
        _context(state, "afterwards", afterwards(state)),
        _context(state, "restarted", restarted_since(state)),
        _context(state, "stuck", _stuck(state)),
    ]


def _done(state: RequestState) -> list[Block | None]:
    """Say what is left of it in one line; the steps are in the thread."""
    return [
        _section(state, "others", dependents_left(state)),
        _context(state, "afterwards", left_by_it(state, snapshot_line(state))),
    ]


def _reason(state: RequestState) -> Block | None:
    """Quote why it was asked for, right below who asks."""
    if shows_nothing(state.reason):
        return None
    quoted = plain(f"“{state.reason}”", _REASON_LIMIT)
    return SectionBlock(block_id=_id(state, "reason"), text=quoted)


def _comment(state: RequestState) -> Block | None:
    """Quote why somebody rejected it, as theirs."""
    rejection = state.rejection
    if rejection is None or shows_nothing(rejection.comment):
        return None
    said = plain(f"“{rejection.comment}”", _COMMENT_LIMIT)
    return ContextBlock(
        block_id=_id(state, "why"), elements=[mrkdwn(f"{person(rejection.approver_id)}:"), said]
    )


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
        f"{Symbol.NEEDS_PERSON} Dockwarden itself failed again and again at this request. Whoever "
        "runs it was called."
    )


def _foot(state: RequestState, links: Links, now: datetime) -> Block:
    waits = state.status is RequestStatus.WAITING
    said = _decides(state, now) if waits else _asked(state)
    parts = ["" if waits else approved_by(state), "" if waits else _when(state, now)]
    if state.policy is not None and waits:
        parts.append(f"policy {code(state.policy.name, 60)}")
    parts.append(code(state.request_id))
    if state.pin is not None and waits:
        parts.append(f"container {code(short_id(state.pin.container_id))}")
    if state.plan_hash and waits:
        parts.append(f"plan {code(state.plan_hash[:SHOWN_DIGITS])}")
    # While it waits this is behind *Details*.
    parts.append("" if waits else links.workflow(state.workflow_id, state.run_id))
    rest = mrkdwn(" · ".join(part for part in parts if part))
    return ContextBlock(block_id=drawing_block_id(state), elements=[*said, rest])


def _asked(state: RequestState) -> list[TextObject]:
    """Say who asked, in their own words; what is long was read when it was decided."""
    who = person(state.requester) + typed_at(state.terminal)
    if shows_nothing(state.reason):
        return [mrkdwn(f"{who} asked ·")]
    return [mrkdwn(f"{who} asked:"), plain(f"“{one_line(state.reason)}”", _SAID_LIMIT)]


def _decides(state: RequestState, now: datetime) -> list[TextObject]:
    """Say who may decide and until when; they are mentioned, so that Slack tells them once."""
    given = f"{Symbol.YES} {approvers(state)}" if state.approvals else ""
    who = who_can_still_decide(state)
    asked = f"{'still needed' if given else 'May decide'}: {who}" if who else ""
    told = " · ".join(part for part in (given, asked) if part)
    until = f"until {clock(state.expires_at, now)}" if state.expires_at else ""
    line = " ".join(part for part in (told, until) if part)
    return [mrkdwn(f"{line} ·")] if line else []


def _when(state: RequestState, now: datetime) -> str:
    if state.finished_at is None:
        return f"asked at {clock(state.requested_at, now)}"
    return clock(state.finished_at, now)


def _section(state: RequestState, name: str, text: str) -> Block | None:
    return SectionBlock(block_id=_id(state, name), text=mrkdwn(text)) if text else None


def _context(state: RequestState, name: str, text: str) -> Block | None:
    return ContextBlock(block_id=_id(state, name), elements=[mrkdwn(text)]) if text else None


def _id(state: RequestState, name: str) -> str:
    return f"{name}.{state.request_id}"
