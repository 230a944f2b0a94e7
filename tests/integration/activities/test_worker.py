"""Does a worker do quick work beside slow work, watch what it needs, and end what it began?"""

from __future__ import annotations

import asyncio
import gc
import logging
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio import workflow
from temporalio.api.enums.v1 import PendingActivityState
from temporalio.client import Client, WorkflowHandle
from temporalio.worker import Worker

from activities.docker.engine import Engine
from activities.docker.protection import Protection
from activities.policies.judge import UNREADABLE
from bot.temporal.presence import control_books
from tests.integration.activities.serving import config_of, serving
from tests.rigs.dev_server import temporal_server
from tests.rigs.dockerd import IGNORES_TERM, DockerEngine
from tests.rigs.waiting import eventually
from workflows.model import names
from workflows.model.ports import StopInput
from workflows.model.requests import ContainerRef

_DRIVER = "driver"
_GRACE = 4
#: The one name of the shared engine.
_NAME = "shared"


@workflow.defn(name=names.OPERATION_WORKFLOW, sandboxed=False)
class Driver:
    """Has one activity carried out on one queue, as the operation of a container does."""

    @workflow.run
    async def run(self, activity: str, queue: str, argument: Any) -> Any:
        """Carry it out, without limits that matter."""
        return await workflow.execute_activity(
            activity, argument, task_queue=queue, start_to_close_timeout=timedelta(minutes=1)
        )


class Host:
    """One host that a worker serves."""

    def __init__(self, client: Client, engine: DockerEngine, name: str) -> None:
        self.name = name
        self._client = client
        self._engine = engine

    async def begin(
        self, activity: str, queue: str, argument: Any, *, container: str = ""
    ) -> WorkflowHandle[Any, Any]:
        """Have an activity begin; one that changes a container by its operation."""
        return await self._client.start_workflow(
            Driver.run,
            args=[activity, queue, argument],
            id=names.operation_workflow_id(self.name, container or uuid.uuid4().hex),
            task_queue=_DRIVER,
        )

    async def begin_stop(self, container: str, queue: str) -> WorkflowHandle[Any, Any]:
        """Have a stop begin that takes its grace."""
        engine = Engine(base_url=self._engine.base_url, host=self.name, protection=Protection())
        pin = engine.container(container).pin(engine.facts().engine_id)
        engine.close()
        argument = asdict(StopInput(pin=pin, grace_seconds=_GRACE))
        return await self.begin("ensure_stopped", queue, argument, container=pin.container_id)

    async def look(self) -> Any:
        """Ask for the list of containers, and wait for it."""
        ref = asdict(ContainerRef(host=self.name, name=""))
        handle = await self.begin("list_containers", names.docker_task_queue(self.name), ref)
        return await asyncio.wait_for(handle.result(), 30)


@pytest.fixture(scope="module", name="client")
async def _client() -> AsyncIterator[Client]:
    async with (
        temporal_server() as env,
        Worker(env.client, task_queue=_DRIVER, workflows=[Driver]),
    ):
        yield env.client


@pytest.fixture(name="own_engine")
def _own_engine() -> Iterator[DockerEngine]:
    """Give an engine that is not started yet, and that this test alone breaks."""
    engine = DockerEngine()
    yield engine
    engine.close()
    gc.collect()


async def _is(handle: WorkflowHandle[Any, Any], state: PendingActivityState.ValueType) -> bool:
    pending = (await handle.describe()).raw_description.pending_activities
    return [activity.state for activity in pending] == [state]


async def test_slow_work_never_blocks_quick_work(client: Client, engine: DockerEngine) -> None:
    """While all slots for stops are taken, a look is answered and a further stop waits untouched.

    At the end what runs is finished, what waits is left to the next worker.
    """
    host = Host(client, engine, _NAME)
    first, second = engine.run(IGNORES_TERM), engine.run(IGNORES_TERM)
    queue = names.docker_stop_queue(host.name)
    started = PendingActivityState.PENDING_ACTIVITY_STATE_STARTED
    scheduled = PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED
    async with serving(client, config_of(engine, host.name)) as worker:
        await eventually(lambda: worker.problems is not None)
        stop = await host.begin_stop(first, queue)
        await eventually(lambda: _is(stop, started))
        waiting = await host.begin_stop(second, queue)

        assert len((await host.look())["containers"]) >= 2

        assert await _is(stop, started)
        assert await _is(waiting, scheduled)
        worker.stop.set()
    assert engine.state(first) == "exited"
    assert (await stop.result())["was_running"]
    assert engine.state(second) == "running"
    assert await _is(waiting, scheduled)
    async with serving(client, config_of(engine, host.name)):
        await waiting.result()
    assert engine.state(second) == "exited"
    engine.clear()


async def test_the_queue_of_the_release_before_is_served(
    client: Client, engine: DockerEngine
) -> None:
    """A stop and a look that an older control worker sends to the one queue are carried out."""
    host = Host(client, engine, _NAME)
    container = engine.run()
    async with serving(client, config_of(engine, host.name)):
        stop = await host.begin_stop(container, names.docker_task_queue(host.name))
        assert (await stop.result())["was_running"]
    assert engine.state(container) == "exited"
    engine.clear()


@pytest.mark.fault
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_an_engine_that_is_away_is_told_once(
    client: Client, own_engine: DockerEngine, caplog: pytest.LogCaptureFixture
) -> None:
    """A worker is not ready until its engine answers; each change is one line in the log."""
    caplog.set_level(logging.INFO, "activities.watch")
    config = config_of(own_engine, "edge")
    async with serving(client, config) as worker:
        await eventually(lambda: worker.wrong == "engine: no answer")
        await asyncio.to_thread(own_engine.start)
        await eventually(lambda: worker.wrong == "", within=40)
    told = [record for record in caplog.records if "engine" in record.getMessage()]
    assert [record.levelname for record in told] == ["WARNING", "INFO"]
    away, there = told
    assert away.getMessage() == (
        "the Docker engine does not answer; requests for edge are refused until it does"
    )
    assert vars(away)["address"] == own_engine.base_url
    assert there.getMessage() == "engine is there"
    assert vars(there)["version"]
    assert vars(there)["storage_driver"]


@pytest.mark.fault
async def test_a_hung_engine_holds_up_no_end(client: Client, own_engine: DockerEngine) -> None:
    """A worker ends at once although its look at the engine hangs."""
    await asyncio.to_thread(own_engine.start)
    own_engine.freeze()
    async with serving(client, config_of(own_engine, "edge")) as worker:
        await eventually(lambda: worker.wrong == "engine: not asked yet")
        began = asyncio.get_running_loop().time()
    assert asyncio.get_running_loop().time() - began < 4


async def test_a_book_of_no_use_stops_no_control_worker(
    client: Client, engine: DockerEngine, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It serves, for there may be containers to put back; it is not ready, and tells the others."""
    book = tmp_path / "policies.toml"
    book.write_text('[[policy]]\nname = "nobody decides"\n', encoding="utf-8")
    config = config_of(engine, "edge", serve=frozenset({"control"}), policies=book)
    async with serving(client, config) as worker:
        await eventually(lambda: worker.problems is not None)

        async def is_told() -> bool:
            return await control_books(client) == (UNREADABLE,)

        await eventually(is_told)
        assert worker.wrong.startswith(f"policies: {book}: ")
        assert "nobody decides" in worker.wrong
    (line,) = [vars(record)["why"] for record in caplog.records if "of no use" in record.message]
    assert "nobody decides" in line
