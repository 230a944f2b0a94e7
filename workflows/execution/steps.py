"""How is an approved operation carried out, step by step?

The catalogue says which steps there are; here each is led to what does it, its undo registered
right before it. Before each step, and after the last if that leaves something to undo, it is asked
whether somebody cancelled: a cancel that comes while a step is at work is delivered only when it
has ended, and is then easily lost (temporalio/sdk-python#620).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError

from workflows import activity_options, failures
from workflows.card_updates import CardUpdater, RequestTracker
from workflows.execution.saga import Compensation, Saga, heard_out, undone_by_step
from workflows.execution.start import Start
from workflows.execution.stop import Stop, is_cancelled
from workflows.model import words
from workflows.model.errors import ErrorType
from workflows.model.ports import (
    SnapshotInput,
    SnapshotsPort,
    StopInput,
    SweepInput,
    TagInput,
    ThreadEntry,
    ThreadKind,
)
from workflows.model.requests import ContainerPin, OperationSpec
from workflows.model.start_ports import RestoreResult
from workflows.model.state import (
    RequestState,
    SnapshotResult,
    StepName,
    StepState,
    StepStatus,
    find_step,
)
from workflows.operations import catalog
from workflows.operations.operation import Step, Undo

Steps = tuple[StepState, ...]
#: So often the work begins anew at most.
_ROUNDS = 3
#: Ends of a step after which the engine may still be at work; a cancelled step has no error.
_UNHEARD = (
    None,
    ErrorType.ENGINE_AMBIGUOUS,
    ErrorType.ENGINE_UNAVAILABLE,
    ErrorType.WORKER_UNAVAILABLE,
    ErrorType.UNEXPECTED,
)


class StepRunner:
    """The steps of one operation; ``undos`` says how each kind of undo is done."""

    def __init__(
        self,
        tracker: RequestTracker,
        card_updater: CardUpdater,
        saga: Saga,
        undos: Mapping[Undo, Compensation],
    ) -> None:
        self._tracker = tracker
        self._card_updater = card_updater
        self._saga = saga
        self._undos = undos
        self._stopping = Stop(tracker, self._place_stop, lambda: card_updater.is_quiet)
        self._starting = Start(tracker)
        self._executors: Mapping[StepName, Callable[[], Awaitable[None]]] = {
            StepName.STOP: self._stop,
            StepName.SNAPSHOT: self._snapshot,
            StepName.TAG: self._tag,
            StepName.START: self._start,
        }

    @property
    def touched(self) -> bool:
        """Whether the engine may have been asked to change something."""
        return self._stopping.touched or self._tracker.state.started_by_us

    @property
    def _steps(self) -> tuple[Step, ...]:
        state = self._tracker.state
        return catalog.steps_planned(state.steps, state.operation, self._tracker.pin)

    def take_up(self) -> None:
        """Register what undoes the steps of a run before this one, of which nothing else is known.

        A step of which no state tells may have been begun.
        """
        self._stopping.touched = True
        by_step = undone_by_step()
        for step in self._steps:
            known = find_step(self._tracker.state.steps, step.name)
            if known is None and step.name is StepName.START and self._tracker.pin.state.is_down:
                self._tracker.change(started_by_us=True)
            if known is None or known.status is not StepStatus.TODO or not by_step:
                self._register(step)

    async def run(self) -> None:
        """Do all steps."""
        if not undone_by_step():
            for step in self._steps:
                self._register(step)
        rounds_left = _ROUNDS
        while not await self._round(is_last=rounds_left == 1):
            rounds_left -= 1
        if not self._steps[-1].is_way_back:
            self._heed_cancel()

    async def _round(self, *, is_last: bool) -> bool:
        """Do all steps once; false says that the work begins anew."""
        for step in self._steps:
            self._heed_cancel()
            self._register(step)
            try:
                await self._executors[step.name]()
            except ActivityError as error:
                if is_last or failures.error_type(error) not in step.begins_anew_after:
                    raise
                return False
        return True

    def _register(self, step: Step) -> None:
        if step.undo is not None:
            self._saga.register(self._undos[step.undo], can_wait=step.undo.can_wait)

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
            permit=state.permit,
        )
        result = await heard_out(
            workflow.start_activity_method(SnapshotsPort.ensure_tag, tag, **options)
        )
        await self._note_tagged(replace(result, repeated=snapshot.repeated))

    async def _note_tagged(self, snapshot: SnapshotResult) -> None:
        """Remember a snapshot that is complete, and leave no other image of the request."""
        self._tracker.change(snapshot=snapshot)
        self._tracker.note_name(snapshot.container_name)
        if not snapshot.repeated:
            return
        state = self._tracker.state
        sweep = SweepInput(
            pin=self._tracker.pin,
            request_id=state.request_id,
            image_id=snapshot.image_id,
            reference=snapshot.reference,
            permit=state.permit,
        )
        options = activity_options.tag(self._tracker.host)
        await heard_out(
            workflow.start_activity_method(SnapshotsPort.sweep_snapshots, sweep, **options)
        )

    async def _stop(self) -> None:
        state, again = self._tracker.state, self.touched
        names = {step.name for step in self._steps}
        arg = StopInput(
            pin=self._tracker.pin,
            grace_seconds=state.grace_seconds,
            for_snapshot=StepName.SNAPSHOT in names,
            starts=StepName.START in names,
            permit=state.permit,
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

    async def _snapshot(self) -> None:
        """Commit the container, and tag its image, unless that is a step of its own here."""
        state = self._tracker.state
        tags = all(step.name is not StepName.TAG for step in self._steps)
        arg = SnapshotInput(
            pin=self._tracker.pin,
            request_id=state.request_id,
            reference=state.reference if tags else "",
            permit=state.permit,
        )
        with self._step(StepName.SNAPSHOT):
            try:
                result = await heard_out(
                    workflow.start_activity_method(
                        SnapshotsPort.ensure_snapshot,
                        arg,
                        **activity_options.commit(self._tracker.host),
                    )
                )
            except ActivityError as error:
                made = failures.image_made(error)
                if made:
                    # Whoever tidies must know it: it may have its tag already.
                    self._tracker.change(snapshot=SnapshotResult(image_id=made, repeated=True))
                raise
            if result.reference:
                await self._note_tagged(result)
            else:
                self._tracker.change(snapshot=result)
                self._tracker.note_name(result.container_name)
                if arg.reference:
                    # A docker worker of an earlier release has only committed it.
                    await self.tag_snapshot()
        self._end(StepName.SNAPSHOT, StepStatus.DONE)

    async def _tag(self) -> None:
        with self._step(StepName.TAG):
            await self.tag_snapshot()
        self._end(StepName.TAG, StepStatus.DONE)

    async def _start(self) -> None:
        with self._step(StepName.START):
            result = await self._starting.run()
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
        tracker = self._tracker
        tracker.change(steps=begin(tracker.state.steps, name, workflow.now()))
        try:
            yield
        except (ActivityError, ApplicationError, asyncio.CancelledError) as error:
            untouched = not self.touched
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
        stop = find_step(self._tracker.state.steps, StepName.STOP)
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
        now, step = workflow.now(), find_step(self._tracker.state.steps, name)
        # Not by the time: a workflow task that is made anew tells the same, and later.
        key = f"{name}.{workflow.info().run_id[:8]}.{self._tracker.state.revision}"
        self._card_updater.redraw(ThreadEntry(key=key, kind=ThreadKind.STEP, step=step, at=now))


def plan(operation: OperationSpec, pin: ContainerPin) -> Steps:
    """Lay out what will happen to this container."""
    return tuple(StepState(name=step.name) for step in catalog.steps_of(operation, pin))


def begin(steps: Steps, name: StepName, now: datetime) -> Steps:
    """Mark a step as under way; one that comes again keeps the time of its first beginning."""
    known = find_step(steps, name)
    if known is None:
        return (*steps, StepState(name=name, status=StepStatus.RUNNING, started_at=now))
    begun = replace(known, status=StepStatus.RUNNING, started_at=known.started_at or now)
    return _put(steps, begun)


def end(
    steps: Steps, name: StepName, status: StepStatus, now: datetime, *, note: str = ""
) -> Steps:
    """Mark a step as done, skipped or failed."""
    known = find_step(steps, name) or StepState(name=name)
    return _put(steps, replace(known, status=status, finished_at=now, note=note, error=None))


def fail(steps: Steps, name: StepName, error: ErrorType, now: datetime, *, note: str = "") -> Steps:
    """Mark a step as failed, with the cause; ``note`` is the safe text of the failure."""
    known = find_step(steps, name) or StepState(name=name)
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


def may_be_at_work(steps: Steps, name: StepName) -> bool:
    """Tell whether a step was sent, and nobody has heard what became of it."""
    step = find_step(steps, name)
    begun = step is not None and step.started_at is not None
    return (
        begun
        and step is not None
        and step.status is not StepStatus.DONE
        and (step.error in _UNHEARD)
    )


def may_be_committing(state: RequestState) -> bool:
    """Tell whether a commit was sent, and nobody has heard what became of it."""
    return state.snapshot is None and may_be_at_work(state.steps, StepName.SNAPSHOT)


def may_have_tagged(state: RequestState) -> bool:
    """Tell whether that commit may have tagged its image as well: then none without a tag is left.

    In a request of an earlier release the tag is a step of its own.
    """
    return may_be_committing(state) and find_step(state.steps, StepName.TAG) is None


def down_seconds(state: RequestState, result: RestoreResult) -> float | None:
    """Measure by the engine's clock how long the container was down; ``None``: it was not."""
    began, up = state.stopped_at or result.ended_at, result.started_at
    pin = state.pin
    if began is None or up is None or pin is None or pin.state.is_down or up < began:
        return None
    try:
        ran_since = datetime.fromisoformat(pin.started_at)
    except ValueError:
        return None
    return (up - began).total_seconds() if began > ran_since else None


def _put(steps: Steps, changed: StepState) -> Steps:
    return tuple(changed if step.name is changed.name else step for step in steps)
