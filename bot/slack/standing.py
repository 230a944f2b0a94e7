"""How does it read in a few words where a request stands of which only Temporal's list tells?

Pure. The list knows little, and what is said from it must be true of all that it may mean. Where
the state of the request is at hand, ``workflows/operations/standing.py`` says more.
"""

from __future__ import annotations

from datetime import UTC, datetime

from bot.slack.mrkdwn import escape, person
from bot.temporal.errors import ENDED, RequestSummary
from workflows.model.errors import ErrorType
from workflows.model.state import RequestState, RequestStatus, StepName, StepStatus
from workflows.model.words import STATUS, StatusWords
from workflows.operations.standing import condition

#: Besides what a request can say of itself, for one that nothing looked after to its end.
_ENDED = StatusWords("🔌", "Ended in Temporal")
_STOPPED_TRYING = "🛑 Dockwarden has stopped trying to put it back"


def status_words(status: str) -> str:
    """Name where a request stands by its status alone."""
    listed: dict[str, StatusWords] = {one.value: words for one, words in STATUS.items()}
    known = _ENDED if status == ENDED else listed.get(status)
    return f"{known.emoji} {known.words}" if known else f"• {escape(status) or 'unknown'}"


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
        parts.append("trying now")
    elif state.next_try_at is not None:
        parts.append(f"next try at {_at(state.next_try_at)}")
    else:
        parts.append("Dockwarden goes on trying")
    return " · ".join(parts)


def _it_was(state: RequestState) -> str:
    if state.seen is None:
        return "whether it ran then is not known"
    return f"it was {condition(state).short} then"


def _is_trying(state: RequestState) -> bool:
    return any(s.name is StepName.PUT_BACK and s.status is StepStatus.RUNNING for s in state.steps)


def _at(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
