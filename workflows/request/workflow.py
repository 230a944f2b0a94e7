"""How does a request go from a command to its outcome?

Inspect, plan, card, wait for people, operate, report. The workflow owns all there is of a request,
and what it is told goes one way: a signal into the inbox, from there to the review, and what the
review finds to count on to the operation. It is the only one that judges decisions, on its stored
request and a fresh look-up, whatever door they came through.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ActivityError, ApplicationError, ChildWorkflowError

from workflows import failures
from workflows.card_updates import CardUpdater, RequestTracker
from workflows.execution.saga import shielded
from workflows.model import limits, names
from workflows.model.continued import Carried
from workflows.model.errors import RefusalCode
from workflows.model.ports import ThreadEntry, ThreadKind
from workflows.model.releases import judges_itself
from workflows.model.requests import Decision, Instruction, Intent, LifecycleRequest
from workflows.model.state import Refusal, RequestState, RequestStatus
from workflows.request import continuing, planning
from workflows.request.inbox import Inbox
from workflows.request.operation_handle import OperationHandle, upsert_status
from workflows.request.review import Review
from workflows.request.validation import problems_of, validate_request
from workflows.signals import (
    read,
    read_decision,
    read_instruction,
    read_replacement,
    takes_more,
)


@workflow.defn(name=names.REQUEST_WORKFLOW)
class ContainerLifecycleWorkflow:
    """One request, from its card to its outcome.

    Signals ``decide``, ``replace``, ``cancel_request``, ``stop_trying`` and ``try_now``, each with
    one payload, and harmless with any other; query ``state``.

    It has no run time-out and must never get one: a time-out would strand the container. To end
    a request from outside, cancel it; never terminate it.
    """

    @workflow.init
    @takes_more
    def __init__(self, raw: RawValue = None, *more: Any) -> None:  # type: ignore[assignment]  # noqa: ANN401 - see workflows.signals
        self._bad_input: ApplicationError | None = None
        try:
            request = validate_request(raw if not more else None)
        except ApplicationError as error:
            # Raised here, it would leave a coroutine of the SDK behind.
            self._bad_input, self._inbox = error, Inbox()
            return
        carried = continuing.carried_by(request)
        self._request = request
        self._inbox = Inbox(heard=carried.heard, dropped=carried.dropped)
        self._tracker = RequestTracker(carried.state)
        self._card_updater = CardUpdater(self._tracker, told_so_far=carried.told)
        self._review = Review(
            self._tracker,
            self._inbox,
            self._card_updater,
            reminded=carried.reminded,
            judged=carried.judged,
        )
        self._operation = OperationHandle(self._tracker)

    @workflow.run
    @takes_more
    async def run(self, raw: RawValue = None, *more: Any) -> RequestState:  # type: ignore[assignment]  # noqa: ANN401, ARG002 - see __init__
        """Carry a request to its outcome; ``raw`` is a ``LifecycleRequest``, or continues one."""
        if self._bad_input is not None:
            raise self._bad_input
        # Asked first, so that one answer holds for all of a run, and one marker tells it.
        self._judges_itself = judges_itself()
        cancelled = False
        try:
            await self._carry()
        except (asyncio.CancelledError, ActivityError) as error:
            if not failures.is_cancellation(error):
                raise
            cancelled = True
            self._tracker.change(status=RequestStatus.CANCELLED)
            await shielded(self._show())
        await shielded(self._close())
        if cancelled:
            raise asyncio.CancelledError
        if self._review.replacement is not None:
            continuing.begin_next(self._review.replacement)
        return self._told_state()

    @workflow.signal(name=names.DECIDE_SIGNAL, description="Approve or reject, as one person")
    def decide(self, *payloads: Any) -> None:  # noqa: ANN401 - see workflows.signals
        """Keep a decision until it is judged."""
        self._keep(read_decision(payloads))

    @workflow.signal(name=names.REPLACE_SIGNAL, description="Reject, and ask for something else")
    def replace_request(self, *payloads: Any) -> None:  # noqa: ANN401
        """Keep it until it is judged, as a rejection that another request comes with."""
        if not self._inbox.takes_replacements:
            # Not read, which takes long: a flood of them must fit into one workflow task.
            self._inbox.drop()
            self._tell_of_drops()
            return
        wish = read_replacement(payloads)
        if wish is None or problems_of(wish.request):
            self._inbox.pass_over()
        else:
            self._keep(wish.decision, replacement=wish.request)

    @workflow.signal(name=names.CANCEL_SIGNAL, description="Cancel, as the requester")
    def cancel_request(self, *payloads: Any) -> None:  # noqa: ANN401
        """Keep a cancellation until it is judged."""
        self._keep(read_instruction(Intent.CANCEL, payloads))

    @workflow.signal(name=names.STOP_TRYING_SIGNAL, description="End the tries to put it back")
    def stop_trying(self, *payloads: Any) -> None:  # noqa: ANN401
        """Keep it until it is judged."""
        self._keep(read_instruction(Intent.STOP_TRYING, payloads))

    @workflow.signal(name=names.TRY_NOW_SIGNAL, description="Try now to put it back")
    def try_now(self, *payloads: Any) -> None:  # noqa: ANN401
        """Keep it until it is judged."""
        self._keep(read_instruction(Intent.TRY_NOW, payloads))

    @workflow.signal(name=names.PROGRESS_SIGNAL, description="The operation tells how it stands")
    def operation_progress(self, *payloads: Any) -> None:  # noqa: ANN401
        """Take over that the operation needs a person."""
        told = read(RequestState, payloads)
        if told is not None and self._bad_input is None:
            self._operation.take_progress(told)

    @workflow.query(name=names.STATE_QUERY, description="Where the request stands")
    def state(self) -> RequestState:
        """Return the state."""
        if self._bad_input is not None:
            raise self._bad_input
        return self._told_state()

    def _told_state(self) -> RequestState:
        return replace(
            self._tracker.state,
            heard=tuple(self._inbox.heard),
            judged=tuple(self._review.judged),
            dropped=self._inbox.dropped,
        )

    def _keep(
        self,
        message: Decision | Instruction | None,
        *,
        replacement: LifecycleRequest | None = None,
    ) -> None:
        if message is None:
            self._inbox.pass_over()
            return
        # A request of an earlier release took its messages one by one, as they came.
        as_before = not limits.hold()
        now = workflow.now()
        if not self._inbox.put(
            message,
            now,
            replacement=replacement,
            as_before=as_before,
            by_seal=judges_itself(),
        ):
            self._tell_of_drops()

    def _tell_of_drops(self) -> None:
        dropped = self._inbox.dropped
        if limits.is_worth_a_line(dropped):
            workflow.logger.warning("messages dropped", extra={"dropped": dropped})

    async def _carry(self) -> None:
        tracker = self._tracker
        if tracker.state.card is None:
            tracker.state = await planning.plan(self._request, tracker.state)
            if tracker.state.refusal is None:
                await self._post_card()
            if tracker.state.refusal is not None:
                self._card_updater.tell(self._request.requester, tracker.state.refusal)
                return
            tracker.change()
        if not await self._review.until_decided():
            continuing.continue_as_new(self._request, self._to_carry_along())
        if tracker.state.status is RequestStatus.RUNNING:
            if not self._judges_itself:
                upsert_status(tracker.state)
            if await self._operate():
                return
        await shielded(self._show())

    async def _post_card(self) -> None:
        try:
            # A cancel that cut this off would leave a card that nobody knows of.
            await shielded(self._card_updater.post())
        except ActivityError as error:
            if failures.is_cancellation(error):
                raise
            refusal = Refusal(code=RefusalCode.CARD_NOT_POSTED, detail=failures.error_text(error))
            self._tracker.change(status=RequestStatus.REJECTED, refusal=refusal)

    def _to_carry_along(self) -> Carried:
        return Carried(
            state=self._tracker.state,
            heard=tuple(self._inbox.heard),
            dropped=self._inbox.dropped,
            judged=tuple(self._review.judged),
            told=self._card_updater.told_so_far,
            reminded=self._review.reminded,
        )

    async def _operate(self) -> bool:
        """Have it carried out; false says that the outcome is still to be shown from here."""
        operation = self._operation
        thread = await self._card_updater.hand_over()
        while await operation.begin(thread):
            if self._judges_itself:
                # Not on the way to it: the list of requests lags behind by more than this anyhow.
                upsert_status(self._tracker.state)
            try:
                outcome = await shielded(self._follow(), on_cancel=lambda: operation.cancel(""))
            except ChildWorkflowError:
                if await operation.was_over_when_ended():
                    return False
            else:
                self._tracker.change_to(outcome)
                return True
        return False

    async def _follow(self) -> RequestState:
        """Tell the operation what people want of it, until it is over."""
        operation = self._operation
        while not operation.is_over:
            await workflow.wait_condition(lambda: operation.is_over or bool(self._inbox))
            await self._judge_all()
        return await operation.outcome()

    async def _judge_all(self) -> None:
        while (received := self._inbox.take(None, timedelta())) is not None:
            instruction = await self._review.judge(received)
            if instruction is not None:
                self._operation.carry_out(instruction)

    async def _show(self) -> None:
        """Draw the last card, which the operation has not drawn."""
        if self._tracker.state.card is None:
            return
        self._tracker.change(finished_at=workflow.now(), closed=True)
        kind = ThreadKind.OUTCOME
        if self._tracker.state.status is RequestStatus.NEEDS_PERSON:
            kind = ThreadKind.PAGE
        requester = self._tracker.state.requester
        await self._card_updater.finish(ThreadEntry(key="outcome", kind=kind, user_id=requester))

    async def _close(self) -> None:
        """Answer everybody who is still waiting for an answer, then end."""
        if not self._tracker.state.closed:
            self._tracker.change(finished_at=workflow.now(), closed=True)
        upsert_status(self._tracker.state)
        while self._inbox:
            await self._judge_all()
            await self._card_updater.told()
        await self._card_updater.told()
