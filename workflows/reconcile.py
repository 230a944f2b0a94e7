"""Who looks after a request that was terminated, and so could put nothing back?

A workflow that is terminated runs no code any more. A Temporal Schedule starts this one every
minute: it finds such requests and operations, has the containers put back, and redraws cards
whose buttons lead nowhere. What a person decided in the meantime it leaves alone. The watchdog
looks beside it for what still runs, but only in name.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError, WorkflowAlreadyStartedError
from temporalio.workflow import ParentClosePolicy

from workflows import activity_options, failures, watchdog
from workflows.card_updates import leave_last_word
from workflows.execution import steps
from workflows.execution.workflow import OperateInput
from workflows.model import names
from workflows.model.errors import ErrorType
from workflows.model.ports import (
    EndedInput,
    EndedRun,
    EndedRuns,
    MessagesPort,
    PublishInput,
    SnapshotsPort,
    SweepInput,
    ThreadEntry,
    ThreadKind,
    VisibilityPort,
)
from workflows.model.state import RequestState, RequestStatus, StepName
from workflows.model.timing import TIMING, WORKFLOW_TASK_SECONDS
from workflows.model.watchdog_ports import WatchLimits
from workflows.operations import catalog
from workflows.watchdog import Watched

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconcileResult:
    """``seen`` are the runs that need no second look, ``recovered`` what was taken up.

    ``since`` is what the next look begins with: seconds of Unix time, for inside the sandbox a
    time could not be read back. ``watched`` is what the watchdog remembers.
    """

    seen: tuple[str, ...] = ()
    recovered: tuple[str, ...] = ()
    since: float = 0
    watched: Watched | None = None


@workflow.defn(name=names.RECONCILE_WORKFLOW)
class ReconcileWorkflow:
    """Takes up what was ended from outside. It remembers through its schedule's last result."""

    @workflow.run
    async def run(self, limits: WatchLimits | None = None) -> ReconcileResult:
        """Look once."""
        last = workflow.get_last_completion_result(ReconcileResult) or ReconcileResult()
        limits = limits or WatchLimits()
        # Beside each other: what is stuck may keep neither an engine nor Slack waiting.
        ended, watched = await asyncio.gather(
            self._look_after_ended(last, timedelta(seconds=limits.look_back)),
            watchdog.watch(last.watched or Watched(), limits, self._recover),
        )
        return replace(ended, watched=watched)

    async def _look_after_ended(
        self, last: ReconcileResult, look_back: timedelta
    ) -> ReconcileResult:
        """Take up what has ended and was seen to by nobody."""
        window = workflow.now() - look_back
        since = min(window, _EPOCH + timedelta(seconds=last.since)) if last.since else window
        found = await workflow.execute_activity_method(
            VisibilityPort.find_ended_runs,
            EndedInput(known=last.seen, since=since),
            **activity_options.ask_temporal(),
        )
        # All at once: a host that is gone must not keep the others waiting.
        done = await asyncio.gather(*(self._take_up(ended) for ended in found.runs))
        again = [run for run, is_done in zip(found.runs, done, strict=True) if not is_done]
        ids = {run.run_id for run in again}
        return ReconcileResult(
            seen=tuple(run_id for run_id in found.seen if run_id not in ids),
            recovered=tuple(run.workflow_id for run in found.runs if run.run_id not in ids),
            since=_next_since(window, found, again),
        )

    async def _take_up(self, ended: EndedRun) -> bool:
        """See to one run; false says that it is to be looked at again the next time."""
        if ended.state.closed:
            # It was over, and only its last card may not have been drawn.
            return await self._redraw(ended.state)
        if not ended.is_operation:
            return await self._redraw(
                replace(ended.state, status=RequestStatus.CANCELLED, cause=ErrorType.UNEXPECTED)
            )
        if not ended.superseded:
            return await self._recover(ended)
        return await self._leave_to_people(ended.state)

    async def _recover(self, ended: EndedRun) -> bool:
        state = ended.state
        try:
            await workflow.start_child_workflow(
                names.OPERATION_WORKFLOW,
                OperateInput(state=state, recover=True),
                id=ended.workflow_id,
                task_timeout=timedelta(seconds=WORKFLOW_TASK_SECONDS),
                parent_close_policy=ParentClosePolicy.ABANDON,
                search_attributes=names.request_attributes(
                    host=state.container.host,
                    container=state.container.name,
                    requester=state.requester,
                    request_id=state.request_id,
                ),
                static_summary=(
                    f"put back {names.indexed_name(state.container.name)} on {state.container.host}"
                ),
            )
        except WorkflowAlreadyStartedError:
            return False
        return True

    async def _leave_to_people(self, state: RequestState) -> bool:
        """Touch no container about which people have approved something else since."""
        swept = await self._sweep_images(state)
        snapshot = state.snapshot if state.snapshot and state.snapshot.reference else None
        over = replace(
            state,
            status=RequestStatus.NEEDS_PERSON,
            cause=ErrorType.STATE_CONFLICT,
            snapshot=snapshot,
            steps=steps.fail(
                steps.cut_off(state.steps),
                StepName.PUT_BACK,
                ErrorType.STATE_CONFLICT,
                workflow.now(),
            ),
        )
        return await self._redraw(over) and swept

    async def _sweep_images(self, state: RequestState) -> bool:
        is_kept = state.snapshot is not None and bool(state.snapshot.reference)
        if not catalog.makes_image(state.operation) or state.pin is None or is_kept:
            return True
        settle = TIMING.commit_settle if steps.may_be_committing(state) else 0
        options = activity_options.sweep(
            state.container.host, settle, host_answers_within=activity_options.HOST_ANSWERS_WITHIN
        )
        arg = SweepInput(
            pin=state.pin,
            request_id=state.request_id,
            reference=state.reference,
            failed_image_id=state.snapshot.image_id if state.snapshot else "",
            settle_seconds=settle,
            any_image=steps.may_have_tagged(state),
            permit=state.permit,
        )
        try:
            await workflow.execute_activity_method(SnapshotsPort.sweep_snapshots, arg, **options)
        except ActivityError as error:
            kind = str(failures.error_type(error))
            workflow.logger.warning("images not tidied", extra={"error_type": kind})
            return False
        return True

    async def _redraw(self, state: RequestState) -> bool:
        """Say on the card that the request is over; false when Slack could not be reached."""
        over = replace(
            state,
            revision=state.revision + 1,
            steps=steps.cut_off(state.steps),
            finished_at=state.finished_at or workflow.now(),
            closed=True,
        )
        kind = ThreadKind.OUTCOME
        if state.status is RequestStatus.NEEDS_PERSON:
            kind = ThreadKind.PAGE
        entry = ThreadEntry(key="outcome", kind=kind, user_id=state.requester)
        try:
            await workflow.execute_activity_method(
                MessagesPort.publish,
                PublishInput(state=over, thread=(entry,)),
                **activity_options.publish(),
            )
        except ActivityError as error:
            error_type = failures.error_type(error)
            workflow.logger.warning("card not redrawn", extra={"error_type": str(error_type)})
            if error_type is not ErrorType.SLACK_REFUSED:
                return False
            # Nobody could be told, here or directly: a channel may come back.
            await leave_last_word(over, (entry,))
        return True


def _next_since(window: datetime, found: EndedRuns, again: list[EndedRun]) -> float:
    """Go back as far as to the oldest end that is not seen to: an outage may last days."""
    left = [run.closed_at for run in again if run.closed_at is not None]
    if found.left_since is not None:
        left.append(found.left_since)
    return (min([window, *left]) - _EPOCH).total_seconds()
