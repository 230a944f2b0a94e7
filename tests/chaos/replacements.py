"""What if somebody asks for something else in place of a request that waits?

By the signal itself, sealed as the bot seals it: an approver's counts as a rejection with which
another request begins, and a stranger's is nothing.
"""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

from temporalio.client import WorkflowHandle

from bot.temporal.sealing import sealed
from deploy.laptop.slack_server import TEAM_ID, USERS
from tests.chaos.event_log import Action
from tests.chaos.meddling import open_runs, pick
from tests.chaos.plan import Move, Planned
from tests.chaos.system import System
from workflows.model.names import (
    REPLACE_SIGNAL,
    REQUEST_ID,
    REQUEST_WORKFLOW,
    REQUESTER,
    STATUS,
)
from workflows.model.requests import (
    Choice,
    Decision,
    LifecycleRequest,
    OperationSpec,
    Replacement,
)
from workflows.model.state import RequestStatus


async def replace_request(system: System, planned: Planned, action: Action) -> bool:
    """Ask for a snapshot in place of what waits; ``action.note`` is the id of the new request."""
    running = await open_runs(system.client, REQUEST_WORKFLOW)
    found = pick(
        planned,
        [r for r in running if r.typed_search_attributes[STATUS] == RequestStatus.WAITING],
    )
    if found is None:
        return False
    requester = found.typed_search_attributes[REQUESTER]
    allowed = [name for name in ("bob", "carol") if USERS[name] != requester]
    action.request_id = found.typed_search_attributes[REQUEST_ID]
    action.user = "dave" if planned.move is Move.REPLACE_WRONGLY else pick(planned, allowed) or ""
    chance = random.Random(planned.pick)  # noqa: S311 - a plan, not a secret
    action.note = f"{chance.getrandbits(48):012x}"
    handle = system.client.get_workflow_handle(found.id, run_id=found.run_id)
    waiting = await _request_of(system, handle)
    new = replace(
        waiting,
        request_id=action.note,
        operation=OperationSpec(kind="snapshot", snapshot=True),
        requester=USERS[action.user],
        delivery_id=f"chaos/{action.note}",
        reason="this one is more urgent",
    )
    decision = Decision(
        decision_id=decision_id(action),
        request_id=action.request_id,
        approver_id=USERS[action.user],
        team_id=TEAM_ID,
        choice=Choice.REJECT,
        source="command",
    )
    wanted = Replacement(decision=decision, request=new)
    await handle.signal(REPLACE_SIGNAL, sealed(system.stack.seal_keys, wanted))
    return True


def decision_id(action: Action) -> str:
    """Name the decision that comes with a replacement."""
    return f"replace-{action.note}"


async def _request_of(system: System, handle: WorkflowHandle[Any, Any]) -> LifecycleRequest:
    """Read with what a request was begun: its policies are what the bot's book had."""
    async for event in handle.fetch_history_events():
        payloads = event.workflow_execution_started_event_attributes.input.payloads
        (request,) = await system.client.data_converter.decode(payloads, [LifecycleRequest])
        assert isinstance(request, LifecycleRequest)
        return request
    raise AssertionError
