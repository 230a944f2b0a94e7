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

from activities.temporal.queues import control_workers, known_hosts, who_is_there
from workflows.model.names import docker_task_queue
from workflows.model.seal import SealKeys
from workflows.model.seal_fit import CONTROL_WORKER, MISFIT, docker_worker, misfits

_log = logging.getLogger(__name__)

#: One that has ended is named by Temporal for about as long.
_AGAIN_AFTER: Final = 60.0


async def warn_of_misfits(client: Client, keys: SealKeys) -> None:
    """Say in the log whose seal keys do not fit, each once, and when all do.

    It ends when all fit, and goes on while Temporal is away: to be run beside all else.
    """
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
    """Name those who ask the queues that we know of for work, by who they are for people.

    Raises:
        RPCError: Temporal does not say.
    """
    kind = TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY
    hosts = await known_hosts(client)
    there = await asyncio.gather(
        control_workers(client),
        *(who_is_there(client, docker_task_queue(host), kind) for host in hosts),
    )
    return dict(zip((CONTROL_WORKER, *map(docker_worker, hosts)), there, strict=True))
