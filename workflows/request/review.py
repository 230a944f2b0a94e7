"""What do people make of a request: who counts, and when is it decided?

Works through the inbox, one message after the other. Each decision is judged on a look-up made
for it; what is refused is told to that person in private, and the request goes on waiting.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeVar

from temporalio import workflow

from workflows.card_updates import CardUpdater, RequestTracker
from workflows.model import limits, names, policy, releases
from workflows.model.errors import RefusalCode
from workflows.model.ports import ThreadEntry, ThreadKind
from workflows.model.requests import (
    MAX_TEXT_LENGTH,
    Choice,
    Decision,
    Instruction,
    Intent,
    LifecycleRequest,
    Person,
    RecordedDecision,
)
from workflows.model.state import (
    MAX_HEARD,
    JudgedAct,
    Refusal,
    RequestState,
    RequestStatus,
    StepName,
    find_step,
)
from workflows.model.terminal import is_from_terminal
from workflows.request import look_ups
from workflows.request.inbox import Inbox, Received
from workflows.signals import MAX_ID_LENGTH

#: Approvers are reminded when this share of the time has gone by, and never in a short wait.
_REMIND_AFTER = 0.5
_SHORT_WAIT = timedelta(minutes=2)
_OPEN = (RequestStatus.WAITING, RequestStatus.RUNNING, RequestStatus.NEEDS_PERSON)
#: What a look-up finds that is not another a moment later.
_KNOWN_FOR_A_MOMENT = (
    RefusalCode.NOT_AN_APPROVER,
    RefusalCode.GUEST,
    RefusalCode.BOT,
    RefusalCode.DEACTIVATED,
    RefusalCode.UNKNOWN_PERSON,
)
_MOST_KNOWN = 1_000
_Act = TypeVar("_Act", Decision, Instruction)


class Review:
    """Judges what people send.

    ``reminded`` says that the approvers were reminded already; ``judged`` are the last decisions
    and instructions, and what became of them; ``replacement`` is what is wanted in place of the
    request, by whoever has rejected it.
    """

    def __init__(
        self,
        tracker: RequestTracker,
        inbox: Inbox,
        card_updater: CardUpdater,
        *,
        reminded: bool = False,
        judged: Iterable[JudgedAct] = (),
    ) -> None:
        self._tracker = tracker
        self._inbox = inbox
        self._card_updater = card_updater
        self.judged: deque[JudgedAct] = deque(judged, maxlen=MAX_HEARD)
        self._refused: dict[str, tuple[Refusal, datetime]] = {}
        self.reminded = reminded
        self.replacement: LifecycleRequest | None = None
        self._alarm: asyncio.Task[None] | None = None

    async def until_decided(self) -> bool:
        """Wait until the request waits no longer; false says that a new run is to go on waiting."""
        state = self._tracker.state
        expires_at = state.expires_at or workflow.now()
        wait = _wait(state)
        self._inbox.hear_first((state.requester, *(state.policy.approvers if state.policy else ())))
        if wait <= _SHORT_WAIT:
            self.reminded = True
        while self._tracker.state.status is RequestStatus.WAITING:
            if workflow.cancellation_reason() is not None:
                # Delivered while the card was being posted, and swallowed by its end.
                raise asyncio.CancelledError
            received = self._inbox.take(expires_at, wait)
            next_moment = expires_at
            if not self.reminded:
                next_moment = state.requested_at + _REMIND_AFTER * wait
            if received is not None:
                await self.judge(received)
            elif workflow.now() >= expires_at:
                self._tracker.change(status=RequestStatus.EXPIRED)
            elif workflow.now() >= next_moment:
                self.reminded = True
                self._card_updater.redraw(ThreadEntry(key="reminder", kind=ThreadKind.REMINDER))
            elif self._needs_new_run():
                return False
            else:
                await self._next_message(next_moment - workflow.now())
        return True

    def _needs_new_run(self) -> bool:
        """Say whether the history has grown so long that the request goes on in a new run.

        Only while nothing is under way, for Temporal tells what runs below a workflow to end when
        it continues as new, and all that came is judged; and never before something has come, or
        nothing else would be done.
        """
        return (
            self._inbox.was_reached
            and not self._inbox
            and self._card_updater.is_idle
            and limits.history_is_long()
        )

    async def judge(self, received: Received) -> Instruction | None:
        """Judge one message, at whatever time of the request's life it comes.

        Returns:
            An instruction that counts, and is for the operation.
        """
        message = received.message
        if isinstance(message, Instruction):
            return await self._judge_instruction(message)
        await self._judge_decision(message, received)
        return None

    async def _judge_decision(self, message: Decision, received: Received) -> None:
        if any(message.decision_id == d.decision_id for d in self._tracker.state.decisions):
            return
        self._expire_before(received)
        judged = _as_judged(message)
        refusal = policy.refusal_at_the_door(self._tracker.state, judged)
        if refusal is not None and self._came_too_late(received):
            refusal = Refusal(code=RefusalCode.TOO_LATE)
        if refusal is None:
            refusal = self._refusal_without_look_up(judged)
        person = None
        if refusal is None:
            person, refusal = await self._looked_up(judged)
        if refusal is None and message.choice is Choice.APPROVE:
            # What stops something wins over what was being verified when it came.
            await self._judge_what_stops()
            refusal = policy.refusal_at_the_door(self._tracker.state, judged)
        if refusal is None and person is not None:
            self._count(message, person, received.replacement)
            self._note(message, None)
        elif refusal is not None:
            self._refuse(message, message.approver_id, refusal)

    async def _judge_what_stops(self) -> None:
        """Judge the cancels and rejections that have come in."""
        while (received := self._inbox.take_what_stops()) is not None:
            await self.judge(received)

    async def _next_message(self, wait: timedelta) -> None:
        if releases.judges_itself():
            await self._next_message_or_alarm(wait)
            return
        try:
            await workflow.wait_condition(
                lambda: bool(self._inbox) or self._needs_new_run(),
                timeout=wait,
                timeout_summary="reminder or expiry",
            )
        except TimeoutError:
            return

    async def _next_message_or_alarm(self, wait: timedelta) -> None:
        """Wait by one timer, however many messages come before it; it ends with the workflow."""
        if self._alarm is None or self._alarm.done():
            self._alarm = asyncio.create_task(workflow.sleep(wait, summary="reminder or expiry"))
        alarm = self._alarm
        await workflow.wait_condition(
            lambda: bool(self._inbox) or self._needs_new_run() or alarm.done()
        )

    def _expire_before(self, received: Received) -> None:
        state = self._tracker.state
        if state.status is not RequestStatus.WAITING or state.expires_at is None:
            return
        if received.is_late(state.expires_at, _wait(state)):
            self._tracker.change(status=RequestStatus.EXPIRED)

    def _came_too_late(self, received: Received) -> bool:
        """Tell whether a click was made in time, and nobody took it up until long after.

        One that was on its way when the time ran out has only come after the deadline.
        """
        state, expires_at = self._tracker.state, self._tracker.state.expires_at
        return (
            state.status is RequestStatus.EXPIRED
            and expires_at is not None
            and received.at >= expires_at + _wait(state)
            and received.was_sent_before(expires_at)
        )

    def _refusal_without_look_up(self, decision: Decision) -> Refusal | None:
        """Refuse at no cost whom no look-up could help: Slack answers few of them a minute."""
        if not limits.hold():
            return None
        refusal = policy.refusal_without_look_up(self._tracker.state, decision)
        if refusal is not None:
            return refusal
        known, until = self._refused.get(decision.approver_id, (None, workflow.now()))
        return known if workflow.now() < until else None

    def _remember(self, user_id: str, refusal: Refusal | None) -> None:
        """Keep for seconds what was found out about a person who may not decide."""
        if refusal is None or refusal.code not in _KNOWN_FOR_A_MOMENT:
            return
        if len(self._refused) >= _MOST_KNOWN:
            self._refused.clear()
        until = workflow.now() + timedelta(seconds=limits.LIMITS.quiet_seconds)
        self._refused[user_id] = (refusal, until)

    async def _judge_instruction(self, instruction: Instruction) -> Instruction | None:
        refusal = self._refusal_of_instruction(instruction)
        if refusal is None:
            refusal = await look_ups.refusal_of_sender(instruction)
            # Meanwhile the operation may have gone on.
            refusal = refusal or self._refusal_of_instruction(instruction)
        if refusal is not None:
            self._refuse(instruction, instruction.user_id, refusal)
            return None
        self._note(instruction, None)
        if self._tracker.state.status is not RequestStatus.WAITING:
            return instruction
        self._tracker.change(
            status=RequestStatus.CANCELLED,
            cancel_requested_by=instruction.user_id,
            cancel_terminal=policy.named_terminal(instruction),
        )
        return None

    def _refusal_of_instruction(self, instruction: Instruction) -> Refusal | None:
        """Refuse what needs no look-up to be refused."""
        state, is_cancel = self._tracker.state, instruction.intent is Intent.CANCEL
        code = None
        if instruction.request_id != state.request_id:
            code = RefusalCode.WRONG_REQUEST
        elif state.closed or state.status not in _OPEN:
            code = RefusalCode.NOT_OPEN
        elif not is_cancel and (
            state.status is not RequestStatus.NEEDS_PERSON or _is_of_before(instruction, state)
        ):
            code = RefusalCode.NOT_TRYING
        elif not policy.may_cancel(state, instruction.user_id, instruction.team_id):
            code = RefusalCode.NOT_REQUESTER
        elif refused := policy.refusal_of_typed_instruction(state, _as_judged(instruction)):
            code = refused.code
        elif is_cancel and (
            state.status is RequestStatus.NEEDS_PERSON
            or (state.status is RequestStatus.RUNNING and state.cancel_requested_by)
        ):
            code = RefusalCode.PUTTING_BACK
        return None if code is None else Refusal(code=code)

    async def _looked_up(self, decision: Decision) -> tuple[Person | None, Refusal | None]:
        """Find out who decides, and whether the decision may count."""
        person = await look_ups.who_decides(self._tracker.state, decision)
        if person is None:
            return None, Refusal(code=RefusalCode.NOT_VERIFIED)
        refusal = policy.verdict(self._tracker.state, decision, person)
        self._remember(decision.approver_id, refusal)
        return person, refusal

    def _count(
        self, decision: Decision, person: Person, replacement: LifecycleRequest | None
    ) -> None:
        recorded = RecordedDecision(
            decision_id=decision.decision_id,
            approver_id=decision.approver_id,
            choice=decision.choice,
            comment=decision.comment[:MAX_TEXT_LENGTH],
            source=decision.source[:MAX_TEXT_LENGTH],
            decided_at=workflow.now(),
            terminal=policy.named_terminal(decision),
            vote=person.vote,
        )
        self._tracker.change(decisions=(*self._tracker.state.decisions, recorded))
        workflow.logger.info(
            "decision counted",
            extra={
                "request_id": self._tracker.state.request_id,
                "decision_id": recorded.decision_id[:12],
                "choice": str(recorded.choice),
                "user": recorded.approver_id,
                "terminal": recorded.terminal.words if recorded.terminal else "",
            },
        )
        if decision.choice is Choice.REJECT:
            self._tracker.change(status=RequestStatus.REJECTED)
            self.replacement = replacement
        elif policy.quorum_reached(self._tracker.state):
            permit = look_ups.permit_of(self._tracker.state, person)
            self._tracker.change(status=RequestStatus.RUNNING, permit=permit)
        self._card_updater.announce(_entry(recorded))
        if self._tracker.state.status is RequestStatus.WAITING:
            self._card_updater.redraw()

    def _note(self, act: Decision | Instruction, refusal: Refusal | None) -> None:
        """Remember what became of an act: whoever typed it at a terminal asks."""
        act_id = act.decision_id if isinstance(act, Decision) else act.instruction_id
        self.judged.append(JudgedAct(act_id=act_id[:MAX_ID_LENGTH], refusal=refusal))

    def _refuse(self, act: Decision | Instruction, user_id: str, refusal: Refusal) -> None:
        refusal = policy.told_with_its_terminal(refusal, act)
        self._note(act, refusal)
        if names.USER_ID_FORM.fullmatch(user_id):
            self._card_updater.tell(user_id, refusal)


def _as_judged(act: _Act) -> _Act:
    """Give an act as the rules are to see it that says by its source that it was typed.

    To the release before, which read of no terminals, that was a word like any other: a request
    that has judged one so goes on with that, or its history would not replay.
    """
    said = act.terminal is None and is_from_terminal(act.source)
    if said and not releases.knows("terminals-are-judged"):
        return replace(act, source="")
    return act


def _is_of_before(instruction: Instruction, state: RequestState) -> bool:
    """Tell whether it was sealed before anything was put back.

    It did not count then, and does not when whoever has read it in a history sends it again.
    """
    step, sent_at = find_step(state.steps, StepName.PUT_BACK), instruction.sent_at
    if not releases.judges_itself() or not instruction.seal or sent_at is None:
        return False
    return step is not None and step.started_at is not None and sent_at < step.started_at


def _wait(state: RequestState) -> timedelta:
    """Say how long people have to decide."""
    return (state.expires_at or workflow.now()) - state.requested_at


def _entry(recorded: RecordedDecision) -> ThreadEntry:
    approved = recorded.choice is Choice.APPROVE
    return ThreadEntry(
        key=f"decision.{recorded.approver_id}.{recorded.choice}",
        kind=ThreadKind.APPROVED if approved else ThreadKind.REJECTED,
        user_id=recorded.approver_id,
        comment=recorded.comment,
        at=recorded.decided_at,
    )
