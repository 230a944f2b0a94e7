"""How many requests of the same person wait already, so that nobody asks for everything at once?

Temporal's list lags a little behind. So it is waited for a moment until it knows the request that
is being planned: then it knows those that came before it too, and of many at once exactly as many
are let in as may be. What was just withdrawn may still be in it, so a limit that seems reached is
looked at again before anybody is refused.
"""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Final

from temporalio import activity
from temporalio.client import Client

from workflows.model.asker_ports import AskersPort, OpenRequests, OpenRequestsInput
from workflows.model.names import (
    REQUEST_ID,
    REQUEST_ID_FORM,
    REQUEST_WORKFLOW,
    REQUESTER,
    STATUS,
    USER_ID_FORM,
)
from workflows.model.state import RequestStatus

_CALL_WITHIN: Final = timedelta(seconds=2)
#: So long the list may take to know what has just begun, or has just ended.
_LAGS: Final = 1.0
_BETWEEN_LOOKS: Final = 0.05


class Askers(AskersPort):
    """Looks into Temporal's list. ``limit`` is how many may wait for each person; 0 is no limit."""

    def __init__(self, client: Client, *, limit: int) -> None:
        self._client = client
        self._limit = limit

    @activity.defn(name="count_open_requests")
    async def count_open_requests(self, arg: OpenRequestsInput) -> OpenRequests:
        """Count the requests of a person that wait, and that were there before this one."""
        # Nothing else may get into a query; and whoever is no user is refused for that.
        is_known = USER_ID_FORM.fullmatch(arg.requester) and REQUEST_ID_FORM.fullmatch(
            arg.request_id
        )
        if not self._limit or not is_known:
            return OpenRequests(limit=self._limit)
        deadline = time.monotonic() + _LAGS
        while True:
            begun = await self._begun(arg)
            found = OpenRequests(waiting=await self._waiting(arg, begun), limit=self._limit)
            is_sure = begun is not None and not found.too_many
            if is_sure or time.monotonic() > deadline:
                return found
            await asyncio.sleep(_BETWEEN_LOOKS)

    async def _begun(self, arg: OpenRequestsInput) -> datetime | None:
        """Say when this request began; ``None`` when the list does not know it yet."""
        query = f"{_of(arg)} AND {REQUEST_ID.name} = '{arg.request_id}'"
        rows = self._client.list_workflows(query, limit=1, rpc_timeout=_CALL_WITHIN)
        return next(iter([row.start_time async for row in rows]), None)

    async def _waiting(self, arg: OpenRequestsInput, begun: datetime | None) -> int:
        query = f"{_of(arg)} AND {REQUEST_ID.name} != '{arg.request_id}'"
        if begun is not None:
            moment = begun.astimezone(UTC).isoformat(timespec="microseconds")
            query += f" AND StartTime < '{moment}'"
        counted = await self._client.count_workflows(query, rpc_timeout=_CALL_WITHIN)
        return counted.count


def _of(arg: OpenRequestsInput) -> str:
    return (
        f"WorkflowType = '{REQUEST_WORKFLOW}' AND ExecutionStatus = 'Running' "
        f"AND {REQUESTER.name} = '{arg.requester}' AND {STATUS.name} = '{RequestStatus.WAITING}'"
    )
