"""What comes of acts that say they were typed at a terminal, forged ones too, on a real server?"""

from __future__ import annotations

import threading
import uuid
from dataclasses import replace
from typing import Any

import pytest
from temporalio.client import WorkflowFailureError

from tests.fakes.fake_docker import failure
from tests.rigs.waiting import eventually
from tests.rigs.workers import RequestUnderTest, Workers
from workflows.model import names
from workflows.model.errors import ErrorType, RefusalCode
from workflows.model.requests import Choice, Instruction, Intent
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


async def _instruct(request: RequestUnderTest, intent: Intent) -> None:
    instruction = Instruction(
        request_id=request.request.request_id,
        user_id="UALICE",
        team_id="T1",
        source="terminal",
        instruction_id="typed",
        terminal=HERE,
    )
    await request.handle.signal(intent.value, instruction)


async def test_a_cancel_of_what_is_at_work_says_where_it_was_typed(workers: Workers) -> None:
    """The operation is told too, for it draws the card and writes the thread."""
    gate = workers.docker.gates["ensure_stopped"] = threading.Event()
    request = await _waiting(workers, decides=True)
    await request.decide("UBOB")
    await eventually(workers.docker.entered["ensure_stopped"].is_set)

    await _instruct(request, Intent.CANCEL)
    await eventually(lambda: any(drawn.cancel_requested_by for drawn in workers.slack.drawn))
    gate.set()
    state = await request.result()

    assert (state.status, state.cancel_requested_by) == (RequestStatus.PUT_BACK, "UALICE")
    assert state.cancel_terminal == HERE
    drawn = [state for state in workers.slack.drawn if state.cancel_requested_by]
    assert {state.cancel_terminal for state in drawn} == {HERE}


async def test_the_end_of_the_tries_says_where_it_was_typed(workers: Workers) -> None:
    """Anybody at a terminal may have said to be the requester."""
    workers.docker.faults["ensure_snapshot"] = [failure(ErrorType.DISK_FULL)]
    workers.docker.faults["ensure_running"] = [failure(ErrorType.PORT_BUSY, retry=True)] * 9
    request = await _waiting(workers, decides=True)
    await request.decide("UBOB")
    await request.until(RequestStatus.NEEDS_PERSON, within=30)

    await _instruct(request, Intent.STOP_TRYING)
    state = await request.result()

    assert (state.stop_trying_by, state.stop_trying_terminal) == ("UALICE", HERE)


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
