"""How does a request go from a command to its outcome?

Inspect, plan, card, wait for people, operate, report. The workflow is the only one that judges
decisions, on its stored request and a fresh look-up, whatever door they came through.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import replace
from typing import Any

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ActivityError, ApplicationError

from workflows import failures
from workflows.card_updates import CardUpdater, RequestTracker
from workflows.execution.saga import shielded
from workflows.model import limits, names
from workflows.model.continued import ContinuedRequest
from workflows.model.errors import ErrorType, RefusalCode
from workflows.model.ports import ThreadEntry, ThreadKind
from workflows.model.requests import Decision, Instruction, Intent, LifecycleRequest
from workflows.model.state import MAX_HEARD, Refusal, RequestState, RequestStatus
from workflows.request import continuing, planning
from workflows.request.inbox import Inbox
from workflows.request.operation_handle import OperationHandle, upsert_status
from workflows.request.review import Review
from workflows.request.validation import problems_of, validate_request
from workflows.signals import (
    MAX_ID_LENGTH,
    read,
    read_decision,
    read_instruction,
    read_replacement,
)

#: So many wishes for something else in place of one request may wait to be judged.
_MOST_REPLACEMENTS = 50


@workflow.defn(name=names.REQUEST_WORKFLOW)
class ContainerLifecycleWorkflow:
    """One request, from its card to its outcome.

    Signals ``decide``, ``replace``, ``cancel_request``, ``stop_trying`` and ``try_now``, each with
    one payload, and harmless with any other; query ``state``.

    It has no run time-out and must never get one: a time-out would strand the container. To end
    a request from outside, cancel it; never terminate it.
    """

    def __init__(self) -> None:
        self._inbox = Inbox()
        self._heard: deque[str] = deque(maxlen=MAX_HEARD)
        self._review: Review | None = None
        self._dropped = 0
        self._replacements: dict[str, LifecycleRequest] = {}
        self._tracker: RequestTracker | None = None
        self._operation: OperationHandle | None = None

    @workflow.run
    async def run(self, raw: RawValue = None) -> RequestState:  # type: ignore[assignment]  # see workflows.signals
        """Carry a request to its outcome; ``raw`` is a ``LifecycleRequest``, or continues one."""
        request = validate_request(raw)
        carried = continuing.carried_by(request)
        first_state = planning.first_state(request)
        tracker = self._tracker = RequestTracker(
            first_state if carried is None else replace(carried.state, run_id=first_state.run_id)
        )
        card_updater = CardUpdater(tracker)
        operation = self._operation = OperationHandle(tracker, self._inbox)
        review = self._review = Review(
            tracker, self._inbox, card_updater, self._carry_out, self._forget
        )
        if carried is not None:
            continuing.take_over(carried, review, card_updater)
            self._heard.extendleft(reversed(carried.heard))
            self._dropped += carried.dropped
        cancelled = False
        try:
            await self._carry(request, card_updater, review, operation)
        except (asyncio.CancelledError, ActivityError) as error:
            if not failures.is_cancellation(error):
                raise
            cancelled = True
            tracker.change(status=RequestStatus.CANCELLED)
            await shielded(self._show(card_updater))
        await shielded(self._close(card_updater, review))
        if cancelled:
            raise asyncio.CancelledError
        rejection = tracker.state.rejection
        if rejection is not None and rejection.decision_id in self._replacements:
            continuing.begin_next(self._replacements[rejection.decision_id])
        return self._told_state(tracker)

    @workflow.signal(name=names.DECIDE_SIGNAL, description="Approve or reject, as one person")
    def decide(self, *payloads: Any) -> None:  # noqa: ANN401 - see workflows.signals
        """Keep a decision until it is judged."""
        decision = read_decision(payloads)
        if decision is None:
            self._inbox.was_reached = True
        else:
            self._keep(decision, decision.decision_id)

    @workflow.signal(name=names.REPLACE_SIGNAL, description="Reject, and ask for something else")
    def replace_request(self, *payloads: Any) -> None:  # noqa: ANN401
        """Keep it until it is judged, as a rejection that another request comes with."""
        if len(self._replacements) >= _MOST_REPLACEMENTS:
            # Not read, which takes long: a flood of them must fit into one workflow task.
            self._inbox.was_reached = True
            self._drop()
            return
        replacement = read_replacement(payloads)
        if replacement is None or problems_of(replacement.request):
            self._inbox.was_reached = True
            return
        decision_id = replacement.decision.decision_id
        if self._keep(replacement.decision, decision_id):
            self._replacements[decision_id] = replacement.request

    @workflow.signal(name=names.CANCEL_SIGNAL, description="Cancel, as the requester")
    def cancel_request(self, *payloads: Any) -> None:  # noqa: ANN401
        """Keep a cancellation until it is judged."""
        self._instruct(Intent.CANCEL, payloads)

    @workflow.signal(name=names.STOP_TRYING_SIGNAL, description="End the tries to put it back")
    def stop_trying(self, *payloads: Any) -> None:  # noqa: ANN401
        """Keep it until it is judged."""
        self._instruct(Intent.STOP_TRYING, payloads)

    @workflow.signal(name=names.TRY_NOW_SIGNAL, description="Try now to put it back")
    def try_now(self, *payloads: Any) -> None:  # noqa: ANN401
        """Keep it until it is judged."""
        self._instruct(Intent.TRY_NOW, payloads)

    @workflow.signal(name=names.PROGRESS_SIGNAL, description="The operation tells how it stands")
    def operation_progress(self, *payloads: Any) -> None:  # noqa: ANN401
        """Take over that the operation needs a person."""
        told = read(RequestState, payloads)
        if told is not None and self._operation is not None:
            self._operation.take_progress(told)

    @workflow.query(name=names.STATE_QUERY, description="Where the request stands")
    def state(self) -> RequestState:
        """Return the state."""
        if self._tracker is None:
            message = "the request has not been read yet"
            raise ApplicationError(message, type=ErrorType.BAD_INPUT)
        return self._told_state(self._tracker)

    def _told_state(self, tracker: RequestTracker) -> RequestState:
        return replace(
            tracker.state,
            heard=tuple(self._heard),
            judged=tuple(self._review.judged if self._review is not None else ()),
            dropped=self._dropped,
        )

    def _instruct(self, intent: Intent, payloads: tuple[Any, ...]) -> None:
        instruction = read_instruction(intent, payloads)
        if instruction is None:
            self._inbox.was_reached = True
        else:
            self._keep(instruction, instruction.instruction_id)

    def _forget(self, refused: Decision) -> None:
        """Make room for what others want in place of this request."""
        self._replacements.pop(refused.decision_id, None)

    def _keep(self, message: Decision | Instruction, message_id: str) -> bool:
        # A request of an earlier release took its messages one by one, as they came.
        as_before = not limits.hold()
        is_kept = self._inbox.put(message, workflow.now(), as_before=as_before)
        if not is_kept:
            self._drop()
        elif message_id:
            self._heard.append(message_id[:MAX_ID_LENGTH])
        return is_kept

    def _drop(self) -> None:
        self._dropped += 1
        if limits.is_worth_a_line(self._dropped):
            workflow.logger.warning("messages dropped", extra={"dropped": self._dropped})

    async def _carry(
        self,
        request: ContinuedRequest,
        card_updater: CardUpdater,
        review: Review,
        operation: OperationHandle,
    ) -> None:
        tracker = review.tracker
        if tracker.state.card is None:
            tracker.state = await planning.plan(request, tracker.state)
            if tracker.state.refusal is None:
                await self._post_card(card_updater, tracker)
            if tracker.state.refusal is not None:
                card_updater.tell(request.requester, tracker.state.refusal)
                return
            tracker.change()
        await review.until_decided()
        if tracker.state.status is RequestStatus.WAITING:
            continuing.continue_as_new(
                request,
                review,
                card_updater,
                heard=tuple(self._heard),
                dropped=self._dropped,
            )
        if tracker.state.status is RequestStatus.RUNNING:
            upsert_status(tracker.state)
            if await operation.run(review, await card_updater.hand_over()):
                return
        await shielded(self._show(card_updater))

    async def _post_card(self, card_updater: CardUpdater, tracker: RequestTracker) -> None:
        try:
            # A cancel that cut this off would leave a card that nobody knows of.
            await shielded(card_updater.post())
        except ActivityError as error:
            if failures.is_cancellation(error):
                raise
            refusal = Refusal(code=RefusalCode.CARD_NOT_POSTED, detail=failures.error_text(error))
            tracker.change(status=RequestStatus.REJECTED, refusal=refusal)

    def _carry_out(self, instruction: Instruction) -> None:
        """Do what somebody wants who may want it."""
        if self._tracker is None or self._operation is None:
            return
        user_id = instruction.user_id
        match instruction.intent:
            case Intent.STOP_TRYING:
                self._operation.stop_trying(user_id)
            case Intent.TRY_NOW:
                self._operation.try_now()
            case Intent.CANCEL if self._tracker.state.status is RequestStatus.WAITING:
                self._tracker.change(status=RequestStatus.CANCELLED, cancel_requested_by=user_id)
            case Intent.CANCEL:
                self._operation.cancel(user_id)

    async def _show(self, card_updater: CardUpdater) -> None:
        """Draw the last card, which the operation has not drawn."""
        if self._tracker is None or self._tracker.state.card is None:
            return
        self._tracker.change(finished_at=workflow.now(), closed=True)
        kind = ThreadKind.OUTCOME
        if self._tracker.state.status is RequestStatus.NEEDS_PERSON:
            kind = ThreadKind.PAGE
        requester = self._tracker.state.requester
        await card_updater.finish(ThreadEntry(key="outcome", kind=kind, user_id=requester))

    async def _close(self, card_updater: CardUpdater, review: Review) -> None:
        """Answer everybody who is still waiting for an answer, then end."""
        tracker = review.tracker
        if not tracker.state.closed:
            tracker.change(finished_at=workflow.now(), closed=True)
        upsert_status(tracker.state)
        while self._inbox:
            await review.judge_all()
            await card_updater.told()
        await card_updater.told()
