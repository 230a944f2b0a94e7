"""Do the workers ask Temporal for work again, after it was away?"""

from __future__ import annotations

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client
from temporalio.service import RPCError

from workflows.model.names import (
    CONTROL_TASK_QUEUE,
    docker_commit_queue,
    docker_stop_queue,
    docker_task_queue,
)


async def are_polled(client: Client, host: str) -> bool:
    """Tell whether somebody polls all queues; a server that was away knows of nobody at first.

    A worker says that it is ready while the SDK still waits, up to ten seconds, to ask again.
    """
    queues = (
        (CONTROL_TASK_QUEUE, TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW),
        (CONTROL_TASK_QUEUE, TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY),
        *(
            (queue(host), TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY)
            for queue in (docker_task_queue, docker_stop_queue, docker_commit_queue)
        ),
    )
    try:
        return all([await is_polled(client, name, kind) for name, kind in queues])
    except RPCError:
        return False


async def is_polled(client: Client, name: str, kind: TaskQueueType.ValueType) -> bool:
    """Tell whether somebody polls this queue."""
    request = DescribeTaskQueueRequest(
        namespace=client.namespace, task_queue=TaskQueue(name=name), task_queue_type=kind
    )
    return bool((await client.workflow_service.describe_task_queue(request)).pollers)
