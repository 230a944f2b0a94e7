"""How is a container put back, and what happens when even that fails?

After a few tries in quick succession people are paged, and it is tried again and again until it
succeeds, a person says to stop, or it can never succeed because the container, or one that it
cannot start without, is gone for good.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NoReturn

from temporalio import workflow
from temporalio.exceptions import ActivityError, FailureError

from workflows import activity_options, failures
from workflows.card_updates import CardUpdater, RequestTracker
from workflows.execution import steps
from workflows.model import limits, words
from workflows.model.errors import HOPELESS_ERRORS, ErrorType
from workflows.model.names import PROGRESS_SIGNAL
from workflows.model.ports import ContainersPort, ThreadEntry, ThreadKind
from workflows.model.start_ports import RestoreInput, RestoreResult
from workflows.model.state import RequestState, RequestStatus, StepName, StepStatus, find_step
from workflows.model.timing import TIMING
from workflows.operations import catalog

#: Between the tries before people are paged: a port is freed, an engine comes back.
_QUICK_PAUSES = (timedelta(seconds=2), timedelta(seconds=6))
#: After it: who mends something by hand hears of it soon; an outage of days fills no history.
_PAUSES = (timedelta(seconds=15), *(timedelta(seconds=30),) * 20)
_LONGEST_PAUSE = timedelta(minutes=5)
_STARTING = (StepName.START, StepName.PUT_BACK)


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreProgress:
    """How far the tries have come; ``stopped_at`` is as in :class:`RestoreInput`.

    ``asked_to_stop`` says that something came in about which the request is still to be asked.
    """

    tries: int = 0
    stopped_at: datetime | None = None
    asked_to_stop: bool = False


class Restore:
    """The compensation of a stop, and of a start.

    ``new_run`` goes on in a new run of the operation, with an empty history. ``ask`` asks the
    request where it stands.
    """

    def __init__(
        self,
        tracker: RequestTracker,
        card_updater: CardUpdater,
        new_run: Callable[[RestoreProgress, tuple[ThreadEntry, ...]], NoReturn],
        ask: Callable[[], Awaitable[RequestState | None]],
    ) -> None:
        self._tracker = tracker
        self._card_updater = card_updater
        self._new_run = new_run
        self._ask = ask
        self._resumed: RestoreProgress | None = None
        self._asked_to_stop = False
        self._told: RequestState | None = None
        self._hurried = False

    def resume(self, progress: RestoreProgress) -> None:
        """Take up the tries where the run before has left them."""
        self._resumed = progress

    def give_up(self, told: RequestState | None = None) -> None:
        """Stop trying, for whoever the request has told; without that it is asked."""
        self._asked_to_stop, self._told = True, told

    def hurry(self) -> None:
        """Make the next try at once."""
        self._hurried = True

    async def run(self) -> None:
        """Put the container back, or leave the request in the state that needs a person."""
        state = self._tracker.state
        begun = self._resumed or _first_progress(state)
        stopped_at, tries = begun.stopped_at, begun.tries
        worker_within = activity_options.PAGE_WITHIN
        if not tries and state.cause is ErrorType.WORKER_UNAVAILABLE:
            # It was waited for already, and the container may be down since.
            worker_within = activity_options.HOST_ANSWERS_WITHIN
        while True:
            self._begin()
            try:
                result = await self._try(stopped_at, worker_within)
            except ActivityError as error:
                failed = error
            else:
                self._succeed(result)
                return
            tries, worker_within = tries + 1, activity_options.PAGE_WITHIN
            kind, pause = failures.error_type(failed), _pause(tries)
            if failures.may_have_touched(failed):
                stopped_at = None
            hopeless = kind in HOPELESS_ERRORS
            self._note(failed, None if hopeless else pause)
            if hopeless or kind is ErrorType.WORKER_UNAVAILABLE or tries > len(_QUICK_PAUSES):
                await self._page(kind, failures.error_text(failed))
            if hopeless or await self._told_to_stop(pause):
                return
            if limits.history_is_long():
                thread = await self._card_updater.hand_over()
                progress = RestoreProgress(
                    tries=tries, stopped_at=stopped_at, asked_to_stop=self._asked_to_stop
                )
                self._new_run(progress, thread)

    def _begin(self) -> None:
        state, now = self._tracker.state, workflow.now()
        if state.status is not RequestStatus.NEEDS_PERSON:
            self._tracker.change(steps=steps.begin(state.steps, StepName.PUT_BACK, now))
        self._tracker.change(tried_at=now, next_try_at=None)

    async def _try(
        self, stopped_at: datetime | None, worker_within: timedelta, *, look_only: bool = False
    ) -> RestoreResult:
        state = self._tracker.state
        grace = state.grace_seconds
        settle = TIMING.settle(grace)
        if state.started_by_us:
            is_known = find_step(state.steps, StepName.START) is not None
            unheard = not is_known or steps.may_be_at_work(state.steps, StepName.START)
            settle = TIMING.start_http if unheard else 0
        return await workflow.execute_activity_method(
            ContainersPort.ensure_running,
            RestoreInput(
                pin=self._tracker.pin,
                settle_seconds=settle,
                stopped_at=stopped_at,
                look_only=look_only,
                started_by_us=state.started_by_us,
                started_at=state.started_at,
                grace_seconds=grace,
                permit=state.permit,
            ),
            **activity_options.restore(self._tracker.host, grace, worker_within=worker_within),
        )

    def _succeed(self, result: RestoreResult) -> None:
        state, now = self._tracker.state, workflow.now()
        self._tracker.note_restored(result)
        status = RequestStatus.PUT_BACK
        if _did_all_that_was_asked(state):
            # The snapshot is there, and the container runs again, only later than planned.
            status = RequestStatus.SUCCEEDED
            self._tracker.change(cause=None, cause_text="")
        down = steps.down_seconds(state, result)
        rested = self._tracker.pin.state.is_down
        note = words.restore_note(result, ran_anew=down is not None, rested=rested)
        self._tracker.change(
            status=status,
            steps=steps.end(state.steps, StepName.PUT_BACK, StepStatus.DONE, now, note=note),
            next_try_at=None,
            down_seconds=down,
            moved_ports=result.moved_ports,
        )
        if self._tracker.pin.state.is_down and not result.state.is_down:
            # Nothing of ours starts what rested: that is somebody's wish, and no way back.
            self._tracker.change(
                status=RequestStatus.STALE,
                cause=ErrorType.CONTAINER_CHANGED,
                cause_text=words.changed(result.state, self._tracker.pin.state),
            )

    def _note(self, error: ActivityError, pause: timedelta | None) -> None:
        state, now = self._tracker.state, workflow.now()
        self._tracker.change(
            attempts=state.attempts + 1,
            seen=failures.sighting(error, now),
            next_try_at=None if pause is None else now + pause,
        )
        self._tracker.note_name(failures.name_seen(error))

    async def _page(self, kind: ErrorType, note: str) -> None:
        """Call for help, once; after that only show how it stands."""
        state, now = self._tracker.state, workflow.now()
        self._tracker.change(
            status=RequestStatus.NEEDS_PERSON,
            steps=steps.fail(state.steps, StepName.PUT_BACK, kind, now, note=note),
            paged=True,
        )
        if state.paged:
            self._card_updater.redraw()
            return
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
        """Wait for the next try; true says that there will be none."""
        try:
            await workflow.wait_condition(
                lambda: self._asked_to_stop or self._hurried,
                timeout=pause,
                timeout_summary="before the next try to put the container back",
            )
        except TimeoutError:
            return False
        self._hurried = False
        if not self._asked_to_stop:
            return False
        self._asked_to_stop = False
        return await self._stop_trying()

    async def _stop_trying(self) -> bool:
        """End the tries, if the request confirms it; but see first whether it is back after all."""
        told = self._told or await self._ask()
        if told is None:
            # Nobody could say: it is asked again after the next try.
            self._asked_to_stop = True
            return False
        if not told.stop_trying_by:
            workflow.logger.warning("told to stop trying, but not by the request: going on")
            return False
        try:
            result = await self._try(None, activity_options.HOST_ANSWERS_WITHIN, look_only=True)
        except ActivityError as error:
            now = workflow.now()
            seen = failures.sighting(error, now) or self._tracker.state.seen
            self._tracker.change(
                stop_trying_by=told.stop_trying_by,
                stop_trying_terminal=told.stop_trying_terminal,
                next_try_at=None,
                seen=seen,
            )
            self._tracker.note_name(failures.name_seen(error))
            user_id = told.stop_trying_by
            entry = ThreadEntry(key="given-up", kind=ThreadKind.GIVEN_UP, user_id=user_id, at=now)
            # Now, and not when the images are tidied: somebody waits to take over.
            self._card_updater.redraw(entry)
        else:
            self._succeed(result)
        return True


def _first_progress(state: RequestState) -> RestoreProgress:
    # Once a try of ours may have started it, an end since says nothing about people.
    untried = not any(step.started_at for step in state.steps if step.name in _STARTING)
    return RestoreProgress(stopped_at=state.stopped_at if untried else None)


def _did_all_that_was_asked(state: RequestState) -> bool:
    made = state.snapshot is not None and bool(state.snapshot.reference)
    is_made = made or not catalog.makes_image(state.operation)
    return is_made and not state.cancel_requested_by and _failed_on_the_way_back(state)


def _failed_on_the_way_back(state: RequestState) -> bool:
    start = find_step(state.steps, StepName.START)
    if start is None or start.status is not StepStatus.FAILED:
        return False
    return catalog.step_of(StepName.START, state.operation, state.pin).is_way_back


def _pause(tries: int) -> timedelta:
    """Say how long to wait after so many tries."""
    pauses = (*_QUICK_PAUSES, *_PAUSES)
    return pauses[tries - 1] if tries <= len(pauses) else _LONGEST_PAUSE
