"""Who starts the reconciliation, and how often?"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Final

from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
    ScheduleState,
    ScheduleUpdate,
)

from workflows.model.names import CONTROL_TASK_QUEUE, RECONCILE_SCHEDULE, RECONCILE_WORKFLOW

_EVERY: Final = timedelta(minutes=1)
_CATCH_UP: Final = timedelta(minutes=2)
#: A look takes seconds; with a host that does not answer, a few minutes.
_WITHIN: Final = timedelta(minutes=10)


async def ensure_reconciliation(
    client: Client, every: timedelta = _EVERY, *, within: timedelta = _WITHIN
) -> None:
    """See to it that Temporal starts the reconciliation; what was set before is brought up to date.

    A workflow would not do as its own clock: it could be terminated like those it looks after.
    The time limit, which no other workflow has, is for a look that is stuck itself: there would
    never be another. It strands nothing, for what a look has begun goes on without it.
    """
    schedule = Schedule(
        action=ScheduleActionStartWorkflow(
            RECONCILE_WORKFLOW,
            id="reconcile",
            task_queue=CONTROL_TASK_QUEUE,
            execution_timeout=within,
        ),
        spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=every)]),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=_CATCH_UP),
        state=ScheduleState(note="Puts back what was terminated. Made by the Dockwarden worker."),
    )
    try:
        await client.create_schedule(RECONCILE_SCHEDULE, schedule)
    except ScheduleAlreadyRunningError:
        handle = client.get_schedule_handle(RECONCILE_SCHEDULE)
        # An operator may have paused it: the state stays as it is.
        await handle.update(
            lambda found: ScheduleUpdate(
                schedule=replace(schedule, state=found.description.schedule.state)
            )
        )
