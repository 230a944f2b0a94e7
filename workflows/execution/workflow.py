"""What happens to a container after the approval, and how does it end when a step fails?

The operation runs as a child workflow whose id names the exact container: that is the lock on
it. It draws the card while it works and after it, so that people hear the outcome even when the
request's own workflow was terminated meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NoReturn

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ActivityError, ApplicationError

from workflows import activity_options, failures
from workflows.card_updates import CardUpdater, RequestTracker
from workflows.execution import steps
from workflows.execution.restore import Restore, RestoreProgress
from workflows.execution.saga import Saga, shielded
from workflows.execution.steps import StepRunner
from workflows.execution.wishes import Wishes
from workflows.model import policy, words
from workflows.model.dependent_ports import DependentsInput, DependentsPort
from workflows.model.errors import STALE_ERRORS, ErrorType
from workflows.model.names import (
    CANCEL_SIGNAL,
    GIVE_UP_SIGNAL,
    OPERATION_WORKFLOW,
    STATE_QUERY,
    TRY_NOW_SIGNAL,
)
from workflows.model.ports import (
    SnapshotsPort,
    SweepInput,
    ThreadEntry,
    ThreadKind,
)
from workflows.model.releases import judges_itself
from workflows.model.state import RequestState, RequestStatus, StepStatus, find_step
from workflows.model.terminal import Terminal
from workflows.model.timing import TIMING
from workflows.operations import catalog
from workflows.operations.operation import Undo
from workflows.signals import read_terminal, read_user, takes_more


@dataclass(frozen=True, slots=True, kw_only=True)
class OperateInput:
    """An approved request, and replies for the card's thread that are still to be posted.

    ``recover`` only puts back what an earlier run may have left; ``resume`` goes on with its tries,
    and is looked at only in a run of which Temporal says that it continues another.
    """

    state: RequestState
    recover: bool = False
    thread: tuple[ThreadEntry, ...] = ()
    resume: RestoreProgress | None = None


@workflow.defn(name=OPERATION_WORKFLOW)
class OperationWorkflow:
    """Carries out the steps of an operation; or puts the container back and proves it.

    It ends normally with the request's last state, whatever the outcome: a failed operation
    that was put back is a finished saga. Signals: ``cancel_request`` (after the current step),
    ``give_up`` (ends the tries to put back) and ``try_now`` (makes the next try at once); each
    counts when the request confirms it, whoever sent it. Query: ``state``.
    """

    @workflow.init
    @takes_more
    def __init__(self, raw: RawValue = None, *more: Any) -> None:  # type: ignore[assignment]  # noqa: ANN401 - see workflows.signals
        # Raised here, it would leave a coroutine of the SDK behind.
        self._operate = operate = None if more else _read(raw)
        if operate is None:
            return
        workflow_id = workflow.info().workflow_id
        self._tracker = RequestTracker(replace(operate.state, operation_workflow_id=workflow_id))
        self._card_updater = CardUpdater(self._tracker, starts_quiet=judges_itself())
        self._saga = Saga()
        self._cancelled = False
        self._wishes = Wishes(self._tracker, self._heed)
        self._restore = Restore(self._tracker, self._card_updater, self._go_on, self._wishes.ask)
        undos = {Undo.RESTORE: self._restore.run, Undo.TIDY_IMAGES: self._tidy_images}
        self._steps = StepRunner(self._tracker, self._card_updater, self._saga, undos)

    @workflow.run
    @takes_more
    async def run(self, raw: RawValue = None, *more: Any) -> RequestState:  # type: ignore[assignment]  # noqa: ANN401, ARG002 - see __init__
        """Carry the operation out; ``raw`` is an ``OperateInput``."""
        operate = self._operate
        if operate is None:
            raise _bad_input()
        self._admit(operate)
        self._card_updater.redraw(*operate.thread)
        try:
            if operate.resume is not None and workflow.info().continued_run_id is not None:
                self._steps.take_up()
                self._restore.resume(operate.resume)
                if operate.resume.asked_to_stop and self._is_believed():
                    self._restore.give_up()
                await shielded(self._compensate())
            elif operate.recover:
                self._resume()
                raise _ended_from_outside()
            else:
                await self._steps.run()
                if judges_itself():
                    # The next card is the last one: what became of others is still to be seen.
                    self._card_updater.close()
                self._tracker.change(
                    status=RequestStatus.SUCCEEDED, cancel_requested_by="", cancel_terminal=None
                )
        except BaseException as error:
            if not failures.ends_workflow(error):
                raise
            await shielded(self._undo(error))
        await shielded(self._look_at_dependents())
        await shielded(self._report())
        return self._tracker.state

    @workflow.signal(name=CANCEL_SIGNAL, description="Cancel after the current step")
    def cancel_operation(self, *payloads: Any) -> None:  # noqa: ANN401 - see workflows.signals
        """Begin no further step, if the request confirms that it asks so, and say for whom."""
        if self._is_believed() and (user_id := read_user(payloads)):
            self._note_cancel(user_id, read_terminal(payloads))

    @workflow.signal(name=GIVE_UP_SIGNAL, description="Stop trying to put the container back")
    def give_up(self, *_: Any) -> None:  # noqa: ANN401
        """End the tries to put the container back, if the request confirms that it asks so."""
        if self._is_believed():
            self._restore.give_up()

    @workflow.signal(name=TRY_NOW_SIGNAL, description="Try now to put the container back")
    def try_now(self, *_: Any) -> None:  # noqa: ANN401
        """Wait no longer for the next try, if the request confirms that it asks so."""
        if self._is_believed():
            self._restore.hurry()

    @workflow.query(name=STATE_QUERY, description="Where the operation stands, step by step")
    def state(self) -> RequestState:
        """Return the state with live steps."""
        if self._operate is None:
            raise _bad_input()
        return self._tracker.state

    def _admit(self, operate: OperateInput) -> None:
        """Refuse to work without an approval: whoever reaches Temporal can start a workflow.

        Temporal vouches for the parent, which is either the approved request or the reconciler.
        """
        parent, state = workflow.info().parent, self._tracker.state
        is_planned = state.pin is not None
        if (
            is_planned
            and parent is not None
            and (
                operate.recover
                or (
                    parent.workflow_id == state.workflow_id
                    and state.status is RequestStatus.RUNNING
                    and policy.quorum_reached(state)
                )
            )
        ):
            return
        # Nothing was begun, so nobody is to take it up.
        self._tracker.change(closed=True)
        message = "an operation is started by its approved request, and by nobody else"
        raise ApplicationError(message, type=ErrorType.BAD_INPUT, non_retryable=True)

    def _is_believed(self) -> bool:
        """Tell whether a signal counts by itself; if not, the request is asked.

        In an operation of an earlier release it does, or its history would not replay.
        """
        if self._operate is None:
            return False
        if not judges_itself():
            return True
        self._wishes.hint()
        return False

    def _heed(self, told: RequestState) -> None:
        """Do what people want, as the request tells it."""
        if told.cancel_requested_by:
            self._note_cancel(told.cancel_requested_by, told.cancel_terminal)
        if told.stop_trying_by:
            self._restore.give_up(told)
        if told.tries_asked > self._tracker.state.tries_asked:
            self._tracker.change(tries_asked=told.tries_asked)
            self._restore.hurry()

    def _note_cancel(self, user_id: str, terminal: Terminal | None) -> None:
        """Remember who cancelled, unless it comes too late to make a difference."""
        state = self._tracker.state
        is_running = state.status is RequestStatus.RUNNING
        if state.cancel_requested_by or not (is_running or self._cancelled):
            return
        self._tracker.change(cancel_requested_by=user_id, cancel_terminal=terminal)
        if is_running:
            self._card_updater.redraw(
                ThreadEntry(key="cancelling", kind=ThreadKind.CANCELLING, user_id=user_id)
            )

    def _resume(self) -> None:
        """Take up where a run that was ended from outside had come to."""
        state = self._tracker.state
        first = catalog.steps_of(state.operation, self._tracker.pin)[0]
        known = find_step(state.steps, first.name)
        if known is None or known.status is not StepStatus.TODO:
            self._steps.take_up()
        self._tracker.change(
            status=RequestStatus.RUNNING, steps=steps.cut_off(self._tracker.state.steps)
        )

    def _go_on(self, progress: RestoreProgress, thread: tuple[ThreadEntry, ...]) -> NoReturn:
        """End this run between two tries, and begin the next."""
        workflow.logger.info("going on in a new run")
        if self._wishes.is_unheard:
            progress = replace(progress, asked_to_stop=True)
        workflow.continue_as_new(
            OperateInput(state=self._tracker.state, recover=True, thread=thread, resume=progress)
        )

    async def _undo(self, error: BaseException) -> None:
        tracker = self._tracker
        cancelled, kind = failures.is_cancellation(error), failures.error_type(error)
        self._cancelled = cancelled
        tracker.change(steps=steps.abandon(tracker.state.steps))
        if not cancelled:
            tracker.change(cause=kind, cause_text=failures.error_text(error))
        if not self._steps.touched:
            # Nothing was changed, so there is nothing to put back, and nobody to page.
            over = RequestStatus.STALE if kind in STALE_ERRORS else RequestStatus.FAILED
            tracker.change(status=RequestStatus.CANCELLED if cancelled else over)
        else:
            self._card_updater.redraw()
            await self._compensate()
        if cancelled and not tracker.state.cancel_requested_by and judges_itself():
            await self._wishes.hear_out()

    async def _compensate(self) -> None:
        for failure in await self._saga.compensate():
            kind = str(failures.error_type(failure))
            workflow.logger.error("compensation failed", extra={"error_type": kind})

    async def _tidy_images(self) -> None:
        """Leave no untagged image: tag what a cancel left complete, drop what a failure left.

        The snapshot of a container that is gone is all that is left of it, and stays.
        """
        state = self._tracker.state
        if state.snapshot is not None and state.snapshot.reference:
            return
        is_gone = any(step.error is ErrorType.CONTAINER_GONE for step in state.steps)
        if state.snapshot is not None and (state.cause is None or is_gone):
            try:
                await self._steps.tag_snapshot(while_resting=False)
            except ActivityError:
                workflow.logger.info("the snapshot that was to be kept could not be tagged")
            else:
                return
        # The tag may be there although its answer, or what came after it, was a failure.
        failed = state.snapshot.image_id if state.snapshot else ""
        cut_off = steps.may_be_committing(state)
        settle = TIMING.commit_settle if cut_off else 0
        self._tracker.change(snapshot=None)
        await workflow.execute_activity_method(
            SnapshotsPort.sweep_snapshots,
            SweepInput(
                pin=self._tracker.pin,
                request_id=state.request_id,
                reference=state.reference,
                failed_image_id=failed,
                settle_seconds=settle,
                permit=state.permit,
                any_image=steps.may_have_tagged(state),
            ),
            **activity_options.sweep(self._tracker.host, settle),
        )

    async def _look_at_dependents(self) -> None:
        """See what became of those that live in the container, for people to mend it."""
        known = self._tracker.state.dependents
        if not known.found or not self._steps.touched:
            return
        try:
            seen = await workflow.execute_activity_method(
                DependentsPort.look_at_dependents,
                DependentsInput(pin=self._tracker.pin, known=known),
                **activity_options.look_at_dependents(self._tracker.host),
            )
        except ActivityError:
            workflow.logger.info("those that live in the container were not looked at")
        else:
            self._tracker.change(dependents=seen)

    async def _report(self) -> None:
        self._tracker.change(finished_at=workflow.now(), closed=True)
        requester = self._tracker.state.requester
        await self._card_updater.finish(
            ThreadEntry(key="outcome", kind=ThreadKind.OUTCOME, user_id=requester)
        )


def _read(raw: RawValue) -> OperateInput | None:
    """Read a start input; ``None``: left to the SDK, it would lock its container for ever."""
    try:
        operate: OperateInput = workflow.payload_converter().from_payload(raw.payload, OperateInput)
    except Exception:  # noqa: BLE001 - whatever it is, the workflow must fail by it
        return None
    return operate


def _bad_input() -> ApplicationError:
    message = "the start input is not an operation: a field is missing or of another type"
    return ApplicationError(message, type=ErrorType.BAD_INPUT, non_retryable=True)


def _ended_from_outside() -> ApplicationError:
    return ApplicationError(words.ENDED_FROM_OUTSIDE, type=ErrorType.UNEXPECTED)
