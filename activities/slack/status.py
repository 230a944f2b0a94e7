"""How does it read where a request stands, how each of its steps, and what was in the way?

The first line of a card, the words of a notification, the steps, and once it is over why it was
not done or what went wrong: what was overcome stands in the past, and only what helps before one
asks again is advised. The thread and the private notices use the same. The plain words are the
core's; what is added here is mark-up, names and times.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from activities.slack.error_help import HAVE_DETAILS, advice_for, cause_of, reason, short_detail
from activities.slack.mrkdwn import code, person, safe, typed_at
from activities.slack.needs_person import needs_person_headline, restore_error
from activities.slack.voters import who_can_still_decide
from workflows.model import words
from workflows.model.errors import PREFLIGHT_ERRORS, ErrorType
from workflows.model.markup import clock, clock_to_the_second
from workflows.model.state import RequestState, RequestStatus, StepName, StepState, StepStatus
from workflows.model.symbols import Symbol
from workflows.model.text import cut_off, short_id, shows_nothing
from workflows.model.words import capital, duration, ordinal, size
from workflows.operations import catalog
from workflows.operations.facts import has_step, was_down, was_late, was_left_running
from workflows.operations.standing import (
    as_before,
    engine_was_silent,
    is_start,
    missing_words,
    outcome,
    says_what_was_done,
    stale_title,
    status_words,
    step_emoji,
    step_words,
)

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
#: So many who may decide are named on a locked phone.
_MOST_CALLED = 5
_PRESENT = re.compile(rf"(?<![^ ])(?:{'|'.join(_PAST)})(?![^ ])")


def headline(state: RequestState) -> str:
    """Write the first line as mrkdwn: the state's emoji, the state, and what it is about."""
    return _HEADLINES[state.status](state)


def notification(state: RequestState) -> str:
    """Write the plain words for a notification, complete without the card."""
    if state.status is RequestStatus.WAITING:
        return _asks(state)
    what = f"{safe(state.name_now)} on {safe(state.container.host)}"
    if not says_what_was_done(state):
        what = f"{catalog.words_of(state.operation)} {what}"
    return f"{status_words(state)}: {what} ({state.request_id})"


def _asks(state: RequestState) -> str:
    """Write what is read on a locked phone: who asks for what, why, who decides until when."""
    name, host = safe(state.name_now, 60), safe(state.container.host, 40)
    who = person(state.requester)
    first = f"{Symbol.WAITS} {who} asks to {catalog.words_of(state.operation)} {name} on {host}"
    why = "" if shows_nothing(state.reason) else f": “{safe(cut_off(state.reason, 100), 100)}”"
    until = f"until {clock(state.expires_at)}" if state.expires_at else ""
    decides = " ".join(part for part in (who_can_still_decide(state, _MOST_CALLED), until) if part)
    return f"{first}{why}{f' — {decides}' if decides else ''}"


def step_line(step: StepState, state: RequestState) -> str:
    """Write one step as a line: ``✓ Stopped in 0.1 s · exit code 0``."""
    note = f" · {safe(step.note, 120)}" if step.note else ""
    return f"{step_emoji(step)} {step_words(step, state, _why_failed(step, state))}{note}"


def _why_failed(step: StepState, state: RequestState) -> str:
    if step.error is None:
        return ""
    if engine_was_silent(state):
        return "the engine did not answer"
    meaning = cause_of(step.error).meaning
    return past(meaning) if step.name is StepName.START and started_late(state) else meaning


def step_lines(state: RequestState) -> str:
    """Write all steps, one a line; the failure that the card explains below is only named."""
    return "\n".join(step_line(_explained(state, step), state) for step in state.steps)


def timed_steps(state: RequestState) -> str:
    """Write what was done and when, one step a line; nothing of what was never begun."""
    if not any(step.started_at for step in state.steps):
        return ""
    lines = (
        f"{step_line(_explained(state, step), state)}{_when(step)}"
        for step in state.steps
        if step.started_at or step.finished_at
    )
    return "\n".join(lines)


def _when(step: StepState) -> str:
    if step.finished_at is None:
        return ""
    return f" · {clock_to_the_second(step.finished_at, step.finished_at)}"


def called(state: RequestState) -> str:
    """Name the container as the engine does now, and as it was asked for if that differs."""
    asked_for = f" (asked for as {code(state.container.name)})" if state.renamed else ""
    return f"{code(state.name_now)}{asked_for}"


def snapshot_line(state: RequestState) -> str:
    """Name the image that was made, or nothing when there is none."""
    made = state.snapshot
    if made is None:
        return ""
    if state.status is RequestStatus.NEEDS_PERSON and not made.reference:
        # Nobody can rely on it: it goes when the container is back.
        return ""
    name = code(made.reference, 340) if made.reference else "without a tag"
    big = f" · {size(made.size_bytes)}" if made.size_bytes else ""
    return f"{Symbol.SNAPSHOT} Snapshot {name} · image {code(short_id(made.image_id))}{big}"


def where(state: RequestState) -> str:
    """Name the container and its host, as mrkdwn."""
    return f"{called(state)} on *{safe(state.container.host)}*"


def down_time(state: RequestState) -> str:
    """Say how long a container was down that was brought back: ``down for 4.2 s``.

    How long one had rested before people decided about it is no doing of ours.
    """
    if state.down_seconds is None or was_down(state):
        return ""
    return f"down for {duration(timedelta(seconds=state.down_seconds))}"


def _explained(state: RequestState, step: StepState) -> StepState:
    """Leave out of a step what the card says below."""
    if state.status is RequestStatus.NEEDS_PERSON and step.error is restore_error(state):
        note = "" if step.name is StepName.PUT_BACK else step.note
        return replace(step, error=None, note=note)
    if failure_summary(state) and step.error is state.cause:
        return replace(step, error=None)
    return step


def _waiting(state: RequestState) -> str:
    who = person(state.requester) + typed_at(state.terminal)
    told = f"{Symbol.WAITS} *{missing_words(state)}* — {who} asks to {_what(state)}"
    return f"{told} · {ordinal(state.earlier + 1)} time this week" if state.earlier else told


def _rejected(state: RequestState) -> str:
    rejection, by = state.rejection, ""
    if rejection is not None:
        by = f" by {person(rejection.approver_id)} at {clock(rejection.decided_at)}"
    return f"{Symbol.NO} *Rejected*{by} — {_what(state)}. Nothing was changed."


def _expired(state: RequestState) -> str:
    told = f"{Symbol.TOO_LATE} *Expired* — {_what(state)}"
    return f"{told}. Nobody decided in time, and nothing was changed."


def _cancelled(state: RequestState) -> str:
    by = f" by {person(state.cancel_requested_by)}" if state.cancel_requested_by else ""
    by += typed_at(state.cancel_terminal)
    return f"{Symbol.ENDED_BY_PERSON} *Cancelled*{by} — {_what(state)}. Nothing was changed."


def _stale(state: RequestState) -> str:
    advice = f" {advice_for(state)}" if state.cause in PREFLIGHT_ERRORS else ""
    first = f"{Symbol.MIND} *{stale_title(state)}* — {_what(state)}"
    if was_left_running(state):
        # It came up after a snapshot of it; or what our start began has ended, and it has since.
        return f"{first}\nSomebody has started it meanwhile, so Dockwarden leaves it running."
    return f"{first}\n{why_not_done(state)} Nothing was changed.{advice}"


def _failed(state: RequestState) -> str:
    told = [why_not_done(state)]
    if not engine_was_silent(state):
        told.append("Nothing was changed.")
    told.append(advice_for(state))
    return f"{Symbol.MIND} *Not done* — {_what(state)}\n{' '.join(part for part in told if part)}"


def _running(state: RequestState) -> str:
    if state.is_putting_back:
        return f"{Symbol.PUT_BACK} *Putting it back* — {_what(state)}"
    if state.cancel_requested_by:
        by = person(state.cancel_requested_by) + typed_at(state.cancel_terminal)
        return f"{Symbol.WORKING} *Cancelling* after the current step, for {by} — {_what(state)}"
    if state.waits_for_turn:
        return f"{Symbol.WORKING} *Approved, waits for its turn* — {_what(state)}"
    words = " · ".join(part for part in (f"{Symbol.WORKING} *Working*", _position(state)) if part)
    return f"{words} — {_what(state)}"


def _succeeded(state: RequestState) -> str:
    took = _total(state)
    in_time = f" in {duration(took)}" if took is not None else ""
    done = f"*{outcome(state)}*{in_time}"
    if was_late(state):
        # What came late has a time of its own.
        first, _, late = outcome(state).partition(", ")
        done = f"*{first}*{in_time}, *{late}*"
    stays = " stays stopped, as it was" if _stays_stopped(state) else ""
    was_down = f" was {down_time(state)}" if down_time(state) else ""
    return f"{Symbol.YES} {done} — {where(state)}{stays}{was_down}"


def _put_back(state: RequestState) -> str:
    words = f"{Symbol.PUT_BACK} *Failed and put back*"
    if state.cause is None:
        by = f" by {person(state.cancel_requested_by)}" if state.cancel_requested_by else ""
        by += typed_at(state.cancel_terminal)
        words = f"{Symbol.PUT_BACK} *Cancelled*{by} *and put back*"
    was_down = f", after it was {down_time(state)}" if down_time(state) else ""
    return f"{words} — {where(state)} is {as_before(state)}{was_down}"


def _needs_person(state: RequestState) -> str:
    return needs_person_headline(state, where(state))


_HEADLINES: dict[RequestStatus, Callable[[RequestState], str]] = {
    RequestStatus.WAITING: _waiting,
    RequestStatus.REJECTED: _rejected,
    RequestStatus.EXPIRED: _expired,
    RequestStatus.CANCELLED: _cancelled,
    RequestStatus.STALE: _stale,
    RequestStatus.RUNNING: _running,
    RequestStatus.SUCCEEDED: _succeeded,
    RequestStatus.PUT_BACK: _put_back,
    RequestStatus.FAILED: _failed,
    RequestStatus.NEEDS_PERSON: _needs_person,
}


def _what(state: RequestState) -> str:
    return f"{catalog.words_of(state.operation)} {where(state)}"


def _stays_stopped(state: RequestState) -> bool:
    """Say whether a container that was found stopped stays so, and was not to be stopped."""
    operation = catalog.find(state.operation.kind)
    return (
        operation is not None
        and not operation.leaves_down
        and not has_step(state, StepName.START)
        and state.pin is not None
        and state.pin.state.is_down
    )


def _position(state: RequestState) -> str:
    """Say which step is under way: ``step 2 of 4``."""
    numbered = list(enumerate(state.steps, start=1))
    at_work = [n for n, step in numbered if step.status is StepStatus.RUNNING]
    begun = [n for n, step in numbered if step.status is not StepStatus.TODO]
    now = at_work[-1] if at_work else max(begun, default=1)
    return f"step {now} of {len(numbered)}" if numbered else ""


def _total(state: RequestState) -> timedelta | None:
    """Say how long all steps took together; a start that came late has a time of its own."""
    late = (StepName.START, StepName.PUT_BACK) if was_late(state) else ()
    counted = [step for step in state.steps if step.name not in late]
    begun = [s.started_at for s in counted if s.started_at]
    over = [s.finished_at for s in counted if s.finished_at]
    return max(over) - min(begun) if begun and over else None


def why_not_done(state: RequestState) -> str:
    """Say why nothing was done, as a sentence, or nothing when a person decided so."""
    if state.status not in (RequestStatus.STALE, RequestStatus.FAILED):
        return ""
    host, name = safe(state.container.host), called(state)
    if engine_was_silent(state):
        return (
            f"The engine of {host} did not answer, so Dockwarden did nothing to {name}. "
            "Whether it runs is not known: look first."
        )
    if state.cause is ErrorType.WORKER_UNAVAILABLE:
        return f"No Dockwarden worker of {host} took it up in time."
    if state.cause is ErrorType.CONTAINER_GONE:
        return f"{name} {_became(state)}."
    cause = state.cause
    if state.status is RequestStatus.STALE:
        cause = cause or ErrorType.CONTAINER_CHANGED
    return f"{capital(reason(cause, state.cause_text))}."


def _became(state: RequestState) -> str:
    """Say what became of a container that is gone; a worker of an earlier release does not."""
    known = state.cause_text.startswith((words.REMOVED, words.RECREATED))
    return safe(state.cause_text.removeprefix("it ")) if known else "was removed, or recreated"


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
