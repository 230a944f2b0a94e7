"""Which requests are there?

Asks Temporal's list of workflows, which also knows requests that are over and needs no worker.
The list lags a little behind: a request that was just started is looked for more than once.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from temporalio.client import Client, WorkflowExecution, WorkflowExecutionStatus

from bot.temporal.client import bounded
from bot.temporal.errors import ENDED, RequestSummary, RequestUnknownError, TemporalCall
from workflows.model import names
from workflows.model.state import RequestStatus

_RECENT = timedelta(days=7)
_LIST_WITHIN = timedelta(seconds=2)
_TRIES = 4
_BETWEEN_TRIES = 0.2
_OPEN = frozenset({RequestStatus.WAITING, RequestStatus.RUNNING, ""})
_CUT_OFF = frozenset({WorkflowExecutionStatus.TERMINATED, WorkflowExecutionStatus.TIMED_OUT})
#: A waiting request that goes on in a new run is listed once, by that one.
_REQUESTS = (
    f"WorkflowType = '{names.REQUEST_WORKFLOW}' AND (ExecutionStatus != 'ContinuedAsNew' "
    f"OR {names.STATUS.name} != '{RequestStatus.WAITING}')"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestPage:
    """The first requests of a list, as many as were asked for, and how many there are in all."""

    rows: tuple[RequestSummary, ...]
    total: int


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
            found = await self._select(query, limit=1)
            if found:
                return found[0]
        raise RequestUnknownError(request_id)

    async def waiting(self, *, most: int) -> RequestPage:
        """Give the requests that wait for a decision."""
        return await self._open(RequestStatus.WAITING, most)

    async def open(self, *, most: int) -> RequestPage:
        """Give all that is open: first where a container may be down, then what is worked on."""
        order = (RequestStatus.NEEDS_PERSON, RequestStatus.RUNNING, RequestStatus.WAITING)
        pages = await asyncio.gather(*(self._open(status, most) for status in order))
        rows = [row for page in pages for row in page.rows]
        return RequestPage(rows=tuple(rows[:most]), total=sum(page.total for page in pages))

    async def of(self, user_id: str, *, most: int) -> RequestPage:
        """Give the requests that a user made, newest first."""
        query = f"{_REQUESTS} AND {names.REQUESTER.name} = {_quoted(user_id)}"
        return await self._select_and_count(query, most)

    async def recent(self, *, most: int) -> RequestPage:
        """Give the requests of the last seven days that Temporal still keeps, newest first."""
        since = (datetime.now(UTC) - _RECENT).isoformat(timespec="seconds")
        return await self._select_and_count(f"{_REQUESTS} AND StartTime > '{since}'", most)

    async def _open(self, status: RequestStatus, most: int) -> RequestPage:
        query = (
            f"{_REQUESTS} AND ExecutionStatus = 'Running' "
            f"AND {names.STATUS.name} = {_quoted(status)}"
        )
        return await self._select_and_count(query, most)

    async def _select_and_count(self, query: str, most: int) -> RequestPage:
        # One more than is asked for tells whether the rest must be counted at all.
        found = await self._select(query, limit=most + 1)
        total = len(found)
        if total > most:
            counted = await bounded(
                TemporalCall.READ, self._client.count_workflows(query), _LIST_WITHIN
            )
            total = counted.count
        return RequestPage(rows=found[:most], total=total)

    async def _select(self, query: str, *, limit: int) -> tuple[RequestSummary, ...]:
        listing = self._client.list_workflows(
            query, page_size=limit, limit=limit, rpc_timeout=_LIST_WITHIN
        )

        async def read() -> tuple[RequestSummary, ...]:
            return tuple([await summarise(execution) async for execution in listing])

        return await bounded(TemporalCall.READ, read(), _LIST_WITHIN)


async def summarise(execution: WorkflowExecution) -> RequestSummary:
    """Read a request's search attributes and its memo."""
    attributes = execution.typed_search_attributes
    status = attributes.get(names.STATUS) or ""
    is_open = execution.status is WorkflowExecutionStatus.RUNNING or (
        # It goes on in a new run, which the list does not know yet.
        execution.status is WorkflowExecutionStatus.CONTINUED_AS_NEW
        and status == RequestStatus.WAITING
    )
    requested_at = str(await execution.memo_value(names.REQUESTED_AT_MEMO, ""))
    # One that needs a person ends by itself too, when nobody tries any more.
    is_cut_off = status == RequestStatus.NEEDS_PERSON and execution.status in _CUT_OFF
    return RequestSummary(
        request_id=attributes.get(names.REQUEST_ID) or "",
        status=ENDED if (status in _OPEN and not is_open) or is_cut_off else status,
        host=attributes.get(names.HOST) or "",
        container=attributes.get(names.CONTAINER) or "",
        operation=str(await execution.memo_value(names.OPERATION_MEMO, "")),
        requester=attributes.get(names.REQUESTER) or "",
        workflow_id=execution.id,
        run_id=execution.run_id,
        started_at=_moment(requested_at) or execution.start_time,
        open=is_open,
    )


def _moment(text: str) -> datetime | None:
    """Read what a memo holds, which anybody who starts a workflow can write."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
