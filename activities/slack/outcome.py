"""How is it told, once a request is over, why it was not done, or what went wrong on its way?

Said when nothing can be done about it any more: what was overcome stands in the past, and only
what helps before one asks again is advised.
"""

from __future__ import annotations

import re

from activities.slack.error_help import HAVE_DETAILS, advice_for, called, reason, short_detail
from activities.slack.mrkdwn import safe
from workflows.model.errors import ErrorType
from workflows.model.state import RequestState, RequestStatus, StepName, StepStatus
from workflows.model.words import capital
from workflows.operations.facts import was_down
from workflows.operations.standing import engine_was_silent, is_start

#: Ends of an operation in which a failure was overcome.
_OVERCOME = (RequestStatus.PUT_BACK, RequestStatus.SUCCEEDED)
#: What is true only of a container that runs.
_OF_WHAT_RUNS = frozenset({ErrorType.UNHEALTHY})
_PAST = {
    "are": "were",
    "asks": "asked",
    "belongs": "belonged",
    "cannot": "could not",
    "does": "did",
    "fails": "failed",
    "has": "had",
    "is": "was",
    "lacks": "lacked",
    "may": "could",
    "mounts": "mounted",
    "publishes": "published",
    "runs": "ran",
    "uses": "used",
}
_PRESENT = re.compile(rf"(?<![^ ])(?:{'|'.join(_PAST)})(?![^ ])")


def why_not_done(state: RequestState) -> str:
    """Say why nothing was done, as a sentence, or nothing when a person decided so."""
    if state.status not in (RequestStatus.STALE, RequestStatus.FAILED):
        return ""
    host, name = safe(state.container.host), called(state)
    if engine_was_silent(state):
        return (
            f"The Docker engine of {host} did not answer, so Dockwarden did nothing to {name}. "
            "Whether it runs is not known: look first."
        )
    if state.cause is ErrorType.WORKER_UNAVAILABLE:
        return f"No Dockwarden worker of {host} took it up in time."
    if state.cause is ErrorType.CONTAINER_GONE:
        return "That very container is gone; one that has its name now is another one."
    cause = state.cause
    if state.status is RequestStatus.STALE:
        cause = cause or ErrorType.CONTAINER_CHANGED
    return f"{capital(reason(cause, state.cause_text))}."


def why_not_done_in_full(state: RequestState) -> str:
    """Say why nothing was done, with the detail that the card shows below, and what helps."""
    why = why_not_done(state)
    if not why:
        return ""
    if state.cause in HAVE_DETAILS and state.cause_text:
        why = f"{why.rstrip('.')}: {short_detail(state.cause_text)}."
    return f"{why} {advice_for(state)}".rstrip()


def failure_summary(state: RequestState) -> str:
    """Say what went wrong and what helps, for an operation that failed and was put back."""
    if state.cause is None or state.status not in _OVERCOME:
        return ""
    why = reason(state.cause, state.cause_text)
    if started_late(state):
        return f"*What was in the way of the start:* {past(why)}."
    if is_start(state) and state.cause in _OF_WHAT_RUNS:
        why = past(why)
    return " ".join(part for part in (f"*What went wrong:* {why}.", advice_for(state)) if part)


def started_late(state: RequestState) -> bool:
    """Tell whether a start failed that succeeded after all: what was in its way is gone.

    What was stopped before is stopped again after a start that failed.
    """
    failed = any(s.name is StepName.START and s.status is StepStatus.FAILED for s in state.steps)
    return failed and state.status in _OVERCOME and not was_down(state)


def past(words: str) -> str:
    """Put words of ours about a failure into the past."""
    words = words.replace("it runs, but", "it ran, but")
    return _PRESENT.sub(lambda found: _PAST[found.group()], words)
