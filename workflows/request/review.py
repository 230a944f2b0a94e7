"""What do people make of a request: who counts, and when is it decided?

Works through the inbox, one message after the other. Each decision is judged on a look-up made
for it; what is refused is told to that person in private, and the request goes on waiting.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError

from workflows import activity_options, failures
from workflows.card_updates import CardUpdater, RequestTracker
from workflows.model import names, policy
from workflows.model.errors import RefusalCode
from workflows.model.ports import DirectoryPort, LookUpInput, ThreadEntry, ThreadKind
from workflows.model.requests import (
    MAX_TEXT_LENGTH,
    Choice,
    Decision,
    Instruction,
    Intent,
    RecordedDecision,
)
from workflows.model.state import Refusal, RequestStatus

#: Approvers are reminded when this share of the time has gone by, and never in a short wait.
_REMIND_AFTER = 0.5
_SHORT_WAIT = timedelta(minutes=2)
_OPEN = (RequestStatus.WAITING, RequestStatus.RUNNING, RequestStatus.NEEDS_PERSON)


class Review:
    """Judges what people send. ``carry_out`` is called with each instruction that counts."""

    def __init__(
        self,
        tracker: RequestTracker,
        inbox: Inbox,
        card_updater: CardUpdater,
        carry_out: Callable[[Instruction], None],
    ) -> None:
        self.tracker = tracker
        self._inbox = inbox
        self._card_updater = card_updater
        self._carry_out = carry_out

    async def until_decided(self) -> None:
        """Wait until the request is no longer waiting."""
        state = self.tracker.state
        expires_at = state.expires_at or workflow.now()
        wait = expires_at - state.requested_at
        next_moment = expires_at
        if wait > _SHORT_WAIT:
            next_moment = state.requested_at + _REMIND_AFTER * wait
        while self.tracker.state.status is RequestStatus.WAITING:
            if workflow.cancellation_reason() is not None:
                # Delivered while the card was being posted, and swallowed by its end.
                raise asyncio.CancelledError
            received = self._inbox.take(expires_at)
            if received is not None:
                await self.judge(received)
            elif workflow.now() >= expires_at:
                self.tracker.change(status=RequestStatus.EXPIRED)
            elif workflow.now() >= next_moment:
                next_moment = expires_at
                self._card_updater.redraw(ThreadEntry(key="reminder", kind=ThreadKind.REMINDER))
            else:
                await self._next_message(next_moment - workflow.now())

    async def judge(self, received: Received) -> None:
        """Judge one message, at whatever time of the request's life it comes."""
        message = received.message
        if isinstance(message, Instruction):
            self._judge_instruction(message)
            return
        if any(message.decision_id == d.decision_id for d in self.tracker.state.decisions):
            return
        self._expire_before(received)
        refusal = policy.refusal_at_the_door(self.tracker.state, message)
        if refusal is None:
            refusal = await self._refusal_after_look_up(message)
        if refusal is None and message.choice is Choice.APPROVE:
            # What stops something wins over what was being verified when it came.
            await self._judge_what_stops()
            refusal = policy.refusal_at_the_door(self.tracker.state, message)
        if refusal is None:
            self._count(message)
        else:
            self._tell(message.approver_id, refusal)

    async def judge_all(self) -> None:
        """Judge all that has come in."""
        while (received := self._inbox.take(self.tracker.state.expires_at)) is not None:
            await self.judge(received)

    async def _judge_what_stops(self) -> None:
        """Judge the cancels and rejections that have come in."""
        while (received := self._inbox.take_what_stops()) is not None:
            await self.judge(received)

    async def _next_message(self, wait: timedelta) -> None:
        try:
            await workflow.wait_condition(
                lambda: bool(self._inbox), timeout=wait, timeout_summary="reminder or expiry"
            )
        except TimeoutError:
            return

    def _expire_before(self, received: Received) -> None:
        state = self.tracker.state
        if state.status is not RequestStatus.WAITING or state.expires_at is None:
            return
        if received.is_late(state.expires_at):
            self.tracker.change(status=RequestStatus.EXPIRED)

    def _judge_instruction(self, instruction: Instruction) -> None:
        state, is_cancel = self.tracker.state, instruction.intent is Intent.CANCEL
        code = None
        if instruction.request_id != state.request_id:
            code = RefusalCode.WRONG_REQUEST
        elif state.closed or state.status not in _OPEN:
            code = RefusalCode.NOT_OPEN
        elif not is_cancel and state.status is not RequestStatus.NEEDS_PERSON:
            code = RefusalCode.NOT_TRYING
        elif not policy.may_cancel(state, instruction.user_id, instruction.team_id):
            code = RefusalCode.NOT_REQUESTER
        elif is_cancel and (
            state.status is RequestStatus.NEEDS_PERSON
            or (state.status is RequestStatus.RUNNING and state.cancel_requested_by)
        ):
            code = RefusalCode.PUTTING_BACK
        if code is None:
            self._carry_out(instruction)
        else:
            self._tell(instruction.user_id, Refusal(code=code))

    async def _refusal_after_look_up(self, decision: Decision) -> Refusal | None:
        chosen = self.tracker.state.policy
        groups = chosen.approver_groups if chosen else ()
        try:
            person = await workflow.execute_activity_method(
                DirectoryPort.look_up_person,
                LookUpInput(user_id=decision.approver_id, groups=groups),
                **activity_options.look_up("who decides"),
            )
        except ActivityError as error:
            if failures.is_cancellation(error):
                raise
            return Refusal(code=RefusalCode.NOT_VERIFIED)
        return policy.verdict(self.tracker.state, decision, person)

    def _count(self, decision: Decision) -> None:
        recorded = RecordedDecision(
            decision_id=decision.decision_id,
            approver_id=decision.approver_id,
            choice=decision.choice,
            comment=decision.comment[:MAX_TEXT_LENGTH],
            source=decision.source[:MAX_TEXT_LENGTH],
            decided_at=workflow.now(),
        )
        self.tracker.change(decisions=(*self.tracker.state.decisions, recorded))
        workflow.logger.info(
            "decision counted",
            extra={
                "request_id": self.tracker.state.request_id,
                "decision_id": recorded.decision_id[:12],
                "choice": str(recorded.choice),
                "user": recorded.approver_id,
            },
        )
        if decision.choice is Choice.REJECT:
            self.tracker.change(status=RequestStatus.REJECTED)
        elif policy.quorum_reached(self.tracker.state):
            self.tracker.change(status=RequestStatus.RUNNING)
        self._card_updater.announce(_entry(recorded))
        if self.tracker.state.status is RequestStatus.WAITING:
            self._card_updater.redraw()

    def _tell(self, user_id: str, refusal: Refusal) -> None:
        if names.USER_ID_FORM.fullmatch(user_id):
            self._card_updater.tell(user_id, refusal)


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A message, and when this workflow first saw it."""

    message: Decision | Instruction
    at: datetime

    def is_late(self, deadline: datetime) -> bool:
        """Tell whether it came after the deadline.

        What a workflow sees late may have been sent in time, while no worker was running: then
        the sender's clock counts. It never counts against a message that was seen in time.
        """
        sent_at = self.message.sent_at if isinstance(self.message, Decision) else None
        return self.at >= deadline and (sent_at is None or sent_at >= deadline)


class Inbox:
    """Messages in the order in which they came; instructions first, which is the safe side."""

    def __init__(self) -> None:
        self._decisions: deque[Received] = deque()
        self._instructions: deque[Received] = deque()

    def put(self, message: Decision | Instruction, at: datetime) -> None:
        """Keep a message until it is worked on."""
        queue = self._instructions if isinstance(message, Instruction) else self._decisions
        queue.append(Received(message=message, at=at))

    def take(self, deadline: datetime | None) -> Received | None:
        """Take the next message; what came in time before what came after the deadline."""
        if self._instructions:
            return self._instructions.popleft()
        if not self._decisions:
            return None
        in_time = (d for d in self._decisions if deadline is None or not d.is_late(deadline))
        chosen = next(in_time, self._decisions[0])
        self._decisions.remove(chosen)
        return chosen

    def take_what_stops(self) -> Received | None:
        """Take the next message that may keep a request from being carried out."""
        if self._instructions:
            return self._instructions.popleft()
        for received in self._decisions:
            message = received.message
            if isinstance(message, Decision) and message.choice is Choice.REJECT:
                self._decisions.remove(received)
                return received
        return None

    def __bool__(self) -> bool:
        """Whether a message waits."""
        return bool(self._instructions or self._decisions)


def _entry(recorded: RecordedDecision) -> ThreadEntry:
    approved = recorded.choice is Choice.APPROVE
    return ThreadEntry(
        key=f"decision.{recorded.approver_id}.{recorded.choice}",
        kind=ThreadKind.APPROVED if approved else ThreadKind.REJECTED,
        user_id=recorded.approver_id,
        comment=recorded.comment,
        at=recorded.decided_at,
    )
