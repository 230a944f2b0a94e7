"""How many requests of the same person wait already, and did this very one come before?

Temporal's list lags a little behind. So it is waited for a moment until it knows the request that
is being planned and says the same for a little while: of many at once as many are let in as may be,
in the order in which they began. What was just withdrawn may still be in the list, so a limit that
seems reached is looked at again before anybody is refused.

How often the same container was asked for lately is told with it; that keeps nobody waiting.

Whoever reads Temporal can send the start of a request once more. It is then there twice, and the
second is no run that continues the first.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from temporalio import activity
from temporalio.client import Client, WorkflowExecution
from temporalio.service import RPCError

from workflows.model.asker_ports import AskersPort, OpenRequests, OpenRequestsInput
from workflows.model.names import (
    CONTAINER,
    CONTAINER_NAME,
    HOST,
    HOST_NAME,
    REQUEST_ID,
    REQUEST_ID_FORM,
    REQUEST_WORKFLOW,
    REQUESTER,
    STATUS,
    USER_ID_FORM,
    indexed_name,
)
from workflows.model.requests import ContainerRef
from workflows.model.state import RequestStatus

_CALL_WITHIN: Final = timedelta(seconds=2)
#: So long the list may take to know what has just begun, or has just ended.
_LAGS: Final = 2.0
#: So long it must say the same, which is about what Slack takes to say who asks.
_STEADY: Final = 0.1
_STEADY_AMONG_OTHERS: Final = 0.5
_BETWEEN_LOOKS: Final = 0.05
#: It is good to know, and worth no waiting.
_COUNTED_WITHIN: Final = timedelta(milliseconds=500)
_LATELY: Final = timedelta(days=7)
_CARRIED_OUT: Final = (
    RequestStatus.SUCCEEDED,
    RequestStatus.PUT_BACK,
    RequestStatus.NEEDS_PERSON,
)
_SAME_MOMENT: Final = timedelta(seconds=2)
_MORE_ROWS: Final = 100


class _Row(NamedTuple):
    """One request of the list, in the order in which requests began."""

    began: datetime
    request_id: str


class Askers(AskersPort):
    """Looks into Temporal's list. ``limit`` is how many may wait for each person; 0 is no limit."""

    def __init__(self, client: Client, *, limit: int) -> None:
        self._client = client
        self._limit = limit

    @activity.defn(name="count_open_requests")
    async def count_open_requests(self, arg: OpenRequestsInput) -> OpenRequests:
        """Count the requests of a person that wait, and that were there before this one."""
        found, used, earlier = await asyncio.gather(
            self._count(arg), self._is_used(arg), self._earlier(arg.container)
        )
        return replace(found, used=used, earlier=earlier)

    async def _count(self, arg: OpenRequestsInput) -> OpenRequests:
        # Nothing else may get into a query; and whoever is no user is refused for that.
        if not self._limit or not USER_ID_FORM.fullmatch(arg.requester):
            return OpenRequests(limit=self._limit)
        deadline = time.monotonic() + _LAGS
        seen, since = await self._rows(arg.requester), time.monotonic()
        while True:
            mine = next((row for row in seen if row.request_id == arg.request_id), None)
            others = [row for row in seen if row.request_id != arg.request_id]
            before = [row for row in others if mine is None or row < mine]
            found = OpenRequests(waiting=len(before), limit=self._limit)
            steady_for = time.monotonic() - since
            is_sure = mine is not None and not found.too_many and steady_for > _steady(mine, others)
            if is_sure or time.monotonic() > deadline:
                return found
            await asyncio.sleep(_BETWEEN_LOOKS)
            rows = await self._rows(arg.requester)
            if rows != seen:
                seen, since = rows, time.monotonic()

    async def _is_used(self, arg: OpenRequestsInput) -> bool:
        """Say whether a request with this id was begun that this one does not continue."""
        if not arg.first_run_id or not REQUEST_ID_FORM.fullmatch(arg.request_id):
            return False
        query = f"WorkflowType = '{REQUEST_WORKFLOW}' AND {REQUEST_ID.name} = '{arg.request_id}'"
        listing = self._client.list_workflows(query, rpc_timeout=_CALL_WITHIN)
        async for row in listing:
            # The list itself does not tell which run another one continues (server 1.32).
            if row.run_id != arg.first_run_id and await self._first_run(row) != arg.first_run_id:
                return True
        return False

    async def _earlier(self, container: ContainerRef | None) -> int | None:
        """Count what was carried out lately on a container of this name; ``None``: not known."""
        is_named = container is not None and HOST_NAME.fullmatch(container.host)
        if container is None or not is_named or not CONTAINER_NAME.fullmatch(container.name):
            return None
        since = (datetime.now(UTC) - _LATELY).isoformat(timespec="seconds")
        carried_out = ", ".join(f"'{status}'" for status in _CARRIED_OUT)
        query = (
            f"WorkflowType = '{REQUEST_WORKFLOW}' AND ExecutionStatus != 'ContinuedAsNew' "
            f"AND {HOST.name} = '{container.host}' "
            f"AND {CONTAINER.name} = '{indexed_name(container.name)}' "
            f"AND {STATUS.name} IN ({carried_out}) AND StartTime > '{since}'"
        )
        try:
            found = await self._client.count_workflows(query, rpc_timeout=_COUNTED_WITHIN)
        except RPCError:
            return None
        return found.count

    async def _first_run(self, row: WorkflowExecution) -> str:
        handle = self._client.get_workflow_handle(row.id, run_id=row.run_id)
        described = await handle.describe(rpc_timeout=_CALL_WITHIN)
        return described.raw_description.workflow_execution_info.first_run_id

    async def _rows(self, requester: str) -> list[_Row]:
        """List what waits of a person; the newest come first, and no more are needed."""
        query = (
            f"WorkflowType = '{REQUEST_WORKFLOW}' AND ExecutionStatus = 'Running' "
            f"AND {REQUESTER.name} = '{requester}' AND {STATUS.name} = '{RequestStatus.WAITING}'"
        )
        most = self._limit + _MORE_ROWS
        listing = self._client.list_workflows(
            query, limit=most, page_size=most, rpc_timeout=_CALL_WITHIN
        )
        return [
            _Row(row.start_time, row.typed_search_attributes.get(REQUEST_ID) or "")
            async for row in listing
        ]


def _steady(mine: _Row, others: Sequence[_Row]) -> float:
    """Say how long the list must stay as it is: longer while others come in as well."""
    together = any(abs(row.began - mine.began) < _SAME_MOMENT for row in others)
    return _STEADY_AMONG_OTHERS if together else _STEADY
