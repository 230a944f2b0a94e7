"""How does it read in a few words where a request stands, and how its container is left?

Pure. Temporal's list knows little, and what is said from it must be true of all that it may mean;
the state of the request knows more.
"""

from __future__ import annotations

from datetime import UTC, datetime

from bot.slack.mrkdwn import escape, person
from bot.temporal.errors import ENDED, RequestSummary
from workflows.model.errors import PREFLIGHT_ERRORS, ErrorType
from workflows.model.requests import ContainerState
from workflows.model.state import RequestState, RequestStatus, StepName, StepStatus

_STATUS = {
    RequestStatus.WAITING: "⏳ waiting for approval",
    RequestStatus.REJECTED: "⛔ rejected or refused",
    RequestStatus.EXPIRED: "⌛ expired, nothing was changed",
    RequestStatus.CANCELLED: "🚫 cancelled",
    RequestStatus.STALE: "⚠️ not done, nothing was changed",
    RequestStatus.RUNNING: "🚧 working",
    RequestStatus.SUCCEEDED: "✅ done",
    RequestStatus.PUT_BACK: "↩️ put back as it was",
    RequestStatus.FAILED: "❌ not done, nothing was changed",
    RequestStatus.NEEDS_PERSON: "🛑 needs a person",
    ENDED: "🔌 ended in Temporal",
}
_STOPPED_TRYING = "🛑 Dockwarden has stopped trying to put it back"
_SEEN = {
    ContainerState.EXITED: "DOWN",
    ContainerState.CREATED: "DOWN",
    ContainerState.DEAD: "DOWN",
    ContainerState.RUNNING: "running, but not proven to stay up",
    ContainerState.RESTARTING: "restarting again and again",
    ContainerState.REMOVING: "being removed",
}


def status_words(status: str) -> str:
    """Name where a request stands by its status alone."""
    return _STATUS.get(status) or f"• {escape(status) or 'unknown'}"


def summary_words(summary: RequestSummary) -> str:
    """Name where a request stands, as Temporal's list knows it."""
    if summary.status == RequestStatus.NEEDS_PERSON and not summary.open:
        return _STOPPED_TRYING
    return status_words(summary.status)


def over_words(summary: RequestSummary, state: RequestState | None) -> str:
    """Say how a request ended, and how its container was left if that is known."""
    words = summary_words(summary)
    if words != _STOPPED_TRYING or state is None or state.status is not RequestStatus.NEEDS_PERSON:
        return words
    if state.put_back_error is ErrorType.CONTAINER_GONE:
        return f"{words}, for it is gone"
    return f"{words}; {_it_was(state)}"


def state_words(state: RequestState) -> str:
    """Name where a request stands, more exactly than Temporal's list can."""
    match state.status:
        case RequestStatus.REJECTED:
            return "⛔ refused" if state.rejection is None else "⛔ rejected"
        case RequestStatus.PUT_BACK:
            return f"↩️ {'cancelled' if state.cause is None else 'failed'} and put back"
        case RequestStatus.STALE if state.cause not in PREFLIGHT_ERRORS:
            return "⚠️ out of date, nothing was changed"
        case RequestStatus.RUNNING:
            return _at_work(state)
        case RequestStatus.NEEDS_PERSON:
            needs = "and Dockwarden has stopped trying" if state.closed else "needs a person"
            return f"🛑 {_condition(state)}, {needs}"
    return status_words(state.status)


def tries(state: RequestState) -> str:
    """Say of a container that needs a person since when, how often it was tried, and what next."""
    if state.status is not RequestStatus.NEEDS_PERSON:
        return ""
    seen, parts = state.seen, []
    if seen is not None:
        parts.append(f"{seen.state} since {_at(seen.since)}" if seen.since else str(seen.state))
    if state.attempts:
        times = "once" if state.attempts == 1 else f"{state.attempts} times"
        last = f", last at {_at(state.tried_at)}" if state.tried_at else ""
        parts.append(f"tried {times}{last}")
    if state.closed:
        by = f", as {person(state.stop_trying_by)} wished" if state.stop_trying_by else ""
        parts.append(f"Dockwarden does not try again{by}")
    elif _is_trying(state):
        parts.append("🔁 trying now")
    elif state.next_try_at is not None:
        parts.append(f"🔁 next try at {_at(state.next_try_at)}")
    else:
        parts.append("🔁 Dockwarden goes on trying")
    return " · ".join(parts)


def _at_work(state: RequestState) -> str:
    if state.is_putting_back:
        return "↩️ being put back"
    if state.cancel_requested_by:
        return "🚧 cancelling after the current step"
    if state.waits_for_turn:
        return "⏳ approved, waits for its turn"
    return "🚧 working"


def _condition(state: RequestState) -> str:
    error = state.put_back_error
    if error is ErrorType.CONTAINER_GONE:
        return "gone"
    if state.seen is None:
        return "perhaps down"
    if error is ErrorType.UNHEALTHY and state.seen.state is ContainerState.RUNNING:
        return "running, but its health check fails"
    return _SEEN.get(state.seen.state, str(state.seen.state))


def _it_was(state: RequestState) -> str:
    if state.seen is None:
        return "whether it ran then is not known"
    return f"it was {_condition(state)} then"


def _is_trying(state: RequestState) -> bool:
    return any(s.name is StepName.PUT_BACK and s.status is StepStatus.RUNNING for s in state.steps)


def _at(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
