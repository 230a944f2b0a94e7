"""What happens to a container after the approval, and how is it put back when a step fails?

The operation runs as a child workflow whose id names the exact container: that is the lock on
it. It draws the card while it works and after it, so that people hear the outcome even when the
request's own workflow was terminated meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError

from workflows import activity_options, details, failures, steps
from workflows.errors import STALE_ERRORS, ErrorType
from workflows.models import ContainerPin
from workflows.names import CANCEL_SIGNAL, GIVE_UP_SIGNAL, OPERATION_WORKFLOW, STATE_QUERY
from workflows.ports import (
    ContainersPort,
    PutBackInput,
    SnapshotInput,
    SnapshotsPort,
    StopInput,
    TagInput,
    ThreadEntry,
    ThreadKind,
)
from workflows.presenter import Presenter
from workflows.putting_back import PuttingBack
from workflows.saga import Saga, shielded
from workflows.state import (
    CardRef,
    RequestState,
    RequestStatus,
    SnapshotResult,
    StepName,
    StepStatus,
)
from workflows.timing import TIMING

#: A restart policy or an engine restart can start the container between stop and commit,
#: and an image prune can take the snapshot before its tag: then the work begins anew.
_ROUNDS = 3
_BEGIN_ANEW = frozenset({ErrorType.NOT_STOPPED, ErrorType.SNAPSHOT_VANISHED})


@dataclass(frozen=True, slots=True, kw_only=True)
class OperateInput:
    """An approved request. ``recover`` only puts back what an earlier run may have left."""

    state: RequestState
    recover: bool = False


@workflow.defn(name=OPERATION_WORKFLOW)
class StopAndSnapshotWorkflow:
    """Stops, commits, tags, and starts again; or puts the container back and proves it.

    It ends normally with the request's last state, whatever the outcome: a failed operation
    that was put back is a finished saga. Signals: ``cancel_request`` with a user id (after the
    current step), ``give_up`` (ends the tries to put back). Query: ``state``.
    """

    @workflow.init
    def __init__(self, operate: OperateInput) -> None:
        self._state = replace(operate.state, operation_workflow_id=workflow.info().workflow_id)
        self._saga = Saga()
        self._begun = False
        self._presenter = Presenter(lambda: self._state, self._keep_card)
        self._putting_back = PuttingBack(lambda: self._state, self._change, self._presenter)

    @workflow.run
    async def run(self, operate: OperateInput) -> RequestState:
        """Carry the operation out."""
        self._presenter.redraw()
        try:
            if operate.recover:
                self._register_compensations()
                raise _ended_from_outside()
            await self._operate()
            self._change(status=RequestStatus.SUCCEEDED, cancel_requested_by="")
        except BaseException as error:
            if not failures.ends_workflow(error):
                raise
            await shielded(self._undo(error))
        await shielded(self._report())
        return self._state

    @workflow.signal(name=CANCEL_SIGNAL, description="Cancel after the current step")
    def cancel_operation(self, user_id: str) -> None:
        """Remember who cancelled, and begin no further step."""
        if not self._state.cancel_requested_by and not self._state.closed:
            self._change(cancel_requested_by=user_id)
            self._presenter.redraw(
                ThreadEntry(key="cancelling", kind=ThreadKind.CANCELLING, user_id=user_id)
            )

    @workflow.signal(name=GIVE_UP_SIGNAL, description="Stop trying to put the container back")
    def give_up(self) -> None:
        """End the tries to put the container back."""
        self._putting_back.give_up()

    @workflow.query(name=STATE_QUERY, description="Where the operation stands, step by step")
    def state(self) -> RequestState:
        """Return the state with live steps."""
        return self._state

    async def _operate(self) -> None:
        for last in [False] * (_ROUNDS - 1) + [True]:
            try:
                await self._stop()
                if self._state.operation.snapshot:
                    await self._commit()
                    await self._tag()
                break
            except ActivityError as error:
                if last or failures.error_type(error) not in _BEGIN_ANEW:
                    raise
        if steps.find(self._state.steps, StepName.START) is not None:
            await self._start_again()

    async def _stop(self) -> None:
        again = self._begun
        with self._step(StepName.STOP):
            self._register_compensations()
            result = await workflow.execute_activity_method(
                ContainersPort.ensure_stopped,
                StopInput(
                    pin=self._pin,
                    grace_seconds=self._state.grace_seconds,
                    expect_untouched=not again,
                ),
                **activity_options.stop(self._host, self._state.grace_seconds),
            )
        if result.restarted_since and not again:
            self._change(restarted_since=True)
            self._presenter.redraw(ThreadEntry(key="restarted", kind=ThreadKind.RESTARTED))
        if result.was_running:
            self._end(StepName.STOP, StepStatus.DONE, note=steps.stop_note(result))
        else:
            self._end(StepName.STOP, StepStatus.SKIPPED)

    async def _commit(self) -> None:
        with self._step(StepName.SNAPSHOT):
            result = await workflow.execute_activity_method(
                SnapshotsPort.ensure_snapshot,
                SnapshotInput(pin=self._pin, request_id=self._state.request_id),
                **activity_options.commit(self._host),
            )
        self._change(snapshot=result)
        self._end(StepName.SNAPSHOT, StepStatus.DONE)

    async def _tag(self) -> None:
        with self._step(StepName.TAG):
            await self._tag_snapshot()
        self._end(StepName.TAG, StepStatus.DONE)

    async def _tag_snapshot(self) -> None:
        snapshot = self._state.snapshot or SnapshotResult(image_id="")
        arg, options = self._tag_input(snapshot.image_id), activity_options.tag(self._host)
        result = await workflow.execute_activity_method(SnapshotsPort.ensure_tag, arg, **options)
        self._change(snapshot=replace(result, repeated=snapshot.repeated))
        if snapshot.repeated:
            await workflow.execute_activity_method(SnapshotsPort.sweep_snapshots, arg, **options)

    async def _start_again(self) -> None:
        grace = self._state.grace_seconds
        with self._step(StepName.START):
            await workflow.execute_activity_method(
                ContainersPort.ensure_running,
                PutBackInput(pin=self._pin, settle_seconds=TIMING.settle(grace)),
                **activity_options.put_back(self._host, grace, summary="docker start"),
            )
        self._end(StepName.START, StepStatus.DONE)

    async def _undo(self, error: BaseException) -> None:
        cancelled, kind = failures.is_cancellation(error), failures.error_type(error)
        self._change(steps=steps.abandon(self._state.steps))
        if not cancelled:
            self._change(cause=kind, cause_text=failures.error_text(error))
        if cancelled and not self._begun:
            self._change(status=RequestStatus.CANCELLED)
        elif kind in STALE_ERRORS and self._is_untouched(error):
            self._change(status=RequestStatus.STALE)
        else:
            self._presenter.redraw()
            for failure in await self._saga.compensate():
                workflow.logger.error(
                    "compensation failed", extra={"error_type": str(failures.error_type(failure))}
                )

    def _is_untouched(self, error: BaseException) -> bool:
        """Tell whether the first look at the container ended the operation."""
        cause = error.cause if isinstance(error, ActivityError) else None
        first_look = isinstance(cause, ApplicationError) and "touched" not in cause.details
        stop = steps.find(self._state.steps, StepName.STOP)
        return first_look and stop is not None and stop.error is not None

    def _register_compensations(self) -> None:
        if not self._begun:
            self._begun = True
            # Run in reverse: the container comes back before the images are tidied.
            self._saga.register(self._keep_or_drop_snapshot)
            self._saga.register(self._putting_back.run)

    async def _keep_or_drop_snapshot(self) -> None:
        """Leave no untagged image: tag what a cancel left complete, drop what a failure left."""
        if not self._state.operation.snapshot:
            return
        snapshot = self._state.snapshot
        if snapshot is not None and snapshot.reference:
            return
        if snapshot is not None and self._state.cause is None:
            try:
                await self._tag_snapshot()
            except ActivityError:
                workflow.logger.info("the snapshot of a cancelled request could not be tagged")
            else:
                return
        self._change(snapshot=None)
        await workflow.execute_activity_method(
            SnapshotsPort.sweep_snapshots,
            self._tag_input(""),
            **activity_options.tag(self._host),
        )

    async def _report(self) -> None:
        self._change(finished_at=workflow.now(), closed=True)
        await self._presenter.finish(
            ThreadEntry(key="outcome", kind=ThreadKind.OUTCOME, user_id=self._state.requester)
        )

    @contextmanager
    def _step(self, name: StepName) -> Iterator[None]:
        """Begin a step, unless somebody cancelled; note its failure."""
        if workflow.cancellation_reason() is not None or self._state.cancel_requested_by:
            raise asyncio.CancelledError
        self._change(steps=steps.begin(self._state.steps, name, workflow.now()))
        try:
            yield
        except ActivityError as error:
            now, kind = workflow.now(), failures.error_type(error)
            if failures.is_cancellation(error):
                self._end(name, StepStatus.NOT_RUN, note="cancelled")
            else:
                self._change(steps=steps.fail(self._state.steps, name, kind, now))
                self._tell_thread(name)
            raise

    def _end(self, name: StepName, status: StepStatus, *, note: str = "") -> None:
        now = workflow.now()
        self._change(steps=steps.end(self._state.steps, name, status, now, note=note))
        self._tell_thread(name)

    def _tell_thread(self, name: StepName) -> None:
        now, step = workflow.now(), steps.find(self._state.steps, name)
        key = f"{name}.{now.timestamp():.3f}"
        self._presenter.redraw(ThreadEntry(key=key, kind=ThreadKind.STEP, step=step, at=now))

    def _tag_input(self, image_id: str) -> TagInput:
        state = self._state
        return TagInput(
            pin=self._pin,
            request_id=state.request_id,
            image_id=image_id,
            reference=state.reference,
        )

    @property
    def _pin(self) -> ContainerPin:
        assert self._state.pin is not None  # noqa: S101 - an approved request has been inspected
        return self._state.pin

    @property
    def _host(self) -> str:
        return self._state.container.host

    def _keep_card(self, card: CardRef) -> None:
        self._change(card=card)

    def _change(self, **fields: Any) -> None:  # noqa: ANN401 - fields of the state, checked by replace
        self._state = replace(self._state, revision=self._state.revision + 1, **fields)
        workflow.set_current_details(details.describe(self._state))


def _ended_from_outside() -> ApplicationError:
    return ApplicationError("the operation was ended from outside", type=ErrorType.UNEXPECTED)
