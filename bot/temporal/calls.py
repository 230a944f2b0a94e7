"""What becomes of a call to Temporal that fails or takes too long?"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from datetime import timedelta
from typing import TypeVar

from temporalio.client import (
    WorkflowHandle,
    WorkflowQueryFailedError,
    WorkflowQueryRejectedError,
)
from temporalio.service import RPCError, RPCStatusCode

from bot.temporal.errors import Act, TemporalMisconfiguredError, TemporalUnavailableError
from workflows.model import names
from workflows.model.state import RequestState

T = TypeVar("T")

#: What a call may take while Slack waits for the answer.
BUDGET = timedelta(seconds=2)
#: What a question may take whose answer is only nice to have.
SHORT = timedelta(milliseconds=700)

_REFUSED = frozenset(
    {
        RPCStatusCode.INVALID_ARGUMENT,
        RPCStatusCode.PERMISSION_DENIED,
        RPCStatusCode.UNAUTHENTICATED,
        RPCStatusCode.UNIMPLEMENTED,
        RPCStatusCode.FAILED_PRECONDITION,
    }
)
_IN_TIME_UNKNOWN = frozenset({RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED})


async def bounded(act: Act, call: Awaitable[T], within: timedelta) -> T:
    """Make a call and bound it; ``NOT_FOUND`` is left to the caller.

    Raises:
        TemporalUnavailableError: there was no answer, or none in time.
        TemporalMisconfiguredError: Temporal refuses such calls for good.
    """
    try:
        async with asyncio.timeout(within.total_seconds()):
            return await call
    except TimeoutError as error:
        raise TemporalUnavailableError(act, maybe_done=True) from error
    except RPCError as error:
        if is_missing(error):
            raise
        if error.status in _REFUSED or error.status is RPCStatusCode.NOT_FOUND:
            raise TemporalMisconfiguredError(error.message) from error
        maybe_done = error.status in _IN_TIME_UNKNOWN
        raise TemporalUnavailableError(act, maybe_done=maybe_done) from error
    except RuntimeError as error:
        # The SDK's way to say that the first connection failed.
        raise TemporalUnavailableError(act, maybe_done=False) from error


def is_missing(error: RPCError) -> bool:
    """Tell a workflow that is over or never was from a namespace that is missing."""
    return error.status is RPCStatusCode.NOT_FOUND and "namespace" not in error.message.lower()


async def state_of(
    handle: WorkflowHandle[object, object], within: timedelta
) -> RequestState | None:
    """Ask a workflow where it stands; ``None`` when nobody can answer now."""
    try:
        return await bounded(
            Act.READ,
            handle.query(names.STATE_QUERY, result_type=RequestState, rpc_timeout=within),
            within,
        )
    except (
        TemporalUnavailableError,
        WorkflowQueryFailedError,
        WorkflowQueryRejectedError,
        RPCError,
    ):
        return None
