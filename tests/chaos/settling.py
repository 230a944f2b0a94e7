"""When is everything over, and does what was pending go on by itself?

Nothing is disturbed any more. Requests that wait for people are cancelled by their requester;
all others have to come to their end with no more help than the reconciliation, whose schedule is
triggered so that nobody waits for the minute.
"""

from __future__ import annotations

import asyncio
import time
from typing import Final

import aiohttp
from temporalio.client import (
    WorkflowExecution,
    WorkflowFailureError,
    WorkflowQueryFailedError,
)
from temporalio.service import RPCError

from deploy.laptop.slack_server import USERS
from tests.chaos.system import System
from workflows.model.names import (
    OPERATION_WORKFLOW,
    RECONCILE_SCHEDULE,
    REQUEST_ID,
    REQUEST_WORKFLOW,
    REQUESTER,
    STATE_QUERY,
)
from workflows.model.state import RequestState, RequestStatus
from workflows.reconcile import ReconcileResult

_UNHEARD: Final = (aiohttp.ClientError, OSError, TimeoutError, RPCError, WorkflowQueryFailedError)
_POLL: Final = 0.5


class NotSettled(Exception):  # noqa: N818 - it is what happened
    """Something has not come to its end in time."""


class Settling:
    """Waits for the end of everything, at most ``seconds``."""

    def __init__(self, system: System, seconds: float) -> None:
        self._system = system
        self._deadline = time.monotonic() + seconds

    async def run(self) -> None:
        """Wait until nothing is open and the reconciliation finds nothing more.

        Raises:
            NotSettled: something is still open.
        """
        while not self._system.is_whole:
            await self._wait("a part does not come back")
        while True:
            opened = await self._open()
            for execution in opened:
                await self._cancel_if_waiting(execution)
            found = await self._reconcile()
            if not opened and found == () and not await self._open():
                return
            names = ", ".join(execution.id for execution in opened)
            await self._wait(f"still open: {names}; last recovered: {found}")

    async def _wait(self, what: str) -> None:
        if time.monotonic() > self._deadline:
            raise NotSettled(what)
        await asyncio.sleep(_POLL)

    async def _open(self) -> list[WorkflowExecution]:
        query = (
            f"WorkflowType IN ('{REQUEST_WORKFLOW}', '{OPERATION_WORKFLOW}') "
            "AND ExecutionStatus = 'Running'"
        )
        try:
            return [execution async for execution in self._system.client.list_workflows(query)]
        except _UNHEARD:
            await self._wait("Temporal does not answer")
            return await self._open()

    async def _cancel_if_waiting(self, execution: WorkflowExecution) -> None:
        if execution.workflow_type != REQUEST_WORKFLOW:
            return
        handle = self._system.client.get_workflow_handle(execution.id, run_id=execution.run_id)
        try:
            state = await handle.query(STATE_QUERY, result_type=RequestState)
            if state.status is RequestStatus.WAITING and state.card and not state.closed:
                attributes = execution.typed_search_attributes
                user = {v: k for k, v in USERS.items()}[attributes[REQUESTER]]
                text = f"cancel {attributes[REQUEST_ID]}"
                await self._system.slack("command", user, command="/container", text=text)
        except _UNHEARD:
            return

    async def _reconcile(self) -> tuple[str, ...] | None:
        """Have it reconcile now; give what it recovered, or ``None`` when it did not come to it."""
        schedule = self._system.client.get_schedule_handle(RECONCILE_SCHEDULE)
        try:
            before = (await schedule.describe()).info.num_actions
            await schedule.trigger()
            deadline = time.monotonic() + 10
            while (info := (await schedule.describe()).info).num_actions == before:
                if time.monotonic() > deadline:
                    return None
                await asyncio.sleep(0.1)
            action = info.recent_actions[-1].action
            handle = self._system.client.get_workflow_handle(
                action.workflow_id,
                result_type=ReconcileResult,
            )
            found = await asyncio.wait_for(handle.result(), 60)
        except (*_UNHEARD, WorkflowFailureError):
            return None
        return found.recovered
