"""How does what people want reach a workflow?

With the files beside it the only code that starts, signals or queries workflows. A start, a
decision or a cancel is recorded for good the moment its call returns, even with no worker
running. Every call is bounded, because Slack gives three seconds, and every failure becomes one
of the few in ``bot/temporal/errors.py``.
"""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import replace
from datetime import timedelta

from temporalio.client import Client, WorkflowHandle
from temporalio.service import RPCError

from bot.temporal.calls import BUDGET, SHORT, bounded, state_of
from bot.temporal.errors import Act, NoWorkerError, RequestEndedError
from bot.temporal.starting import Starting
from bot.temporal.summaries import RequestSummary
from bot.temporal.visibility import Register
from workflows.host_query import LookInput, LookResult
from workflows.model import names
from workflows.model.requests import CancelRequest, Decision, LifecycleRequest
from workflows.model.state import RequestState

#: What a look at a host may take; Slack has its acknowledgement by then.
LOOK = timedelta(seconds=10)


class Gateway:
    """Speaks with the workflows through one client."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.register = Register(client)
        self._starting = Starting(client)

    async def start(self, request: LifecycleRequest) -> bool:
        """Start a request; see :meth:`bot.temporal.starting.Starting.start`."""
        return await self._starting.start(request)

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
        state = await state_of(self._handle(summary), BUDGET)
        if state is not None and state.operation_workflow_id and not state.closed:
            live = self._client.get_workflow_handle(state.operation_workflow_id)
            told = await state_of(live, SHORT)
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
            state = await state_of(self._handle(summary), SHORT)
        else:
            return
        if state is not None:
            summary = replace(
                summary,
                status=state.status,
                permalink=state.card.permalink if state.card is not None else "",
            )
        raise RequestEndedError(summary)

    def _handle(self, summary: RequestSummary) -> WorkflowHandle[object, object]:
        return self._client.get_workflow_handle(summary.workflow_id, run_id=summary.run_id)
