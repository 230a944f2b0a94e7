"""How does the worst moment read: is the container down, why, what is to be done, how goes it on?

Read at three in the morning by somebody who was just called. The fact that counts comes first,
and only what the engine itself said of the container is told as a fact.
"""

from __future__ import annotations

from datetime import datetime

from activities.slack.error_help import HAVE_DETAILS, cause_of, fill, reason, short_detail
from activities.slack.mrkdwn import code, person, safe
from activities.slack.own_failures import (
    LOOK,
    OWN_CAUSES_TO_STOP,
    PAUSE,
    START,
    STOP,
    UNPAUSE,
    Cause,
    Do,
)
from workflows.model.advice import CommandName, command_of
from workflows.model.errors import HOPELESS_ERRORS, ErrorType
from workflows.model.markup import clock_to_the_second
from workflows.model.requests import ContainerState
from workflows.model.state import RequestState, RequestStatus, StepName, StepStatus, find_step
from workflows.model.symbols import Symbol
from workflows.model.words import capital
from workflows.operations.facts import was_down, was_paused
from workflows.operations.standing import NOT_ANSWERED, condition, gave_up, is_start, seen_down

#: So begins the sentence that is about the command alone.
_ABOUT_IT = ". This shows"
#: That the engine failed at a start, with a number, tells a person nothing.
_DETAIL_ADDS = HAVE_DETAILS - {ErrorType.ENGINE_ERROR}
#: The try that finds this out starts nothing.
_STARTS_NOTHING = HOPELESS_ERRORS - {ErrorType.OWNER_GONE}
_STOPS_AND_SAYS_WHY = Do(
    "Stop it by hand: the answer names the reason, which is also in the log of the Dockwarden "
    "worker of {host}",
    STOP,
)
_THEN_STOP = Do("Then stop it, if it runs, as it was", STOP)
#: What helps with what was started and is to be stopped again, where it is not the same.
_TO_STOP = {
    ErrorType.ENGINE_FORBIDDEN: (
        Do("Allow the call in the socket proxy, or give the proxy or the worker its rights"),
        Do("Until then you can stop it by hand, if it runs", STOP),
    ),
    ErrorType.ENGINE_ERROR: (_STOPS_AND_SAYS_WHY,),
    ErrorType.BAD_ENGINE_REQUEST: (_STOPS_AND_SAYS_WHY,),
    ErrorType.NOT_STOPPED: (
        Do("Look whether it runs: its restart policy or somebody else starts it", LOOK),
    ),
    ErrorType.WORKER_UNAVAILABLE: (
        Do("Start the Dockwarden worker of {host}"),
        Do("If that takes long, see whether it runs, and stop it only if it does", LOOK),
    ),
    ErrorType.UNEXPECTED: (
        Do("Look whether it runs", LOOK),
        Do(
            "If it does, stop it by hand. The log of the Dockwarden worker of {host}, and "
            "Temporal's history, say more",
            STOP,
        ),
    ),
    **OWN_CAUSES_TO_STOP,
}


def needs_person_headline(state: RequestState, where: str, called: str = "") -> str:
    """Write the first line of the card: how the container is, and what Dockwarden could not do.

    ``called`` mentions who is to come.
    """
    met = condition(state)
    could_not = met.could_not
    if gave_up(state):
        not_known = "" if state.seen else "whether it runs is not known, and "
        could_not = f"{not_known}Dockwarden has stopped trying"
    first = (Symbol.NEEDS_PERSON, called, where, f"*{met.told}*", "—", could_not)
    return " ".join(part for part in first if part)


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
    return f"{Symbol.NEEDS_PERSON} {capital(condition(state).short)}, and is left so"


def why_lines(state: RequestState) -> list[str]:
    """Say what keeps the container from being put back, unless the first line says it already.

    The failure with which it began is another matter, and told with its step.
    """
    error, step = restore_error(state), find_step(state.steps, StepName.PUT_BACK)
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
        told = f"Whether {where} runs is not known."
        return "\n".join([told, *lines, with_command(f"To see it, run on {host}", LOOK, state)])
    if was_down(state) != seen_down(state):
        verb, command = ("stop", STOP) if was_down(state) else ("start", START)
        words = f"To {verb} it when that is put right, run on {host}"
        lines.append(with_command(words, command, state))
    return "\n".join([f"{where} *{condition(state).told}*, and is left so.", *lines])


def restore_error(state: RequestState) -> ErrorType:
    """Name what keeps the container from being put back."""
    return state.put_back_error or ErrorType.UNEXPECTED


def mentions(state: RequestState) -> str:
    """Mention who is called: the requester, and whoever approved."""
    people = dict.fromkeys([state.requester, *(d.approver_id for d in state.approvals)])
    return " ".join(person(user_id) for user_id in people)


def state_line(state: RequestState) -> str:
    """Say what the engine said last, how often it was tried, and when it is tried again."""
    seen, step = state.seen, find_step(state.steps, StepName.PUT_BACK)
    day = seen.at if seen else state.tried_at or state.requested_at

    def at(moment: datetime) -> str:
        return clock_to_the_second(moment, day)

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
        parts += [] if is_gone or gave_up(state) else ["Dockwarden does not try again"]
    elif step is not None and step.status is StepStatus.RUNNING:
        parts.append("trying now")
    elif state.next_try_at is not None:
        parts.append(f"next try at {at(state.next_try_at)}")
    else:
        parts.append("Dockwarden goes on trying")
    return f"*State* {' · '.join(parts)}"


def _is_said(state: RequestState) -> bool:
    """Tell whether the first line says already what is in the way."""
    error = restore_error(state)
    if state.seen is None:
        return error in NOT_ANSWERED or error is ErrorType.CONTAINER_GONE
    return state.seen.state is ContainerState.RUNNING and error is ErrorType.UNHEALTHY


def _to_do(state: RequestState) -> list[str]:
    error = restore_error(state)
    cause = cause_of(error)
    to_stop = _to_stop(error, state) if is_start(state) else None
    lines = [_line(do, state) for do in to_stop or cause.do]
    seen = state.seen.state if state.seen is not None else None
    if was_paused(state) and seen is ContainerState.RUNNING:
        lines.append(_line(Do("Pause it, as it was", PAUSE), state))
    elif seen is ContainerState.PAUSED and not was_paused(state):
        lines.append(_line(Do("If nobody paused it on purpose", UNPAUSE), state))
    lines.append(_last_line(cause, state, is_told=to_stop is not None))
    numbered = (f"{n}. {line}" for n, line in enumerate((line for line in lines if line), start=1))
    return [f"*Do this* on {safe(state.container.host)}", *numbered]


def _to_stop(error: ErrorType, state: RequestState) -> tuple[Do, ...] | None:
    """Say what helps with what is to be stopped again; ``None`` where it is what helps anyway."""
    return (Do("See whether it stays so", LOOK),) if seen_down(state) else _TO_STOP.get(error)


def _line(do: Do, state: RequestState) -> str:
    return with_command(do.words, do.command, state)


def _last_line(cause: Cause, state: RequestState, *, is_told: bool) -> str:
    if goes_on_trying(state):
        return "Nothing else: Dockwarden tries again by itself, and says so here when it worked."
    if is_start(state):
        is_gone = restore_error(state) is ErrorType.CONTAINER_GONE
        return "" if is_told or is_gone else _line(_THEN_STOP, state)
    if not cause.then_start:
        return ""
    if state.seen is None:
        return _line(Do("Then see whether it runs, and start it if it is down", LOOK), state)
    start = "Then start it, and pause it as it was" if was_paused(state) else "Then start it"
    return _line(Do(start, START), state)


def with_command(words: str, command: str, state: RequestState) -> str:
    """Add what to run to what to do, where the provider of the container says it."""
    words, line = fill(words, state), _filled(command, state)
    return f"{words}: {code(line)}" if line else f"{words.partition(_ABOUT_IT)[0]}."


def _filled(command: str, state: RequestState) -> str:
    """Put in the provider's own commands; nothing comes of it when one of them is missing."""
    if was_paused(state):
        command = command.replace(START, f"{START} && {PAUSE}")
    for name in CommandName:
        gap = f"{{{name}}}"
        if gap in command:
            known = command_of(state.pin, name)
            if not known:
                return ""
            command = command.replace(gap, known)
    return command
