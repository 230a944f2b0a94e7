"""Would the campaign notice if something came of what was forged?"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from temporalio.client import WorkflowExecutionStatus

from tests.chaos.event_log import EventLog
from tests.chaos.forgeries import DONE, NOBODY_TOOK_IT
from tests.chaos.forgery_checks import bare_activities, forged_decisions, permits, set_apart
from tests.chaos.histories import RequestHistory, Run
from tests.chaos.observations import Observations, Violation
from tests.chaos.plan import Move, Planned
from tests.unit.activities.slack.card_parts import BOB, WAITING
from workflows.execution.workflow import OperateInput
from workflows.model.errors import ErrorType
from workflows.model.plan import Permit
from workflows.model.requests import Choice, Decision, LifecycleRequest, RecordedDecision
from workflows.model.state import RequestState

_FORGED = Decision(
    decision_id="forged-1",
    request_id=WAITING.request_id,
    approver_id=BOB,
    team_id="T1",
    choice=Choice.APPROVE,
)
_HONEST = replace(_FORGED, decision_id="d1")
_PERMIT = Permit(request_id=WAITING.request_id, host="edge", plan_hash="p", container_id="c")


def _run(state: RequestState, **fields: object) -> Run:
    return Run(
        workflow_id=WAITING.request_id,
        run_id="r",
        status=WorkflowExecutionStatus.COMPLETED,
        began=1.0,
        ended=9.0,
        state=state,
        **fields,  # type: ignore[arg-type]
    )


def _history(counted: str, *, permit: Permit | None = _PERMIT) -> RequestHistory:
    """Make the history of a request in which one of the two decisions counted."""
    recorded = RecordedDecision(
        decision_id=counted,
        approver_id=BOB,
        choice=Choice.APPROVE,
        comment="",
        source="command",
        decided_at=datetime.now(UTC),
    )
    state = replace(WAITING, decisions=(recorded,), permit=permit)
    request = LifecycleRequest(
        request_id=WAITING.request_id,
        requester=WAITING.requester,
        container=WAITING.container,
        operation=WAITING.operation,
        team_id="T1",
        channel_id="C1",
        delivery_id="d",
    )
    sent = ((_FORGED, 2.0), (_HONEST, 3.0))
    run = _run(state, request=request, decisions=sent)
    operation = _run(state, operate=OperateInput(state=state))
    return RequestHistory(request=request, run=run, runs=[run], operations=[operation])


def _observed(move: Move, note: str, request_id: str = "") -> Observations:
    event_log = EventLog()
    action = event_log.begin(Planned(at=0.0, move=move, pick=0.5), request_id=request_id, note=note)
    action.took_effect = True
    return Observations(
        histories=[], writes=[], event_log=event_log, messages=[], images=[], bystander=""
    )


def _found(counted: str) -> list[Violation]:
    observed = _observed(Move.FORGE_DECISION, "forged-1", WAITING.request_id)
    return list(forged_decisions(_history(counted), observed))


def test_a_forged_decision_that_counts_is_found() -> None:
    """One that people sent is none."""
    assert [violation.found for violation in _found("forged-1")] == ["forged-1"]
    assert _found("d1") == []


def test_a_forged_decision_is_no_word_of_anybody() -> None:
    """No other check takes it for a click, and the story of the request tells it as forged."""
    history = _history("d1")
    observed = _observed(Move.FORGE_REPLAY, "forged-1", WAITING.request_id)
    set_apart([history], observed.event_log)

    assert history.run.decisions == ((_HONEST, 3.0),)
    assert history.forged == [(_FORGED, 2.0)]


@pytest.mark.parametrize(
    ("note", "is_found"),
    [
        *((DONE, True), ("EngineUnavailable", True)),
        *((ErrorType.NOT_PERMITTED, False), (NOBODY_TOOK_IT, False), ("", False)),
    ],
)
def test_a_bare_activity_that_reaches_the_engine_is_found(note: str, is_found: bool) -> None:
    """Whatever the engine said to it: it was asked."""
    assert bool(list(bare_activities(_observed(Move.FORGE_ACTIVITY, note)))) is is_found


def test_an_operation_without_a_permit_is_found() -> None:
    """A campaign without the seal key would prove nothing of seals."""
    observed = _observed(Move.FORGE_ACTIVITY, "")

    assert list(permits(_history("d1"), observed)) == []
    assert len(list(permits(_history("d1", permit=None), observed))) == 1
