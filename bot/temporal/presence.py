"""Nobody answered in time: is a worker there, and which part is it that did not answer?

A time-out alone tells nothing: a worker may be busy, or the engine behind it slow. Temporal knows
who has asked for work lately, and how far a question has come.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from temporalio.api.enums.v1 import PendingActivityState, TaskQueueType
from temporalio.api.taskqueue.v1 import PollerInfo, TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client, WorkflowExecutionDescription

from bot.temporal.client import BUDGET, bounded
from bot.temporal.errors import Silent, TemporalCall
from workflows.model.hosts import books_of
from workflows.model.names import CONTROL_TASK_QUEUE, docker_task_queue
from workflows.model.timing import WORKER_GONE_SECONDS

_LOOKS: Final = frozenset({"inspect_container", "list_containers"})


async def has_control_worker(client: Client) -> bool:
    """Tell whether a worker of requests is there; one that has just ended still seems to be.

    Raises:
        TemporalUnavailableError: Temporal does not answer.
    """
    return await _is_polled(client, CONTROL_TASK_QUEUE, TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW)


async def control_books(client: Client) -> tuple[str, ...]:
    """Give the hashes of the policy books by which control workers judge now.

    Raises:
        TemporalUnavailableError: Temporal does not answer.
    """
    kind = TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW
    there = who_is_there(await pollers(client, CONTROL_TASK_QUEUE, kind))
    return books_of(there)


async def silent_part(client: Client, look: WorkflowExecutionDescription, host: str) -> Silent:
    """Say which part has not answered a look that is still under way.

    Raises:
        TemporalUnavailableError: Temporal does not answer.
    """
    pending = look.raw_description.pending_activities
    if not pending:
        return Silent.BUSY if await has_control_worker(client) else Silent.WORKER
    started = PendingActivityState.PENDING_ACTIVITY_STATE_STARTED
    if any(
        activity.activity_type.name in _LOOKS
        and (activity.state == started or activity.attempt > 1)
        for activity in pending
    ):
        return Silent.ENGINE
    queue = docker_task_queue(host)
    is_served = await _is_polled(client, queue, TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY)
    return Silent.BUSY_HOST if is_served else Silent.HOST


async def _is_polled(client: Client, name: str, kind: TaskQueueType.ValueType) -> bool:
    asking = await pollers(client, name, kind)
    return bool(who_is_there(asking))


async def pollers(client: Client, name: str, kind: TaskQueueType.ValueType) -> Sequence[PollerInfo]:
    """Say who has asked a queue for work within the last minutes.

    Raises:
        TemporalUnavailableError: Temporal does not answer.
    """
    request = DescribeTaskQueueRequest(
        namespace=client.namespace, task_queue=TaskQueue(name=name), task_queue_type=kind
    )
    answer = await bounded(
        TemporalCall.READ,
        client.workflow_service.describe_task_queue(request, timeout=BUDGET),
        BUDGET,
    )
    return answer.pollers


def who_is_there(asking: Sequence[PollerInfo]) -> list[str]:
    """Name those that asked so lately that they are still there."""
    since = datetime.now(UTC) - timedelta(seconds=WORKER_GONE_SECONDS)
    return [one.identity for one in asking if moment(one) >= since]


def moment(poller: PollerInfo) -> datetime:
    """Say when somebody last asked for work."""
    return poller.last_access_time.ToDatetime(tzinfo=UTC)
