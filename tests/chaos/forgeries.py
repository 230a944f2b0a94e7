"""What if somebody who can write to Temporal pretends to be one of our processes?

By an approval in the name of somebody who may give it; by one that was given to another request,
with that request's seal; and by an activity that no workflow asked for. None of it may do anything.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from temporalio.api.common.v1 import Payload
from temporalio.client import ActivityFailureError, WorkflowExecution
from temporalio.exceptions import ApplicationError

from activities.docker.engine import Engine
from activities.docker.protection import Protection
from deploy.laptop.slack_server import TEAM_ID, USERS
from tests.chaos.event_log import Action
from tests.chaos.meddling import open_runs, pick, second_pick
from tests.chaos.plan import Move, Planned
from tests.chaos.system import BYSTANDER, HOST, System
from tests.rigs.waiting import eventually
from workflows.model.names import (
    DECIDE_SIGNAL,
    REQUEST_ID,
    REQUEST_WORKFLOW,
    REQUESTER,
    STATE_QUERY,
    STATUS,
    docker_stop_queue,
)
from workflows.model.ports import StopInput
from workflows.model.requests import Choice, ContainerPin, Decision
from workflows.model.state import RequestState, RequestStatus

#: What came of an activity that no workflow asked for.
DONE: Final = "done"
NOBODY_TOOK_IT: Final = "no worker took it in time"
_WITHIN: Final = timedelta(seconds=30)
_PATIENCE: Final = 45.0
_FOR_A_REQUEST: Final = 8.0


async def forge(system: System, planned: Planned, action: Action) -> bool:
    """Forge what is planned; ``action.note`` is the id of the decision, or what came of it."""
    if planned.move is Move.FORGE_ACTIVITY:
        return await _bare_activity(system, planned, action)
    waiting: list[WorkflowExecution] = []

    async def one_waits() -> bool:
        running = await open_runs(system.client, REQUEST_WORKFLOW)
        waiting[:] = [r for r in running if _status(r) == RequestStatus.WAITING]
        return bool(waiting)

    # Nobody may have asked for anything by then.
    with contextlib.suppress(AssertionError):
        await eventually(one_waits, within=_FOR_A_REQUEST)
    found = pick(planned, waiting)
    if found is None:
        return False
    action.request_id = found.typed_search_attributes[REQUEST_ID]
    forged = (
        await _replayed(system, planned, found)
        if planned.move is Move.FORGE_REPLAY
        else await _unsealed(system, planned, found)
    )
    if forged is None:
        return False
    action.note = forged.decision_id
    handle = system.client.get_workflow_handle(found.id, run_id=found.run_id)
    await handle.signal(DECIDE_SIGNAL, forged)
    return True


def _status(run: WorkflowExecution) -> str | None:
    return run.typed_search_attributes.get(STATUS)


async def _unsealed(system: System, planned: Planned, found: WorkflowExecution) -> Decision:
    """Approve as somebody who may, with all that can be read in Temporal, but no seal."""
    requester = found.typed_search_attributes[REQUESTER]
    allowed = [name for name in ("bob", "carol") if USERS[name] != requester]
    handle = system.client.get_workflow_handle(found.id, run_id=found.run_id)
    state = await handle.query(STATE_QUERY, result_type=RequestState)
    return Decision(
        decision_id=f"forged-{planned.pick}",
        request_id=state.request_id,
        approver_id=USERS[pick(planned, allowed) or "bob"],
        team_id=TEAM_ID,
        choice=Choice.APPROVE,
        source="command",
        sent_at=datetime.now(UTC),
        plan_hash=state.plan_hash,
    )


async def _replayed(system: System, planned: Planned, found: WorkflowExecution) -> Decision | None:
    """Take an approval with its seal out of the history of another request."""
    own = found.typed_search_attributes[REQUEST_ID]
    sealed = [one async for one in _sealed_approvals(system) if one.request_id != own]
    taken = pick(planned, sealed)
    if taken is None:
        return None
    handle = system.client.get_workflow_handle(found.id, run_id=found.run_id)
    state = await handle.query(STATE_QUERY, result_type=RequestState)
    # As it is, it says itself that it is of another request; half the time that is mended.
    if second_pick(planned) > 0.5:
        return taken
    return replace(taken, request_id=state.request_id, plan_hash=state.plan_hash)


async def _sealed_approvals(system: System) -> AsyncIterator[Decision]:
    async for run in system.client.list_workflows(f"WorkflowType = '{REQUEST_WORKFLOW}'"):
        handle = system.client.get_workflow_handle(run.id, run_id=run.run_id)
        async for event in handle.fetch_history_events():
            signaled = event.workflow_execution_signaled_event_attributes
            if signaled.signal_name == DECIDE_SIGNAL:
                decision = await _read(system, list(signaled.input.payloads))
                if decision is not None and decision.seal and decision.choice is Choice.APPROVE:
                    yield decision


async def _read(system: System, payloads: list[Payload]) -> Decision | None:
    if len(payloads) != 1:
        return None
    with contextlib.suppress(ValueError, TypeError, RuntimeError):
        (decision,) = await system.client.data_converter.decode(payloads, [Decision])
        return decision if isinstance(decision, Decision) else None
    return None


async def _bare_activity(system: System, planned: Planned, action: Action) -> bool:
    """Have a docker worker stop a container, by all that it needs; ``note``: what came of it."""
    name = BYSTANDER if second_pick(planned) > 0.5 else planned.text
    found = await asyncio.to_thread(system.find, name)
    if found is None:
        return False
    pin = await asyncio.to_thread(_pin, system, str(found["Id"]))
    handle: Any = await system.client.start_activity(
        "ensure_stopped",
        StopInput(pin=pin, grace_seconds=1),
        id=f"forged-{planned.pick}",
        task_queue=docker_stop_queue(HOST),
        start_to_close_timeout=_WITHIN,
        schedule_to_close_timeout=_WITHIN,
    )
    try:
        await asyncio.wait_for(handle.result(), _PATIENCE)
    except ActivityFailureError as error:
        cause = error.cause
        action.note = str(cause.type) if isinstance(cause, ApplicationError) else NOBODY_TOOK_IT
    else:
        action.note = DONE
    return True


def _pin(system: System, container: str) -> ContainerPin:
    engine = Engine(base_url=system.engine.base_url, host=HOST, protection=Protection())
    try:
        return engine.container(container).pin(engine.facts().engine_id)
    finally:
        engine.close()
