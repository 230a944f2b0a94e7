"""Questions that are put to a worker, that change nothing, and that nobody waits for long.

One is whether a person could decide about a request. The bot has no policy book and asks nobody in
Slack about groups: it asks the control worker, by the policy that is stored in the request, and
shows nothing where it has no answer in time.
"""

from __future__ import annotations

import logging
import uuid
from datetime import timedelta

from temporalio.client import (
    Client,
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowHandle,
)
from temporalio.service import RPCError

from bot.temporal.client import BUDGET, bounded
from bot.temporal.errors import (
    BotError,
    LookUnansweredError,
    Silent,
    TemporalCall,
    TemporalUnavailableError,
)
from bot.temporal.hosts import Hosts
from bot.temporal.presence import silent_part
from workflows.host_query import HostQueryInput, HostQueryResult
from workflows.model import names
from workflows.model.listing import Wanted
from workflows.model.state import RequestState
from workflows.rules import Reader

_log = logging.getLogger(__name__)

#: Who asks waits for the answer, to which Slack gives three seconds in all.
_WITHIN = timedelta(seconds=2)
#: What a look at a host may take; Slack has its acknowledgement by then.
LOOK = timedelta(seconds=10)


async def begin_look(
    client: Client, question: HostQueryInput, *, within: timedelta, rpc_timeout: timedelta
) -> WorkflowHandle[object, HostQueryResult]:
    """Put a question, to which the answer is waited for ``within`` so long.

    Raises:
        RPCError: Temporal does not take it.
    """
    handle: WorkflowHandle[object, HostQueryResult] = await client.start_workflow(
        names.HOST_QUERY_WORKFLOW,
        question,
        id=f"look/{question.host}/{uuid.uuid4()}",
        task_queue=names.CONTROL_TASK_QUEUE,
        result_type=HostQueryResult,
        # A look changes nothing, so it may time out; nobody reads a late answer.
        execution_timeout=3 * within,
        rpc_timeout=rpc_timeout,
    )
    return handle


async def look(
    client: Client, hosts: Hosts, host: str, name: str, wanted: Wanted
) -> HostQueryResult:
    """Ask the worker of a host for one container, or for those wanted if ``name`` is empty.

    Raises:
        LookUnansweredError: the question was put, but not answered in time.
    """
    question = HostQueryInput(
        host=host, name=name, explain=bool(name), wanted=wanted, knows_places=True
    )
    begun = begin_look(client, question, within=LOOK, rpc_timeout=BUDGET)
    handle = await bounded(TemporalCall.READ, begun, BUDGET)
    try:
        return await bounded(TemporalCall.READ, handle.result(), LOOK)
    except TemporalUnavailableError as error:
        if not isinstance(error.__cause__, TimeoutError):
            raise
    described = await bounded(TemporalCall.READ, handle.describe(rpc_timeout=BUDGET), BUDGET)
    if described.status is not WorkflowExecutionStatus.RUNNING:
        return await bounded(TemporalCall.READ, handle.result(), BUDGET)
    silent = await silent_part(client, described, host)
    near = await hosts.nearest(host) if silent is Silent.HOST else ""
    raise LookUnansweredError(host, silent, near)


async def could_decide(client: Client, state: RequestState, user_id: str) -> bool | None:
    """Ask, and wait two seconds at most; ``None`` is no answer, by which nothing is shown."""
    if state.policy is None:
        return None
    reader = Reader(
        user_id=user_id,
        team_id=state.team_id,
        request_id=state.request_id,
        container=state.container,
        policy=state.policy,
        policy_seal=state.policy_seal,
    )
    try:
        return await bounded(TemporalCall.READ, _ask(client, reader), _WITHIN)
    except (BotError, RPCError, WorkflowFailureError) as error:
        _log.warning(
            "who may read is not known, so nothing is shown",
            extra={"request_id": state.request_id, "user": user_id, "why": type(error).__name__},
        )
        return None


async def _ask(client: Client, reader: Reader) -> bool | None:
    question = HostQueryInput(host=reader.container.host, reader=reader)
    handle = await begin_look(client, question, within=_WITHIN, rpc_timeout=_WITHIN)
    answer = await handle.result()
    return True if answer.readable else (False if answer.judged else None)
