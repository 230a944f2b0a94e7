"""How is a container stopped: when is it its turn, and what if nobody takes it up?

A stop may take as long as its grace, so stops have a queue of their own, in which one may wait
for its turn. Until it is begun nothing was touched, and people are told what it waits for. From
its first attempt on the container may be down: then every wait is short.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError

from workflows import activity_options, failures
from workflows.card_updates import RequestTracker
from workflows.execution.saga import heard_out
from workflows.model import words
from workflows.model.errors import ErrorType
from workflows.model.ports import ContainersPort, StopInput
from workflows.model.queue_ports import QueuePlaceInput, QueuesPort
from workflows.model.state import RequestState, StepStatus, StopResult

#: Between two attempts at a stop; the last of them is repeated by nobody.
_PAUSES = tuple(timedelta(seconds=seconds) for seconds in (1, 2, 4, 8))
#: A worker that is there takes a stop up at once; people need not hear of less.
_ASK_AFTER = timedelta(seconds=5)
_ASK_EVERY = timedelta(seconds=30)


class Stop:
    """The stop of one operation, round after round.

    ``on_place`` hears whether it waits for its turn or is begun; as long as ``is_quiet`` says that
    people see nothing yet, nobody asks. ``touched`` says whether an attempt may have asked the
    engine to change something.
    """

    def __init__(
        self,
        tracker: RequestTracker,
        on_place: Callable[[StepStatus], None],
        is_quiet: Callable[[], bool],
    ) -> None:
        self.touched = False
        self._tracker = tracker
        self._on_place = on_place
        self._is_quiet = is_quiet
        self._no_worker = False

    async def run(self, arg: StopInput) -> StopResult:
        """Stop the container, which may take several attempts.

        Raises:
            ActivityError: it failed for good.
            ApplicationError: no worker of the host came to take it up; nothing was touched.
            asyncio.CancelledError: somebody cancelled between two attempts.
        """
        for pause in _PAUSES:
            try:
                return await self._attempt(arg)
            except ActivityError as error:
                if failures.is_cancellation(error) or not failures.is_repeatable(error):
                    raise
            if is_cancelled(self._tracker.state):
                raise asyncio.CancelledError
            await workflow.sleep(pause, summary="before the next attempt to stop it")
        return await self._attempt(arg)

    async def _attempt(self, arg: StopInput) -> StopResult:
        turn_within = activity_options.PAGE_WITHIN
        if not self.touched:
            turn_within = _turn_within(self._tracker.state, workflow.now())
        step = workflow.start_activity_method(
            ContainersPort.ensure_stopped,
            replace(arg, expect_untouched=not self.touched),
            **activity_options.stop(self._tracker.host, arg.grace_seconds, turn_within=turn_within),
        )
        watch = None if self.touched else asyncio.create_task(self._watch(step))
        try:
            result = await heard_out(step)
        except ActivityError as error:
            self.touched = self.touched or failures.may_have_touched(error)
            if self._no_worker and failures.is_cancellation(error):
                raise _nobody_came() from error
            raise
        finally:
            if watch is not None:
                watch.cancel()
        self.touched = True
        return result

    async def _watch(self, step: workflow.ActivityHandle[StopResult]) -> None:
        """Say that the stop waits for its turn, until it is begun; end it if nobody is there."""
        if self._is_quiet():
            # Never asked for where it holds already: even then it returns only a turn later, and
            # the commands of an operation of an earlier release would come in another order.
            await workflow.wait_condition(lambda: step.done() or not self._is_quiet())
        wait, gone_since = _ASK_AFTER, workflow.now()
        while not await _is_done(step, wait):
            wait, info = _ASK_EVERY, workflow.info()
            question = QueuePlaceInput(
                host=self._tracker.host,
                workflow_id=info.workflow_id,
                run_id=info.run_id,
                activity_type=ContainersPort.ensure_stopped.__name__,
            )
            try:
                place = await workflow.execute_activity_method(
                    QueuesPort.queue_place, question, **activity_options.ask_queue()
                )
            except ActivityError:
                continue
            if place.begun:
                self._on_place(StepStatus.RUNNING)
                return
            self._on_place(StepStatus.QUEUED)
            now = workflow.now()
            if place.polled:
                gone_since = now
            elif now - gone_since >= activity_options.WORKER_RETURNS_WITHIN:
                self._no_worker = True
                step.cancel()
                return


def is_cancelled(state: RequestState) -> bool:
    """Tell whether somebody cancelled; a cancel that came during a step is not raised again."""
    return workflow.cancellation_reason() is not None or bool(state.cancel_requested_by)


async def _is_done(step: workflow.ActivityHandle[StopResult], within: timedelta) -> bool:
    try:
        await workflow.wait_condition(
            step.done, timeout=within, timeout_summary="until it is asked who takes the stop up"
        )
    except TimeoutError:
        return False
    return True


def _turn_within(state: RequestState, now: datetime) -> timedelta:
    """Say how long an approved stop may wait for its turn: once more as long as for its approval.

    What was approved for now must not be done hours later.
    """
    expires_at = state.expires_at or now
    limit = expires_at + (expires_at - state.requested_at) - now
    return max(limit, activity_options.WORKER_RETURNS_WITHIN)


def _nobody_came() -> ApplicationError:
    return ApplicationError(
        words.NOBODY_CAME, type=ErrorType.WORKER_UNAVAILABLE, non_retryable=True
    )
