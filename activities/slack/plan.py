"""What does a card say before the approval will happen, and what should people know first?

Nothing here can be read off a step's state: it is what approving means for this container.
"""

from __future__ import annotations

from datetime import timedelta

from activities.slack.afterwards import stays_down
from activities.slack.mrkdwn import code, safe
from workflows.model.state import Caution, CautionCode, RequestState, StepState
from workflows.model.timing import MAX_GRACE_SECONDS
from workflows.model.words import duration
from workflows.operations import catalog
from workflows.operations.standing import known

_MOST_CAUTIONS = 5
_DETAIL_LIMIT = 80
_LONGEST = "the longest that Dockwarden waits"
#: What can be done and undone, but is better known first; each begins a line of its own.
CAUTIONS = {
    CautionCode.HEALTH_UNKNOWN: "Its health may not be known when Dockwarden stops waiting for it: "
    "then it is told as up, health not known yet",
    CautionCode.PORTS_CHANGE: "Each start chooses its ports of the host anew, and what reaches it "
    "there then needs the new ones",
    CautionCode.MEMORY_LOST: "A stop empties what it keeps in memory alone, for good",
    CautionCode.ASKED_AS_START: "It is stopped already: to restart it is to start it, and is asked "
    "for and judged as that",
    CautionCode.REFERENCE_OUTSIDE: "It names the snapshot {detail}, which is outside "
    "`dockwarden/*`: whoever runs that image on this host gets this container's content",
}


def plan_lines(state: RequestState) -> str:
    """Say what will happen after the approval, step by step, and how long a stop holds."""
    lines = [f"{n}. {_plan(state, step)}" for n, step in enumerate(state.steps, start=1)]
    until = stays_down(state)
    return "\n".join([*lines, *([f"It then stays down {until}"] if until else [])])


def plan_sentence(state: RequestState) -> str:
    """Say in few words what will happen, for the dialog that asks whether one is sure."""
    words = [known(step, state).to_do.lower() for step in state.steps]
    return ", ".join(words) or catalog.words_of(state.operation)


def caution_lines(state: RequestState) -> str:
    """Say what people should know before they approve, one a line."""
    left_out = len(state.cautions) - _MOST_CAUTIONS
    stays_done = catalog.stays_done(state.operation)
    return "\n".join(
        [
            *([f"⚠️ {stays_done}."] if stays_done else []),
            *(_caution(caution) for caution in state.cautions[:_MOST_CAUTIONS]),
            *([f"⚠️ And {left_out} more."] if left_out > 0 else []),
        ]
    )


def _caution(caution: Caution) -> str:
    words = CAUTIONS[caution.code]
    if "{detail}" in words:
        return f"⚠️ {words.format(detail=code(caution.detail, _DETAIL_LIMIT))}."
    detail = f" ({safe(caution.detail, _DETAIL_LIMIT)})" if caution.detail else ""
    return f"⚠️ {words}{detail}."


def _plan(state: RequestState, step: StepState) -> str:
    return known(step, state).plan.format(
        name=code(state.container.name), grace=_grace(state), reference=code(state.reference, 340)
    )


def _grace(state: RequestState) -> str:
    """Say how long it may take to end, and where that differs from its own limit, why."""
    gets = duration(timedelta(seconds=state.grace_seconds))
    own = state.pin.stop_timeout_seconds if state.pin else None
    if state.operation.grace_seconds is not None:
        own = None
    if own == 0:
        return (
            "it gets no time, but is told to end and killed in the same moment, for its own stop "
            "time-out is 0"
        )
    beyond = own is not None and not 0 < own <= MAX_GRACE_SECONDS
    if own is not None and beyond and state.grace_seconds == MAX_GRACE_SECONDS:
        limit = duration(timedelta(seconds=own)) if own > 0 else "none"
        return f"its own limit is {limit}, and it gets {gets}, {_LONGEST}; then it is killed"
    return f"it gets {gets} to end by itself, then it is killed"
