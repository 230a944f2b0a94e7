"""Does only an approver replace a request, and only one host serve the engine?

Both are about who comes in the place of another: a request, or a worker.
"""

from __future__ import annotations

from collections.abc import Iterator

from temporalio.client import WorkflowExecutionStatus

from tests.chaos.histories import RequestHistory
from tests.chaos.observations import Observations, Violation
from tests.chaos.plan import REPLACEMENTS, Move
from tests.chaos.replacements import decision_id
from tests.chaos.system import HOST, OTHER_HOST


def replaced(history: RequestHistory, observed: Observations) -> Iterator[Violation]:
    """See that another request began exactly where an approver's rejection counted."""
    begun = {other.request.request_id for other in observed.histories}
    final = history.final
    for action in observed.event_log.actions:
        if (
            action.planned.move not in REPLACEMENTS
            or action.request_id != history.request.request_id
        ):
            continue
        rejection = final.rejection if final is not None else None
        counted = rejection is not None and rejection.decision_id == decision_id(action)
        has_begun = action.note in begun
        is_strangers = action.planned.move is Move.REPLACE_WRONGLY
        ended = history.run.status is not WorkflowExecutionStatus.CONTINUED_AS_NEW
        # Where no state was told any more, nobody can say whether the rejection counted.
        unfounded = has_begun and not counted and final is not None
        if (is_strangers and (counted or has_begun)) or unfounded:
            yield _violation(history.request.request_id, 10, "nothing comes in its place", action)
        if counted and not has_begun and not ended:
            yield _violation(history.request.request_id, 10, f"{action.note} in its place", action)
        if counted and ended and history.run.status is WorkflowExecutionStatus.COMPLETED:
            yield _violation(history.request.request_id, 10, f"{action.note} in its place", action)


def served_as_other_host(observed: Observations) -> Iterator[Violation]:
    """See that a second worker on the engine says that it serves nothing, and serves nothing."""
    for action in observed.event_log.actions:
        for sight in action.second_sights:
            if sight.is_ready or sight.pollers:
                yield _violation("-", 9, f"{OTHER_HOST} is not served", sight)
                break
    for history in observed.histories:
        hosts = {
            run.operate.state.container.host
            for run in history.operations
            if run.operate is not None
        }
        if hosts - {HOST}:
            yield _violation(history.request.request_id, 9, f"work for {HOST} only", hosts)


def _violation(request_id: str, invariant: int, expected: str, found: object) -> Violation:
    return Violation(
        request_id=request_id, invariant=invariant, expected=expected, found=str(found)[:500]
    )
