"""How does what people want reach a workflow, once, however often its delivery comes?

With the files beside it the only code that starts, signals or queries workflows. A start, a
decision or a cancel is recorded for good the moment its call returns, even with no worker
running. Every call is bounded, because Slack gives three seconds, and every failure becomes one
of the few in ``bot/temporal/errors.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from enum import StrEnum

from temporalio.client import Client, WorkflowHandle
from temporalio.common import (
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError

from bot.temporal.client import BUDGET, SHORT, bounded, is_missing, state_of
from bot.temporal.errors import (
    AlreadyOpenError,
    NothingAskedError,
    RequestEndedError,
    RequestStuckError,
    RequestSummary,
    TemporalCall,
    TemporalUnavailableError,
)
from bot.temporal.hosts import Hosts
from bot.temporal.looks import could_decide, look
from bot.temporal.presence import has_control_worker
from bot.temporal.sealing import sealed, sealed_start
from bot.temporal.standings import states_of, with_its_operation
from bot.temporal.visibility import Visibility, summarise
from workflows.host_query import HostQueryResult
from workflows.model import names
from workflows.model.listing import EVERY, Wanted
from workflows.model.names import RequestAddress
from workflows.model.requests import (
    ContainerRef,
    Decision,
    Instruction,
    Intent,
    LifecycleRequest,
    Replacement,
)
from workflows.model.seal import NO_KEYS, SealKeys
from workflows.model.state import (
    MAX_HEARD,
    JudgedAct,
    RequestState,
    waiting_attributes,
)
from workflows.model.timing import WORKFLOW_TASK_SECONDS
from workflows.operations import catalog

_CALLS = {
    Intent.CANCEL: TemporalCall.CANCEL,
    Intent.STOP_TRYING: TemporalCall.STOP_TRYING,
    Intent.TRY_NOW: TemporalCall.TRY_NOW,
}
#: What the question may take whether an act was taken up. A worker on a loaded machine may need
#: longer, and is then said not to have answered yet, which is true.
_UPTAKE_WITHIN = timedelta(seconds=2)


class Uptake(StrEnum):
    """What became of an act that Temporal has recorded, as far as a short question tells."""

    TAKEN = "taken up"
    NOT_YET = "not taken up yet"
    NO_ANSWER = "no answer yet"
    NO_WORKER = "no worker is there"
    STUCK = "the request is stuck"


class RequestClient:
    """Speaks with the workflows through one client; ``keys`` seal what it sends."""

    def __init__(self, client: Client, *, keys: SealKeys = NO_KEYS) -> None:
        self._client = client
        self._keys = keys
        self.visibility = Visibility(client)
        self.hosts = Hosts(client)

    async def start(self, request: LifecycleRequest) -> bool:
        """Start a request; false says that another copy of its delivery has.

        A copy that comes when a later request for the container has been made is not known as
        one. The same holds for one that looks before the first has started, and starts after the
        first has ended: a matter of milliseconds.

        Raises:
            AlreadyOpenError: another request for the container is open.
            TemporalUnavailableError: Temporal did not take it, or nobody knows whether it did.
            TemporalMisconfiguredError: Temporal refuses such calls for good.
        """
        try:
            return await bounded(TemporalCall.START, self._start_unless_made(request), BUDGET)
        except WorkflowAlreadyStartedError as error:
            other = await self._find_first(request, error.run_id)
        if other is None:
            await bounded(TemporalCall.START, self._start(request), SHORT)
            return True
        if other.request_id != request.request_id:
            raise await self._in_the_way(other, request)
        return False

    async def decide(self, request: RequestAddress | str, decision: Decision) -> RequestAddress:
        """Record a decision about a request, which is given by its address or by its id alone.

        Returns:
            The address of the request.

        Raises:
            RequestEndedError: the request is over.
            RequestUnknownError: there is none with this id.
            TemporalUnavailableError: Temporal did not take it, or nobody knows whether it did.
            TemporalMisconfiguredError: Temporal refuses such calls for good.
        """
        return await self._signal(request, TemporalCall.DECIDE, names.DECIDE_SIGNAL, decision)

    async def replace(self, request_id: str, replacement: Replacement) -> None:
        """Ask for something in place of a request that waits; see :meth:`decide`."""
        container = replacement.request.container
        address = RequestAddress(
            request_id=request_id, host=container.host, container=container.name
        )
        await self._signal(address, TemporalCall.START, names.REPLACE_SIGNAL, replacement)

    async def instruct(
        self, request: RequestAddress | str, instruction: Instruction
    ) -> RequestAddress:
        """Record what somebody wants of a request besides deciding; see :meth:`decide`."""
        intent = instruction.intent
        return await self._signal(request, _CALLS[intent], intent.value, instruction)

    async def find(self, request: str | ContainerRef) -> RequestSummary:
        """Find a request by its id, or the latest about a container: only one can be open.

        Raises:
            RequestUnknownError: there is none with this id.
            NothingAskedError: there is none about this container.
            TemporalUnavailableError: Temporal does not answer.
            TemporalMisconfiguredError: Temporal refuses such calls for good.
        """
        if isinstance(request, str):
            return await self.visibility.find(request)
        workflow_id = names.request_workflow_id(request.host, request.name)
        described = self._client.get_workflow_handle(workflow_id).describe(rpc_timeout=BUDGET)
        try:
            return await summarise(await bounded(TemporalCall.READ, described, BUDGET))
        except RPCError as error:
            raise NothingAskedError(container=request.name, host=request.host) from error

    async def status(
        self, request: str | ContainerRef
    ) -> tuple[RequestSummary, RequestState | None]:
        """Say where a request stands; without a worker only its summary is known.

        Raises:
            BotError: as for :meth:`find`.
        """
        summary = await self.find(request)
        state = await state_of(self._handle(summary), BUDGET)
        return summary, None if state is None else await with_its_operation(self._client, state)

    async def states(self, rows: Sequence[RequestSummary]) -> dict[str, RequestState]:
        """Say where these requests stand, by their ids: those that say so within a second."""
        return await states_of(self._client, rows)

    async def state(self, request: RequestAddress) -> RequestState | Uptake:
        """Ask a request where it stands now; where nobody answers, say why.

        Raises:
            RequestUnknownError: another is there in its place, and it is no longer kept.
            TemporalUnavailableError: Temporal does not answer.
            TemporalMisconfiguredError: Temporal refuses such calls for good.
        """
        state = await self._asked(request)
        if isinstance(state, Uptake):
            return state
        if state.request_id != request.request_id:
            _, ended = await self.status(request.request_id)
            return Uptake.NO_ANSWER if ended is None else ended
        return await with_its_operation(self._client, state)

    async def _asked(self, request: RequestAddress) -> RequestState | Uptake:
        """Ask whatever request is at an address, and not for long."""
        handle = self._client.get_workflow_handle(request.workflow_id)
        try:
            state = await state_of(handle, _UPTAKE_WITHIN)
        except RequestStuckError:
            return Uptake.STUCK
        return await self._why_silent() if state is None else state

    async def uptake(self, request: RequestAddress, act_id: str) -> Uptake:
        """Ask whether a request has heard of an act; a start has no id, and is heard of at once."""
        state = await self._asked(request)
        if isinstance(state, Uptake):
            return state
        is_over = state.closed or state.request_id != request.request_id
        # Only the last of them are kept, and a worker of an earlier release keeps none.
        may_be_forgotten = not 0 < len(state.heard) < MAX_HEARD
        if not act_id or act_id in state.heard or is_over or may_be_forgotten:
            return Uptake.TAKEN
        return Uptake.NOT_YET

    async def answer(self, request: RequestAddress) -> RequestState | Uptake:
        """Ask for the state of a request whose card is up, or that was refused; or say why not.

        ``TAKEN``: another is there in its place.
        """
        state = await self._asked(request)
        if isinstance(state, Uptake):
            return state
        if state.request_id != request.request_id:
            return Uptake.TAKEN
        is_told = state.closed or state.card is not None or state.refusal is not None
        return state if is_told else Uptake.NOT_YET

    async def judgement(self, request: RequestAddress, act_id: str) -> JudgedAct | Uptake:
        """Ask whether an act counts; where that is not known yet, say why.

        A request that is over, or in whose place another came, has judged all that it will.
        """
        state = await self.state(request)
        if isinstance(state, Uptake):
            return state
        judged = next((act for act in state.judged if act.act_id == act_id), None)
        if judged is not None:
            return judged
        # Of those that came from a terminal only; what counted is kept for good.
        if any(decision.decision_id == act_id for decision in state.decisions):
            return JudgedAct(act_id=act_id)
        return Uptake.TAKEN if state.closed else Uptake.NOT_YET

    async def _why_silent(self) -> Uptake:
        try:
            is_there = await has_control_worker(self._client)
        except TemporalUnavailableError:
            return Uptake.NO_ANSWER
        return Uptake.NO_ANSWER if is_there else Uptake.NO_WORKER

    async def look(self, host: str, name: str = "", wanted: Wanted = EVERY) -> HostQueryResult:
        """Ask the worker of a host for one container, or for those wanted if ``name`` is empty.

        Raises:
            LookUnansweredError: the question was put, but not answered in time.
            TemporalUnavailableError: Temporal does not answer.
            TemporalMisconfiguredError: Temporal refuses such calls for good.
        """
        return await look(self._client, self.hosts, host, name, wanted)

    async def could_decide(self, state: RequestState, user_id: str) -> bool:
        """Ask whether somebody could decide about a request; without an answer: no."""
        return await could_decide(self._client, state, user_id)

    async def _start_unless_made(self, request: LifecycleRequest) -> bool:
        """Start a request, unless another copy of its delivery did.

        Temporal joins two starts by an id that the SDK makes up anew for each, so a request that
        ended at once would be made again by a copy that comes late.
        """
        try:
            last = await summarise(await self._handle_for(request).describe(rpc_timeout=BUDGET))
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
        name = names.indexed_name(container.name)
        await self._client.start_workflow(
            names.REQUEST_WORKFLOW,
            sealed_start(self._keys, request),
            id=names.request_workflow_id(container.host, container.name),
            task_queue=names.CONTROL_TASK_QUEUE,
            id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            search_attributes=waiting_attributes(request),
            memo={names.OPERATION_MEMO: catalog.words_of(request.operation)},
            static_summary=f"{catalog.words_of(request.operation)} {name} on {container.host}",
            static_details=(
                f"Request `{request.request_id}` by `{request.requester}`: "
                f"{catalog.words_of(request.operation)} `{name}` on `{container.host}`."
            ),
            task_timeout=timedelta(seconds=WORKFLOW_TASK_SECONDS),
            rpc_timeout=BUDGET,
        )

    async def _find_first(
        self, request: LifecycleRequest, run_id: str | None
    ) -> RequestSummary | None:
        """Find the request that is in the way; ``None`` when it ended meanwhile."""
        handle = self._handle_for(request, run_id)
        description = await bounded(TemporalCall.START, handle.describe(rpc_timeout=SHORT), SHORT)
        summary = await summarise(description)
        is_other = summary.request_id != request.request_id
        return None if is_other and not summary.open else summary

    async def _in_the_way(
        self, other: RequestSummary, request: LifecycleRequest
    ) -> AlreadyOpenError:
        """Say of an open request for a container how it stands, if it says that at once."""
        state = None
        with suppress(RequestStuckError):
            state = await state_of(self._handle(other), SHORT)
        if state is not None and state.card is not None:
            other = replace(other, permalink=state.card.permalink)
        # The list may have cut a long name.
        return AlreadyOpenError(replace(other, container=request.container.name), state)

    async def _signal(
        self,
        request: RequestAddress | str,
        call: TemporalCall,
        signal: str,
        payload: Decision | Instruction | Replacement,
    ) -> RequestAddress:
        if isinstance(request, str):
            summary = await self.visibility.find(request)
            handle = self._handle(summary)
            address = RequestAddress(
                request_id=request, host=summary.host, container=summary.container
            )
        else:
            handle = self._client.get_workflow_handle(request.workflow_id)
            address = request
        state = None
        payload = sealed(self._keys, payload)
        try:
            await bounded(call, handle.signal(signal, payload, rpc_timeout=BUDGET), BUDGET)
        except RPCError:
            summary = await self.visibility.find(_id_of(request))
            with suppress(RequestStuckError):
                state = await state_of(self._handle(summary), SHORT)
        else:
            return address
        # The list lags behind.
        summary = replace(summary, open=False)
        if state is not None:
            summary = replace(
                summary,
                status=state.status,
                permalink=state.card.permalink if state.card is not None else "",
            )
        raise RequestEndedError(summary, state)

    def _handle(self, summary: RequestSummary) -> WorkflowHandle[object, object]:
        # An open request may go on under another run id.
        run_id = None if summary.open else summary.run_id
        return self._client.get_workflow_handle(summary.workflow_id, run_id=run_id)

    def _handle_for(
        self, request: LifecycleRequest, run_id: str | None = None
    ) -> WorkflowHandle[object, object]:
        container = request.container
        workflow_id = names.request_workflow_id(container.host, container.name)
        return self._client.get_workflow_handle(workflow_id, run_id=run_id)


def _id_of(request: RequestAddress | str) -> str:
    return request if isinstance(request, str) else request.request_id
