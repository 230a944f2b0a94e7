"""Does a flood change nothing: is who may decide heard, little written, nobody told too much?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from temporalio.client import WorkflowExecutionStatus

from tests.chaos.histories import RequestHistory, Run
from tests.chaos.observations import Observations, Violation
from workflows.model.errors import RefusalCode
from workflows.model.limits import LIMITS
from workflows.model.requests import Choice
from workflows.model.state import RequestStatus

_FROM_OUTSIDE: Final = (
    WorkflowExecutionStatus.TERMINATED,
    WorkflowExecutionStatus.CANCELED,
    WorkflowExecutionStatus.TIMED_OUT,
)
#: What nobody may be told who may decide.
_UNJUST: Final = frozenset(
    {
        *(RefusalCode.NOT_AN_APPROVER, RefusalCode.OWN_REQUEST, RefusalCode.UNKNOWN_PERSON),
        *(RefusalCode.GUEST, RefusalCode.BOT, RefusalCode.DEACTIVATED, RefusalCode.WRONG_TEAM),
    }
)
#: What a list of notices takes beside these.
_ENVELOPE: Final = 1_000


def decisions_lost(history: RequestHistory, _observed: Observations) -> Iterator[Violation]:
    """See that a decision in time, of somebody who may decide, counts, or is answered."""
    final = history.final
    if final is None or final.policy is None or history.run.status in _FROM_OUTSIDE:
        return
    may = {*final.policy.approvers} - {history.request.requester}
    counted = {decision.approver_id for decision in final.decisions}
    told = [notice for run in history.runs for batch in run.told for notice in batch.to]
    answered = {user_id for user_id, _ in told}
    over = _decided_at(history)
    for decision, at in history.run.decisions:
        if decision.approver_id not in may or decision.request_id != history.request.request_id:
            continue
        unjust = {c for user_id, c in told if user_id == decision.approver_id} & _UNJUST
        is_open = at < over and (final.expires_at is None or at < final.expires_at.timestamp())
        is_lost = is_open and not {decision.approver_id} & (counted | answered)
        if unjust or is_lost:
            yield _violation(
                history,
                f"the decision of {decision.approver_id} counts or is answered: {decision.choice}",
                f"{history.outcome}, counted {sorted(counted)}, told {sorted(unjust)}",
            )


def _decided_at(history: RequestHistory) -> float:
    """Say from when on another decision could make no difference."""
    final = history.final
    assert final is not None
    ends = [run.began for run in history.operations[:1]]
    ends += [d.decided_at.timestamp() for d in final.decisions if d.choice is Choice.REJECT]
    if final.status in (RequestStatus.CANCELLED, RequestStatus.STALE) and final.finished_at:
        ends.append(final.finished_at.timestamp() - 10)
    return min(ends, default=float("inf")) - 1


def histories_too_long(history: RequestHistory, _observed: Observations) -> Iterator[Violation]:
    """See that no history comes near to where Temporal ends a workflow."""
    for run in (*history.runs, *history.operations):
        if run.events >= LIMITS.history_events:
            yield _violation(
                history,
                f"fewer than {LIMITS.history_events} events",
                f"{run.workflow_id} has {run.events}",
            )


def told_too_much(history: RequestHistory, _observed: Observations) -> Iterator[Violation]:
    """See that notices are few, small, and not the same again within seconds."""
    for run in history.runs:
        for batch in run.told:
            is_large = len(batch.to) > 1 and batch.size > LIMITS.notice_bytes + _ENVELOPE
            if is_large or len(batch.to) > LIMITS.told:
                yield _violation(
                    history,
                    f"at most {LIMITS.told} notices and {LIMITS.notice_bytes} bytes at once",
                    f"{len(batch.to)} notices, {batch.size} bytes",
                )
        yield from _repeated(history, run)


def _repeated(history: RequestHistory, run: Run) -> Iterator[Violation]:
    """Count how often each was told the same, from the first moment at which it can have begun."""
    heard = [(d.approver_id, at) for d, at in run.decisions]
    heard += [(sent.user_id, at) for sent, at in run.instructions]
    first: dict[str, float] = {}
    if run is history.runs[0]:
        # What one run leaves to the next comes with its beginning.
        first = dict(sorted(heard, key=lambda one: -one[1]))
    times: dict[tuple[str, str], int] = {}
    for batch in run.told:
        for notice in batch.to:
            times[notice] = times.get(notice, 0) + 1
            since = batch.at - first.get(notice[0], run.began)
            allowed = 1 + (since + 0.1) / LIMITS.quiet_seconds
            if times[notice] > allowed:
                yield _violation(
                    history,
                    f"nobody is told the same within {LIMITS.quiet_seconds} s",
                    f"{notice} for the {times[notice]}. time after {since:.1f} s",
                )
                return


def _violation(history: RequestHistory, expected: str, found: str) -> Violation:
    return Violation(
        request_id=history.request.request_id, invariant=7, expected=expected, found=found
    )
