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
    ChildWorkflowError,
    FailureError,
    WorkflowAlreadyStartedError,
)
from temporalio.workflow import ChildWorkflowCancellationType, ParentClosePolicy

from workflows import activity_options
from workflows.card_updates import RequestTracker
from workflows.execution.saga import shielded
from workflows.execution.workflow import OperateInput
from workflows.model import names, words
from workflows.model.errors import ErrorType
from workflows.model.ports import LastState, LastStateInput, ThreadEntry, VisibilityPort
from workflows.model.state import RequestState, RequestStatus
from workflows.model.timing import WORKFLOW_TASK_SECONDS
from workflows.operations import catalog
from workflows.request.inbox import Inbox
from workflows.request.review import Review

#: How often an operation that was ended from outside is started again to put the container back.
_RECOVERIES = 3


class OperationHandle:
    """Runs the operation of an approved request to its end."""

    def __init__(self, tracker: RequestTracker, inbox: Inbox) -> None:
        self._tracker = tracker
        self._inbox = inbox
        self._operation: workflow.ChildWorkflowHandle[Any, RequestState] | None = None
        self._cancelled = False
        self._messages: list[asyncio.Task[None]] = []

    def cancel(self, user_id: str) -> None:
        """Cancel after the current step.

        When a person is needed, it is being put back already, and a cancel never ends that.
        """
        operation = self._operation
        if operation is None or self._tracker.state.status is RequestStatus.NEEDS_PERSON:
            return
        if not self._cancelled:
            self._cancelled = True
            self._tracker.change(cancel_requested_by=user_id)
            if user_id:
                self._send(operation.signal(names.CANCEL_SIGNAL, user_id))
            # Not through its handle: that fails the task in which it is found terminated.
            run_id = operation.first_execution_run_id
            self._send(workflow.get_external_workflow_handle(operation.id, run_id=run_id).cancel())

    def stop_trying(self, user_id: str) -> None:
        """End the tries to put the container back.

        The operation asks this request whether it is so, and finds ``stop_trying_by``.
        """
        if self._operation is not None and not self._tracker.state.stop_trying_by:
            self._tracker.change(stop_trying_by=user_id)
            self._send(self._operation.signal(names.GIVE_UP_SIGNAL))

    def try_now(self) -> None:
        """Have the next try made at once."""
        if self._operation is not None:
            self._send(self._operation.signal(names.TRY_NOW_SIGNAL))

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

    async def run(self, review: Review, thread: tuple[ThreadEntry, ...]) -> bool:
        """Operate; false says that the outcome is still to be shown by the request itself."""
        for recovery in range(_RECOVERIES + 1):
            arg = OperateInput(state=self._tracker.state, recover=recovery > 0, thread=thread)
            try:
                operation = await self._begin(arg)
            except WorkflowAlreadyStartedError:
                self._tracker.change(
                    # After a first operation nobody may say that nothing was changed.
                    status=RequestStatus.NEEDS_PERSON if recovery else RequestStatus.STALE,
                    cause=ErrorType.STATE_CONFLICT if recovery else ErrorType.CONTAINER_CHANGED,
                    cause_text=words.ANOTHER_AT_WORK,
                )
                return False
            try:
                outcome = await shielded(
                    self._follow(operation, review),
                    on_cancel=lambda: self.cancel(""),
                )
            except ChildWorkflowError:
                workflow.logger.error("the operation was ended from outside")
                self._cancelled = False
                # Whoever cancels now gets what is under way already: the container put back.
                last = await shielded(self._last_state(operation))
                self._tracker.change_to(last)
                if last.closed and last.status is not RequestStatus.RUNNING:
                    return False
                continue
            self._tracker.change_to(outcome)
            return True
        self._tracker.change(status=RequestStatus.NEEDS_PERSON, cause=ErrorType.UNEXPECTED)
        return False

    async def _begin(self, arg: OperateInput) -> workflow.ChildWorkflowHandle[Any, RequestState]:
        """Start the operation, and pass on a cancel that came meanwhile.

        The SDK ends the wait for a start at once, although the operation may have started: then
        nobody would follow it.
        """
        cancels = 0

        def count() -> None:
            nonlocal cancels
            cancels += 1

        operation = await shielded(self._start(arg), on_cancel=count)
        self._operation = operation
        if cancels:
            self.cancel("")
        return operation

    async def _last_state(
        self, operation: workflow.ChildWorkflowHandle[Any, RequestState]
    ) -> RequestState:
        """Ask the ended operation how far it had come; without an answer, fear the worst.

        The last of its runs is asked, for its tries may have gone on in a new one.
        """
        try:
            answer = await workflow.execute_activity_method(
                VisibilityPort.last_state,
                LastStateInput(workflow_id=operation.id, run_id=""),
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

    async def _follow(
        self,
        operation: workflow.ChildWorkflowHandle[Any, RequestState],
        review: Review,
    ) -> RequestState:
        while not operation.done():
            await workflow.wait_condition(lambda: operation.done() or bool(self._inbox))
            await review.judge_all()
        if self._messages:
            await workflow.wait(self._messages)
        return await operation

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
