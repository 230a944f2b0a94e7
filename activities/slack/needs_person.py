"""How does the worst moment read: is the container down, why, what is to be done, how goes it on?

Read at three in the morning by somebody who was just called. The fact that counts comes first,
and only what the engine itself said of the container is told as a fact.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple

from activities.slack.error_help import (
    HAVE_DETAILS,
    Cause,
    Do,
    cause_of,
    fill,
    reason,
    short_detail,
)
from activities.slack.mrkdwn import code, person, safe
from workflows.model.errors import HOPELESS_ERRORS, ErrorType
from workflows.model.requests import ContainerState
from workflows.model.state import RequestState, RequestStatus, StepName, StepState, StepStatus
from workflows.operations.facts import was_paused

#: That the engine failed at a start, with a number, tells a person nothing.
_DETAIL_ADDS = HAVE_DETAILS - {ErrorType.ENGINE_ERROR}
_COULD_NOT = "Dockwarden could not start it again"
_LEFT_DOWN = {
    ErrorType.STOPPED_BY_PERSON: "Dockwarden leaves it so",
    ErrorType.CONTAINER_CHANGED: "Dockwarden does not touch it",
    ErrorType.OWNER_GONE: "it can never be started again",
}
#: The try that finds this out starts nothing.
_STARTS_NOTHING = HOPELESS_ERRORS - {ErrorType.OWNER_GONE}
_DOWN = frozenset({ContainerState.EXITED, ContainerState.CREATED, ContainerState.DEAD})


class _Condition(NamedTuple):
    """How the container is: for the first line of a card, and for a notification."""

    words: str
    short: str
    could_not: str = _COULD_NOT


_SEEN = {
    ContainerState.RUNNING: _Condition(
        "*runs, but is not proven to stay up*", "Not proven to stay up", "look at it"
    ),
    ContainerState.PAUSED: _Condition(
        "*is paused*", "Paused", "Dockwarden could not put it back as it was"
    ),
    ContainerState.RESTARTING: _Condition(
        "*ends and restarts, again and again*", "Restarts again and again", "look at its log"
    ),
    ContainerState.REMOVING: _Condition(
        "*is being removed*", "Being removed", "Dockwarden cannot put it back"
    ),
    ContainerState.STOPPING: _Condition("*is stopping*", "Stopping"),
}
_NOT_PAUSED = _Condition(
    "*runs, and was paused*", "Running, not paused", "Dockwarden could not pause it again"
)
_NOT_ANSWERED = {
    ErrorType.ENGINE_UNAVAILABLE: "the Docker engine does not answer",
    ErrorType.ENGINE_AMBIGUOUS: "the Docker engine does not answer",
    ErrorType.ENGINE_FORBIDDEN: "the Docker engine does not let Dockwarden look",
    ErrorType.WRONG_ENGINE: "another Docker engine answers",
    ErrorType.WORKER_UNAVAILABLE: "no Dockwarden worker of its host answers",
}


def needs_person_headline(state: RequestState, where: str, called: str = "") -> str:
    """Write the first line of the card: how the container is, and what Dockwarden could not do.

    ``called`` mentions who is to come.
    """
    condition = _condition(state)
    could_not = condition.could_not
    if _gave_up(state):
        not_known = "" if state.seen else "whether it runs is not known, and "
        could_not = f"{not_known}Dockwarden has stopped trying"
    return " ".join(part for part in ("🛑", called, where, condition.words, "—", could_not) if part)


def needs_person_text(state: RequestState) -> str:
    """Say in a few words how the container is: ``🛑 DOWN, needs a person``."""
    needs = "and Dockwarden has stopped trying" if _gave_up(state) else "needs a person"
    return f"🛑 {_condition(state).short}, {needs}"


def what_to_do(state: RequestState) -> str:
    """Say why it is so, what to do about it, and how it goes on."""
    if state.status is not RequestStatus.NEEDS_PERSON:
        return ""
    return f"{how_to_help(state)}\n{state_line(state)}"


def how_to_help(state: RequestState) -> str:
    """Say why it is so and what to do about it: what is still true in a minute."""
    return "\n".join([*why_lines(state), *_to_do(state)])


def goes_on_trying(state: RequestState) -> bool:
    """Tell whether Dockwarden will try again: not once it is over, nor what is hopeless."""
    is_over = state.closed or bool(state.stop_trying_by)
    return not is_over and restore_error(state) not in HOPELESS_ERRORS


def needs_person_outcome(state: RequestState) -> str:
    """Say how it is left, below the reply that told all of it already."""
    return f"🛑 {_condition(state).short}, and is left so"


def why_lines(state: RequestState) -> list[str]:
    """Say what keeps the container from being put back, unless the first line says it already.

    The failure with which it began is another matter, and told with its step.
    """
    error, step = restore_error(state), _put_back(state)
    detail = step.note if step and step.error else ""
    if not detail and error is state.cause:
        detail = state.cause_text
    words = "" if _is_said(state) else reason(error, detail)
    if error in _DETAIL_ADDS and detail:
        told = short_detail(detail)
        words = f"{words}: {told}" if words else told
    return [f"*Why* {words}."] if words else []


def how_it_is_left(state: RequestState, where: str) -> str:
    """Say how a container is that Dockwarden no longer tries to put back, why, and what to run."""
    host, lines = safe(state.container.host), why_lines(state)
    if state.seen is None:
        look = code(fill("docker inspect --format '{{.State.Status}}' {id}", state))
        told = f"Whether {where} runs is not known."
        return "\n".join([told, *lines, f"To see it, run on {host}: {look}"])
    if state.seen.state in _DOWN:
        start = code(fill("docker start {id}", state))
        lines.append(f"To start it when that is put right, run on {host}: {start}")
    return "\n".join([f"{where} {_condition(state).words}, and is left so.", *lines])


def restore_error(state: RequestState) -> ErrorType:
    """Name what keeps the container from being put back."""
    return state.put_back_error or ErrorType.UNEXPECTED


def mentions(state: RequestState) -> str:
    """Mention who is called: the requester, and whoever approved."""
    people = dict.fromkeys([state.requester, *(d.approver_id for d in state.approvals)])
    return " ".join(person(user_id) for user_id in people)


def state_line(state: RequestState) -> str:
    """Say what the engine said last, how often it was tried, and when it is tried again."""
    seen, step = state.seen, _put_back(state)
    day = (seen.at if seen else state.tried_at or state.requested_at).astimezone(UTC).date()

    def at(moment: datetime) -> str:
        utc = moment.astimezone(UTC)
        return utc.strftime("%H:%M:%S UTC" if utc.date() == day else "%d %b %H:%M:%S UTC")

    error = restore_error(state)
    is_gone = error is ErrorType.CONTAINER_GONE
    parts = ["gone" if is_gone else "not known"]
    if seen is not None:
        parts = [f"{seen.state} since {at(seen.since)}" if seen.since else f"{seen.state}"]
    tries = max(state.attempts - (error in _STARTS_NOTHING), 0)
    if tries:
        is_last = state.tried_at is not None and error not in _STARTS_NOTHING
        last = f", last at {at(state.tried_at)}" if is_last and state.tried_at else ""
        parts.append(f"tried {'once' if tries == 1 else f'{tries} times'}{last}")
    elif error in HOPELESS_ERRORS:
        parts.append("not tried")
    if not goes_on_trying(state):
        parts += [] if is_gone or _gave_up(state) else ["🔕 Dockwarden does not try again"]
    elif step is not None and step.status is StepStatus.RUNNING:
        parts.append("🔁 trying now")
    elif state.next_try_at is not None:
        parts.append(f"🔁 next try at {at(state.next_try_at)}")
    else:
        parts.append("🔁 Dockwarden goes on trying")
    return f"*State* {' · '.join(parts)}"


def _condition(state: RequestState) -> _Condition:
    error, seen = restore_error(state), state.seen
    if error is ErrorType.CONTAINER_GONE:
        return _Condition("*is gone*", "Gone", "Dockwarden cannot put it back")
    if seen is None:
        because = f": {_NOT_ANSWERED[error]}" if error in _NOT_ANSWERED else ""
        not_known = f"whether it runs is not known{because}"
        return _Condition("*needs a person*", "Perhaps down", not_known)
    if seen.state in _DOWN:
        return _Condition("*is DOWN*", "DOWN", _LEFT_DOWN.get(error, _COULD_NOT))
    if seen.state is ContainerState.RUNNING and was_paused(state):
        return _NOT_PAUSED
    if seen.state is ContainerState.RUNNING and error is ErrorType.UNHEALTHY:
        words = "*runs, but its health check fails*"
        return _Condition(words, "Not healthy", "it is not back as it was")
    unknown = _Condition("*needs a person*", "In an unknown state", "its state is unknown")
    return _SEEN.get(seen.state, unknown)


def _is_said(state: RequestState) -> bool:
    """Tell whether the first line says already what is in the way."""
    error = restore_error(state)
    if state.seen is None:
        return error in _NOT_ANSWERED or error is ErrorType.CONTAINER_GONE
    return state.seen.state is ContainerState.RUNNING and error is ErrorType.UNHEALTHY


def _gave_up(state: RequestState) -> bool:
    """Tell whether a person ended the tries, which could have gone on."""
    return bool(state.stop_trying_by)


def _to_do(state: RequestState) -> list[str]:
    cause = cause_of(restore_error(state))
    lines = [_line(do, state) for do in cause.do]
    seen = state.seen.state if state.seen is not None else None
    if was_paused(state) and seen is ContainerState.RUNNING:
        lines.append(_line(Do("Pause it, as it was", "docker pause {id}"), state))
    elif seen is ContainerState.PAUSED and not was_paused(state):
        lines.append(_line(Do("If nobody paused it on purpose", "docker unpause {id}"), state))
    lines.append(_last_line(cause, state))
    numbered = (f"{n}. {line}" for n, line in enumerate((line for line in lines if line), start=1))
    return [f"*Do this* on {safe(state.container.host)}", *numbered]


def _line(do: Do, state: RequestState) -> str:
    words = fill(do.words, state)
    return f"{words}: {code(fill(do.command, state))}" if do.command else f"{words}."


def _last_line(cause: Cause, state: RequestState) -> str:
    if goes_on_trying(state):
        return "Nothing else: Dockwarden tries again by itself, and says so here when it worked."
    if not cause.then_start:
        return ""
    if state.seen is None:
        look = "docker inspect --format '{{.State.Status}}' {id}"
        return _line(Do("Then see whether it runs, and start it if it is down", look), state)
    start = "Then start it, and pause it as it was" if was_paused(state) else "Then start it"
    return _line(Do(start, "docker start {id}"), state)


def _put_back(state: RequestState) -> StepState | None:
    return next((step for step in state.steps if step.name is StepName.PUT_BACK), None)
