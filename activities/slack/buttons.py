"""What can be pressed on a card in each of its states, and what does it ask first?

A button carries an address, never an authority: who may press it is decided in the workflow. No
state has a button that does nothing.
"""

from __future__ import annotations

from slack_sdk.models.blocks import ActionsBlock, ButtonElement, ConfirmObject, PlainTextObject

from activities.slack.impact import dependents_in_short
from activities.slack.needs_person import goes_on_trying
from workflows.model.names import ActionId, RequestAddress, button_value
from workflows.model.state import RequestState, RequestStatus, StepName
from workflows.model.text import shorten
from workflows.model.words import REMOVED, capital
from workflows.operations import catalog
from workflows.operations.facts import has_step, was_down
from workflows.operations.standing import (
    cancel_leads_to,
    is_start,
    once_done,
    seen_down,
    will_be_put_back,
)

_ASK_AGAIN = frozenset(
    {
        RequestStatus.EXPIRED,
        RequestStatus.PUT_BACK,
        RequestStatus.STALE,
        RequestStatus.FAILED,
    }
)


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
            return [
                _approve(state),
                _button(state, ActionId.APPROVE_WITH_COMMENT, "Approve with a comment…"),
                _button(state, ActionId.REJECT, "Reject…", style="danger"),
                _button(state, ActionId.DETAILS, "Details"),
                _withdraw(state),
            ]
        case RequestStatus.RUNNING if not state.cancel_requested_by and not state.is_putting_back:
            return [_cancel_running(state)]
        case RequestStatus.NEEDS_PERSON if goes_on_trying(state):
            return [_try_now(state), _stop_trying(state)]
        case RequestStatus.SUCCEEDED if catalog.way_back(state.operation) is not None:
            return [_button(state, ActionId.START_AGAIN, "Start it again…")]
        case status if status in _ASK_AGAIN and state.cause_text != REMOVED:
            return [_button(state, ActionId.AGAIN, "Request again")]
        case _:
            return []


def _approve(state: RequestState) -> ButtonElement:
    what = "that" if len(state.steps) == 1 else "a step"
    after = f"Afterwards {once_done(state)}."
    makes_one = has_step(state, StepName.SNAPSHOT) and not was_down(state)
    image = " The snapshot is taken after the stop." if makes_one else ""
    confirm = _confirm(
        title=f"{capital(catalog.words_of(state.operation))} {_target(state)}?",
        text=f"{after}{image} If {what} fails, it {will_be_put_back(state)}."
        f"{dependents_in_short(state)}",
        yes="Approve",
        no="Back",
        style="primary",
    )
    return _button(state, ActionId.APPROVE, "Approve", style="primary", confirm=confirm)


def _withdraw(state: RequestState) -> ButtonElement:
    confirm = _confirm(
        title="Withdraw this request?",
        text=f"Nobody can approve it any more. {shorten(state.name_now, 80)} stays as it is.",
        yes="Withdraw",
        no="Back",
        style="danger",
    )
    return _button(state, ActionId.CANCEL, "Withdraw", confirm=confirm)


def _target(state: RequestState) -> str:
    return f"{shorten(state.name_now, 40)} on {shorten(state.container.host, 25)}"


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
