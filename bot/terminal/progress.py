"""What has happened to a request since somebody at a terminal last heard of it?"""

from __future__ import annotations

from datetime import UTC, datetime

from bot.terminal.tables import moment, tamed
from workflows.model.requests import RecordedDecision
from workflows.model.state import RequestState, RequestStatus, StepState, StepStatus
from workflows.operations import catalog

_UNTOLD = (StepStatus.TODO, StepStatus.NOT_RUN)


class Progress:
    """Tells each piece of news once."""

    def __init__(self) -> None:
        self._told: set[str] = set()

    def news(self, state: RequestState) -> list[str]:
        """Say what is new, a line each, with the time."""
        lines = [*_waiting(state), *map(_decided, state.decisions), *_cancel(state)]
        lines += [_step(step, state) for step in state.steps if step.status not in _UNTOLD]
        if state.status is RequestStatus.NEEDS_PERSON:
            lines.append("needs a person: the container could not be put back, and may be down")
        new = [line for line in lines if line not in self._told]
        self._told.update(new)
        return [f"{datetime.now(UTC):%H:%M:%S} {line}" for line in new]


def _waiting(state: RequestState) -> list[str]:
    if state.card is None or state.policy is None:
        return []
    needed = state.policy.required_approvals
    people = "1 approval" if needed == 1 else f"{needed} approvals"
    card = f", card {tamed(state.card.permalink)}" if state.card.permalink else ""
    return [f"waits for {people} until {moment(state.expires_at)}{card}"]


def _decided(decision: RecordedDecision) -> str:
    where = f" {tamed(decision.terminal.words)}" if decision.terminal else ""
    comment = f": {tamed(decision.comment)}" if decision.comment else ""
    return f"{_PAST[decision.choice]} by {tamed(decision.approver_id)}{where}{comment}"


def _cancel(state: RequestState) -> list[str]:
    by = state.cancel_requested_by
    return [f"cancelled by {tamed(by)}"] if by else []


def step_words(step: StepState, state: RequestState) -> str:
    """Say how far a step has come."""
    its = catalog.step_of(step.name, state.operation, state.pin)
    words = {
        StepStatus.TODO: its.to_do,
        StepStatus.QUEUED: f"{its.to_do}: waits for its turn",
        StepStatus.RUNNING: f"{its.doing} …",
        StepStatus.DONE: f"{its.done}{_took(step)}",
        StepStatus.SKIPPED: f"{its.to_do}: skipped",
        StepStatus.FAILED: f"{its.doing} failed",
        StepStatus.NOT_RUN: f"{its.to_do}: not run",
    }
    return words[step.status]


def _step(step: StepState, state: RequestState) -> str:
    note = f" ({tamed(step.note)})" if step.note else ""
    return f"{step_words(step, state)}{note}"


def _took(step: StepState) -> str:
    if step.started_at is None or step.finished_at is None:
        return ""
    return f" in {(step.finished_at - step.started_at).total_seconds():.1f} s"


_PAST = {"approve": "approved", "reject": "rejected"}
