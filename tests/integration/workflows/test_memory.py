"""A request waits for days: what does it cost the worker meanwhile? Counted, not timed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from temporalio import activity
from temporalio.client import Client
from temporalio.worker import Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from tests.fakes.fake_docker import FakeDocker
from tests.rigs.dev_server import temporal_server
from tests.rigs.measured_worker import CAN_MEASURE, measured_worker
from tests.rigs.waiting import eventually
from tests.rigs.workers import RequestUnderTest, Workers
from workflows.model import names
from workflows.model.errors import ErrorType
from workflows.model.ports import InspectInput, Inspection
from workflows.model.requests import ContainerRef, LifecycleRequest
from workflows.model.state import RequestState, RequestStatus
from workflows.model.terminal import Terminal

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not CAN_MEASURE, reason="only Linux counts memory that way"),
    # Nothing here is timed: on a crowded machine it takes what it takes.
    pytest.mark.timeout(600),
]

_LIMIT = 250
#: What is imported or set up once belongs to none of the requests.
_WARM_UP = 10
#: So many that what each costs stands out of what comes and goes in a process, about 1 MB.
_COUNTED = 120
_COUNTED_OF_MORE = 20


class _ManyContainers(FakeDocker):
    """A host that knows every name."""

    @activity.defn(name="inspect_container")
    def inspect_container(self, arg: InspectInput) -> Inspection:
        """Pin any container."""
        pin = replace(self.pin, name=arg.container.name)
        met = tuple(True for _ in arg.label_selectors)
        return Inspection(pin=pin, selectors_met=met, three_queues=True)


@pytest.fixture(scope="module", name="server")
async def _server() -> AsyncIterator[Client]:
    """Give a server where no request of another test waits."""
    async with temporal_server() as env:
        yield env.client


@pytest.fixture(name="activities")
async def _activities(server: Client) -> AsyncIterator[Workers]:
    """Serve the activities here, and none of the workflows."""
    workers = Workers(server)
    workers.docker = _ManyContainers(workers.docker.name)
    await workers.start_docker()
    slack = Worker(
        server,
        task_queue=names.CONTROL_TASK_QUEUE,
        # What the other worker could not do at once comes here too.
        activities=[
            *workers.slack.activities,  # type: ignore[list-item]  # bound methods
            *workers.policies.activities,  # type: ignore[list-item]
            workers.askers.count_open_requests,
        ],
    )
    async with slack:
        yield workers
    await workers.__aexit__()


async def _have_wait(workers: Workers, numbers: range) -> None:
    """Start requests, and wait until each waits for people with its card posted."""

    async def start(number: int) -> RequestUnderTest:
        container = ContainerRef(host=workers.docker.name, name=f"web-{number}")
        async with at_once:
            return await workers.start(workers.request(container=container))

    async def waits(under_test: RequestUnderTest) -> None:
        async with at_once:
            await under_test.until(RequestStatus.WAITING, within=60)

    at_once = asyncio.Semaphore(10)
    started = await asyncio.gather(*(start(number) for number in numbers))
    wanted = {under_test.request.request_id for under_test in started}
    # Asking each all the time would keep the workers from their work.
    await eventually(
        lambda: wanted <= {drawn.request_id for drawn in workers.slack.drawn},
        within=400,
        what="cards are missing",
    )
    await asyncio.gather(*(waits(under_test) for under_test in started))


async def _cost(workers: Workers, runner: str, requests: int) -> float:
    """Count the kilobytes that each waiting request adds to a worker."""
    async with measured_worker(workers.client, runner) as worker:
        await _have_wait(workers, range(_WARM_UP))
        before = await worker.kilobytes()
        await _have_wait(workers, range(_WARM_UP, _WARM_UP + requests))
        return (await worker.kilobytes() - before) / requests


def data_shared_only() -> SandboxedWorkflowRunner:
    """Make a runner that shares no more than it must: the classes that become JSON."""
    crossing = (LifecycleRequest, RequestState, InspectInput, ErrorType, Terminal)
    restrictions = SandboxRestrictions.default.with_passthrough_modules(
        *(cls.__module__ for cls in crossing)
    )
    return SandboxedWorkflowRunner(restrictions=restrictions)


async def test_a_waiting_request_costs_little_memory(activities: Workers) -> None:
    """Many requests wait in one worker at no more than 250 kB each."""
    cost = await _cost(activities, "workflows.sandbox:workflow_runner", _COUNTED)

    assert cost <= _LIMIT


async def test_modules_of_its_own_cost_a_request_more(activities: Workers) -> None:
    """The count can fail: with modules anew for each request, it is well beyond the limit."""
    cost = await _cost(activities, f"{__name__}:data_shared_only", _COUNTED_OF_MORE)

    assert cost > _LIMIT
