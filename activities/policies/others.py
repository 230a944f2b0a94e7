"""Have the other control workers the same policy book as this one?

Each of them tells Temporal, by the identity of its pollers, by which book it judges. Where two
have different ones, what is allowed would hang on chance. A worker that has ended seems to be
there for a minute still; one of an earlier release tells of no book, and judges by none.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client

from workflows.model.hosts import told_by
from workflows.model.names import CONTROL_TASK_QUEUE
from workflows.model.timing import WORKER_GONE_SECONDS

#: Whoever asks waits for the answer.
_WITHIN: Final = timedelta(seconds=2)
_GONE: Final = timedelta(seconds=WORKER_GONE_SECONDS)


class OtherBooks:
    """Asks Temporal who takes up the work of a control worker, and by which book."""

    def __init__(self, client: Client, *, queue: str = CONTROL_TASK_QUEUE) -> None:
        self._client = client
        self._queue = queue

    async def besides(self, own: str) -> tuple[str, ...]:
        """Give the hashes of other books than one's own by which somebody judges now.

        Raises:
            RPCError: Temporal does not say.
        """
        request = DescribeTaskQueueRequest(
            namespace=self._client.namespace,
            task_queue=TaskQueue(name=self._queue),
            task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
        )
        answer = await self._client.workflow_service.describe_task_queue(request, timeout=_WITHIN)
        since = datetime.now(UTC) - _GONE
        books = {
            told_by(poller.identity).get("book", "")
            for poller in answer.pollers
            if poller.last_access_time.ToDatetime(tzinfo=UTC) >= since
        }
        return tuple(sorted(books - {"", own}))
