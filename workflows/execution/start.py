"""How is a container started as a step of its own, and how is it known that it was we who did?

What our own stop brought down is put back by a start if anything fails from then on. What rested
is stopped again, so it is remembered whether a start of ours may have come through, and when the
run began that is ours: one that a person began is theirs. The workflow itself makes its attempts,
for the server says of one that is cancelled between two of them that it was never begun.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError

from workflows import activity_options, failures
from workflows.card_updates import RequestTracker
from workflows.execution.saga import heard_out, undone_by_step
from workflows.execution.stop import is_cancelled
from workflows.model.ports import ContainersPort
from workflows.model.start_ports import RestoreInput, RestoreResult, StartInput, StartPort
from workflows.model.timing import TIMING

#: Between two attempts at the start of what rested.
_PAUSES = (timedelta(seconds=1), timedelta(seconds=3))


class Start:
    """The start of one operation, of what it has stopped or of what was found at rest."""

    def __init__(self, tracker: RequestTracker) -> None:
        self._tracker = tracker

    async def run(self) -> RestoreResult:
        """Start the container, and prove that it stays up.

        Raises:
            ActivityError: it failed for good. ``started_by_us`` says then whether it may run, or
                have run, all the same.
            asyncio.CancelledError: somebody cancelled between two attempts; the same holds.
        """
        grace = self._tracker.state.grace_seconds
        options = activity_options.start(self._tracker.host, grace)
        arg = StartInput(
            pin=self._tracker.pin,
            settle_seconds=TIMING.settle(grace),
            permit=self._tracker.state.permit,
        )
        if not undone_by_step():
            back = RestoreInput(pin=arg.pin, settle_seconds=arg.settle_seconds)
            return await heard_out(
                workflow.start_activity_method(ContainersPort.ensure_running, back, **options)
            )
        if not arg.pin.state.is_down:
            return await heard_out(
                workflow.start_activity_method(StartPort.ensure_started, arg, **options)
            )
        return await self._start_what_rested(arg)

    async def _start_what_rested(self, arg: StartInput) -> RestoreResult:
        for pause in _PAUSES:
            try:
                return await self._attempt(arg)
            except ActivityError as error:
                if failures.is_cancellation(error) or not failures.is_repeatable(error):
                    raise
            if is_cancelled(self._tracker.state):
                raise asyncio.CancelledError
            await workflow.sleep(pause, summary="before the next attempt to start it")
            arg = replace(arg, may_have_begun=self._tracker.state.started_by_us)
        return await self._attempt(arg)

    async def _attempt(self, arg: StartInput) -> RestoreResult:
        state = self._tracker.state
        # Whoever takes this up after a termination must think so too.
        self._tracker.change(started_by_us=True)
        options = activity_options.start_once(self._tracker.host, state.grace_seconds)
        try:
            result = await heard_out(
                workflow.start_activity_method(StartPort.ensure_started, arg, **options)
            )
        except ActivityError as error:
            self._tracker.change(
                started_by_us=arg.may_have_begun or failures.may_have_touched(error),
                started_at=failures.run_began(error) or state.started_at,
            )
            self._tracker.note_name(failures.name_seen(error))
            raise
        self._tracker.change(started_at=result.started_at)
        return result
