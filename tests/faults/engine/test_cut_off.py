"""What if a worker is cut off from Temporal while its stop is still at work in the engine?

It cannot say that it lives, so another attempt begins beside it: by another worker of the host,
or by itself when the line is mended. The container ignores TERM, so that the stop lasts until
the test kills it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
from temporalio.client import Client, WorkflowHandle

from tests.rigs.docker_proxy import DockerProxy, Moment, Trap
from tests.rigs.dockerd import IGNORES_TERM, DockerEngine
from tests.rigs.laptop import LaptopProcess
from tests.rigs.people import People
from tests.rigs.program import dockwarden
from tests.rigs.request_driver import Request
from tests.rigs.slow_wire import SlowWire
from tests.rigs.waiting import eventually, wait_until
from tests.rigs.workers import is_tried_again
from workflows.model.names import operation_workflow_id
from workflows.model.state import RequestState, RequestStatus

#: Much longer than Temporal waits for a sign of life.
_COMMAND = "stop {} on edge snapshot grace=60s"


@dataclass(frozen=True, kw_only=True)
class Edge:
    """A host whose worker is reached over a wire; others join by ``join``."""

    people: People
    docker_proxy: DockerProxy
    wire: SlowWire
    seal_key_file: str
    client: Client
    stack: AsyncExitStack

    async def join(self, address: str) -> None:
        """Start a worker that reaches Temporal at this address."""
        worker = await self.stack.enter_async_context(
            dockwarden(
                *("worker", "--serve", "docker", "--host", "edge"),
                TEMPORAL_ADDRESS=address,
                DOCKWARDEN_SEAL_KEY_FILE=self.seal_key_file,
                DOCKWARDEN_DOCKER_HOST=self.docker_proxy.base_url,
            )
        )
        await worker.until(" ready role=worker")

    async def stopping(self, name: str) -> tuple[Request, WorkflowHandle[Any, Any]]:
        """Have a container stopped, cut the wire meanwhile, and wait until Temporal gives up."""
        container = self.people.engine.run(IGNORES_TERM, name=name)
        request = await self.people.ask(_COMMAND.format(name))
        await self.people.approve(request)
        begun = partial(self.docker_proxy.passed, "^POST .*/stop")
        await asyncio.to_thread(wait_until, lambda: bool(begun()), "the stop has begun")
        self.wire.cut()
        operation = self.client.get_workflow_handle(operation_workflow_id("edge", container))
        return request, operation

    def end_at_next_stop(self, request: Request) -> Trap:
        """Have the container end as soon as the engine is at work on one more stop."""
        end = partial(self.people.engine.api.kill, request.container)
        return self.docker_proxy.trap("^POST .*/stop", Moment.UNDERWAY, end)


@pytest.fixture
async def edge(
    laptop: LaptopProcess, client: Client, second_engine: DockerEngine
) -> AsyncIterator[Edge]:
    """Serve a second host, on an engine of its own: one engine is one host."""
    async with AsyncExitStack() as stack:
        people = People(laptop.ready["slack"], client, second_engine, host="edge")
        edge = Edge(
            people=people,
            docker_proxy=stack.enter_context(DockerProxy(second_engine.base_url)),
            wire=await stack.enter_async_context(SlowWire(laptop.ready["temporal"])),
            seal_key_file=laptop.ready["seal_key_file"],
            client=client,
            stack=stack,
        )
        await edge.join(edge.wire.address)
        yield edge
    second_engine.clear()


async def test_another_worker_takes_over(edge: Edge, laptop: LaptopProcess) -> None:
    """Two stops work side by side, to one outcome; what the first says later counts no more."""
    request, _ = await edge.stopping("taken-over")
    both = edge.end_at_next_stop(request)
    await edge.join(laptop.ready["temporal"])
    await _check_snapshotted(edge, request)
    assert both.fired == 1


async def test_the_same_worker_comes_back(edge: Edge) -> None:
    """It gets the second attempt while its first one is still at work."""
    request, operation = await edge.stopping("come-back")
    both = edge.end_at_next_stop(request)
    await eventually(partial(is_tried_again, operation), within=30)
    edge.wire.mend()
    await _check_snapshotted(edge, request)
    assert both.fired == 1


async def test_a_cancel_meanwhile(edge: Edge, laptop: LaptopProcess) -> None:
    """The container is put back after the stop of the worker that nobody hears has ended."""
    request, _ = await edge.stopping("called-off")
    began = edge.people.engine.inspect(request.container)["State"]["StartedAt"]
    await edge.people.channel.ask("alice", f"cancel {request.request_id}")
    await request.until_cancelled()
    (stop,) = edge.docker_proxy.passed("^POST .*/stop")

    def end() -> None:
        edge.people.engine.api.kill(request.container)
        wait_until(lambda: stop.ended is not None, "the stop has ended")

    # Whoever looks for the third time waits for the container to end.
    looks = f"^GET .*/{request.container}/json"
    waited = edge.docker_proxy.trap(looks, Moment.ANSWERED, end, nth=3)
    await edge.join(laptop.ready["temporal"])
    state = await edge.people.until(request, RequestStatus.PUT_BACK, seconds=60)
    assert waited.fired == 1
    assert edge.wire.refused
    assert state.cancel_requested_by
    (stop,) = edge.docker_proxy.passed("^POST .*/stop")
    (start,) = edge.docker_proxy.passed("^POST .*/start")
    assert stop.ended is not None
    assert stop.ended < start.began
    after = edge.people.engine.inspect(request.container)["State"]
    assert (after["Status"], after["StartedAt"] != began) == ("running", True)
    assert edge.people.images(request) == []


async def _check_snapshotted(edge: Edge, request: Request) -> None:
    """See that the attempts overlapped, and that nothing else tells of it."""
    state: RequestState = await request.outcome()
    assert state.status is RequestStatus.SUCCEEDED
    assert edge.wire.refused
    first, second = edge.docker_proxy.passed("^POST .*/stop")
    assert first.ended is not None
    assert first.began < second.began < first.ended
    (image,) = edge.people.images(request)
    assert image["RepoTags"] == [state.reference]
    assert edge.people.engine.state(request.container) == "exited"
