"""The reconciliation comes again and again, even after a look that was stuck itself."""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow
from temporalio.client import Client, ScheduleActionStartWorkflow, WorkflowExecutionStatus
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities.temporal.schedules import ensure_reconciliation
from tests.rigs.waiting import eventually
from workflows.model import names


@workflow.defn(name=names.RECONCILE_WORKFLOW, sandboxed=False)
class BrokenLook:
    """A look of a release that has a bug."""

    @workflow.run
    async def run(self) -> None:
        """Fail as a bug does: Temporal tries it again for ever."""
        message = "a bug"
        raise RuntimeError(message)


@workflow.defn(name=names.RECONCILE_WORKFLOW, sandboxed=False)
class Look:
    """A look that finds nothing."""

    @workflow.run
    async def run(self) -> str:
        """Look."""
        return "looked"


def _worker(client: Client, look: type) -> Worker:
    return Worker(
        client,
        task_queue=names.CONTROL_TASK_QUEUE,
        workflows=[look],
        workflow_runner=UnsandboxedWorkflowRunner(),
    )


async def _count(client: Client, status: WorkflowExecutionStatus) -> int:
    looks = f"WorkflowType = '{names.RECONCILE_WORKFLOW}' AND ExecutionStatus = "
    name = {WorkflowExecutionStatus.TIMED_OUT: "TimedOut"}.get(status, "Completed")
    return (await client.count_workflows(f"{looks} '{name}'")).count


async def test_look_that_is_stuck_gives_way_to_the_next(client: Client) -> None:
    """One that fails for ever would keep every other from beginning: it has a time limit."""
    every, within = timedelta(seconds=1), timedelta(seconds=2)
    async with _worker(client, BrokenLook):
        await ensure_reconciliation(client, every, within=within)

        async def has_given_way() -> bool:
            return await _count(client, WorkflowExecutionStatus.TIMED_OUT) > 0

        await eventually(has_given_way, within=30)
    before = await _count(client, WorkflowExecutionStatus.COMPLETED)
    async with _worker(client, Look):

        async def has_looked() -> bool:
            return await _count(client, WorkflowExecutionStatus.COMPLETED) > before

        await eventually(has_looked, within=30)

    handle = client.get_schedule_handle(names.RECONCILE_SCHEDULE)
    await ensure_reconciliation(client)
    action = (await handle.describe()).schedule.action
    assert isinstance(action, ScheduleActionStartWorkflow)
    assert action.execution_timeout == timedelta(minutes=10)
    await handle.delete()
