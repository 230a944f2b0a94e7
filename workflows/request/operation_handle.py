"""How does a request follow its operation, and what if the operation is ended from outside?

A terminated operation cannot put anything back. Its request sees the end, and starts the
operation once more, only to put the container back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import replace
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.exceptions import (
    ActivityError,
    FailureError,
    WorkflowAlreadyStartedError,
)
from temporalio.workflow import ChildWorkflowCancellationType, ParentClosePolicy

from workflows import activity_options
from workflows.card_updates import RequestTracker
from workflows.execution.saga import shielded
from workflows.execution.workflow import OperateInput
from workflows.model import names, policy, words
from workflows.model.errors import ErrorType
from workflows.model.ports import LastState, LastStateInput, ThreadEntry, VisibilityPort
from workflows.model.requests import Instruction, Intent
from workflows.model.state import RequestState, RequestStatus
from workflows.model.terminal import Terminal
from workflows.model.timing import WORKFLOW_TASK_SECONDS
from workflows.operations import catalog

#: How often an operation that was ended from outside is started again to put the container back.
_RECOVERIES = 3


class OperationHandle:
    """The operation of an approved request: it is begun, told what people want, and heard out."""

    def __init__(self, tracker: RequestTracker) -> None:
        self._tracker = tracker
        self._operation: workflow.ChildWorkflowHandle[Any, RequestState] | None = None
        self._begun = 0
        self._cancelled = False
        self._messages: list[asyncio.Task[None]] = []

    @property
    def is_over(self) -> bool:
        """Whether what was begun last has ended, however it did."""
        return self._operation is None or self._operation.done()

    def carry_out(self, instruction: Instruction) -> None:
        """Do what somebody wants who may want it."""
        match instruction.intent:
            case Intent.CANCEL:
                self.cancel(instruction.user_id, policy.named_terminal(instruction))
            case Intent.STOP_TRYING:
                self._stop_trying(instruction.user_id, policy.named_terminal(instruction))
            case Intent.TRY_NOW:
                self._try_now()

    def cancel(self, user_id: str, terminal: Terminal | None = None) -> None:
        """Cancel after the current step.

        When a person is needed, it is being put back already, and a cancel never ends that.
        """
        operation = self._operation
        if operation is None or self._tracker.state.status is RequestStatus.NEEDS_PERSON:
            return
        if not self._cancelled:
            self._cancelled = True
            self._tracker.change(cancel_requested_by=user_id, cancel_terminal=terminal)
            if user_id:
                told = [user_id] if terminal is None else [user_id, terminal]
                self._send(operation.signal(names.CANCEL_SIGNAL, args=told))
            # Not through its handle: that fails the task in which it is found terminated.
            run_id = operation.first_execution_run_id
            self._send(workflow.get_external_workflow_handle(operation.id, run_id=run_id).cancel())

    def take_progress(self, told: RequestState) -> None:
        """Take over that a person is needed; nothing else is taken from a message."""
        if (
            self._operation is not None
            and told.request_id == self._tracker.state.request_id
            and told.status is RequestStatus.NEEDS_PERSON
        ):
            self._tracker.change(
                status=told.status,
                steps=told.steps,
                cause=told.cause,
                cause_text=told.cause_text,
                attempts=told.attempts,
                card=told.card,
                paged=told.paged,
                seen=told.seen,
                tried_at=told.tried_at,
                next_try_at=told.next_try_at,
                renamed=told.renamed,
                dependents=told.dependents,
            )
            upsert_status(self._tracker.state)

    async def begin(self, thread: tuple[ThreadEntry, ...]) -> bool:
        """Start it, or once it was begun, start it only to put back what it has left.

        Returns:
            Whether it is at work; if not, the state says why not.
        """
        recover = self._begun > 0
        if self._begun > _RECOVERIES:
            self._tracker.change(status=RequestStatus.NEEDS_PERSON, cause=ErrorType.UNEXPECTED)
            return False
        self._begun += 1
        arg = OperateInput(state=self._tracker.state, recover=recover, thread=thread)
        try:
            await self._start_and_pass_on_cancels(arg)
        except WorkflowAlreadyStartedError:
            self._tracker.change(
                # After a first operation nobody may say that nothing was changed.
                status=RequestStatus.NEEDS_PERSON if recover else RequestStatus.STALE,
                cause=ErrorType.STATE_CONFLICT if recover else ErrorType.CONTAINER_CHANGED,
                cause_text=words.ANOTHER_AT_WORK,
            )
            return False
        return True

    async def outcome(self) -> RequestState:
        """Wait for its last state.

        Raises:
            ChildWorkflowError: it was ended from outside.
        """
        assert self._operation is not None  # noqa: S101 - only what was begun is waited for
        if self._messages:
            await workflow.wait(self._messages)
        return await self._operation

    async def was_over_when_ended(self) -> bool:
        """Take over how far it had come that was ended from outside; true says that it was over.

        Whoever cancels meanwhile gets what is under way already: the container put back.
        """
        workflow.logger.error("the operation was ended from outside")
        self._cancelled = False
        last = await shielded(self._last_state())
        self._tracker.change_to(last)
        return last.closed and last.status is not RequestStatus.RUNNING

    async def _start_and_pass_on_cancels(self, arg: OperateInput) -> None:
        """Start the operation, and pass on a cancel that came meanwhile.

        The SDK ends the wait for a start at once, although the operation may have started: then
        nobody would follow it.
        """
        cancels = 0

        def count() -> None:
            nonlocal cancels
            cancels += 1

        self._operation = await shielded(self._start(arg), on_cancel=count)
        if cancels:
            self.cancel("")

    async def _last_state(self) -> RequestState:
        """Ask the ended operation how far it had come; without an answer, fear the worst.

        The last of its runs is asked, for its tries may have gone on in a new one.
        """
        try:
            answer = await workflow.execute_activity_method(
                VisibilityPort.last_state,
                LastStateInput(workflow_id=self._tracker.state.operation_workflow_id, run_id=""),
                **activity_options.ask_temporal(),
            )
        except ActivityError:
            answer = LastState()
        told = answer.state
        if told is None or told.request_id != self._tracker.state.request_id:
            return replace(self._tracker.state, steps=())
        return told

    async def _start(self, arg: OperateInput) -> workflow.ChildWorkflowHandle[Any, RequestState]:
        state = self._tracker.state
        workflow_id = names.operation_workflow_id(
            self._tracker.host, self._tracker.pin.container_id
        )
        self._tracker.change(operation_workflow_id=workflow_id)
        return await workflow.start_child_workflow(
            names.OPERATION_WORKFLOW,
            arg,
            result_type=RequestState,
            id=workflow_id,
            task_timeout=timedelta(seconds=WORKFLOW_TASK_SECONDS),
            cancellation_type=ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
            parent_close_policy=ParentClosePolicy.REQUEST_CANCEL,
            search_attributes=names.request_attributes(
                host=self._tracker.host,
                container=state.container.name,
                requester=state.requester,
                request_id=state.request_id,
            ),
            static_summary=(
                f"{catalog.words_of(state.operation)} {names.indexed_name(state.container.name)} "
                f"on {state.container.host}"
            ),
        )

    def _stop_trying(self, user_id: str, terminal: Terminal | None) -> None:
        """End the tries to put the container back.

        The operation asks this request whether it is so, and finds ``stop_trying_by``.
        """
        if self._operation is not None and not self._tracker.state.stop_trying_by:
            self._tracker.change(stop_trying_by=user_id, stop_trying_terminal=terminal)
            self._send(self._operation.signal(names.GIVE_UP_SIGNAL))

    def _try_now(self) -> None:
        """Have the next try made at once.

        The operation asks this request whether it is so, and finds ``tries_asked``.
        """
        if self._operation is not None:
            self._tracker.change(tries_asked=self._tracker.state.tries_asked + 1)
            self._send(self._operation.signal(names.TRY_NOW_SIGNAL))

    def _send(self, message: Coroutine[Any, Any, None]) -> None:
        async def send() -> None:
            try:
                await message
            except FailureError:
                workflow.logger.info("the operation has ended before the message came")

        self._messages.append(asyncio.create_task(send()))


def upsert_status(state: RequestState) -> None:
    """Let people filter Temporal's list by what became of requests."""
    workflow.upsert_search_attributes([names.STATUS.value_set(state.status)])
