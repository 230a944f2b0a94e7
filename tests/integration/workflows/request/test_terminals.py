"""What comes of acts that say they were typed at a terminal, forged ones too, on a real server?"""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any

import pytest
from temporalio.client import WorkflowFailureError

from tests.rigs.waiting import eventually
from tests.rigs.workers import RequestUnderTest, Workers
from workflows.model import names
from workflows.model.errors import RefusalCode
from workflows.model.requests import Choice
from workflows.model.state import RequestStatus
from workflows.model.terminal import Terminal

HERE = Terminal(host="box", user="olga")
OTHER = Terminal(host="box", user="petr")


async def _waiting(workers: Workers, *, decides: bool, **changes: Any) -> RequestUnderTest:
    request = workers.request(**changes)
    policy = replace(request.policies[0], terminal_decides=decides)
    under_test = await workers.start(replace(request, policies=(policy,)))
    await under_test.until(RequestStatus.WAITING)
    return under_test


async def _judged(request: RequestUnderTest, act_id: str) -> RefusalCode | None:
    async def is_judged() -> bool:
        return act_id in [act.act_id for act in (await request.state()).judged]

    await eventually(is_judged)
    (act,) = [act for act in (await request.state()).judged if act.act_id == act_id]
    return act.refusal.code if act.refusal else None


async def test_a_decision_is_judged_as_typed_by_whatever_it_says_so(workers: Workers) -> None:
    """By its source alone, by its terminal alone, and by both; nobody is looked up for it."""
    request = await _waiting(workers, decides=False)
    before = len(workers.slack.look_ups)
    for number, changes in enumerate(
        ({"source": "terminal"}, {"terminal": HERE}, {"source": "terminal:1", "terminal": HERE})
    ):
        act_id = f"act-{number}"
        await request.decide("UBOB", decision_id=act_id, **changes)
        assert await _judged(request, act_id) is RefusalCode.NOT_AT_A_TERMINAL
    assert len(workers.slack.look_ups) == before
    notice = workers.slack.notices[-1]
    assert (notice.user_id, notice.refusal.code) == ("UBOB", RefusalCode.NOT_AT_A_TERMINAL)
    assert (await request.state()).status is RequestStatus.WAITING
    await request.cancel()
    await request.result()


async def test_where_the_policy_says_so_each_user_of_a_machine_counts_once(
    workers: Workers,
) -> None:
    """The one who asked never, whatever the names are; what counted says where it was typed."""
    request = await _waiting(workers, decides=True, required_approvals=2, terminal=HERE)
    acts = (
        ("own", "UBOB", HERE, RefusalCode.OWN_TERMINAL),
        ("unnamed", "UBOB", None, RefusalCode.UNNAMED_TERMINAL),
        ("hostile", "UBOB", Terminal(host="<!here>", user="x"), RefusalCode.UNNAMED_TERMINAL),
        ("first", "UBOB", OTHER, None),
        ("again", "UBOB", OTHER, RefusalCode.ALREADY_APPROVED),
        ("twice", "UCAROL", replace(OTHER, host="box-2"), RefusalCode.SAME_TERMINAL_USER),
    )
    for act_id, who, terminal, code in acts:
        await request.decide(who, decision_id=act_id, source="terminal", terminal=terminal)
        assert await _judged(request, act_id) is code, act_id
    await request.decide("UCAROL")
    state = await request.result()
    assert state.status is RequestStatus.SUCCEEDED
    assert [d.terminal for d in state.approvals] == [OTHER, None]
    assert state.terminal == HERE


@pytest.mark.parametrize("terminal", ["rubbish", 7, [], {"host": "box"}, {"host": 1, "user": 2}])
async def test_a_terminal_that_is_none_drops_the_decision(
    workers: Workers, terminal: object
) -> None:
    """It is not read as one that was made in Slack."""
    request = await _waiting(workers, decides=True)
    forged = {
        "decision_id": uuid.uuid4().hex,
        "request_id": request.request.request_id,
        "approver_id": "UBOB",
        "team_id": "T1",
        "choice": "approve",
        "terminal": terminal,
    }
    await request.handle.signal(names.DECIDE_SIGNAL, forged)
    await request.decide("UCAROL", Choice.REJECT)
    state = await request.result()
    assert (state.status, [d.approver_id for d in state.decisions]) == (
        RequestStatus.REJECTED,
        ["UCAROL"],
    )


async def test_a_start_with_a_hostile_terminal_fails_at_once(workers: Workers) -> None:
    """Its names would stand on the card."""
    request = workers.request(terminal=Terminal(host="<!here>", user="olga"))
    with pytest.raises(WorkflowFailureError) as failure:
        await (await workers.start(request)).handle.result()
    assert "terminal takes the name of a host and of a user" in str(failure.value.cause)


async def test_a_cancel_says_where_it_was_typed(workers: Workers) -> None:
    """One of a request that waits counts everywhere, for the one who asked."""
    request = await _waiting(workers, decides=False)
    instruction = {
        "request_id": request.request.request_id,
        "user_id": "UALICE",
        "team_id": "T1",
        "source": "terminal",
        "instruction_id": "cancel",
        "terminal": {"host": "box", "user": "olga"},
    }
    await request.handle.signal(names.CANCEL_SIGNAL, instruction)
    state = await request.result()
    assert (state.status, state.cancel_terminal) == (RequestStatus.CANCELLED, HERE)
    assert [(act.act_id, act.refusal) for act in state.judged] == [("cancel", None)]
