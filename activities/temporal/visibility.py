"""What does Temporal's own record say about requests that were ended from outside?

A terminated workflow still answers queries: a worker replays its history, and its last state
comes to light. Where its code fails, its history is read instead.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Final

from temporalio import activity
from temporalio.client import (
    Client,
    WorkflowExecution,
    WorkflowExecutionStatus,
    WorkflowHandle,
    WorkflowQueryFailedError,
)
from temporalio.service import RPCError, RPCStatusCode

from activities.temporal.history import read_history
from workflows.model.names import OPERATION_WORKFLOW, REQUEST_ID, REQUEST_WORKFLOW, STATE_QUERY
from workflows.model.ports import (
    EndedInput,
    EndedRun,
    EndedRuns,
    LastState,
    LastStateInput,
    VisibilityPort,
)
from workflows.model.state import RequestState, RequestStatus

#: What is looked at when nobody says since when.
_WINDOW: Final = timedelta(days=1)
_AT_A_TIME: Final = 20
#: A query waits this long; one for a worker that was killed finds the next worker only later.
_PATIENCE: Final = timedelta(seconds=5)
#: So long runs are looked at; what is left is left to the next time.
_LOOK_WITHIN: Final = 15.0
#: With these Temporal says that a run has no state to tell, now or later.
_NEVER: Final = frozenset(
    {RPCStatusCode.NOT_FOUND, RPCStatusCode.FAILED_PRECONDITION, RPCStatusCode.INVALID_ARGUMENT}
)
#: The card of such a request is its own to draw.
_NOT_OPERATED: Final = frozenset(
    {
        RequestStatus.WAITING,
        RequestStatus.REJECTED,
        RequestStatus.EXPIRED,
        RequestStatus.CANCELLED,
        RequestStatus.STALE,
    }
)


class _StillFollowedError(Exception):
    """An operation that was ended has a request that takes up its end, or could yet fail to."""


class Visibility(VisibilityPort):
    """The activities that read Temporal's record."""

    def __init__(self, client: Client, *, patience: timedelta = _PATIENCE) -> None:
        self._client = client
        self._patience = patience

    @activity.defn(name="find_ended_runs")
    async def find_ended_runs(self, arg: EndedInput) -> EndedRuns:
        """Find requests and operations that were terminated and that nobody looks after."""
        since = (arg.since or datetime.now(UTC) - _WINDOW).strftime("%Y-%m-%dT%H:%M:%SZ")
        query = (
            f"WorkflowType IN ('{REQUEST_WORKFLOW}', '{OPERATION_WORKFLOW}') "
            "AND ExecutionStatus IN ('Terminated', 'TimedOut', 'Failed') "
            f"AND CloseTime > '{since}'"
        )
        runs: list[EndedRun] = []
        seen: list[str] = []
        left: list[datetime] = []
        deadline = time.monotonic() + _LOOK_WITHIN
        async for execution in self._client.list_workflows(query):
            if execution.run_id in arg.known:
                seen.append(execution.run_id)
                continue
            ended = None
            # What was seen to before stays so, however many there are.
            looks = len(runs) < _AT_A_TIME and time.monotonic() < deadline
            if looks:
                activity.heartbeat()
                try:
                    ended = await self._orphan(execution)
                except RPCError as error:
                    # It is looked at again the next time, or its container stays down.
                    kind = error.status.name
                    activity.logger.warning("%r cannot tell its state yet: %s", execution.id, kind)
                    looks = False
                except _StillFollowedError:
                    looks = False
            if not looks:
                left += [execution.close_time] if execution.close_time is not None else []
                continue
            seen.append(execution.run_id)
            if ended is not None:
                runs.append(ended)
        return EndedRuns(runs=tuple(runs), seen=tuple(seen), left_since=min(left) if left else None)

    @activity.defn(name="last_state")
    async def last_state(self, arg: LastStateInput) -> LastState:
        """Ask a run how far it has come; it is tried again when nobody answers.

        One whose tasks fail would let the question wait for its next try.
        """
        handle = self._client.get_workflow_handle(arg.workflow_id, run_id=arg.run_id or None)
        try:
            found = await handle.describe()
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            return LastState()
        is_open = found.status is WorkflowExecutionStatus.RUNNING
        is_failing = is_open and found.raw_description.pending_workflow_task.attempt > 1
        state = None if is_failing else await self._state(arg.workflow_id, arg.run_id)
        if state is None:
            state = (await read_history(self._client, arg.workflow_id, found.run_id)).state
        return LastState(state=state)

    async def _orphan(self, execution: WorkflowExecution) -> EndedRun | None:
        # A state that says "closed" proves no last card: a replay runs ahead of what was done
        # when the worker had not yet got to the last events.
        state = await self._last_known(execution)
        if state is None:
            return None
        is_operation = execution.workflow_type == OPERATION_WORKFLOW
        newest = await self._client.get_workflow_handle(execution.id).describe()
        if await self._goes_on(execution, newest, state.request_id):
            return None
        if is_operation:
            if await self._is_forged(execution) or await self._operation_cared_for(
                execution, state
            ):
                return None
        elif await self._request_cared_for(state):
            return None
        return EndedRun(
            workflow_id=execution.id,
            run_id=execution.run_id,
            is_operation=is_operation,
            state=state,
            superseded=is_operation and newest.run_id != execution.run_id,
            closed_at=execution.close_time,
        )

    async def _goes_on(
        self, execution: WorkflowExecution, newest: WorkflowExecution, request_id: str
    ) -> bool:
        """Tell whether a later run is of the same request: it was reset, or continued as new."""
        if newest.run_id == execution.run_id:
            return False
        known = newest.typed_search_attributes.get(REQUEST_ID)
        if known is None:
            # Whoever starts a request by hand need not say what people can look for.
            told = await read_history(self._client, newest.id, newest.run_id)
            known = told.request_id
        if known == request_id:
            return True
        # A third request may have come since, so that the newest run is another's.
        query = f"WorkflowType = '{execution.workflow_type}' AND {REQUEST_ID.name} = '{request_id}'"
        return any(
            [
                run.id == execution.id and run.start_time > execution.start_time
                async for run in self._client.list_workflows(query)
            ]
        )

    async def _is_forged(self, execution: WorkflowExecution) -> bool:
        """Tell whether somebody started an operation by hand; Temporal vouches for the parent.

        It would have been refused, and must not come to be carried out by being ended.
        """
        handle = self._client.get_workflow_handle(execution.id, run_id=execution.run_id)
        return (await handle.describe()).parent_id is None

    async def _operation_cared_for(self, execution: WorkflowExecution, state: RequestState) -> bool:
        """Tell whether a later run for the same request sees to it.

        Raises:
            _StillFollowedError: its request is there, which sees to it as long as it is.
        """
        for other in await self._operations(state.request_id):
            if other.start_time > execution.start_time:
                return True
        request = await self._state(state.workflow_id, "")
        if (
            request is not None
            and request.request_id == state.request_id
            and await self._is_open(state.workflow_id)
        ):
            raise _StillFollowedError
        return False

    async def _request_cared_for(self, state: RequestState) -> bool:
        """Tell whether there is no card to mend, or the operation will mend it."""
        if state.card is None:
            # Once it is planned, it may have been ended while its card was being posted.
            return state.pin is None or state.refusal is not None
        if state.status in _NOT_OPERATED:
            return False
        for operation in await self._operations(state.request_id):
            is_open = operation.status is WorkflowExecutionStatus.RUNNING
            if is_open or await self._last_known(operation) is not None:
                return True
        return False

    async def _operations(self, request_id: str) -> list[WorkflowExecution]:
        """List all operations that were begun for a request."""
        query = f"WorkflowType = '{OPERATION_WORKFLOW}' AND {REQUEST_ID.name} = '{request_id}'"
        return [operation async for operation in self._client.list_workflows(query)]

    async def _is_open(self, workflow_id: str) -> bool:
        found = await self._client.get_workflow_handle(workflow_id).describe()
        return found.status is WorkflowExecutionStatus.RUNNING

    async def _last_known(self, execution: WorkflowExecution) -> RequestState | None:
        """Give a run's last state; one that never began to do anything has none."""
        state = await self._state(execution.id, execution.run_id)
        if state is not None:
            return state
        told = await read_history(self._client, execution.id, execution.run_id)
        if execution.workflow_type == OPERATION_WORKFLOW:
            return told.state if told.recover or told.has_begun else None
        return told.state

    async def _state(self, workflow_id: str, run_id: str) -> RequestState | None:
        """Ask for a state; ``None`` when there never will be an answer.

        Raises:
            RPCError: there is none at the moment.
        """
        if not workflow_id:
            return None
        handle: WorkflowHandle[object, RequestState] = self._client.get_workflow_handle(
            workflow_id, run_id=run_id or None
        )
        try:
            state: RequestState = await handle.query(
                STATE_QUERY, result_type=RequestState, rpc_timeout=self._patience
            )
        except WorkflowQueryFailedError:
            return None
        except RPCError as error:
            if error.status not in _NEVER:
                raise
            return None
        return state
