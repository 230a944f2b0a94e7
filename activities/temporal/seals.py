"""Have the other processes the seal keys of this worker, as far as Temporal knows of them?

What is sent with one key is refused where there is another one, so a worker says in its log whose
do not fit. It works on, for the others may be about to be restarted, and looks again until they
are.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.client import Client
from temporalio.service import RPCError

from activities.temporal.queues import known_hosts, last_polls, still_there_since
from workflows.model.names import CONTROL_TASK_QUEUE, docker_task_queue
from workflows.model.seal import SealKeys
from workflows.model.seal_fit import CONTROL_WORKER, MISFIT, docker_worker, misfits

_log = logging.getLogger(__name__)

#: One that has ended is named by Temporal for about as long.
_AGAIN_AFTER: Final = 60.0


async def warn_of_misfits(client: Client, keys: SealKeys) -> None:
    """Say in the log whose seal keys do not fit, each once, and when all do."""
    said: set[str] = set()
    while True:
        try:
            wrong = misfits(keys.fingerprint, await _identities(client))
        except RPCError as error:
            _log.debug("the seal keys cannot be compared", extra={"why": error.status.name})
        else:
            for words in wrong:
                if words not in said:
                    _log.warning(MISFIT, words)
            if not wrong:
                if said:
                    _log.info("all seal keys fit now")
                return
            said.update(wrong)
        await asyncio.sleep(_AGAIN_AFTER)


async def _identities(client: Client) -> dict[str, list[str]]:
    """Name those who ask the queues that we know of for work, by who they are for people."""
    activities = TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY
    hosts = await known_hosts(client)
    queues = {
        CONTROL_WORKER: (CONTROL_TASK_QUEUE, TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW),
        **{docker_worker(host): (docker_task_queue(host), activities) for host in hosts},
    }
    polled = await asyncio.gather(*(last_polls(client, *queue) for queue in queues.values()))
    since = still_there_since()
    return {
        who: [identity for identity, at in polls.items() if at >= since]
        for who, polls in zip(queues, polled, strict=True)
    }
