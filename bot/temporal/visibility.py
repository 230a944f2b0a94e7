"""Which requests are there?

Asks Temporal's list of workflows, which also knows requests that are over and needs no worker.
The list lags a little behind: a request that was just started is looked for more than once.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from temporalio.client import Client, WorkflowExecution, WorkflowExecutionStatus

from bot.temporal.client import bounded
from bot.temporal.errors import ENDED, RequestSummary, RequestUnknownError, TemporalCall
from workflows.model import names
from workflows.model.state import RequestStatus

#: How many requests an answer shows at most.
MAX_ROWS = 15
_RECENT = timedelta(days=7)
_LIST_WITHIN = timedelta(seconds=2)
_TRIES = 4
_BETWEEN_TRIES = 0.2
_OPEN = frozenset({RequestStatus.WAITING, RequestStatus.RUNNING, ""})
_REQUESTS = f"WorkflowType = '{names.REQUEST_WORKFLOW}'"


class Visibility:
    """Finds requests in Temporal's list of workflows."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def find(self, request_id: str) -> RequestSummary:
        """Find a request by its id.

        Raises:
            RequestUnknownError: there is none.
        """
        query = f"{_REQUESTS} AND {names.REQUEST_ID.name} = {_quoted(request_id)}"
        for attempt in range(_TRIES):
            if attempt:
                await asyncio.sleep(_BETWEEN_TRIES)
            rows, _ = await self._select(query, limit=1)
            if rows:
                return rows[0]
        raise RequestUnknownError(request_id)

    async def waiting(self) -> tuple[list[RequestSummary], int]:
        """Give the requests that wait for a decision, and how many there are."""
        status = _quoted(RequestStatus.WAITING)
        return await self._select_and_count(
            f"{_REQUESTS} AND ExecutionStatus = 'Running' AND {names.STATUS.name} = {status}"
        )

    async def of(self, user_id: str) -> tuple[list[RequestSummary], int]:
        """Give the requests that a user made, newest first, and how many there are."""
        return await self._select_and_count(
            f"{_REQUESTS} AND {names.REQUESTER.name} = {_quoted(user_id)}"
        )

    async def recent(self) -> tuple[list[RequestSummary], int]:
        """Give the requests of the last seven days, newest first, and how many there are."""
        since = (datetime.now(UTC) - _RECENT).isoformat(timespec="seconds")
        return await self._select_and_count(f"{_REQUESTS} AND StartTime > '{since}'")

    async def _select_and_count(self, query: str) -> tuple[list[RequestSummary], int]:
        rows, more = await self._select(query, limit=MAX_ROWS)
        if not more:
            return rows, len(rows)
        counted = await bounded(
            TemporalCall.READ, self._client.count_workflows(query), _LIST_WITHIN
        )
        return rows, counted.count

    async def _select(self, query: str, *, limit: int) -> tuple[list[RequestSummary], bool]:
        listing = self._client.list_workflows(
            query, page_size=limit + 1, limit=limit + 1, rpc_timeout=_LIST_WITHIN
        )

        async def read() -> list[RequestSummary]:
            return [await summarise(execution) async for execution in listing]

        rows = await bounded(TemporalCall.READ, read(), _LIST_WITHIN)
        return rows[:limit], len(rows) > limit


async def summarise(execution: WorkflowExecution) -> RequestSummary:
    """Read a request's search attributes and its memo."""
    attributes = execution.typed_search_attributes
    is_open = execution.status is WorkflowExecutionStatus.RUNNING
    status = attributes.get(names.STATUS) or ""
    return RequestSummary(
        request_id=attributes.get(names.REQUEST_ID) or "",
        status=ENDED if not is_open and status in _OPEN else status,
        host=attributes.get(names.HOST) or "",
        container=attributes.get(names.CONTAINER) or "",
        operation=str(await execution.memo_value(names.OPERATION_MEMO, "")),
        requester=attributes.get(names.REQUESTER) or "",
        workflow_id=execution.id,
        run_id=execution.run_id,
        started_at=execution.start_time,
        open=is_open,
    )


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
