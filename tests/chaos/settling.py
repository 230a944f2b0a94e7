"""When is everything over, and does what was pending go on by itself?

Nothing is disturbed any more. Requests that wait for people are cancelled by their requester;
all others have to come to their end with no more help than the reconciliation, whose schedule is
triggered so that nobody waits for the minute. What can never come back, because the network that it
lived in is gone, or because the engine itself refuses every start of it, is left to people: they
tell Dockwarden to stop trying.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import Final

import aiohttp
import docker
import requests
from temporalio.client import (
    WorkflowExecution,
    WorkflowFailureError,
    WorkflowQueryFailedError,
)
from temporalio.service import RPCError

from deploy.laptop.channel import request_of
from deploy.laptop.slack_server import USERS
from tests.chaos.event_log import EventLog
from tests.chaos.meddling import find_button
from tests.chaos.plan import Move, Planned
from tests.chaos.system import OWNED, System
from workflows.model.names import (
    CONTAINER,
    LAST_WORD_WORKFLOW,
    OPERATION_WORKFLOW,
    RECONCILE_SCHEDULE,
    REQUEST_ID,
    REQUEST_WORKFLOW,
    REQUESTER,
    STATE_QUERY,
    ActionId,
)
from workflows.model.state import RequestState, RequestStatus
from workflows.reconcile import ReconcileResult

_UNHEARD: Final = (aiohttp.ClientError, OSError, TimeoutError, RPCError, WorkflowQueryFailedError)
_POLL: Final = 0.5
_AGAIN_AFTER: Final = 10.0
#: An engine that answers so, and so often, refuses for good.
_REFUSED: Final = 400
_OFTEN_ENOUGH: Final = 3


class NotSettled(Exception):  # noqa: N818 - it is what happened
    """Something has not come to its end in time."""


class Settling:
    """Waits for the end of everything, at most ``seconds``."""

    def __init__(self, system: System, event_log: EventLog, seconds: float) -> None:
        self._system, self._event_log = system, event_log
        self._pressed_at = 0.0
        self._began = time.monotonic()
        self._given_up: dict[str, float] = {}
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
            await self._see_to_the_orphan(opened)
            await self._see_to_the_refused(opened)
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
            f"WorkflowType IN ('{REQUEST_WORKFLOW}', '{OPERATION_WORKFLOW}', "
            f"'{LAST_WORD_WORKFLOW}') AND ExecutionStatus = 'Running'"
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

    async def _see_to_the_orphan(self, opened: list[WorkflowExecution]) -> None:
        """Mend the network that a container lives in, or say that it is not to be tried again."""
        try:
            if not await asyncio.to_thread(self._system.is_orphaned, OWNED):
                await asyncio.to_thread(self._system.provide_owner)
                return
            about = [e for e in opened if e.typed_search_attributes.get(CONTAINER) == OWNED]
            asked = [e for e in about if e.workflow_type == REQUEST_WORKFLOW]
            if time.monotonic() < self._pressed_at + _AGAIN_AFTER:
                return
            if asked:
                await self._stop_trying(asked[0])
            elif about:
                await self._replace_orphan()
        except (*_UNHEARD, docker.errors.APIError, requests.RequestException):
            return

    async def _see_to_the_refused(self, opened: list[WorkflowExecution]) -> None:
        """Give up what the engine has refused to start each time since all was quiet.

        An engine that was killed at the wrong moment does so: "task already exists".
        """
        for execution in opened:
            if execution.workflow_type != OPERATION_WORKFLOW:
                continue
            container_id, now = execution.id.rpartition("/")[2], time.monotonic()
            if now < self._given_up.get(container_id, 0.0) or not self._is_refused(container_id):
                continue
            self._given_up[container_id] = now + _AGAIN_AFTER
            request_id = execution.typed_search_attributes[REQUEST_ID]
            asked = [
                e
                for e in opened
                if e.workflow_type == REQUEST_WORKFLOW
                and e.typed_search_attributes[REQUEST_ID] == request_id
            ]
            with contextlib.suppress(*_UNHEARD, docker.errors.APIError, requests.RequestException):
                if asked:
                    await self._stop_trying(asked[0])
                else:
                    # Nobody is left who could say so.
                    await asyncio.to_thread(
                        self._system.api.remove_container, container_id, force=True
                    )
                    name = execution.typed_search_attributes[CONTAINER]
                    self._note(Move.RECREATE, name, container_id=container_id)

    def _is_refused(self, container_id: str) -> bool:
        starts = [
            exchange
            for exchange in self._system.docker_proxy.passed(f"^POST .*/{container_id}/start")
            if exchange.began > self._began and exchange.status is not None
        ]
        refused = [exchange for exchange in starts if (exchange.status or 0) >= _REFUSED]
        return len(refused) == len(starts) >= _OFTEN_ENOUGH

    async def _stop_trying(self, execution: WorkflowExecution) -> None:
        request_id = execution.typed_search_attributes[REQUEST_ID]
        name = execution.typed_search_attributes[CONTAINER]
        for message in await self._system.messages():
            button = find_button(message, ActionId.STOP_TRYING)
            if request_of(message) == request_id and button:
                user_id = execution.typed_search_attributes[REQUESTER]
                user = {v: k for k, v in USERS.items()}[user_id]
                await self._system.slack("interact", user, messageTs=message["ts"], action=button)
                self._note(Move.STOP_TRYING, name, request_id=request_id, user=user)

    async def _replace_orphan(self) -> None:
        """Make it anew: no request is open in which anybody could say to stop trying."""
        found = await asyncio.to_thread(self._system.find, OWNED)
        if found is not None:
            await asyncio.to_thread(self._system.api.remove_container, found["Id"], force=True)
            self._note(Move.RECREATE, OWNED, container_id=found["Id"])

    def _note(self, move: Move, name: str, **fields: str) -> None:
        self._pressed_at = time.monotonic()
        planned = Planned(at=0.0, move=move, pick=0.0, text=name)
        action = self._event_log.begin(planned, note="at the end", **fields)
        action.ended, action.took_effect = time.time(), True

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
