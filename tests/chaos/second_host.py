"""What if a second docker worker starts on the same engine, with another host name?

It must serve nothing, whatever happens to the first one meanwhile. It comes through the same proxy,
so that whatever it wrote would be seen; and somebody asks for something on the host that it names.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import replace
from typing import Final

import aiohttp
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.service import RPCError

from deploy.laptop.console import LaptopError
from deploy.laptop.state import LOOPBACK
from deploy.laptop.supervisor import answers
from tests.chaos.event_log import Action, SecondSight
from tests.chaos.meddling import pick
from tests.chaos.plan import Planned
from tests.chaos.system import CONTAINERS, OTHER_HOST, System
from tests.rigs.program import free_port
from workflows.model.names import (
    docker_commit_queue,
    docker_stop_queue,
    docker_task_queue,
)

_LOOK_EVERY: Final = 0.5
_QUEUES: Final = (docker_task_queue, docker_stop_queue, docker_commit_queue)


async def second_host(system: System, planned: Planned, action: Action) -> bool:
    """Run it for a while; ``action.second_sights`` is what was seen of it."""
    if system.pid(OTHER_HOST) is not None:
        return False
    port, worker = free_port(), system.stack.worker
    address = f"http://{LOOPBACK}:{port}"
    part = replace(
        worker,
        name=OTHER_HOST,
        command=(*worker.command[:2], "--serve", "docker", "--host", OTHER_HOST),
        environment={**worker.environment, "DOCKWARDEN_HEALTH_PORT": str(port)},
        log=worker.log.with_name(f"{OTHER_HOST}.log"),
        is_ready=lambda: answers(f"{address}/livez"),
    )
    try:
        await system.stack.add(part)
        await _watch(system, planned, action, address)
    except LaptopError:
        # Temporal was away for too long.
        return False
    finally:
        await system.stack.remove(OTHER_HOST)
    said = [sight.words for sight in action.second_sights if sight.words]
    action.note = f"said last: {said[-1] if said else 'nothing'}"
    return any("already served as host" in words for words in said)


async def _watch(system: System, planned: Planned, action: Action, address: str) -> None:
    until, has_asked = time.monotonic() + planned.seconds, False
    while time.monotonic() < until:
        with contextlib.suppress(aiohttp.ClientError, TimeoutError, OSError):
            async with aiohttp.ClientSession() as session, session.get(f"{address}/readyz") as got:
                words, is_ready = (await got.text()).strip(), got.status == 200
            sight = SecondSight(
                at=time.time(), is_ready=is_ready, words=words, pollers=await _pollers(system)
            )
            action.second_sights.append(sight)
        if not has_asked and action.second_sights:
            has_asked = True
            name = pick(planned, [*CONTAINERS])
            with contextlib.suppress(aiohttp.ClientError, TimeoutError, OSError):
                text = f"stop {name} on {OTHER_HOST}"
                await system.slack("command", "alice", command="/container", text=text)
        await asyncio.sleep(_LOOK_EVERY)


async def _pollers(system: System) -> int:
    """Count who takes the work of the host that is not to be there."""
    found = 0
    for queue in _QUEUES:
        request = DescribeTaskQueueRequest(
            namespace=system.client.namespace,
            task_queue=TaskQueue(name=queue(OTHER_HOST)),
            task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
        )
        with contextlib.suppress(RPCError):
            answer = await system.client.workflow_service.describe_task_queue(request)
            found += len(answer.pollers)
    return found
