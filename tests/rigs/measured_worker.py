"""How much memory do requests take in a worker that does nothing but run their workflows?"""

from __future__ import annotations

import asyncio
import gc
import pkgutil
import re
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from temporalio.client import Client
from temporalio.worker import Worker, WorkflowRunner

from activities.policies.book import parse
from activities.temporal.askers import Askers
from tests.fakes.fake_slack import FakeSlack
from tests.rigs.given_policies import GivenPolicies
from tests.rigs.workers import PRODUCT_WORKFLOWS
from workflows.model import names

_ROOT = Path(__file__).parents[2]
_MEMORY = Path("/proc/self/smaps_rollup")
#: Where workers can be measured: on Linux.
CAN_MEASURE = _MEMORY.exists()
_READY = "ready"
_BOOK = '[[policy]]\nname = "default"\napprovers = ["UBOB"]'
#: Who asks in ``Workers.request``.
_REQUESTER = "UALICE"
_OWN_MEMORY = "own memory in kB: "


class MeasuredWorker:
    """The worker, from outside."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def kilobytes(self) -> int:
        """Have the worker collect its garbage, and tell how much memory is its own."""
        assert self._process.stdin is not None
        self._process.stdin.write(b"\n")
        return int(await self.hear(_OWN_MEMORY))

    async def hear(self, what: str) -> str:
        """Wait until the worker says something, among what Temporal's own log says there."""
        assert self._process.stdout is not None
        async with asyncio.timeout(60):
            async for line in self._process.stdout:
                if line.decode().startswith(what):
                    return line.decode().removeprefix(what)
        message = f"the worker ended before it said {what!r}"
        raise AssertionError(message)


@asynccontextmanager
async def measured_worker(client: Client, runner: str) -> AsyncIterator[MeasuredWorker]:
    """Start a worker as a process; ``runner`` names what makes its workflow runner."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", __name__, client.service_client.config.target_host, client.namespace, runner),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=_ROOT,
    )
    try:
        worker = MeasuredWorker(process)
        await worker.hear(_READY)
        yield worker
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def _main(address: str, namespace: str, runner: str) -> None:
    make_runner: Callable[[], WorkflowRunner] = pkgutil.resolve_name(runner)
    client = await Client.connect(address, namespace=namespace)
    slack = FakeSlack()
    slack.person(_REQUESTER)
    worker = Worker(
        client,
        task_queue=names.CONTROL_TASK_QUEUE,
        workflows=PRODUCT_WORKFLOWS,
        workflow_runner=make_runner(),
        # What a request may ask for at once, in its own worker; the rest the test serves.
        activities=[
            *GivenPolicies(book=parse(_BOOK)).activities,  # type: ignore[list-item]
            slack.look_up_person,
            Askers(client, limit=0).count_open_requests,
        ],
        no_remote_activities=True,
    )
    async with worker:
        print(_READY, flush=True)  # noqa: T201 - the other side reads it
        while await asyncio.to_thread(sys.stdin.readline):
            gc.collect()
            print(f"{_OWN_MEMORY}{_kilobytes()}", flush=True)  # noqa: T201


def _kilobytes() -> int:
    """Count memory that no file backs, wherever the machine keeps it.

    Unlike the resident size it does not fall when others on the machine need room.
    """
    found = re.findall(r"^(?:Anonymous|Swap): +(\d+) kB", _MEMORY.read_text(), re.M)
    return sum(map(int, found))


if __name__ == "__main__":
    asyncio.run(_main(*sys.argv[1:]))
