"""How does it read where a request stands, and how each of its steps?

The first line of a card, the words of a notification, and the steps: planned, under way, done,
failed. The thread and the private notices use the same. The plain words are the core's; what is
added here is mark-up, names and times.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from activities.slack.error_help import advice_for, called, cause_of
from activities.slack.mrkdwn import clock, code, person, safe, size
from activities.slack.needs_person import needs_person_headline, restore_error
from activities.slack.outcome import failure_summary, past, started_late, why_not_done
from workflows.model.errors import PREFLIGHT_ERRORS
from workflows.model.state import RequestState, RequestStatus, StepName, StepState, StepStatus
from workflows.model.text import short_id
from workflows.model.words import duration
from workflows.operations import catalog
from workflows.operations.facts import has_step, was_down, was_late
from workflows.operations.standing import (
    as_before,
    engine_was_silent,
    missing_words,
    outcome,
    says_what_was_done,
    stale_title,
    status_words,
    step_emoji,
    step_words,
)


def headline(state: RequestState) -> str:
    """Write the first line as mrkdwn: the state's emoji, the state, and what it is about."""
    return _HEADLINES[state.status](state)


def notification(state: RequestState) -> str:
    """Write the plain words for a notification, complete without the card."""
    what = f"{safe(state.name_now)} on {safe(state.container.host)}"
    if not says_what_was_done(state):
        what = f"{catalog.words_of(state.operation)} {what}"
    return f"{status_words(state)}: {what} ({state.request_id})"


def step_line(step: StepState, state: RequestState) -> str:
    """Write one step as a line: ``✅ Stopped in 0.1 s · exit code 0``."""
    note = f" · {safe(step.note, 120)}" if step.note else ""
    return f"{step_emoji(step)} {step_words(step, state, _why_failed(step, state))}{note}"


def _why_failed(step: StepState, state: RequestState) -> str:
    if step.error is None:
        return ""
    if engine_was_silent(state):
        return "the Docker engine did not answer"
    meaning = cause_of(step.error).meaning
    return past(meaning) if step.name is StepName.START and started_late(state) else meaning


def step_lines(state: RequestState) -> str:
    """Write all steps, one a line; the failure that the card explains below is only named."""
    return "\n".join(step_line(_explained(state, step), state) for step in state.steps)


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
    return f"📦 Snapshot {name} · image {code(short_id(made.image_id))}{big}"


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
    return f"⏳ *{missing_words(state)}* — {_what(state)}"


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
    advice = f" {advice_for(state)}" if state.cause in PREFLIGHT_ERRORS else ""
    first = f"⚠️ *{stale_title(state)}* — {_what(state)}"
    if state.started_by_us:
        # What our start began has ended, and somebody has begun it anew since.
        return f"{first}\nSomebody has started it meanwhile, so Dockwarden leaves it running."
    return f"{first}\n{why_not_done(state)} Nothing was changed.{advice}"


def _failed(state: RequestState) -> str:
    told = [why_not_done(state)]
    if not engine_was_silent(state):
        told.append("Nothing was changed.")
    told.append(advice_for(state))
    return f"❌ *Not done* — {_what(state)}\n{' '.join(part for part in told if part)}"


def _running(state: RequestState) -> str:
    if state.is_putting_back:
        return f"↩️ *Putting it back* — {_what(state)}"
    if state.cancel_requested_by:
        by = person(state.cancel_requested_by)
        return f"🚧 *Cancelling* after the current step, for {by} — {_what(state)}"
    if state.waits_for_turn:
        return f"⏳ *Approved, waits for its turn* — {_what(state)}"
    words = " · ".join(part for part in ("🚧 *Working*", _position(state)) if part)
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
    return f"✅ {done} — {where(state)}{stays}{was_down}"


def _put_back(state: RequestState) -> str:
    words = "↩️ *Failed and put back*"
    if state.cause is None:
        by = f" by {person(state.cancel_requested_by)}" if state.cancel_requested_by else ""
        words = f"↩️ *Cancelled*{by} *and put back*"
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
