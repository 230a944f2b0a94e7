"""How does a request go from a command to its outcome?

Inspect, plan, card, wait for people, operate, report. The workflow is the only one that judges
decisions, on its stored request and a fresh look-up, whatever door they came through.
"""

from __future__ import annotations

import asyncio

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ActivityError, ApplicationError

from workflows import failures
from workflows.card_updates import Presenter, Record
from workflows.execution.saga import shielded
from workflows.model import names
from workflows.model.errors import ErrorType, RefusalCode
from workflows.model.ports import ThreadEntry, ThreadKind
from workflows.model.requests import CancelRequest, Decision, LifecycleRequest
from workflows.model.state import Refusal, RequestState, RequestStatus
from workflows.request import planning
from workflows.request.operation_handle import Operating, upsert_status
from workflows.request.review import Deliberation, Inbox
from workflows.request.validation import admit


@workflow.defn(name=names.REQUEST_WORKFLOW)
class ContainerLifecycleWorkflow:
    """One request. Signals ``decide`` and ``cancel_request``; query ``state``.

    It has no run time-out and must never get one: a time-out would strand the container. To end
    a request from outside, cancel it; never terminate it.
    """

    def __init__(self) -> None:
        self._inbox = Inbox()
        self._record: Record | None = None
        self._operating: Operating | None = None

    @workflow.run
    async def run(self, raw: RawValue) -> RequestState:
        """Carry a request to its outcome; ``raw`` is a ``LifecycleRequest``."""
        request = admit(raw)
        record = self._record = Record(planning.first_state(request))
        presenter = Presenter(record)
        operating = self._operating = Operating(record, self._inbox)
        deliberation = Deliberation(record, self._inbox, presenter, self._cancel)
        cancelled = False
        try:
            await self._carry(request, presenter, deliberation, operating)
        except (asyncio.CancelledError, ActivityError) as error:
            if not failures.is_cancellation(error):
                raise
            cancelled = True
            record.change(status=RequestStatus.CANCELLED)
            await shielded(self._show(presenter))
        await shielded(self._close(presenter, deliberation))
        if cancelled:
            raise asyncio.CancelledError
        return record.state

    @workflow.signal(name=names.DECIDE_SIGNAL, description="Approve or reject, as one person")
    def decide(self, decision: Decision) -> None:
        """Keep a decision until it is judged."""
        self._inbox.put(decision, workflow.now())

    @workflow.signal(name=names.CANCEL_SIGNAL, description="Cancel, as the requester")
    def cancel_request(self, cancel: CancelRequest) -> None:
        """Keep a cancellation until it is judged."""
        self._inbox.put(cancel, workflow.now())

    @workflow.signal(name=names.PROGRESS_SIGNAL, description="The operation tells how it stands")
    def operation_progress(self, told: RequestState) -> None:
        """Take over that the operation needs a person."""
        if self._operating is not None:
            self._operating.take_progress(told)

    @workflow.query(name=names.STATE_QUERY, description="Where the request stands")
    def state(self) -> RequestState:
        """Return the state."""
        if self._record is None:
            message = "the request has not been read yet"
            raise ApplicationError(message, type=ErrorType.BAD_INPUT)
        return self._record.state

    async def _carry(
        self,
        request: LifecycleRequest,
        presenter: Presenter,
        deliberation: Deliberation,
        operating: Operating,
    ) -> None:
        record = deliberation.record
        record.state = await planning.plan(request, record.state)
        if record.state.refusal is None:
            await self._post_card(presenter, record)
        if record.state.refusal is not None:
            presenter.tell(request.requester, record.state.refusal)
            return
        record.change()
        await deliberation.until_decided()
        if record.state.status is RequestStatus.RUNNING:
            upsert_status(record.state)
            if await operating.run(deliberation, await presenter.hand_over()):
                return
        await shielded(self._show(presenter))

    async def _post_card(self, presenter: Presenter, record: Record) -> None:
        try:
            # A cancel that cut this off would leave a card that nobody knows of.
            await shielded(presenter.post())
        except ActivityError as error:
            if failures.is_cancellation(error):
                raise
            refusal = Refusal(code=RefusalCode.CARD_NOT_POSTED, detail=failures.error_text(error))
            record.change(status=RequestStatus.REJECTED, refusal=refusal)

    def _cancel(self, cancel: CancelRequest) -> None:
        if self._record is None or self._operating is None:
            return
        if self._record.state.status is RequestStatus.WAITING:
            self._record.change(status=RequestStatus.CANCELLED, cancel_requested_by=cancel.user_id)
        else:
            self._operating.cancel(cancel.user_id)

    async def _show(self, presenter: Presenter) -> None:
        """Draw the last card, which the operation has not drawn."""
        if self._record is None or self._record.state.card is None:
            return
        self._record.change(finished_at=workflow.now(), closed=True)
        kind = ThreadKind.OUTCOME
        if self._record.state.status is RequestStatus.NEEDS_PERSON:
            kind = ThreadKind.PAGE
        requester = self._record.state.requester
        await presenter.finish(ThreadEntry(key="outcome", kind=kind, user_id=requester))

    async def _close(self, presenter: Presenter, deliberation: Deliberation) -> None:
        """Answer everybody who is still waiting for an answer, then end."""
        record = deliberation.record
        if not record.state.closed:
            record.change(finished_at=workflow.now(), closed=True)
        upsert_status(record.state)
        while self._inbox:
            await deliberation.judge_all()
            await presenter.told()
        await presenter.told()
