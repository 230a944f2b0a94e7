"""Did nothing come of what was forged?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from tests.chaos.event_log import EventLog
from tests.chaos.forgeries import NOBODY_TOOK_IT
from tests.chaos.histories import RequestHistory
from tests.chaos.observations import Observations, Violation
from tests.chaos.plan import FORGED_DECISIONS, Move
from workflows.model.errors import ErrorType

_INVARIANT: Final = 11
_NO_EFFECT: Final = (ErrorType.NOT_PERMITTED, NOBODY_TOOK_IT, "")


def set_apart(histories: list[RequestHistory], event_log: EventLog) -> None:
    """Take the forged decisions out of what people sent: no other check may count them."""
    for history in histories:
        forged = _forged(history, event_log)
        sent = history.run.decisions
        history.forged = [one for one in sent if one[0].decision_id in forged]
        kept = tuple(one for one in sent if one[0].decision_id not in forged)
        history.run = replace(history.run, decisions=kept)


def forged_decisions(history: RequestHistory, observed: Observations) -> Iterator[Violation]:
    """See that no forged decision counts: neither in the request nor for an operation."""
    forged = _forged(history, observed.event_log)
    states = [run.state for run in (*history.runs, *history.operations)]
    states += [run.operate.state for run in history.operations if run.operate is not None]
    counted = {one.decision_id for state in states if state for one in state.decisions}
    for decision_id in sorted(forged & counted):
        yield Violation(
            request_id=history.request.request_id,
            invariant=_INVARIANT,
            expected="no forged decision counts",
            found=decision_id,
        )


def bare_activities(observed: Observations) -> Iterator[Violation]:
    """See that no worker of an engine did what no workflow asked for."""
    tried = [a for a in observed.event_log.actions if a.planned.move is Move.FORGE_ACTIVITY]
    for action in tried:
        if action.took_effect and action.note not in _NO_EFFECT:
            yield Violation(
                request_id="-",
                invariant=_INVARIANT,
                expected="an activity that no workflow asked for is not carried out",
                found=f"at {action.began:.3f}: {action.note}",
            )


def permits(history: RequestHistory, _observed: Observations) -> Iterator[Violation]:
    """See that each operation bore a permit: that the campaign ran with the seal key."""
    for run in history.operations:
        assert run.operate is not None
        if run.operate.state.permit is None:
            yield Violation(
                request_id=history.request.request_id,
                invariant=_INVARIANT,
                expected="an operation bears a permit",
                found=f"none in {run.workflow_id}",
            )


def _forged(history: RequestHistory, event_log: EventLog) -> set[str]:
    return {
        action.note
        for action in event_log.actions
        if action.planned.move in FORGED_DECISIONS
        and action.request_id == history.request.request_id
    }
