"""Is a worker of a host there, and has it taken a step up yet?

A time-out tells only that nobody was quick enough. Temporal knows more: who polls a queue, and
which activities of a workflow are still waiting in one.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from temporalio import activity
from temporalio.api.enums.v1 import PendingActivityState, TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client

from workflows.model.hosts import RECORDS_QUERY, nearest_host
from workflows.model.names import CONTROL_TASK_QUEUE, HOST, HOST_NAME, docker_task_queue
from workflows.model.queue_ports import QueuePlace, QueuePlaceInput, QueuesPort
from workflows.model.timing import WORKER_GONE_SECONDS

_CALL_WITHIN: Final = timedelta(seconds=5)
_MAX_HOSTS: Final = 100


class Queues(QueuesPort):
    """The activities that ask Temporal about task queues."""

    def __init__(self, client: Client) -> None:
        self._client = client

    @activity.defn(name="queue_place")
    async def queue_place(self, arg: QueuePlaceInput) -> QueuePlace:
        """Say whether a worker of a host is there, and whether a step waits for its turn.

        The queue for quick work is asked about: a worker whose slots for stops are all taken asks
        for no more of them, and would seem to be gone.
        """
        begun = bool(arg.activity_type) and await self._is_begun(arg)
        polled = begun or await self._is_polled(arg.host)
        if polled or arg.activity_type:
            return QueuePlace(begun=begun, polled=polled)
        known = await known_hosts(self._client)
        announced = arg.host in known
        near = "" if announced else nearest_host(arg.host, known)
        return QueuePlace(polled=False, announced=announced, near=near)

    async def _is_polled(self, host: str) -> bool:
        kind = TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY
        return await is_polled(self._client, docker_task_queue(host), kind)

    async def _is_begun(self, arg: QueuePlaceInput) -> bool:
        """Tell a step that is at work, or over, from one that nobody has taken up."""
        handle = self._client.get_workflow_handle(arg.workflow_id, run_id=arg.run_id or None)
        described = await handle.describe(rpc_timeout=_CALL_WITHIN)
        return not any(
            pending.activity_type.name == arg.activity_type
            and pending.state == PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED
            for pending in described.raw_description.pending_activities
        )


async def known_hosts(client: Client) -> list[str]:
    """Name the hosts that docker workers have announced."""
    found = client.list_workflows(
        RECORDS_QUERY, limit=_MAX_HOSTS, page_size=_MAX_HOSTS, rpc_timeout=_CALL_WITHIN
    )
    named = [record.typed_search_attributes.get(HOST) or "" async for record in found]
    return [host for host in named if HOST_NAME.fullmatch(host)]


async def is_polled(client: Client, name: str, kind: TaskQueueType.ValueType) -> bool:
    """Tell whether a worker is there that takes tasks of this kind from a queue."""
    return bool(await who_is_there(client, name, kind))


async def control_workers(client: Client) -> list[str]:
    """Name the control workers that are there, by what they tell of themselves."""
    kind = TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW
    return await who_is_there(client, CONTROL_TASK_QUEUE, kind)


async def who_is_there(client: Client, name: str, kind: TaskQueueType.ValueType) -> list[str]:
    """Name those who asked a queue for work so lately that they are still there."""
    since = still_there_since()
    return [who for who, at in (await last_polls(client, name, kind)).items() if at >= since]


async def last_polls(
    client: Client, name: str, kind: TaskQueueType.ValueType
) -> dict[str, datetime]:
    """Say by identity who has asked a queue for work lately, and when, by the server's clock."""
    request = DescribeTaskQueueRequest(
        namespace=client.namespace, task_queue=TaskQueue(name=name), task_queue_type=kind
    )
    answer = await client.workflow_service.describe_task_queue(request, timeout=_CALL_WITHIN)
    return {p.identity: p.last_access_time.ToDatetime(tzinfo=UTC) for p in answer.pollers}


def still_there_since() -> datetime:
    """Say since when a worker must have asked for work that is still there."""
    return datetime.now(UTC) - timedelta(seconds=WORKER_GONE_SECONDS)
