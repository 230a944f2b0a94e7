"""Where do many requests stand at this moment, as far as they say so in time?

A list of Temporal knows neither reasons nor votes nor cards. A request that is open is asked; one
that is over has left its last state as the result of its workflow, which needs no worker.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

from temporalio.client import Client, WorkflowHandle

from bot.temporal.client import SHORT, bounded, state_of
from bot.temporal.errors import (
    RequestStuckError,
    RequestSummary,
    TemporalCall,
    TemporalMisconfiguredError,
)
from workflows.model.names import RequestAddress
from workflows.model.state import RequestState

_log = logging.getLogger(__name__)

#: What all of them together may take: who asks is answered within the three seconds of Slack.
_WITHIN = timedelta(seconds=1)


async def states_of(client: Client, rows: Sequence[RequestSummary]) -> dict[str, RequestState]:
    """Ask all at once; who has not answered in time is left out."""
    if not rows:
        return {}
    tasks = [asyncio.create_task(_state(client, row)) for row in rows]
    done, late = await asyncio.wait(tasks, timeout=_WITHIN.total_seconds())
    for task in late:
        task.cancel()
    await asyncio.gather(*late, return_exceptions=True)
    told = [task.result() for task in done]
    return {state.request_id: state for state in told if state is not None}


async def state_now(
    client: Client, request: RequestAddress, within: timedelta
) -> RequestState | None:
    """Ask the request at an address; ``None`` when it does not say where it stands."""
    with suppress(RequestStuckError, TemporalMisconfiguredError):
        state = await state_of(client.get_workflow_handle(request.workflow_id), within)
        if state is not None and state.request_id == request.request_id:
            return await with_its_operation(client, state)
    return None


async def with_its_operation(client: Client, state: RequestState) -> RequestState:
    """Add how far the work has come, which its operation knows first."""
    if not state.operation_workflow_id or state.closed:
        return state
    live = client.get_workflow_handle(state.operation_workflow_id)
    told = await state_of(live, SHORT)
    if told is None or told.request_id != state.request_id:
        return state
    return replace(
        state,
        steps=told.steps,
        attempts=told.attempts,
        seen=told.seen,
        tried_at=told.tried_at,
        next_try_at=told.next_try_at,
    )


async def _state(client: Client, row: RequestSummary) -> RequestState | None:
    try:
        if row.open:
            state = await state_of(client.get_workflow_handle(row.workflow_id), _WITHIN)
        else:
            state = await bounded(TemporalCall.READ, _last(client, row), _WITHIN)
        # By now another request may be at the same address.
        if state is None or state.request_id != row.request_id:
            return None
        return await with_its_operation(client, state)
    except Exception as error:  # noqa: BLE001 - one that cannot be read hides none of the others
        extra = {"request_id": row.request_id, "why": type(error).__name__}
        _log.debug("where a request stands is not known", extra=extra)
        return None


async def _last(client: Client, row: RequestSummary) -> RequestState:
    handle: WorkflowHandle[object, RequestState] = client.get_workflow_handle(
        row.workflow_id, run_id=row.run_id, result_type=RequestState
    )
    return await handle.result(follow_runs=False, rpc_timeout=_WITHIN)
