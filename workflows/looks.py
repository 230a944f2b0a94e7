"""A look at a host failed: why, and is somebody there at all?

That nobody took it up in time does not say that nobody is there: a worker may be busy, or have
ended a moment ago. Temporal knows who has asked for work lately.
"""

from __future__ import annotations

from temporalio import workflow
from temporalio.exceptions import ActivityError

from workflows import activity_options, failures
from workflows.model.errors import ErrorType, RefusalCode
from workflows.model.queue_ports import QueuePlace, QueuePlaceInput, QueuesPort
from workflows.model.state import Refusal


async def refusal_of_look(error: ActivityError, host: str) -> Refusal:
    """Say why a look at a container, or at a host, failed."""
    if failures.error_type(error) is not ErrorType.WORKER_UNAVAILABLE:
        return failures.refusal_of(error, host)
    place = await _place(host)
    if place.polled:
        return Refusal(code=RefusalCode.HOST_BUSY, detail=host)
    if place.announced:
        return Refusal(code=RefusalCode.HOST_AWAY, detail=host)
    if place.near:
        return Refusal(code=RefusalCode.UNKNOWN_HOST, detail=f"did you mean {place.near}?")
    return failures.refusal_of(error, host)


async def _place(host: str) -> QueuePlace:
    try:
        return await workflow.execute_activity_method(
            QueuesPort.queue_place, QueuePlaceInput(host=host), **activity_options.ask_queue()
        )
    except ActivityError as error:
        if failures.is_cancellation(error):
            raise
        return QueuePlace(polled=False)
