"""How does each step of an operation read: planned, under way, done, failed?"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from activities.slack.error_help import cause_of, lesson
from activities.slack.mrkdwn import code, duration, safe, short_id, size
from workflows.model.errors import STALE_ERRORS
from workflows.model.state import RequestState, StepName, StepState, StepStatus

_EMOJI = {
    StepStatus.TODO: "▫️",
    StepStatus.RUNNING: "⏳",
    StepStatus.DONE: "✅",
    StepStatus.SKIPPED: "\N{HEAVY MINUS SIGN}",
    StepStatus.FAILED: "❌",
    StepStatus.NOT_RUN: "\N{HEAVY MINUS SIGN}",
}

#: What a step is called when it is still to come, under way, and done; and what is added then.
_NAMES = {
    StepName.STOP: ("Stop", "Stopping", "Stopped", ""),
    StepName.SNAPSHOT: ("Take the snapshot", "Taking the snapshot", "Snapshot taken", ""),
    StepName.TAG: ("Tag the snapshot", "Tagging the snapshot", "Snapshot tagged", ""),
    StepName.START: ("Start again", "Starting again", "Started again", ", and it stays up"),
    StepName.PUT_BACK: ("Put it back", "Putting it back", "Put back", ", and verified"),
}


def step_line(step: StepState) -> str:
    """Write one step as a line: ``✅ Stopped in 0.1 s · exit code 0``."""
    planned, going_on, over, proof = _NAMES[step.name]
    took = _took(step)
    match step.status:
        case StepStatus.TODO:
            words = planned
        case StepStatus.RUNNING:
            words = f"{going_on} …"
        case StepStatus.DONE:
            in_time = f" in {duration(took)}" if took is not None else ""
            words = f"{over}{in_time}{proof}"
        case StepStatus.SKIPPED:
            words = "Already stopped, nothing to stop" if _is_stop(step) else f"{planned}: skipped"
        case StepStatus.NOT_RUN:
            words = f"{planned}: not run"
        case StepStatus.FAILED:
            why = f": {cause_of(step.error).meaning}" if step.error else ""
            words = f"{going_on} failed{why}"
            if _is_stop(step) and step.error in STALE_ERRORS:
                words = f"Not stopped{why}"
    note = f" · {safe(step.note, 120)}" if step.note else ""
    emoji = "↩️" if _is_put_back(step) and step.status is StepStatus.DONE else _EMOJI[step.status]
    return f"{emoji} {words}{note}"


def step_lines(state: RequestState) -> str:
    """Write all steps, one a line; the failure that the card explains below is only named."""
    explained = [
        replace(step, error=None) if lesson(state) and step.error is state.cause else step
        for step in state.steps
    ]
    return "\n".join(step_line(step) for step in explained)


def plan_lines(state: RequestState) -> str:
    """Say what will happen after the approval, step by step."""
    return "\n".join(f"{n}. {_plan(state, step)}" for n, step in enumerate(state.steps, start=1))


def plan_sentence(state: RequestState) -> str:
    """Say in few words what will happen, for the dialog that asks whether one is sure."""
    words = [_NAMES[step.name][0].lower() for step in state.steps]
    if not words:
        return state.operation.words
    if _starts_stopped(state) and words[0] == "stop":
        words[0] = "leave it stopped"
    return ", ".join(words)


def position(state: RequestState) -> str:
    """Say which step is under way: ``step 2 of 4``."""
    numbered = list(enumerate(state.steps, start=1))
    at_work = [n for n, step in numbered if step.status is StepStatus.RUNNING]
    begun = [n for n, step in numbered if step.status is not StepStatus.TODO]
    now = at_work[-1] if at_work else max(begun, default=1)
    return f"step {now} of {len(numbered)}" if numbered else ""


def is_putting_back(state: RequestState) -> bool:
    """Say whether the container is being put back: a step failed, or a cancel took effect."""
    return any(_is_put_back(s) or s.status is StepStatus.FAILED for s in state.steps)


def total(state: RequestState) -> timedelta | None:
    """Say how long all steps took together."""
    begun = [s.started_at for s in state.steps if s.started_at]
    over = [s.finished_at for s in state.steps if s.finished_at]
    return max(over) - min(begun) if begun and over else None


def snapshot_line(state: RequestState) -> str:
    """Name the image that was made, or nothing when there is none."""
    made = state.snapshot
    if made is None:
        return ""
    name = code(made.reference, 340) if made.reference else "without a tag"
    big = f" · {size(made.size_bytes)}" if made.size_bytes else ""
    return f"📦 Snapshot {name} · image {code(short_id(made.image_id))}{big}"


def _plan(state: RequestState, step: StepState) -> str:
    name = code(state.container.name)
    match step.name:
        case StepName.STOP if _starts_stopped(state):
            return f"{name} is already stopped: the stop will be skipped"
        case StepName.STOP:
            grace = duration(timedelta(seconds=state.grace_seconds))
            return f"Stop {name}: it gets {grace} to end by itself, then it is killed"
        case StepName.SNAPSHOT:
            return "Take a snapshot of its file system"
        case StepName.TAG:
            return f"Tag the snapshot {code(state.reference, 340)}"
        case StepName.START:
            return "Start it again, and see that it stays up"
        case StepName.PUT_BACK:
            return "Put it back"


def _starts_stopped(state: RequestState) -> bool:
    return state.pin is not None and state.pin.state.is_down


def _is_stop(step: StepState) -> bool:
    return step.name is StepName.STOP


def _is_put_back(step: StepState) -> bool:
    return step.name is StepName.PUT_BACK


def _took(step: StepState) -> timedelta | None:
    if step.started_at is None or step.finished_at is None:
        return None
    return step.finished_at - step.started_at
