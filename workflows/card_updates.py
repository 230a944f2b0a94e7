"""How do people see a workflow's progress without the progress waiting for it?

The card is drawn beside the work: a redraw that is due while another is under way joins the
next one, so that Slack's limit on updates holds however fast the steps are.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from temporalio import workflow
from temporalio.exceptions import ActivityError, WorkflowAlreadyStartedError

from workflows import activity_options
from workflows.failures import error_type
from workflows.local_first import local_first
from workflows.model import limits, names
from workflows.model.dependents import with_newcomers
from workflows.model.ports import (
    MessagesPort,
    Notice,
    NotifyInput,
    PublishInput,
    ThreadEntry,
    ThreadKind,
)
from workflows.model.requests import ContainerPin
from workflows.model.start_ports import RestoreResult
from workflows.model.state import Refusal, RequestState, RequestStatus

#: Slack allows about 50 updates a minute for all cards together.
_REDRAW_EVERY = timedelta(seconds=2)
#: What is done sooner is not worth a card of its own: its end is the next that people see.
_QUIET = timedelta(seconds=1)
#: The last card is drawn within a workflow task if it takes no longer than a second. What Slack was
#: sent by then is waited for: cut off, a reply could come again.
_LAST_WITHIN = timedelta(seconds=10)
#: It mostly takes less.
_LAST_TAKES = timedelta(milliseconds=700)
#: So long is waited at most before a call for help that was refused is made again: a refusal costs
#: no time, and the history has room for 50,000 events.
_CALL_AGAIN_WITHIN = timedelta(minutes=1)


class RequestTracker:
    """Holds the state of one request; every change is a new revision."""

    def __init__(self, state: RequestState) -> None:
        self.state = state

    @property
    def pin(self) -> ContainerPin:
        """The exact container; only a planned request has one."""
        assert self.state.pin is not None  # noqa: S101 - nothing unplanned is operated on
        return self.state.pin

    @property
    def host(self) -> str:
        """The host of the container."""
        return self.state.container.host

    def change(self, **fields: Any) -> None:  # noqa: ANN401 - names are checked by replace
        """Replace fields of the state."""
        self.state = replace(self.state, revision=self.state.revision + 1, **fields)
        workflow.set_current_details(describe(self.state))

    def note_name(self, name: str) -> None:
        """Remember what the engine calls the container now; ``""`` says nothing."""
        renamed = "" if name == self.state.container.name else name
        if name and renamed != self.state.renamed:
            self.change(renamed=renamed)

    def note_restored(self, result: RestoreResult) -> None:
        """Remember what else was seen when the container was brought back."""
        self.note_name(result.name)
        dependents = with_newcomers(self.state.dependents, result.users)
        if dependents != self.state.dependents:
            self.change(dependents=dependents)

    def change_to(self, state: RequestState) -> None:
        """Take over the state that another workflow of the same request ended with."""
        self.state = replace(state, operation_workflow_id=self.state.operation_workflow_id)
        workflow.set_current_details(describe(self.state))


def describe(state: RequestState) -> str:
    """Describe the state in a few lines of Markdown; only names and ids, never user text."""
    name = names.indexed_name(state.name_now)
    lines = [f"**{state.status}** · `{name}` on `{state.container.host}`"]
    if state.status is RequestStatus.WAITING and state.policy and state.expires_at:
        approvals = f"{len(state.approvals)} of {state.policy.required_approvals} approvals"
        until = f"until {state.expires_at:%Y-%m-%d %H:%M:%S} UTC"
        lines.append(f"{approvals} by policy `{state.policy.name}`, {until}")
    lines += [f"- {step.name}: {step.status}" for step in state.steps]
    if state.refusal is not None:
        lines.append(f"refused: {state.refusal.code}")
    if state.cause is not None:
        lines.append(f"cause: {state.cause}")
    if state.attempts:
        lines.append(f"tries to put it back: {state.attempts}")
    return "\n".join(lines)


class CardUpdater:
    """Shows one request: its card, the thread, and private notices.

    ``told_so_far`` is how many private notices were sent before. ``starts_quiet`` is for an
    operation: it shows nothing of what is done within a second but the outcome, and that
    within the workflow task in which it is known, for then there is nothing left to be told.
    """

    def __init__(
        self, tracker: RequestTracker, *, told_so_far: int = 0, starts_quiet: bool = False
    ) -> None:
        self._tracker = tracker
        self._entries: list[ThreadEntry] = []
        self._notices: list[Notice] = []
        self.told_so_far = told_so_far
        self._untold = 0
        self._quiet: dict[tuple[str, str], datetime] = {}
        self._drawing: asyncio.Task[None] | None = None
        self._telling: asyncio.Task[None] | None = None
        self._due = False
        self._closing = False
        self._ends_at_once = self._is_quiet = starts_quiet

    @property
    def is_quiet(self) -> bool:
        """Whether nothing is shown yet, for all may be over in a moment."""
        return self._is_quiet

    @property
    def is_idle(self) -> bool:
        """Whether nothing is on its way to Slack, and nothing waits for it."""
        return not (self._entries or self._notices) and all(
            task is None or task.done() for task in (self._drawing, self._telling)
        )

    def redraw(self, *entries: ThreadEntry) -> None:
        """Draw the card soon, and add replies to its thread."""
        self._entries.extend(entries)
        self._due = True
        if self._drawing is None or self._drawing.done():
            self._drawing = asyncio.create_task(self._draw_while_due())

    def announce(self, entry: ThreadEntry) -> None:
        """Add a reply to the thread with the next drawing, whoever makes it."""
        self._entries.append(entry)

    def tell(self, user_id: str, refusal: Refusal) -> None:
        """Tell one person in private, soon; what was just told is not told again."""
        state = self._tracker.state
        if limits.hold() and not self._is_news(user_id, refusal.code):
            return
        self.told_so_far += 1
        self._notices.append(
            Notice(
                notice_id=f"{state.request_id}.{self.told_so_far}",
                user_id=user_id,
                channel_id=state.channel_id,
                refusal=refusal,
                state=state,
            )
        )
        if self._telling is None or self._telling.done():
            self._telling = asyncio.create_task(self._tell_all())

    def _is_news(self, user_id: str, code: str) -> bool:
        """Say whether a notice is worth its room: not the same once more within seconds."""
        now = workflow.now()
        self._quiet = {told: until for told, until in self._quiet.items() if until > now}
        if (user_id, code) in self._quiet:
            return False
        if len(self._notices) >= limits.LIMITS.told or len(self._quiet) >= limits.LIMITS.inbox:
            self._untold += 1
            if limits.is_worth_a_line(self._untold):
                workflow.logger.warning("notices dropped", extra={"dropped": self._untold})
            return False
        self._quiet[user_id, code] = now + timedelta(seconds=limits.LIMITS.quiet_seconds)
        return True

    async def post(self) -> None:
        """Post the card for the first time.

        Raises:
            ActivityError: Slack refuses it, or was not to be had for ten minutes.
        """
        await self._publish(activity_options.publish_first())

    async def finish(self, *entries: ThreadEntry) -> None:
        """Draw the last state, and wait until everything is shown, or left to another workflow."""
        self._closing = True
        if self._drawing is not None:
            await self._drawing
        self._entries.extend(entries)
        if not await self._draw(activity_options.publish_last(), at_once=self._ends_at_once):
            await leave_last_word(self._tracker.state, tuple(self._entries))
        await self.told()

    def close(self) -> None:
        """Begin no drawing any more but the last one."""
        self._closing = True

    async def hand_over(self) -> tuple[ThreadEntry, ...]:
        """Stop drawing, because another workflow draws from now on; give what is left to it.

        A drawing under way is ended first: coming late, it would hide what the other drew.
        """
        self._closing = True
        if self._drawing is not None and not self._drawing.done():
            self._drawing.cancel()
            await workflow.wait([self._drawing])
        # Whoever draws again must not wait for what was cancelled here.
        self._drawing = None
        entries, self._entries = tuple(self._entries), []
        return entries

    async def told(self) -> None:
        """Wait until every private notice is out."""
        if self._telling is not None:
            await self._telling

    async def _draw_while_due(self) -> None:
        if self._is_quiet:
            await self._keep_quiet()
        pause = _REDRAW_EVERY
        while self._due and not self._closing:
            self._due = False
            if await self._draw(activity_options.publish()) or not self._is_calling():
                pause = _REDRAW_EVERY
            else:
                # A call for help goes out, however often it takes.
                self._due, pause = True, min(2 * pause, _CALL_AGAIN_WITHIN)
            if not self._closing:
                await self._pause(pause)

    async def _keep_quiet(self) -> None:
        """Let a second go by, unless all is over sooner.

        Then the timer is cancelled if it could fire while the last card is drawn: the task in
        which that is done would have to be made anew, and all would seem to have taken longer. If
        not, it is left alone, for that would be one more event, and the workflow ends.
        """
        over_at = workflow.now() + _QUIET
        timer = asyncio.create_task(
            workflow.sleep(_QUIET, summary="before the first drawing of the card")
        )
        await workflow.wait_condition(lambda: self._closing or timer.done())
        if over_at - workflow.now() < _LAST_TAKES:
            timer.cancel()
        self._is_quiet = False

    async def _pause(self, pause: timedelta) -> None:
        try:
            await workflow.wait_condition(
                lambda: self._closing,
                timeout=pause,
                timeout_summary="space between two drawings of the card",
            )
        except TimeoutError:
            return

    async def _draw(self, options: workflow.ActivityConfig, *, at_once: bool = False) -> bool:
        try:
            await self._publish(options, at_once=at_once)
        except ActivityError as error:
            # The card is a view: what is approved goes on, and the next drawing shows it.
            workflow.logger.warning("card not drawn", extra={"error_type": str(error_type(error))})
            return False
        return True

    def _is_calling(self) -> bool:
        return any(entry.kind is ThreadKind.PAGE for entry in self._entries)

    async def _publish(self, options: workflow.ActivityConfig, *, at_once: bool = False) -> None:
        entries, self._entries = tuple(self._entries), []
        arg = PublishInput(state=self._tracker.state, thread=entries)
        try:
            if at_once:
                publish = local_first(MessagesPort.publish, arg, options, within=_LAST_WITHIN)
            else:
                publish = workflow.execute_activity_method(MessagesPort.publish, arg, **options)
            card = await publish
        except ActivityError:
            self._entries = [*entries, *self._entries]
            raise
        self._tracker.change(card=card)

    async def _tell_all(self) -> None:
        while self._notices:
            notices = self._next_notices()
            try:
                await workflow.execute_activity_method(
                    MessagesPort.notify, NotifyInput(notices=notices), **activity_options.notify()
                )
            except ActivityError as error:
                workflow.logger.warning(
                    "people not told", extra={"error_type": str(error_type(error))}
                )

    def _next_notices(self) -> tuple[Notice, ...]:
        """Take as many notices as may go out together, and one at least."""
        taken: list[Notice] = []
        size = 0
        is_bounded = limits.hold()
        while self._notices:
            notice = _brief(self._notices[0])
            size += len(workflow.payload_converter().to_payload(notice).data)
            if taken and is_bounded and size > limits.LIMITS.notice_bytes:
                break
            taken.append(notice)
            del self._notices[0]
        return tuple(taken)


def _brief(notice: Notice) -> Notice:
    """Leave out of a notice's state what its words do not need: a hundred may go out at once."""
    decisions = tuple(replace(d, comment="", source="") for d in notice.state.decisions)
    # Whose request was refused is told so once, and may ask for the same again.
    reason = notice.state.reason if notice.refusal == notice.state.refusal else ""
    brief = replace(notice.state, pin=None, reason=reason, steps=(), decisions=decisions)
    return replace(notice, state=brief)


async def leave_last_word(state: RequestState, thread: tuple[ThreadEntry, ...]) -> None:
    """Leave the last card to a workflow that goes on trying when this one has ended."""
    try:
        await workflow.start_child_workflow(
            names.LAST_WORD_WORKFLOW,
            PublishInput(state=state, thread=thread),
            id=names.last_word_workflow_id(state.request_id),
            parent_close_policy=workflow.ParentClosePolicy.ABANDON,
            static_summary=f"last card of request {state.request_id}",
        )
    except WorkflowAlreadyStartedError:
        workflow.logger.warning("the last card is being drawn already")
