"""What does a state tell about how an operation went? What the words of outcomes are made of."""

from __future__ import annotations

from workflows.model.requests import ContainerState
from workflows.model.state import RequestState, RequestStatus, StepName, StepStatus, find_step
from workflows.model.words import HEALTH_UNKNOWN


def has_step(state: RequestState, name: StepName) -> bool:
    """Tell whether a step is part of the work."""
    return find_step(state.steps, name) is not None


def was_stopped_already(state: RequestState) -> bool:
    """Tell whether there was nothing to stop."""
    stop = find_step(state.steps, StepName.STOP)
    return stop is not None and stop.status is StepStatus.SKIPPED


def was_paused(state: RequestState) -> bool:
    """Tell whether the container was paused when people decided about it."""
    return state.pin is not None and state.pin.state is ContainerState.PAUSED


def was_down(state: RequestState) -> bool:
    """Tell whether the container was stopped when people decided about it."""
    return state.pin is not None and state.pin.state.is_down


def was_left_running(state: RequestState) -> bool:
    """Tell whether something had been done when it was found that somebody had started it."""
    made = state.snapshot is not None and bool(state.snapshot.reference)
    return state.status is RequestStatus.STALE and (made or state.started_by_us)


def was_late(state: RequestState) -> bool:
    """Tell whether all was done, but the container was started only by being put back."""
    put_back = find_step(state.steps, StepName.PUT_BACK)
    return put_back is not None and put_back.status is StepStatus.DONE


def started_late(state: RequestState) -> str:
    """Say that a container came up again, only later than planned."""
    return f"started {'and paused ' if was_paused(state) else ''}again late"


def unless_healthy(state: RequestState) -> str:
    """Say of a container that was started that nothing proves it healthy yet, if that is so."""
    ended = (step for step in state.steps if step.status is StepStatus.DONE)
    return f", {HEALTH_UNKNOWN}" if any(s.note.endswith(HEALTH_UNKNOWN) for s in ended) else ""
