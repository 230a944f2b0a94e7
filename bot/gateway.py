"""How does what people want reach a workflow?

The only code that starts, signals or queries workflows. One human act is one call; a start, a
decision or a cancel is recorded for good the moment the call returns, even with no worker
running. Every call is bounded, because Slack gives three seconds, and every failure becomes one
of the few in ``bot/errors.py``.
"""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import replace
from datetime import timedelta

from temporalio.client import (
    Client,
    WorkflowHandle,
    WorkflowQueryFailedError,
    WorkflowQueryRejectedError,
)
from temporalio.common import (
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError

from bot.calls import bounded
from bot.errors import (
    Act,
    AlreadyOpenError,
    NoWorkerError,
    RequestEndedError,
    TemporalUnavailableError,
)
from bot.register import Register, summarise
from bot.summaries import RequestSummary
from workflows import names
from workflows.look import LookInput, LookResult
from workflows.models import CancelRequest, Decision, LifecycleRequest, OperationSpec
from workflows.state import RequestState, RequestStatus
from workflows.timing import WORKFLOW_TASK_SECONDS

#: What a call may take while Slack waits for the answer.
BUDGET = timedelta(seconds=2)
#: What a question may take whose answer is only nice to have.
SHORT = timedelta(milliseconds=700)
#: What a look at a host may take; Slack has its acknowledgement by then.
LOOK = timedelta(seconds=10)


class Gateway:
    """Speaks with the workflows through one client."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.register = Register(client)

    async def start(self, request: LifecycleRequest) -> None:
        """Start a request; a repeated delivery of the same one changes nothing.

        Raises:
            AlreadyOpenError: another request for the container is open.
        """
        try:
            await bounded(Act.START, self._start(request), BUDGET)
        except WorkflowAlreadyStartedError as error:
            other = await self._find_first(request, error.run_id)
        else:
            return
        if other is None:
            await bounded(Act.START, self._start(request), SHORT)
        elif other.request_id != request.request_id:
            raise AlreadyOpenError(
                container=request.container.name,
                host=request.container.host,
                request_id=other.request_id,
                permalink=await self._permalink(other),
            )

    async def decide(self, host: str, container: str, decision: Decision) -> None:
        """Record a decision that names a container, as buttons do.

        Raises:
            RequestEndedError: the request is over.
            RequestUnknownError: there is none with this id.
        """
        handle = self._client.get_workflow_handle(names.request_workflow_id(host, container))
        await self._signal(handle, Act.DECIDE, names.DECIDE_SIGNAL, decision, decision.request_id)

    async def decide_by_id(self, decision: Decision) -> RequestSummary:
        """Record a decision that names only the request, as commands do; see :meth:`decide`."""
        summary = await self.register.find(decision.request_id)
        await self._signal(
            self._handle(summary), Act.DECIDE, names.DECIDE_SIGNAL, decision, decision.request_id
        )
        return summary

    async def cancel(self, host: str, container: str, cancel: CancelRequest) -> None:
        """Record that somebody wants to cancel; see :meth:`decide`."""
        handle = self._client.get_workflow_handle(names.request_workflow_id(host, container))
        await self._signal(handle, Act.CANCEL, names.CANCEL_SIGNAL, cancel, cancel.request_id)

    async def cancel_by_id(self, cancel: CancelRequest) -> RequestSummary:
        """Record that somebody wants to cancel, by the request's id; see :meth:`decide`."""
        summary = await self.register.find(cancel.request_id)
        await self._signal(
            self._handle(summary), Act.CANCEL, names.CANCEL_SIGNAL, cancel, cancel.request_id
        )
        return summary

    async def status(self, request_id: str) -> tuple[RequestSummary, RequestState | None]:
        """Say where a request stands; without a worker only its summary is known."""
        summary = await self.register.find(request_id)
        state = await self._state(self._handle(summary), BUDGET)
        if state is not None and state.operation_workflow_id and not state.closed:
            live = self._client.get_workflow_handle(state.operation_workflow_id)
            told = await self._state(live, SHORT)
            if told is not None and told.request_id == request_id:
                state = replace(state, steps=told.steps, attempts=told.attempts)
        return summary, state

    async def look(self, host: str, name: str = "") -> LookResult:
        """Ask the worker of a host for one container, or for all when ``name`` is empty.

        Raises:
            NoWorkerError: the question was put, but nobody answered.
        """
        handle = await bounded(
            Act.READ,
            self._client.start_workflow(
                names.LOOK_WORKFLOW,
                LookInput(host=host, name=name),
                id=f"look/{host}/{uuid.uuid4()}",
                task_queue=names.CONTROL_TASK_QUEUE,
                result_type=LookResult,
                # A look changes nothing, so it may time out; nobody reads a late answer.
                execution_timeout=3 * LOOK,
                rpc_timeout=BUDGET,
            ),
            BUDGET,
        )
        try:
            async with asyncio.timeout(LOOK.total_seconds()):
                result: LookResult = await handle.result()
        except TimeoutError as error:
            raise NoWorkerError from error
        return result

    async def _start(self, request: LifecycleRequest) -> None:
        container = request.container
        await self._client.start_workflow(
            names.REQUEST_WORKFLOW,
            request,
            id=names.request_workflow_id(container.host, container.name),
            task_queue=names.CONTROL_TASK_QUEUE,
            id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            search_attributes=_search_attributes(request),
            static_summary=f"{_describe(request.operation)} {container.name} on {container.host}",
            static_details=(
                f"Request `{request.request_id}` by `{request.requester}`: "
                f"{_describe(request.operation)} `{container.name}` on `{container.host}`."
            ),
            task_timeout=timedelta(seconds=WORKFLOW_TASK_SECONDS),
            rpc_timeout=BUDGET,
        )

    async def _find_first(
        self, request: LifecycleRequest, run_id: str | None
    ) -> RequestSummary | None:
        """Find the request that is in the way; ``None`` when it ended meanwhile."""
        container = request.container
        handle = self._client.get_workflow_handle(
            names.request_workflow_id(container.host, container.name), run_id=run_id
        )
        description = await bounded(Act.START, handle.describe(rpc_timeout=SHORT), SHORT)
        summary = summarise(description)
        is_other = summary.request_id != request.request_id
        return None if is_other and not summary.open else summary

    async def _permalink(self, summary: RequestSummary) -> str:
        state = await self._state(self._handle(summary), SHORT)
        return state.card.permalink if state is not None and state.card is not None else ""

    async def _signal(
        self,
        handle: WorkflowHandle[object, object],
        act: Act,
        signal: str,
        payload: Decision | CancelRequest,
        request_id: str,
    ) -> None:
        try:
            await bounded(act, handle.signal(signal, payload, rpc_timeout=BUDGET), BUDGET)
        except RPCError:
            summary = await self.register.find(request_id)
            state = await self._state(self._handle(summary), SHORT)
        else:
            return
        if state is not None:
            summary = replace(
                summary,
                status=state.status,
                permalink=state.card.permalink if state.card is not None else "",
            )
        raise RequestEndedError(summary)

    async def _state(
        self, handle: WorkflowHandle[object, object], within: timedelta
    ) -> RequestState | None:
        """Ask a workflow where it stands; ``None`` when nobody can answer now."""
        try:
            return await bounded(
                Act.READ,
                handle.query(names.STATE_QUERY, result_type=RequestState, rpc_timeout=within),
                within,
            )
        except (
            TemporalUnavailableError,
            WorkflowQueryFailedError,
            WorkflowQueryRejectedError,
            RPCError,
        ):
            return None

    def _handle(self, summary: RequestSummary) -> WorkflowHandle[object, object]:
        return self._client.get_workflow_handle(summary.workflow_id, run_id=summary.run_id)


def _search_attributes(request: LifecycleRequest) -> TypedSearchAttributes:
    common = names.request_attributes(
        host=request.container.host,
        container=request.container.name,
        requester=request.requester,
        request_id=request.request_id,
    )
    waiting = SearchAttributePair(names.STATUS, RequestStatus.WAITING.value)
    return TypedSearchAttributes([waiting, *common.search_attributes])


def _describe(operation: OperationSpec) -> str:
    if operation.kind.value == "stop" and operation.snapshot:
        return "stop and snapshot"
    return operation.kind.value
