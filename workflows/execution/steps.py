"""How is an approved operation carried out, step by step?

Stop, commit, tag, start again. Before each step and after the last that takes the container down
it is asked whether somebody cancelled: a cancel that comes while a step is at work is delivered
only when it has ended, and is then easily lost (temporalio/sdk-python#620).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError

from workflows import activity_options, failures
from workflows.card_updates import CardUpdater, RequestTracker
from workflows.execution.saga import Compensation, Saga, heard_out
from workflows.execution.stop import Stop, is_cancelled
from workflows.model import words
from workflows.model.errors import ErrorType
from workflows.model.ports import (
    ContainersPort,
    RestoreInput,
    RestoreResult,
    SnapshotInput,
    SnapshotsPort,
    StopInput,
    SweepInput,
    TagInput,
    ThreadEntry,
    ThreadKind,
)
from workflows.model.requests import ContainerPin, OperationSpec
from workflows.model.state import (
    RequestState,
    SnapshotResult,
    StepName,
    StepState,
    StepStatus,
)
from workflows.model.timing import TIMING
from workflows.operations import catalog

Steps = tuple[StepState, ...]
#: A restart policy or an engine restart can start the container between stop and commit,
#: and an image prune can take the snapshot before its tag: then the work begins anew.
_ROUNDS = 3
_BEGIN_ANEW = frozenset({ErrorType.NOT_STOPPED, ErrorType.SNAPSHOT_VANISHED})


class StepRunner:
    """The steps of one operation."""

    def __init__(self, tracker: RequestTracker, card_updater: CardUpdater, saga: Saga) -> None:
        self._tracker = tracker
        self._card_updater = card_updater
        self._saga = saga
        self._stopping = Stop(tracker, self._place_stop)

    @property
    def touched(self) -> bool:
        """Whether the engine may have been asked to change something."""
        return self._stopping.touched

    def take_as_touched(self) -> None:
        """Take up where a run came to of which nothing else is known."""
        self._stopping.touched = True

    async def run(self, *compensations: Compensation) -> None:
        """Do all steps; ``compensations`` are registered before the first."""
        rounds_left = _ROUNDS
        while rounds_left:
            rounds_left -= 1
            try:
                await self._stop(compensations)
                if catalog.makes_snapshot(self._tracker.state.operation):
                    await self._commit()
                    await self._tag()
                break
            except ActivityError as error:
                if not rounds_left or failures.error_type(error) not in _BEGIN_ANEW:
                    raise
        self._heed_cancel()
        if find(self._tracker.state.steps, StepName.START) is not None:
            await self._start_again()

    async def tag_snapshot(self, *, while_resting: bool = True) -> None:
        """Tag the request's snapshot; after a cancel the container runs again already."""
        snapshot = self._tracker.state.snapshot or SnapshotResult(image_id="")
        state, options = self._tracker.state, activity_options.tag(self._tracker.host)
        tag = TagInput(
            pin=self._tracker.pin,
            request_id=state.request_id,
            image_id=snapshot.image_id,
            reference=state.reference,
            while_resting=while_resting,
        )
        result = await heard_out(
            workflow.start_activity_method(SnapshotsPort.ensure_tag, tag, **options)
        )
        self._tracker.change(snapshot=replace(result, repeated=snapshot.repeated))
        self._tracker.note_name(result.container_name)
        if snapshot.repeated:
            sweep = SweepInput(
                pin=tag.pin,
                request_id=tag.request_id,
                image_id=tag.image_id,
                reference=tag.reference,
            )
            await heard_out(
                workflow.start_activity_method(SnapshotsPort.sweep_snapshots, sweep, **options)
            )

    async def _stop(self, compensations: tuple[Compensation, ...]) -> None:
        state, again = self._tracker.state, self.touched
        if not again:
            for compensation in compensations:
                self._saga.register(compensation)
        arg = StopInput(
            pin=self._tracker.pin,
            grace_seconds=state.grace_seconds,
            for_snapshot=catalog.makes_snapshot(state.operation),
        )
        with self._step(StepName.STOP):
            result = await self._stopping.run(arg)
        self._tracker.change(stopped_at=result.stopped_at)
        self._tracker.note_name(result.name)
        if result.restarted_since and not again:
            self._tracker.change(restarted_since=True)
            self._card_updater.redraw(ThreadEntry(key="restarted", kind=ThreadKind.RESTARTED))
        if result.was_running:
            self._end(
                StepName.STOP, StepStatus.DONE, note=words.stop_note(result, state.grace_seconds)
            )
        else:
            self._end(StepName.STOP, StepStatus.SKIPPED)

    async def _commit(self) -> None:
        with self._step(StepName.SNAPSHOT):
            result = await heard_out(
                workflow.start_activity_method(
                    SnapshotsPort.ensure_snapshot,
                    SnapshotInput(pin=self._tracker.pin, request_id=self._tracker.state.request_id),
                    **activity_options.commit(self._tracker.host),
                )
            )
        self._tracker.change(snapshot=result)
        self._tracker.note_name(result.container_name)
        self._end(StepName.SNAPSHOT, StepStatus.DONE)

    async def _tag(self) -> None:
        with self._step(StepName.TAG):
            await self.tag_snapshot()
        self._end(StepName.TAG, StepStatus.DONE)

    async def _start_again(self) -> None:
        grace = self._tracker.state.grace_seconds
        with self._step(StepName.START):
            result = await heard_out(
                workflow.start_activity_method(
                    ContainersPort.ensure_running,
                    RestoreInput(pin=self._tracker.pin, settle_seconds=TIMING.settle(grace)),
                    **activity_options.start(self._tracker.host, grace),
                )
            )
        self._tracker.change(
            down_seconds=down_seconds(self._tracker.state, result), moved_ports=result.moved_ports
        )
        self._tracker.note_restored(result)
        self._end(
            StepName.START,
            StepStatus.DONE,
            note=words.start_note(health_pending=result.health_pending),
        )

    def _heed_cancel(self) -> None:
        if is_cancelled(self._tracker.state):
            raise asyncio.CancelledError

    @contextmanager
    def _step(self, name: StepName) -> Iterator[None]:
        self._heed_cancel()
        tracker = self._tracker
        tracker.change(steps=begin(tracker.state.steps, name, workflow.now()))
        try:
            yield
        except (ActivityError, ApplicationError, asyncio.CancelledError) as error:
            untouched = name is StepName.STOP and not self.touched
            if not failures.is_cancellation(error):
                kind = failures.error_type(error)
                tracker.change(steps=fail(tracker.state.steps, name, kind, workflow.now()))
                if not untouched:
                    # What changed nothing is told by the request's outcome alone.
                    self._tell_thread(name)
            elif untouched:
                self._end(name, StepStatus.NOT_RUN, note=words.CANCELLED)
            else:
                # An attempt may have been at work: whether it did anything, nobody has heard.
                self._end(name, StepStatus.FAILED, note=words.CUT_SHORT)
            raise

    def _place_stop(self, status: StepStatus) -> None:
        """Show that the stop waits for its turn, or that it is under way after all."""
        stop = find(self._tracker.state.steps, StepName.STOP)
        if stop is not None and stop.status is not status:
            self._tracker.change(
                steps=_put(self._tracker.state.steps, replace(stop, status=status))
            )
            self._card_updater.redraw()

    def _end(self, name: StepName, status: StepStatus, *, note: str = "") -> None:
        tracker, now = self._tracker, workflow.now()
        tracker.change(steps=end(tracker.state.steps, name, status, now, note=note))
        self._tell_thread(name)

    def _tell_thread(self, name: StepName) -> None:
        now, step = workflow.now(), find(self._tracker.state.steps, name)
        key = f"{name}.{now.timestamp():.3f}"
        self._card_updater.redraw(ThreadEntry(key=key, kind=ThreadKind.STEP, step=step, at=now))


def plan(operation: OperationSpec, pin: ContainerPin) -> Steps:
    """Lay out what will happen to this container."""
    return tuple(StepState(name=step.name) for step in catalog.steps_of(operation, pin))


def begin(steps: Steps, name: StepName, now: datetime) -> Steps:
    """Mark a step as under way; one that comes again keeps the time of its first beginning."""
    known = find(steps, name)
    if known is None:
        return (*steps, StepState(name=name, status=StepStatus.RUNNING, started_at=now))
    begun = replace(known, status=StepStatus.RUNNING, started_at=known.started_at or now)
    return _put(steps, begun)


def end(
    steps: Steps, name: StepName, status: StepStatus, now: datetime, *, note: str = ""
) -> Steps:
    """Mark a step as done, skipped or failed."""
    known = find(steps, name) or StepState(name=name)
    return _put(steps, replace(known, status=status, finished_at=now, note=note, error=None))


def fail(steps: Steps, name: StepName, error: ErrorType, now: datetime, *, note: str = "") -> Steps:
    """Mark a step as failed, with the cause; ``note`` is the safe text of the failure."""
    known = find(steps, name) or StepState(name=name)
    failed = replace(known, status=StepStatus.FAILED, finished_at=now, error=error, note=note)
    return _put(steps, failed)


def abandon(steps: Steps) -> Steps:
    """Mark what was not begun as not run."""
    return tuple(
        replace(step, status=StepStatus.NOT_RUN) if step.status is StepStatus.TODO else step
        for step in steps
    )


def cut_off(steps: Steps) -> Steps:
    """Mark the step that was under way when its workflow was ended from outside."""
    return tuple(
        replace(step, status=StepStatus.FAILED, error=ErrorType.UNEXPECTED)
        if step.status in (StepStatus.RUNNING, StepStatus.QUEUED)
        else step
        for step in steps
    )


def find(steps: Steps, name: StepName) -> StepState | None:
    """Look a step up."""
    return next((step for step in steps if step.name is name), None)


def down_seconds(state: RequestState, result: RestoreResult) -> float | None:
    """Measure by the engine's clock how long the container was down; ``None``: it was not."""
    began, up = state.stopped_at or result.ended_at, result.started_at
    pin = state.pin
    if began is None or up is None or pin is None or up < began:
        return None
    try:
        ran_since = datetime.fromisoformat(pin.started_at)
    except ValueError:
        return None
    return (up - began).total_seconds() if began > ran_since else None


def _put(steps: Steps, changed: StepState) -> Steps:
    return tuple(changed if step.name is changed.name else step for step in steps)
