"""What does a failure that reached a workflow mean?

The server wraps what an activity raised; these functions unwrap it into our own names.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

from temporalio.exceptions import (
    ActivityError,
    ApplicationError,
    CancelledError,
    FailureError,
    RetryState,
    TimeoutError as TemporalTimeoutError,
    TimeoutType,
    is_cancelled_exception,
)

from workflows.model.asker_ports import AskersPort
from workflows.model.errors import ErrorType, RefusalCode
from workflows.model.ports import DirectoryPort, MessagesPort, VisibilityPort
from workflows.model.queue_ports import QueuesPort
from workflows.model.requests import ContainerState
from workflows.model.state import Refusal, Sighting
from workflows.model.watchdog_ports import WatchdogPort

_ASKS_SLACK = frozenset(
    stub.__name__
    for stub in (
        MessagesPort.publish,
        MessagesPort.notify,
        DirectoryPort.look_up_person,
        DirectoryPort.list_group_members,
    )
)
_ASKS_TEMPORAL = frozenset(
    stub.__name__
    for stub in (
        VisibilityPort.find_ended_runs,
        VisibilityPort.last_state,
        QueuesPort.queue_place,
        AskersPort.count_open_requests,
        WatchdogPort.find_stuck_runs,
        WatchdogPort.end_stuck_run,
    )
)
#: In these words the server says that no worker had taken up what was cancelled (1.32).
_NOT_STARTED = "ACTIVITY_ID_NOT_STARTED"
_UNREACHABLE = frozenset(
    {
        ErrorType.ENGINE_UNAVAILABLE,
        ErrorType.ENGINE_AMBIGUOUS,
        ErrorType.ENGINE_FORBIDDEN,
        ErrorType.ENGINE_ERROR,
    }
)


def ends_workflow(error: BaseException) -> bool:
    """Tell a failure or a cancellation from a bug.

    A bug must go on to the SDK, which then holds the workflow until a mended worker comes;
    compensation must not run for it.
    """
    return isinstance(error, (asyncio.CancelledError, FailureError))


def is_cancellation(error: BaseException) -> bool:
    """Tell whether somebody cancelled the work, be it by ending the tries at it.

    An attempt that fails for now after a cancel is not tried again, and fails as it is.
    """
    if is_cancelled_exception(error):
        return True
    cause = error.__cause__
    for_good = isinstance(cause, ApplicationError) and cause.non_retryable
    return (
        isinstance(error, ActivityError)
        and error.retry_state is RetryState.CANCEL_REQUESTED
        and not for_good
    )


def is_cancellation_at_once(error: FailureError) -> bool:
    """Tell whether somebody cancelled a local activity, which fails in its own way (SDK 1.35).

    What it raised comes as it is, in no ``ActivityError``; and of one that was too slow the SDK
    says as well that a cancel was asked for.
    """
    return not isinstance(error.cause, TemporalTimeoutError) and is_cancellation(error)


def never_begun(error: ActivityError) -> bool:
    """Tell whether no worker took up the one attempt of an activity.

    Its first schedule-to-start time-out has neither an inner cause nor heartbeat details. One
    that follows an attempt which was taken up, and may have sent something, has them. Of one that
    was cancelled in its queue the server says so itself.
    """
    cause = error.cause
    if isinstance(cause, TemporalTimeoutError):
        return (
            cause.type is TimeoutType.SCHEDULE_TO_START
            and cause.cause is None
            and not cause.last_heartbeat_details
        )
    return isinstance(cause, CancelledError) and _NOT_STARTED in cause.details


def is_repeatable(error: ActivityError) -> bool:
    """Tell whether one more attempt may end better; asked of activities that have one."""
    return error.retry_state is RetryState.MAXIMUM_ATTEMPTS_REACHED


def may_have_touched(error: ActivityError) -> bool:
    """Tell whether an attempt may have asked the engine to change something; in doubt, yes."""
    if never_begun(error):
        return False
    details = _details(error)
    return details is None or bool(details.get("touched"))


def sighting(error: ActivityError, at: datetime) -> Sighting | None:
    """Give what the engine said of the container when an attempt to put it back failed."""
    details = _details(error) or {}
    try:
        state = ContainerState(details["state"])
        since = details.get("since")
        return Sighting(state=state, at=at, since=datetime.fromisoformat(since) if since else None)
    except (KeyError, TypeError, ValueError):
        return None


def run_began(error: ActivityError) -> datetime | None:
    """Give when the run began that a failed start of ours has begun, if it told so."""
    try:
        return datetime.fromisoformat((_details(error) or {})["started_at"])
    except (KeyError, TypeError, ValueError):
        return None


def image_made(error: ActivityError) -> str:
    """Give the image that a snapshot had made before it failed; ``""``: none is known of."""
    known = _details(error) or {}
    if isinstance(error.cause, TemporalTimeoutError):
        beats = error.cause.last_heartbeat_details
        known = next((beat for beat in beats if isinstance(beat, dict)), {})
    return str(known.get("image_id") or "")


def name_seen(error: ActivityError) -> str:
    """Give what the engine called the container when an attempt to put it back failed."""
    return str((_details(error) or {}).get("name") or "")


def _details(error: ActivityError) -> dict[str, Any] | None:
    """Give what an activity on a container left beside its error; ``None``: nothing is known."""
    cause = error.cause
    if not isinstance(cause, ApplicationError) or cause.type not in list(ErrorType):
        return None
    first = cause.details[0] if cause.details else {}
    return first if isinstance(first, dict) else {"touched": first == "touched"}


def error_type(error: BaseException) -> ErrorType:
    """Name what went wrong."""
    cause = error.cause if isinstance(error, ActivityError) else error
    if isinstance(cause, TemporalTimeoutError):
        return _timed_out(cause, error.activity_type if isinstance(error, ActivityError) else "")
    if isinstance(cause, ApplicationError) and cause.type in list(ErrorType):
        return ErrorType(cause.type)
    return ErrorType.UNEXPECTED


def _timed_out(cause: TemporalTimeoutError, activity: str) -> ErrorType:
    """Say what a time-out means: only what asks the engine may have done something there."""
    if cause.type is TimeoutType.SCHEDULE_TO_START:
        return ErrorType.WORKER_UNAVAILABLE
    if activity in _ASKS_SLACK:
        return ErrorType.SLACK_UNAVAILABLE
    if activity in _ASKS_TEMPORAL:
        return ErrorType.UNEXPECTED
    return ErrorType.ENGINE_AMBIGUOUS


def error_text(error: BaseException) -> str:
    """Give the short safe text that our activities raise; nothing of an unknown error."""
    cause = error.cause if isinstance(error, ActivityError) else error
    if isinstance(cause, ApplicationError) and cause.type in list(ErrorType):
        return cause.message
    return ""


def refusal_of(error: ActivityError, host: str) -> Refusal:
    """Say why a request could not be planned."""
    cause = error.cause
    if isinstance(cause, ApplicationError) and cause.type in list(RefusalCode):
        return Refusal(code=RefusalCode(cause.type), detail=cause.message)
    kind = error_type(error)
    if kind is ErrorType.WORKER_UNAVAILABLE:
        return Refusal(code=RefusalCode.UNKNOWN_HOST, detail=host)
    if kind in _UNREACHABLE:
        return Refusal(code=RefusalCode.ENGINE_UNREACHABLE, detail=host)
    return Refusal(code=RefusalCode.BAD_REQUEST, detail=error_text(error))
