"""What has happened to a request since somebody at a terminal last heard of it?"""

from __future__ import annotations

from datetime import UTC, datetime

from bot.terminal.tables import moment, tamed
from workflows.model.requests import RecordedDecision
from workflows.model.state import RequestState, RequestStatus, StepState, StepStatus
from workflows.operations.standing import status_of, step_words

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
            lines.append(f"{status_of(state).words}: the container could not be put back")
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
    by, at = state.cancel_requested_by, state.cancel_terminal
    where = f" {tamed(at.words)}" if at else ""
    return [f"cancelled by {tamed(by)}{where}"] if by else []


def _step(step: StepState, state: RequestState) -> str:
    note = f" ({tamed(step.note)})" if step.note else ""
    return f"{step_words(step, state)}{note}"


_PAST = {"approve": "approved", "reject": "rejected"}
