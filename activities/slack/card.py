"""What does the card of a request look like in each of its states, and what can be pressed on it?

Pure: a state in, a text for notifications and Block Kit blocks out. The card is one message that
is redrawn in place: its first line says the state, and below it stands all that a person needs
to decide, or to know what became of it. A card in an end state has no button that does nothing. A
button carries an address, never an authority: who may press it is decided in the workflow.
"""

from __future__ import annotations

from datetime import datetime

from slack_sdk.models.blocks import (
    ActionsBlock,
    Block,
    ButtonElement,
    ConfirmObject,
    ContextBlock,
    PlainTextObject,
    SectionBlock,
)

from activities.slack.error_help import HAVE_DETAILS
from activities.slack.impact import (
    afterwards,
    caution_lines,
    dependents_in_short,
    dependents_left,
    dependents_warning,
    left_out_of_snapshot,
    plan_lines,
    plan_sentence,
    restarted_since,
)
from activities.slack.mrkdwn import (
    Links,
    code,
    group,
    join_limited,
    mrkdwn,
    person,
    plain,
    provider_fact,
    typed_at,
)
from activities.slack.needs_person import goes_on_trying, what_to_do
from activities.slack.status import (
    failure_summary,
    headline,
    notification,
    snapshot_line,
    step_lines,
)
from workflows.model.markup import clock
from workflows.model.names import ActionId, RequestAddress, button_value, card_block_id
from workflows.model.plan import SHOWN_DIGITS
from workflows.model.requests import FactPlace
from workflows.model.state import RequestState, RequestStatus
from workflows.model.text import short_id, shorten, shows_nothing
from workflows.operations import catalog
from workflows.operations.facts import was_left_running
from workflows.operations.standing import cancel_leads_to, is_start, seen_down, will_be_put_back

_NOTHING_RAN = frozenset(
    {
        RequestStatus.REJECTED,
        RequestStatus.EXPIRED,
        RequestStatus.CANCELLED,
        RequestStatus.STALE,
        RequestStatus.FAILED,
    }
)
_MOST_FACTS = 9
_MOST_PEOPLE = 20
_IMAGE_LENGTH = 200
_REASON_LIMIT = 1000
_COMMENT_LIMIT = 1000
_CAUSE_LIMIT = 200
_ASK_AGAIN = frozenset(
    {
        RequestStatus.EXPIRED,
        RequestStatus.PUT_BACK,
        RequestStatus.STALE,
        RequestStatus.FAILED,
    }
)


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
        _context(state, "mounts", left_out_of_snapshot(state)),
        _context(state, "who", _approvers_line(state)),
    ]


def _decided(state: RequestState) -> list[Block | None]:
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
    told.append(_section(state, "others", dependents_left(state)))
    return [
        _comment(state),
        *told,
        _context(state, "afterwards", afterwards(state)),
        _context(state, "restarted", restarted_since(state)),
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
    seen = [provider_fact(fact) for fact in pin.told(FactPlace.SEEN)]
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


def _foot(state: RequestState, links: Links, now: datetime) -> Block:
    parts = [code(state.request_id), _when(state, now)]
    if state.policy is not None:
        parts.append(f"policy {code(state.policy.name, 60)}")
    if state.plan_hash and state.status is RequestStatus.WAITING:
        parts.append(f"plan {code(state.plan_hash[:SHOWN_DIGITS])}")
    parts.append(links.workflow(state.workflow_id, state.run_id))
    text = " · ".join(part for part in parts if part)
    return ContextBlock(block_id=drawing_block_id(state), elements=[mrkdwn(text)])


def _when(state: RequestState, now: datetime) -> str:
    if state.status is RequestStatus.WAITING:
        return f"until {clock(state.expires_at, now)}" if state.expires_at else ""
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


def buttons(state: RequestState) -> ActionsBlock | None:
    """Build the row of buttons, or nothing when there is nothing to decide.

    The revision in the ``block_id`` makes it new at each drawing, as Slack asks for.
    """
    elements = _elements(state)
    if not elements:
        return None
    return ActionsBlock(block_id=f"decide.{state.request_id}.{state.revision}", elements=elements)


def _elements(state: RequestState) -> list[ButtonElement]:
    match state.status:
        case RequestStatus.WAITING if not state.cancel_requested_by:
            return [_approve(state), _reject(state), _cancel_waiting(state)]
        case RequestStatus.RUNNING if not state.cancel_requested_by and not state.is_putting_back:
            return [_cancel_running(state)]
        case RequestStatus.NEEDS_PERSON if goes_on_trying(state):
            return [_try_now(state), _stop_trying(state)]
        case RequestStatus.SUCCEEDED if catalog.way_back(state.operation) is not None:
            return [_start_again(state)]
        case status if status in _ASK_AGAIN:
            return [_button(state, ActionId.AGAIN, "Request again")]
        case _:
            return []


def _approve(state: RequestState) -> ButtonElement:
    target = f"{shorten(state.name_now, 60)} on {shorten(state.container.host, 40)}"
    what = "that" if len(state.steps) == 1 else "a step"
    confirm = _confirm(
        title="Approve this?",
        text=f"Dockwarden will work on {target}: {plan_sentence(state)}. If {what} fails, it "
        f"{will_be_put_back(state)}.{dependents_in_short(state)}",
        yes="Approve",
        no="Back",
        style="primary",
    )
    return _button(state, ActionId.APPROVE, "Approve", style="primary", confirm=confirm)


def _reject(state: RequestState) -> ButtonElement:
    return _button(state, ActionId.REJECT, "Reject…", style="danger")


def _cancel_waiting(state: RequestState) -> ButtonElement:
    return _button(state, ActionId.CANCEL, "Cancel")


def _cancel_running(state: RequestState) -> ButtonElement:
    confirm = _confirm(
        title="Cancel while it works?",
        text=cancel_leads_to(state),
        yes="Cancel it",
        no="Let it go on",
        style="danger",
    )
    return _button(state, ActionId.CANCEL, "Cancel", confirm=confirm)


def _try_now(state: RequestState) -> ButtonElement:
    return _button(state, ActionId.TRY_NOW, "Try now", style="primary")


def _stop_trying(state: RequestState) -> ButtonElement:
    name = shorten(state.name_now, 80)
    left = f"{'running' if is_start(state) else 'down'}, or as it is by then"
    if is_start(state) and seen_down(state):
        left = "as it is by then"
    confirm = _confirm(
        title="Stop trying?",
        text=f"Dockwarden looks at {name} once more first. If it is still not back, Dockwarden "
        f"leaves it {left}, and a person has to put it back.",
        yes="Stop trying",
        no="Go on trying",
        style="danger",
    )
    return _button(state, ActionId.STOP_TRYING, "Stop trying", style="danger", confirm=confirm)


def _start_again(state: RequestState) -> ButtonElement:
    target = f"{shorten(state.name_now, 80)} on {shorten(state.container.host, 60)}"
    confirm = _confirm(
        title="Start it again?",
        text=f"You ask to start {target}. It is a request of its own: others approve it first, as "
        "its policy says.",
        yes="Ask for it",
        no="Back",
    )
    return _button(state, ActionId.START_AGAIN, "Start it again…", confirm=confirm)


def _button(
    state: RequestState,
    action: ActionId,
    text: str,
    *,
    style: str | None = None,
    confirm: ConfirmObject | None = None,
) -> ButtonElement:
    container = state.container
    label = f"{text} {catalog.words_of(state.operation)} {container.name} on {container.host}"
    return ButtonElement(
        action_id=action.value,
        text=PlainTextObject(text=text, emoji=False),
        value=button_value(
            RequestAddress(
                request_id=state.request_id,
                host=container.host,
                container=container.name,
                plan_hash=state.plan_hash,
            )
        ),
        style=style,
        confirm=confirm,
        accessibility_label=shorten(label, 75),
    )


def _confirm(
    *, title: str, text: str, yes: str, no: str, style: str | None = None
) -> ConfirmObject:
    return ConfirmObject(
        title=PlainTextObject(text=title, emoji=False),
        text=PlainTextObject(text=shorten(text, 300), emoji=False),
        confirm=PlainTextObject(text=yes, emoji=False),
        deny=PlainTextObject(text=no, emoji=False),
        style=style,
    )
