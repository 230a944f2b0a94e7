"""What is the first line of a card, and what does a notification of it say?"""

from __future__ import annotations

from collections.abc import Callable

from activities.slack.error_help import cause_of
from activities.slack.mrkdwn import clock, code, duration, person, safe
from activities.slack.steps import is_putting_back, position, total
from workflows.model.errors import NO_ROOM_ERRORS, ErrorType
from workflows.model.requests import OperationKind
from workflows.model.state import RequestState, RequestStatus, StepName, StepStatus


def headline(state: RequestState) -> str:
    """Write the first line as mrkdwn: the state's emoji, the state, and what it is about."""
    return _HEADLINES[state.status](state)


def notification(state: RequestState) -> str:
    """Write the plain words for a notification, complete without the card."""
    what = f"{safe(state.container.name)} on {safe(state.container.host)}"
    if state.status not in _SAYS_WHAT_WAS_DONE:
        what = f"{state.operation.words} {what}"
    return f"{standing(state)}: {what} ({state.request_id})"


def standing(state: RequestState) -> str:
    """Say in a few words where a request stands: ``✅ Stopped and snapshotted``."""
    match state.status:
        case RequestStatus.WAITING:
            return f"⏳ {_missing(state)}"
        case RequestStatus.RUNNING if is_putting_back(state):
            return "↩️ Putting it back"
        case RequestStatus.RUNNING:
            return "🚧 Cancelling" if state.cancel_requested_by else "🚧 Working"
        case RequestStatus.SUCCEEDED:
            return f"✅ {_done(state)}"
        case RequestStatus.PUT_BACK:
            ended = "Cancelled" if state.cause is None else "Failed"
            return f"↩️ {ended} and put back, {_as_before(state)}"
        case status:
            return _STANDING[status]


def _waiting(state: RequestState) -> str:
    return f"⏳ *{_missing(state)}* — {_what(state)}"


def _rejected(state: RequestState) -> str:
    rejection, by = state.rejection, ""
    if rejection is not None:
        by = f" by {person(rejection.approver_id)} at {clock(rejection.decided_at)}"
    return f"⛔ *Rejected*{by} — {_what(state)}\nNothing was changed."


def _expired(state: RequestState) -> str:
    return f"⌛ *Expired* — {_what(state)}\nNot decided in time. Nothing was changed."


def _cancelled(state: RequestState) -> str:
    by = f" by {person(state.cancel_requested_by)}" if state.cancel_requested_by else ""
    return f"🚫 *Cancelled*{by} — {_what(state)}\nNothing was changed."


def _stale(state: RequestState) -> str:
    cause = cause_of(state.cause or ErrorType.CONTAINER_CHANGED)
    title, advice = "Out of date", ""
    if state.cause in NO_ROOM_ERRORS:
        title, advice = "Not done, no room", f" {cause.advice}"
    why = f"{cause.meaning[0].upper()}{cause.meaning[1:]}"
    if state.cause is ErrorType.CONTAINER_GONE:
        why = "That very container is gone; one that has its name now is another one"
    return f"⚠️ *{title}* — {_what(state)}\n{why}. Nothing was changed.{advice}"


def _running(state: RequestState) -> str:
    if is_putting_back(state):
        return f"↩️ *Putting it back* — {_what(state)}"
    if state.cancel_requested_by:
        by = person(state.cancel_requested_by)
        return f"🚧 *Cancelling* after the current step, for {by} — {_what(state)}"
    words = " · ".join(part for part in ("🚧 *Working*", position(state)) if part)
    return f"{words} — {_what(state)}"


def _succeeded(state: RequestState) -> str:
    took = total(state)
    in_time = f" in {duration(took)}" if took is not None else ""
    stays = " stays stopped, as it was" if _stays_stopped(state) else ""
    return f"✅ *{_done(state)}*{in_time} — {_where(state)}{stays}"


def _put_back(state: RequestState) -> str:
    words = "↩️ *Failed and put back*"
    if state.cause is None:
        by = f" by {person(state.cancel_requested_by)}" if state.cancel_requested_by else ""
        words = f"↩️ *Cancelled*{by} *and put back*"
    return f"{words} — {_where(state)} is {_as_before(state)}"


def _needs_person(state: RequestState) -> str:
    return f"🛑 *Needs a person* — {_where(state)} could not be put back"


_SAYS_WHAT_WAS_DONE = frozenset(
    {RequestStatus.SUCCEEDED, RequestStatus.PUT_BACK, RequestStatus.NEEDS_PERSON}
)

_STANDING = {
    RequestStatus.REJECTED: "⛔ Rejected, nothing was changed",
    RequestStatus.EXPIRED: "⌛ Expired, nothing was changed",
    RequestStatus.CANCELLED: "🚫 Cancelled, nothing was changed",
    RequestStatus.STALE: "⚠️ Out of date, nothing was changed",
    RequestStatus.NEEDS_PERSON: "🛑 Needs a person, could not be put back",
}

_HEADLINES: dict[RequestStatus, Callable[[RequestState], str]] = {
    RequestStatus.WAITING: _waiting,
    RequestStatus.REJECTED: _rejected,
    RequestStatus.EXPIRED: _expired,
    RequestStatus.CANCELLED: _cancelled,
    RequestStatus.STALE: _stale,
    RequestStatus.RUNNING: _running,
    RequestStatus.SUCCEEDED: _succeeded,
    RequestStatus.PUT_BACK: _put_back,
    RequestStatus.NEEDS_PERSON: _needs_person,
}


def _what(state: RequestState) -> str:
    return f"{state.operation.words} {_where(state)}"


def _where(state: RequestState) -> str:
    return f"{code(state.container.name)} on *{safe(state.container.host)}*"


def _missing(state: RequestState) -> str:
    if state.cancel_requested_by:
        return "Cancelling"
    needed = state.policy.required_approvals if state.policy else 1
    missing = needed - len(state.approvals)
    if not state.approvals:
        return "Approval needed" if needed == 1 else f"{needed} approvals needed"
    return f"{missing} more approval{'' if missing == 1 else 's'} needed"


def _done(state: RequestState) -> str:
    if state.operation.kind is OperationKind.SNAPSHOT:
        started = any(step.name is StepName.START for step in state.steps)
        return "Snapshotted and started again" if started else "Snapshotted"
    stop = next((step for step in state.steps if step.name is StepName.STOP), None)
    if stop is not None and stop.status is StepStatus.SKIPPED:
        return "Snapshotted, was stopped already" if state.operation.snapshot else "Stopped already"
    return "Stopped and snapshotted" if state.operation.snapshot else "Stopped"


def _stays_stopped(state: RequestState) -> bool:
    """Say whether a container that was found stopped stays so after a snapshot of it."""
    snapshot = state.operation.kind is OperationKind.SNAPSHOT
    return snapshot and state.pin is not None and state.pin.state.is_down


def _as_before(state: RequestState) -> str:
    if state.pin is None:
        return "as it was"
    return "running again" if state.pin.state.is_up else f"{state.pin.state}, as it was"
