"""How does a test have the reconciliation look now, with all that it remembers?"""

from __future__ import annotations

import uuid
from types import TracebackType
from typing import Final, Self

from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionExecutionStartWorkflow,
    ScheduleActionStartWorkflow,
    ScheduleHandle,
    ScheduleSpec,
    ScheduleState,
)

from tests.rigs.waiting import eventually
from workflows.model import names
from workflows.model.watchdog_ports import WatchLimits
from workflows.reconcile import ReconcileResult

#: How often a task must fail before a server reports its workflow; 0 turns that off.
REPORTED_AFTER: Final = "system.numConsecutiveWorkflowTaskProblemsToTriggerSearchAttribute"
#: Whatever fails now has failed for long enough.
AT_ONCE: Final = WatchLimits(
    page_after=0, end_after=0, overdue_after=0, attempts=2, at_a_time=1000, round_every=0
)
#: The same, but nothing is ended yet.
PAGE_ONLY: Final = WatchLimits(
    page_after=0, overdue_after=0, attempts=2, at_a_time=1000, round_every=0
)


class Looks:
    """A schedule of its own, which looks only when it is told to."""

    def __init__(self, client: Client, limits: WatchLimits = AT_ONCE) -> None:
        self._client = client
        self._id = f"looks-{uuid.uuid4().hex}"
        self._limits = limits
        self._handle: ScheduleHandle | None = None
        self._made = 0

    async def __aenter__(self) -> Self:
        """Make the schedule."""
        action = ScheduleActionStartWorkflow(
            names.RECONCILE_WORKFLOW,
            self._limits,
            id=self._id,
            task_queue=names.CONTROL_TASK_QUEUE,
        )
        self._handle = await self._client.create_schedule(
            self._id,
            Schedule(action=action, spec=ScheduleSpec(), state=ScheduleState(paused=True)),
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Remove the schedule."""
        assert self._handle is not None
        await self._handle.delete()

    async def look(self) -> ReconcileResult:
        """Look once, with what the look before has left."""
        handle, self._made = self._handle, self._made + 1
        assert handle is not None
        await handle.trigger()

        async def is_begun() -> bool:
            return (await handle.describe()).info.num_actions == self._made

        await eventually(is_begun)
        action = (await handle.describe()).info.recent_actions[-1].action
        assert isinstance(action, ScheduleActionExecutionStartWorkflow)
        run = self._client.get_workflow_handle(
            action.workflow_id,
            run_id=action.first_execution_run_id,
            result_type=ReconcileResult,
        )
        result = await run.result()

        async def is_remembered() -> bool:
            return not (await handle.describe()).info.running_actions

        await eventually(is_remembered)
        return result
