"""How does a request begin, once, however often its delivery comes?"""

from __future__ import annotations

from datetime import timedelta

from temporalio.client import Client, WorkflowHandle
from temporalio.common import (
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError

from bot.temporal.calls import BUDGET, SHORT, bounded, is_missing, state_of
from bot.temporal.errors import Act, AlreadyOpenError
from bot.temporal.summaries import RequestSummary
from bot.temporal.visibility import summarise
from workflows.model import names
from workflows.model.requests import LifecycleRequest
from workflows.model.state import RequestStatus
from workflows.model.timing import WORKFLOW_TASK_SECONDS


class Starting:
    """Starts the workflows of requests."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def start(self, request: LifecycleRequest) -> bool:
        """Start a request; false says that another copy of its delivery has.

        A copy that comes when a later request for the container has been made is not known as
        one. The same holds for one that looks before the first has started, and starts after the
        first has ended: a matter of milliseconds.

        Raises:
            AlreadyOpenError: another request for the container is open.
        """
        try:
            return await bounded(Act.START, self._start_unless_made(request), BUDGET)
        except WorkflowAlreadyStartedError as error:
            other = await self._find_first(request, error.run_id)
        if other is None:
            await bounded(Act.START, self._start(request), SHORT)
            return True
        if other.request_id != request.request_id:
            raise AlreadyOpenError(
                container=request.container.name,
                host=request.container.host,
                request_id=other.request_id,
                permalink=await self._permalink(other),
            )
        return False

    async def _start_unless_made(self, request: LifecycleRequest) -> bool:
        """Start a request, unless another copy of its delivery did.

        Temporal joins two starts by an id that the SDK makes up anew for each, so a request that
        ended at once would be made again by a copy that comes late.
        """
        try:
            last = await summarise(await self._handle(request).describe(rpc_timeout=BUDGET))
        except RPCError as error:
            if not is_missing(error):
                raise
        else:
            if last.request_id == request.request_id:
                return False
        await self._start(request)
        return True

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
            memo={names.OPERATION_MEMO: request.operation.words},
            static_summary=f"{request.operation.words} {container.name} on {container.host}",
            static_details=(
                f"Request `{request.request_id}` by `{request.requester}`: "
                f"{request.operation.words} `{container.name}` on `{container.host}`."
            ),
            task_timeout=timedelta(seconds=WORKFLOW_TASK_SECONDS),
            rpc_timeout=BUDGET,
        )

    async def _find_first(
        self, request: LifecycleRequest, run_id: str | None
    ) -> RequestSummary | None:
        """Find the request that is in the way; ``None`` when it ended meanwhile."""
        handle = self._handle(request, run_id)
        description = await bounded(Act.START, handle.describe(rpc_timeout=SHORT), SHORT)
        summary = await summarise(description)
        is_other = summary.request_id != request.request_id
        return None if is_other and not summary.open else summary

    async def _permalink(self, summary: RequestSummary) -> str:
        handle = self._client.get_workflow_handle(summary.workflow_id, run_id=summary.run_id)
        state = await state_of(handle, SHORT)
        return state.card.permalink if state is not None and state.card is not None else ""

    def _handle(
        self, request: LifecycleRequest, run_id: str | None = None
    ) -> WorkflowHandle[object, object]:
        container = request.container
        workflow_id = names.request_workflow_id(container.host, container.name)
        return self._client.get_workflow_handle(workflow_id, run_id=run_id)


def _search_attributes(request: LifecycleRequest) -> TypedSearchAttributes:
    common = names.request_attributes(
        host=request.container.host,
        container=request.container.name,
        requester=request.requester,
        request_id=request.request_id,
    )
    waiting = SearchAttributePair(names.STATUS, RequestStatus.WAITING.value)
    return TypedSearchAttributes([waiting, *common.search_attributes])
