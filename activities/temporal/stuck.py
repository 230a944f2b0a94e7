"""Which requests and operations go on in name only, because their tasks keep failing?

A bug, an upgrade that does not fit an open history, a message that nobody thought of: Temporal
then tries the same task again for ever, and the workflow can neither act nor answer. A server
that reports such runs is asked for them in one call; of another one every running operation is
looked at, and the requests a few at a time. Requests that wait past their expiry are found by
that round too.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from temporalio import activity
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import (
    Client,
    WorkflowExecution,
    WorkflowExecutionDescription,
    WorkflowExecutionStatus,
    WorkflowHandle,
    WorkflowQueryFailedError,
)
from temporalio.service import RPCError, RPCStatusCode

from activities.temporal.history import Told, read_history
from activities.temporal.queues import is_polled
from workflows.model.names import (
    CONTROL_TASK_QUEUE,
    OPERATION_WORKFLOW,
    REQUEST_WORKFLOW,
    STATE_QUERY,
    STATUS,
)
from workflows.model.requests import MAX_EXPIRY_SECONDS
from workflows.model.state import RequestState, RequestStatus
from workflows.model.watchdog_ports import (
    EndedStuck,
    EndStuckInput,
    Round,
    StuckInput,
    StuckRun,
    StuckRuns,
    WatchdogPort,
)

#: A search attribute that newer servers set by themselves on a run whose tasks keep failing.
_REPORTED: Final = "TemporalReportedProblems IS NOT NULL"
_RUNNING: Final = "ExecutionStatus = 'Running'"
#: So many are told of in one go, and so long runs are looked at; the rest comes the next time.
_AT_A_TIME: Final = 20
_LOOK_WITHIN: Final = timedelta(seconds=15)
#: A query waits this long; a run that cannot answer must not hold up the others.
_PATIENCE: Final = timedelta(seconds=2)
_WORKFLOW_TASKS: Final = TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW
_LONGEST_WAIT: Final = timedelta(seconds=MAX_EXPIRY_SECONDS)


class Watchdog(WatchdogPort):
    """The activities that find what is stuck, and end what must not stay so."""

    def __init__(self, client: Client) -> None:
        self._client = client

    @activity.defn(name="find_stuck_runs")
    async def find_stuck_runs(self, arg: StuckInput) -> StuckRuns:
        """Find requests and operations whose tasks keep failing, or that wait past any limit."""
        look, reports = _Look(self._client, arg), await self._server_reports()
        if reports:
            ours = f"WorkflowType IN ('{REQUEST_WORKFLOW}', '{OPERATION_WORKFLOW}')"
            await look.at(self._client.list_workflows(f"{ours} AND {_RUNNING} AND {_REPORTED}"))
        else:
            operations = f"WorkflowType = '{OPERATION_WORKFLOW}' AND {_RUNNING}"
            await look.at(
                self._client.list_workflows(operations, limit=arg.limits.unreported),
                attempts=arg.limits.attempts,
            )
        through = await look.around(arg.limits.at_a_time if reports else arg.limits.unreported)
        return StuckRuns(runs=tuple(look.found), still=tuple(look.still), round=through)

    @activity.defn(name="end_stuck_run")
    async def end_stuck_run(self, arg: EndStuckInput) -> EndedStuck:
        """Terminate an operation that cannot go on, so that another can put things right.

        All that must hold for it is asked once more: what has come to life is never ended.
        """
        found = await self._client.get_workflow_handle(arg.workflow_id).describe()
        told = await read_history(self._client, arg.workflow_id, arg.run_id)
        if (
            found.run_id != arg.run_id
            or found.workflow_type != OPERATION_WORKFLOW
            or found.status is not WorkflowExecutionStatus.RUNNING
            or found.raw_description.pending_activities
            or told.failing_since != arg.since
            or not await is_polled(self._client, CONTROL_TASK_QUEUE, _WORKFLOW_TASKS)
        ):
            return EndedStuck()
        followed = await self._is_followed(arg.request_workflow_id, told.request_id)
        handle = self._client.get_workflow_handle(arg.workflow_id, run_id=arg.run_id)
        await handle.terminate(reason="its tasks keep failing while its container is down")
        return EndedStuck(ended=True, followed=followed)

    async def _server_reports(self) -> bool:
        """Tell whether the server marks runs whose tasks keep failing; a setting turns it off."""
        request = DescribeNamespaceRequest(namespace=self._client.namespace)
        answer = await self._client.workflow_service.describe_namespace(request)
        return answer.namespace_info.capabilities.reported_problems_search_attribute

    async def _is_followed(self, workflow_id: str, request_id: str) -> bool:
        """Tell whether the request is there, and able, to take up the end of its operation."""
        try:
            found = await self._client.get_workflow_handle(workflow_id).describe()
            told = await read_history(self._client, workflow_id, found.run_id)
        except RPCError:
            return False
        return (
            found.status is WorkflowExecutionStatus.RUNNING
            and told.request_id == request_id
            and told.failing_since is None
        )


class _Look:
    """One look at what runs; ``found`` is what is stuck, ``still`` what was told before."""

    def __init__(self, client: Client, arg: StuckInput) -> None:
        self._client = client
        self._arg = arg
        self._limits = arg.limits
        self._now = datetime.now(UTC)
        self.found: list[StuckRun] = []
        self.still: list[str] = []

    async def at(self, runs: AsyncIterator[WorkflowExecution], *, attempts: int = 0) -> None:
        """Look at runs that may be stuck; ``attempts`` is for those of which nothing is known."""
        async for run in runs:
            if run.run_id in self._arg.told:
                self.still.append(run.run_id)
                if run.workflow_type == REQUEST_WORKFLOW:
                    continue
            if self._is_over():
                continue
            try:
                await self._judge(run, attempts)
            except RPCError as error:
                activity.logger.warning("%s cannot be looked at: %s", run.id, error.status.name)

    async def around(self, at_a_time: int) -> Round | None:
        """Go on with the round through the requests: for those of which nothing is reported."""
        through = self._arg.round
        if through is not None and through.at is None:
            if (self._now - through.began).total_seconds() < self._limits.round_every:
                return through
            through = None
        through = through or Round(began=self._now, at=self._now)
        query = (
            f"WorkflowType = '{REQUEST_WORKFLOW}' AND {_RUNNING} "
            f"AND StartTime < '{through.at:%Y-%m-%dT%H:%M:%S.%fZ}'"
        )
        looked, at = 0, through.at
        async for run in self._client.list_workflows(query, limit=at_a_time, page_size=at_a_time):
            if self._is_over():
                break
            looked, at = looked + 1, run.start_time
            if run.run_id in self._arg.told:
                self.still.append(run.run_id)
                continue
            try:
                if not await self._judge(run, self._limits.attempts):
                    await self._judge_wait(run)
            except RPCError as error:
                activity.logger.warning("%s cannot be looked at: %s", run.id, error.status.name)
        is_through = looked < at_a_time and not self._is_over()
        return Round(began=through.began, at=None if is_through else at)

    def _is_over(self) -> bool:
        late = datetime.now(UTC) - self._now > _LOOK_WITHIN
        return late or len(self.found) >= _AT_A_TIME

    async def _judge(self, run: WorkflowExecution, attempts: int) -> bool:
        """Look at the tasks of one run; true when they fail."""
        activity.heartbeat()
        if any(found.run_id == run.run_id for found in self.found):
            return True
        handle = self._client.get_workflow_handle(run.id, run_id=run.run_id)
        seen = await handle.describe()
        task = seen.raw_description.pending_workflow_task
        if seen.status is not WorkflowExecutionStatus.RUNNING or task.attempt < attempts:
            return False
        told = await read_history(self._client, run.id, run.run_id)
        if told.failing_since is None:
            return False
        if (self._now - told.failing_since).total_seconds() >= self._limits.page_after:
            await self._tell(seen, told, told.failing_since)
        return True

    async def _judge_wait(self, run: WorkflowExecution) -> None:
        """Look whether a request waits that should have expired long ago."""
        overdue = timedelta(seconds=self._limits.overdue_after)
        served = self._now - max(self._arg.served_since, run.start_time)
        known = run.typed_search_attributes.get(STATUS)
        if served < overdue or known not in (None, RequestStatus.WAITING.value):
            return
        handle: WorkflowHandle[object, RequestState] = self._client.get_workflow_handle(
            run.id, run_id=run.run_id
        )
        expires_at: datetime | None = run.start_time + _LONGEST_WAIT
        try:
            state: RequestState = await handle.query(
                STATE_QUERY, result_type=RequestState, rpc_timeout=_PATIENCE
            )
        except (RPCError, WorkflowQueryFailedError):
            activity.logger.info("%s does not answer", run.id)
        else:
            expires_at = state.expires_at if state.status is RequestStatus.WAITING else None
        if expires_at is not None and self._now - expires_at >= overdue:
            told = await read_history(self._client, run.id, run.run_id)
            await self._tell(await handle.describe(), told, expires_at)

    async def _tell(self, seen: WorkflowExecutionDescription, told: Told, since: datetime) -> None:
        is_operation = seen.workflow_type == OPERATION_WORKFLOW
        if told.operation_id:
            operation = await self._operation_of(told)
            if operation is None:
                # It draws the card as long as it is at work, and is looked at for itself.
                return
            told = replace(told, state=operation.state)
        self.found.append(
            StuckRun(
                workflow_id=seen.id,
                run_id=seen.run_id,
                is_operation=is_operation,
                since=since,
                told=seen.run_id in self._arg.told,
                idle=not seen.raw_description.pending_activities,
                has_worked=told.has_worked,
                is_failing=told.failing_since is not None,
                state=told.state,
                request=told.request,
            )
        )

    async def _operation_of(self, told: Told) -> Told | None:
        """Read how the operation of a request ended; ``None`` while it runs."""
        try:
            newest = await self._client.get_workflow_handle(told.operation_id).describe()
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            return told
        ended = await read_history(self._client, newest.id, newest.run_id)
        if ended.request_id != told.request_id:
            return told
        return None if newest.status is WorkflowExecutionStatus.RUNNING else ended
