"""How does it read in a few words where a request stands, and how each of its steps?

The first line of a card, the words of a notification, and the steps: planned, under way, done,
failed. The thread and the private notices use the same words.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from activities.slack.error_help import advice_for, called, cause_of
from activities.slack.mrkdwn import clock, code, duration, person, safe, size
from activities.slack.needs_person import (
    needs_person_headline,
    needs_person_text,
    restore_error,
)
from activities.slack.outcome import (
    engine_was_silent,
    failure_summary,
    past,
    started_late,
    why_not_done,
)
from workflows.model.errors import NO_ROOM_ERRORS, PREFLIGHT_ERRORS, STALE_ERRORS
from workflows.model.state import RequestState, RequestStatus, StepName, StepState, StepStatus
from workflows.model.text import short_id
from workflows.operations import catalog
from workflows.operations.facts import (
    HEALTH_UNKNOWN,
    has_step,
    started_late as late_words,
    unless_healthy,
    was_late,
    was_paused,
)
from workflows.operations.operation import Step

_EMOJI = {
    StepStatus.TODO: "▫️",
    StepStatus.QUEUED: "⏳",
    StepStatus.RUNNING: "⏳",
    StepStatus.DONE: "✅",
    StepStatus.SKIPPED: "\N{HEAVY MINUS SIGN}",
    StepStatus.FAILED: "❌",
    StepStatus.NOT_RUN: "\N{HEAVY MINUS SIGN}",
}
_SAYS_WHAT_WAS_DONE = frozenset(
    {RequestStatus.SUCCEEDED, RequestStatus.PUT_BACK, RequestStatus.NEEDS_PERSON}
)


def headline(state: RequestState) -> str:
    """Write the first line as mrkdwn: the state's emoji, the state, and what it is about."""
    return _HEADLINES[state.status](state)


def notification(state: RequestState) -> str:
    """Write the plain words for a notification, complete without the card."""
    what = f"{safe(state.name_now)} on {safe(state.container.host)}"
    if state.status not in _SAYS_WHAT_WAS_DONE:
        what = f"{catalog.words_of(state.operation)} {what}"
    return f"{status_text(state)}: {what} ({state.request_id})"


def status_text(state: RequestState) -> str:
    """Say in a few words where a request stands: ``✅ Stopped and snapshotted``."""
    text = _STATUS_TEXT[state.status]
    return text if isinstance(text, str) else text(state)


def step_line(step: StepState, state: RequestState) -> str:
    """Write one step as a line: ``✅ Stopped in 0.1 s · exit code 0``."""
    known = _known(step, state)
    proof = known.proof
    to_come = planned(step, state)
    if step.name is StepName.START and was_paused(state):
        proof = ", and paused again as it was"
    if step.note.endswith(HEALTH_UNKNOWN):
        proof = ""
    took = _took(step)
    match step.status:
        case StepStatus.TODO:
            words = to_come
        case StepStatus.QUEUED:
            untouched = ", nothing was touched yet" if _is_stop(step) else ""
            words = f"{to_come}: waits for its turn{untouched}"
        case StepStatus.RUNNING:
            words = f"{known.doing} …"
        case StepStatus.DONE:
            in_time = f" in {duration(took)}" if took is not None else ""
            words = f"{known.done}{in_time}{proof}"
        case StepStatus.SKIPPED:
            words = "Already stopped, nothing to stop" if _is_stop(step) else f"{to_come}: skipped"
        case StepStatus.NOT_RUN:
            words = f"{to_come}: not run"
        case StepStatus.FAILED:
            words = _failed_words(step, state)
    note = f" · {safe(step.note, 120)}" if step.note else ""
    emoji = "↩️" if _is_put_back(step) and step.status is StepStatus.DONE else _EMOJI[step.status]
    return f"{emoji} {words}{note}"


def _failed_words(step: StepState, state: RequestState) -> str:
    meaning = cause_of(step.error).meaning if step.error else ""
    not_begun = step.error in STALE_ERRORS or state.status is RequestStatus.FAILED
    words = f"{_known(step, state).doing} failed"
    if _is_stop(step) and not_begun:
        words = "Not stopped"
        if engine_was_silent(state):
            meaning = "the Docker engine did not answer"
    elif step.name is StepName.START and started_late(state):
        meaning = past(meaning)
    return f"{words}: {meaning}" if meaning else words


def step_lines(state: RequestState) -> str:
    """Write all steps, one a line; the failure that the card explains below is only named."""
    return "\n".join(step_line(_explained(state, step), state) for step in state.steps)


def planned(step: StepState, state: RequestState) -> str:
    """Name a step that is still to come."""
    pauses = step.name is StepName.START and was_paused(state)
    return f"{_known(step, state).to_do}{' and pause' if pauses else ''}"


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
    """Say how long a container was down that was brought back: ``down for 4.2 s``."""
    if state.down_seconds is None:
        return ""
    return f"down for {duration(timedelta(seconds=state.down_seconds))}"


def _explained(state: RequestState, step: StepState) -> StepState:
    """Leave out of a step what the card says below."""
    if state.status is RequestStatus.NEEDS_PERSON and step.error is restore_error(state):
        note = "" if _is_put_back(step) else step.note
        return replace(step, error=None, note=note)
    if failure_summary(state) and step.error is state.cause:
        return replace(step, error=None)
    return step


def _waiting(state: RequestState) -> str:
    return f"⏳ *{_missing(state)}* — {_what(state)}"


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
    title, advice = "Out of date", ""
    if state.cause in PREFLIGHT_ERRORS:
        title = "Not done, no room" if state.cause in NO_ROOM_ERRORS else "Not done"
        advice = f" {advice_for(state)}"
    return f"⚠️ *{title}* — {_what(state)}\n{why_not_done(state)} Nothing was changed.{advice}"


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
    done = f"*{_done(state)}*{in_time}"
    if was_late(state):
        done = f"*Snapshotted*{in_time}, *and {late_words(state)}{unless_healthy(state)}*"
    stays = " stays stopped, as it was" if _stays_stopped(state) else ""
    was_down = f" was {down_time(state)}" if down_time(state) else ""
    return f"✅ {done} — {where(state)}{stays}{was_down}"


def _put_back(state: RequestState) -> str:
    words = "↩️ *Failed and put back*"
    if state.cause is None:
        by = f" by {person(state.cancel_requested_by)}" if state.cancel_requested_by else ""
        words = f"↩️ *Cancelled*{by} *and put back*"
    was_down = f", after it was {down_time(state)}" if down_time(state) else ""
    return f"{words} — {where(state)} is {_as_before(state)}{was_down}"


def _needs_person(state: RequestState) -> str:
    return needs_person_headline(state, where(state))


def _running_text(state: RequestState) -> str:
    if state.is_putting_back:
        return "↩️ Putting it back"
    if state.cancel_requested_by:
        return "🚧 Cancelling"
    return "⏳ Approved, waits for its turn" if state.waits_for_turn else "🚧 Working"


def _put_back_text(state: RequestState) -> str:
    ended = "Cancelled" if state.cause is None else "Failed"
    return f"↩️ {ended} and put back, {_as_before(state)}"


def _stale_text(state: RequestState) -> str:
    title = "Not done" if state.cause in PREFLIGHT_ERRORS else "Out of date"
    return f"⚠️ {title}, nothing was changed"


def _failed_text(state: RequestState) -> str:
    told = "Dockwarden did nothing" if engine_was_silent(state) else "nothing was changed"
    return f"❌ Not done, {told}"


_STATUS_TEXT: dict[RequestStatus, str | Callable[[RequestState], str]] = {
    RequestStatus.WAITING: lambda state: f"⏳ {_missing(state)}",
    RequestStatus.REJECTED: "⛔ Rejected, nothing was changed",
    RequestStatus.EXPIRED: "⌛ Expired, nothing was changed",
    RequestStatus.CANCELLED: "🚫 Cancelled, nothing was changed",
    RequestStatus.STALE: _stale_text,
    RequestStatus.RUNNING: _running_text,
    RequestStatus.SUCCEEDED: lambda state: f"✅ {_done(state)}",
    RequestStatus.PUT_BACK: _put_back_text,
    RequestStatus.FAILED: _failed_text,
    RequestStatus.NEEDS_PERSON: needs_person_text,
}
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


def _missing(state: RequestState) -> str:
    if state.cancel_requested_by:
        return "Cancelling"
    needed = state.policy.required_approvals if state.policy else 1
    missing = needed - len(state.approvals)
    if not state.approvals:
        return "Approval needed" if needed == 1 else f"{needed} approvals needed"
    return f"{missing} more approval{'' if missing == 1 else 's'} needed"


def _done(state: RequestState) -> str:
    operation = catalog.find(state.operation.kind)
    return "Done" if operation is None else operation.outcome(state)


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


def _as_before(state: RequestState) -> str:
    if state.pin is None:
        return "as it was"
    again = f"running again{unless_healthy(state)}"
    return again if state.pin.state.is_up else f"{state.pin.state}, as it was"


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


def _known(step: StepState, state: RequestState) -> Step:
    return catalog.step_of(step.name, state.operation, state.pin)


def _is_stop(step: StepState) -> bool:
    return step.name is StepName.STOP


def _is_put_back(step: StepState) -> bool:
    return step.name is StepName.PUT_BACK


def _took(step: StepState) -> timedelta | None:
    if step.started_at is None or step.finished_at is None:
        return None
    return step.finished_at - step.started_at
