"""How does it read in a few words where a request stands, how each step, and how its container?

Plain words, without any mark-up, made of those in ``workflows/model/words.py`` and of what the
operation says of itself. Cards, notices, private answers and tables show these and no others.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType

from workflows.model import words
from workflows.model.errors import NO_ROOM_ERRORS, PREFLIGHT_ERRORS, STALE_ERRORS, ErrorType
from workflows.model.requests import ContainerState
from workflows.model.state import RequestState, RequestStatus, StepName, StepState, StepStatus
from workflows.model.symbols import Symbol
from workflows.model.words import Condition, StatusWords
from workflows.operations import catalog
from workflows.operations.facts import unless_healthy, was_down, was_left_running, was_paused
from workflows.operations.operation import Step

_DOWN = frozenset({ContainerState.EXITED, ContainerState.CREATED, ContainerState.DEAD})
_SAYS_WHAT_WAS_DONE = frozenset(
    {RequestStatus.SUCCEEDED, RequestStatus.PUT_BACK, RequestStatus.NEEDS_PERSON}
)
#: Nothing that changes was sent, so a silent engine did nothing of ours; more is not known of it.
_SILENT_ENGINE = frozenset({ErrorType.ENGINE_UNAVAILABLE, ErrorType.ENGINE_AMBIGUOUS})
_LEFT_DOWN = MappingProxyType(
    {
        ErrorType.STOPPED_BY_PERSON: "Dockwarden leaves it so",
        ErrorType.CONTAINER_CHANGED: "Dockwarden does not touch it",
        ErrorType.OWNER_GONE: "it can never be started again",
    }
)
#: Why nobody can say how a container is.
NOT_ANSWERED = MappingProxyType(
    {
        ErrorType.ENGINE_UNAVAILABLE: "the engine does not answer",
        ErrorType.ENGINE_AMBIGUOUS: "the engine does not answer",
        ErrorType.ENGINE_FORBIDDEN: "the engine does not let Dockwarden look",
        ErrorType.WRONG_ENGINE: "another engine answers",
        ErrorType.WORKER_UNAVAILABLE: "no Dockwarden worker of its host answers",
    }
)


def status_words(state: RequestState) -> str:
    """Say in a few words where a request stands: ``✅ Stopped and snapshotted``."""
    told = status_of(state)
    return f"{told.emoji} {told.words}"


def status_of(state: RequestState) -> StatusWords:
    """Say it with its emoji apart, for a door that shows none."""
    known = words.STATUS[state.status]
    told = _TOLD.get(state.status)
    if told is not None:
        known = replace(known, words=told(state))
    if _is_refused(state):
        return replace(known, emoji=Symbol.NOT_ALLOWED)
    if state.status is RequestStatus.RUNNING and state.is_putting_back:
        return replace(known, emoji=words.PUT_BACK_EMOJI)
    return known


def says_what_was_done(state: RequestState) -> bool:
    """Tell whether those words name what was done, so that what was asked for need not be."""
    return state.status in _SAYS_WHAT_WAS_DONE


def missing_words(state: RequestState) -> str:
    """Say how many approvals a request waits for."""
    if state.cancel_requested_by:
        return "Cancelling"
    needed = state.policy.required_approvals if state.policy else 1
    missing = needed - len(state.approvals)
    if not state.approvals:
        return "Approval needed" if needed == 1 else f"{needed} approvals needed"
    return f"{missing} more approval{'' if missing == 1 else 's'} needed"


def outcome(state: RequestState) -> str:
    """Say what was done: ``Stopped and snapshotted``."""
    operation = catalog.find(state.operation.kind)
    done = words.STATUS[RequestStatus.SUCCEEDED].words
    return done if operation is None else operation.outcome(state)


def stale_title(state: RequestState) -> str:
    """Say what is the matter with what people decided about, before it was touched."""
    if state.cause in PREFLIGHT_ERRORS:
        return "Not done, no room" if state.cause in NO_ROOM_ERRORS else "Not done"
    return "Out of date"


def engine_was_silent(state: RequestState) -> bool:
    """Tell whether a request failed because the engine did not say how the container is."""
    return state.status is RequestStatus.FAILED and state.cause in _SILENT_ENGINE


def is_start(state: RequestState) -> bool:
    """Tell whether what was stopped is started: to put it back is to stop it again."""
    return catalog.wakes(state.operation)


def as_before(state: RequestState) -> str:
    """Say how a container is that was put back, after a form of "to be"."""
    if is_start(state):
        return f"stopped{' again' if state.started_by_us else ''}, as it was"
    if state.pin is None:
        return "as it was"
    again = f"running again{unless_healthy(state)}"
    ran = state.pin.state is ContainerState.RUNNING
    return again if ran else f"{state.pin.state}, as it was"


def once_done(state: RequestState) -> str:
    """Say how the container is once all was done, as a sentence without its end."""
    if catalog.leaves_down(state.operation):
        return "it is down"
    if is_start(state):
        return "it runs"
    if state.pin is not None and state.pin.state.is_down:
        return "it stays stopped, as it was"
    if was_paused(state):
        return "it runs again, and is paused again as it was"
    again = "it runs again"
    loops = state.pin is not None and state.pin.state is ContainerState.RESTARTING
    return f"{again}, and may end and restart as before" if loops else again


def will_be_put_back(state: RequestState) -> str:
    """Say what a cancel, or a step that fails, leads to: what becomes of "it"."""
    if not is_start(state):
        return "is put back as it was"
    may_run = state.status is RequestStatus.WAITING or state.started_by_us
    return f"{'is stopped again' if may_run else 'stays stopped'}, as it was"


def condition(state: RequestState) -> Condition:
    """Say how a container is that could not be put back: only what the engine itself said."""
    error, seen = state.put_back_error or ErrorType.UNEXPECTED, state.seen
    if error is ErrorType.CONTAINER_GONE:
        return words.GONE
    if seen is None:
        because = f": {NOT_ANSWERED[error]}" if error in NOT_ANSWERED else ""
        not_known = words.PERHAPS_UP if is_start(state) else words.NOT_KNOWN
        return replace(not_known, could_not=f"{not_known.could_not}{because}")
    if is_start(state) or was_down(state):
        known_state = words.DOWN_AS_IT_WAS if seen_down(state) else None
        return known_state or words.SEEN_AFTER_START.get(seen.state, words.STATE_UNKNOWN)
    if seen_down(state):
        return replace(words.DOWN, could_not=_LEFT_DOWN.get(error, words.DOWN.could_not))
    special = None
    if seen.state is ContainerState.RUNNING:
        special = words.NOT_HEALTHY if error is ErrorType.UNHEALTHY else None
        special = words.NOT_PAUSED if was_paused(state) else special
    return special or words.SEEN.get(seen.state, words.STATE_UNKNOWN)


def seen_down(state: RequestState) -> bool:
    """Tell whether the engine said, at the last, that the container is down."""
    return state.seen is not None and state.seen.state in _DOWN


def gave_up(state: RequestState) -> bool:
    """Tell whether a person ended the tries, which could have gone on."""
    return bool(state.stop_trying_by)


def known(step: StepState, state: RequestState) -> Step:
    """Look up what a step is called."""
    return catalog.step_of(step.name, state.operation, state.pin, state.steps)


def step_emoji(step: StepState) -> str:
    """Show at a glance how far a step has come."""
    if step.name is StepName.PUT_BACK and step.status is StepStatus.DONE:
        return words.PUT_BACK_EMOJI
    return words.STEP_EMOJI[step.status]


def step_words(step: StepState, state: RequestState, why_failed: str = "") -> str:
    """Say how far a step has come: ``Stopped in 0.1 s``; its note is for the door to add."""
    its = known(step, state)
    match step.status:
        case StepStatus.TODO:
            told = its.to_do
        case StepStatus.QUEUED:
            untouched = ", nothing was touched yet" if state.waits_for_turn else ""
            told = f"{its.to_do}: waits for its turn{untouched}"
        case StepStatus.RUNNING:
            told = f"{its.doing} …"
        case StepStatus.DONE:
            took = _took(step)
            in_time = f" in {words.duration(took)}" if took is not None else ""
            proof = "" if step.note.endswith(words.HEALTH_UNKNOWN) else its.proof
            told = f"{its.done}{in_time}{proof}"
        case StepStatus.SKIPPED:
            told = its.skipped or f"{its.to_do}: skipped"
        case StepStatus.NOT_RUN:
            told = f"{its.to_do}: not run"
        case StepStatus.FAILED:
            failed = f"{its.doing} failed"
            if its.not_begun and _not_begun(step, state):
                failed = its.not_begun
            told = f"{failed}: {why_failed}" if why_failed else failed
    return told


def _rejected(state: RequestState) -> str:
    return "Refused" if _is_refused(state) else "Rejected, nothing was changed"


def _is_refused(state: RequestState) -> bool:
    """Tell whether the rules ended it, and no person."""
    no_person = state.rejection is None and state.refusal is not None
    return state.status is RequestStatus.REJECTED and no_person


def _running(state: RequestState) -> str:
    if state.is_putting_back:
        return "Putting it back"
    if state.cancel_requested_by:
        return "Cancelling after the current step"
    return "Approved, waits for its turn" if state.waits_for_turn else "Working"


def _put_back(state: RequestState) -> str:
    ended = "Cancelled" if state.cause is None else "Failed"
    return f"{ended} and put back, {as_before(state)}"


def _stale(state: RequestState) -> str:
    left = "left running" if was_left_running(state) else "nothing was changed"
    return f"{stale_title(state)}, {left}"


def _failed(state: RequestState) -> str:
    told = "Dockwarden did nothing" if engine_was_silent(state) else "nothing was changed"
    return f"Not done, {told}"


def _needs_person(state: RequestState) -> str:
    needs = "and Dockwarden has stopped trying" if gave_up(state) else "needs a person"
    return f"{words.capital(condition(state).short)}, {needs}"


_TOLD: MappingProxyType[RequestStatus, Callable[[RequestState], str]] = MappingProxyType(
    {
        RequestStatus.WAITING: missing_words,
        RequestStatus.REJECTED: _rejected,
        RequestStatus.RUNNING: _running,
        RequestStatus.SUCCEEDED: outcome,
        RequestStatus.PUT_BACK: _put_back,
        RequestStatus.STALE: _stale,
        RequestStatus.FAILED: _failed,
        RequestStatus.NEEDS_PERSON: _needs_person,
    }
)


def _not_begun(step: StepState, state: RequestState) -> bool:
    """Tell whether a step failed at which nothing was touched: the first, and no other."""
    is_first = bool(state.steps) and state.steps[0].name is step.name
    return is_first and (step.error in STALE_ERRORS or state.status is RequestStatus.FAILED)


def _took(step: StepState) -> timedelta | None:
    if step.started_at is None or step.finished_at is None:
        return None
    return step.finished_at - step.started_at
