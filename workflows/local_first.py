"""How is an answer had within the very workflow task that asks for it, where that is quick?

A local activity costs one event and no round trip. But while one runs its workflow is told of
nothing, no signal and no cancel, and it begins anew when its worker dies. So it has one try and a
short limit, and is only for what can be repeated; what must not be cut off ends by itself before.
Whatever is slower, or fails, goes on as an ordinary activity.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, TypeVar

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError, FailureError
from temporalio.workflow import ActivityConfig

from workflows import failures
from workflows.model.releases import judges_itself

_In = TypeVar("_In")
_Out = TypeVar("_Out")


async def local_first(
    stub: Callable[[Any, _In], Awaitable[_Out]],
    arg: _In,
    options: ActivityConfig,
    *,
    within: timedelta,
) -> _Out:
    """Have an activity done in this process, or with these options if it is not done so in time.

    Raises:
        ActivityError: the ordinary activity failed, or the workflow was cancelled.
    """
    if judges_itself():
        try:
            return await workflow.execute_local_activity_method(
                stub,
                arg,
                schedule_to_close_timeout=within,
                retry_policy=RetryPolicy(maximum_attempts=1),
                summary=options.get("summary"),
            )
        except FailureError as error:
            if failures.is_cancellation_at_once(error):
                raise
            kind = str(failures.error_type(error))
            workflow.logger.info("not done at once", extra={"error_type": kind})
            await _wait_as_told(error)
    return await workflow.execute_activity_method(stub, arg, **options)


async def _wait_as_told(error: FailureError) -> None:
    """Wait as long as the failure says, as Temporal does before it tries again: Slack's limits."""
    if isinstance(error, ApplicationError) and error.next_retry_delay:
        await workflow.sleep(error.next_retry_delay, summary="before it is tried again")
