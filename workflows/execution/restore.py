"""How is a container put back, and what happens when even that fails?

It is tried three times; then people are paged, and it is tried again and again until it
succeeds, a person says to stop, or it can never succeed because the container is gone.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from temporalio import workflow
from temporalio.exceptions import ActivityError, FailureError

from workflows import activity_options, failures
from workflows.card_updates import CardUpdater, RequestTracker
from workflows.execution import steps
from workflows.model.errors import HOPELESS_ERRORS, ErrorType
from workflows.model.names import PROGRESS_SIGNAL
from workflows.model.ports import (
    ContainersPort,
    RestoreInput,
    RestoreResult,
    ThreadEntry,
    ThreadKind,
)
from workflows.model.state import RequestStatus, StepName, StepStatus
from workflows.model.timing import TIMING

_FIRST_PAUSE = timedelta(seconds=15)
_LONGEST_PAUSE = timedelta(minutes=5)
_STARTING = (StepName.START, StepName.PUT_BACK)


class Restore:
    """The compensation of a stop."""

    def __init__(self, tracker: RequestTracker, card_updater: CardUpdater) -> None:
        self._tracker = tracker
        self._card_updater = card_updater
        self._given_up = False

    def give_up(self) -> None:
        """Stop trying, because a person said so."""
        self._given_up = True

    async def run(self) -> None:
        """Put the container back, or leave the request in the state that needs a person."""
        pause, state = _FIRST_PAUSE, self._tracker.state
        # Once a try of ours may have started it, an end since says nothing about people.
        untried = not any(step.started_at for step in state.steps if step.name in _STARTING)
        stopped_at = state.stopped_at if untried else None
        while True:
            now = workflow.now()
            self._tracker.change(
                steps=steps.begin(self._tracker.state.steps, StepName.PUT_BACK, now)
            )
            try:
                result = await self._try(stopped_at)
            except ActivityError as error:
                kind = failures.error_type(error)
            else:
                self._succeed(result)
                return
            await self._fail(kind)
            if kind in HOPELESS_ERRORS or await self._told_to_stop(pause):
                return
            pause, stopped_at = min(2 * pause, _LONGEST_PAUSE), None

    async def _try(self, stopped_at: datetime | None) -> RestoreResult:
        grace = self._tracker.state.grace_seconds
        return await workflow.execute_activity_method(
            ContainersPort.ensure_running,
            RestoreInput(
                pin=self._tracker.pin, settle_seconds=TIMING.settle(grace), stopped_at=stopped_at
            ),
            **activity_options.start(self._tracker.host, grace, summary="put it back"),
        )

    def _succeed(self, result: RestoreResult) -> None:
        state, now = self._tracker.state, workflow.now()
        note = _note(result)
        self._tracker.change(
            status=RequestStatus.PUT_BACK,
            steps=steps.end(state.steps, StepName.PUT_BACK, StepStatus.DONE, now, note=note),
        )
        if self._tracker.pin.state.is_down and not result.state.is_down:
            # Nothing of ours starts what rested: that is somebody's wish, and no way back.
            self._tracker.change(
                status=RequestStatus.STALE,
                cause=ErrorType.CONTAINER_CHANGED,
                cause_text=f"it is {result.state} now, and was {self._tracker.pin.state}",
            )

    async def _fail(self, kind: ErrorType) -> None:
        state, now = self._tracker.state, workflow.now()
        first = state.status is not RequestStatus.NEEDS_PERSON
        self._tracker.change(
            status=RequestStatus.NEEDS_PERSON,
            attempts=state.attempts + activity_options.RESTORE_TRIES,
            steps=steps.fail(state.steps, StepName.PUT_BACK, kind, now),
        )
        if first:
            self._card_updater.redraw(ThreadEntry(key="page", kind=ThreadKind.PAGE, at=now))
            await self._tell_parent()

    async def _tell_parent(self) -> None:
        parent = workflow.info().parent
        if parent is None:
            return
        handle: workflow.ExternalWorkflowHandle[Any] = workflow.get_external_workflow_handle(
            parent.workflow_id, run_id=parent.run_id
        )
        try:
            await handle.signal(PROGRESS_SIGNAL, self._tracker.state)
        except FailureError:
            workflow.logger.warning("the request's workflow is gone")

    async def _told_to_stop(self, pause: timedelta) -> bool:
        try:
            await workflow.wait_condition(
                lambda: self._given_up,
                timeout=pause,
                timeout_summary="before the next try to put the container back",
            )
        except TimeoutError:
            return False
        return True


def _note(result: RestoreResult) -> str:
    health = {None: "", True: ", healthy", False: ", not healthy"}[result.healthy]
    if result.started:
        return f"started again{health}"
    return f"it was still {result.state}{health}"
