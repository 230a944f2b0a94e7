"""Who looks after a request that was terminated, and so could put nothing back?

A workflow that is terminated runs no code any more. A Temporal Schedule starts this one every
minute: it finds such requests and operations, has the containers put back, and redraws cards
whose buttons lead nowhere. What a person decided in the meantime it leaves alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from temporalio import workflow
from temporalio.exceptions import ActivityError, WorkflowAlreadyStartedError
from temporalio.workflow import ParentClosePolicy

from workflows import activity_options, failures, names
from workflows.announcements import PublishInput, ThreadEntry, ThreadKind
from workflows.endings import EndedInput, EndedRun
from workflows.errors import ErrorType
from workflows.ports import LedgerPort, MessagesPort
from workflows.state import RequestState, RequestStatus
from workflows.stop_and_snapshot import OperateInput, StopAndSnapshotWorkflow


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconcileResult:
    """``seen`` are the runs that need no second look, ``recovered`` what was taken up."""

    seen: tuple[str, ...] = ()
    recovered: tuple[str, ...] = ()


@workflow.defn(name=names.RECONCILE_WORKFLOW)
class ReconcileWorkflow:
    """Takes up what was ended from outside. It remembers through its schedule's last result."""

    @workflow.run
    async def run(self) -> ReconcileResult:
        """Look once."""
        last = workflow.get_last_completion_result(ReconcileResult) or ReconcileResult()
        found = await workflow.execute_activity_method(
            LedgerPort.find_ended_runs,
            EndedInput(known=last.seen),
            **activity_options.ask_temporal(),
        )
        recovered = [ended.workflow_id for ended in found.runs if await self._take_up(ended)]
        return ReconcileResult(seen=found.seen, recovered=tuple(recovered))

    async def _take_up(self, ended: EndedRun) -> bool:
        if ended.is_operation:
            return await self._recover(ended)
        await self._redraw(ended.state)
        return True

    async def _recover(self, ended: EndedRun) -> bool:
        state = ended.state
        try:
            await workflow.start_child_workflow(
                StopAndSnapshotWorkflow.run,
                OperateInput(state=state, recover=True),
                id=ended.workflow_id,
                parent_close_policy=ParentClosePolicy.ABANDON,
                search_attributes=names.operation_attributes(
                    host=state.container.host,
                    container=state.container.name,
                    requester=state.requester,
                    request_id=state.request_id,
                ),
                static_summary=f"put back {state.container.name} on {state.container.host}",
            )
        except WorkflowAlreadyStartedError:
            return False
        return True

    async def _redraw(self, state: RequestState) -> None:
        """Say on the card that the request is over, although nobody decided."""
        over = replace(
            state,
            status=RequestStatus.CANCELLED,
            revision=state.revision + 1,
            cause=ErrorType.UNEXPECTED,
            finished_at=workflow.now(),
            closed=True,
        )
        entry = ThreadEntry(key="outcome", kind=ThreadKind.OUTCOME, user_id=state.requester)
        try:
            await workflow.execute_activity_method(
                MessagesPort.publish,
                PublishInput(state=over, thread=(entry,)),
                **activity_options.publish(last=False),
            )
        except ActivityError as error:
            kind = str(failures.error_type(error))
            workflow.logger.warning("card not redrawn", extra={"error_type": kind})
