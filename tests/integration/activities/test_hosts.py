"""Is one engine one host, and one host one engine, whatever workers are started?"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio import activity
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.worker import Worker

from activities.docker.engine import Engine
from activities.docker.protection import Protection
from activities.temporal import hosts
from activities.temporal.hosts import Hosts, process_name
from tests.integration.activities.serving import Serving, config_of, serving
from tests.rigs.dev_server import temporal_server
from tests.rigs.dockerd import DockerEngine
from tests.rigs.program import free_port
from tests.rigs.waiting import eventually
from workflows.model.hosts import (
    ANNOUNCEMENT_MEMO,
    Announcement,
    poller_identity,
    read_announcement,
)
from workflows.model.names import HOST, docker_task_queue, engine_workflow_id

#: Shorter than the hour by which it is measured in production.
_SOON = timedelta(seconds=2)


@pytest.fixture(name="client")
async def _client() -> AsyncIterator[Client]:
    """Give a server of its own to each test: what is announced there stays."""
    async with temporal_server() as env:
        yield env.client


def _id(engine: DockerEngine) -> str:
    reached = Engine(base_url=engine.base_url, host="test", protection=Protection())
    try:
        return reached.facts().unique_id
    finally:
        reached.close()


@asynccontextmanager
async def _worker(
    client: Client, engine: DockerEngine, host: str, *, machine: str = "a", **changes: Any
) -> AsyncIterator[Serving]:
    """Run a worker as if on a machine of its own: as another client of Temporal."""
    config = client.service_client.config
    other = await Client.connect(config.target_host, identity=f"7@{machine}")
    async with serving(other, config_of(engine, host, **changes)) as worker:
        yield worker


async def _pollers(client: Client, host: str) -> list[str]:
    request = DescribeTaskQueueRequest(
        namespace=client.namespace,
        task_queue=TaskQueue(name=docker_task_queue(host)),
        task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
    )
    answer = await client.workflow_service.describe_task_queue(request)
    return [poller.identity for poller in answer.pollers]


async def _is_polled(client: Client, host: str) -> bool:
    return bool(await _pollers(client, host))


async def _record(client: Client, engine: DockerEngine) -> Announcement | None:
    """Read the record of an engine as anybody does who describes it."""
    handle = client.get_workflow_handle(engine_workflow_id(_id(engine)))
    found = await handle.describe()
    assert found.status is WorkflowExecutionStatus.RUNNING
    return read_announcement(
        await found.memo_value(ANNOUNCEMENT_MEMO),
        workflow_id=found.id,
        host=found.typed_search_attributes.get(HOST),
    )


async def _serves(client: Client, worker: Serving, host: str) -> bool:
    return worker.wrong == "" and bool(await _pollers(client, host))


async def test_a_second_name_for_an_engine_serves_nothing(
    client: Client, engine: DockerEngine, caplog: pytest.LogCaptureFixture
) -> None:
    """The second host takes no work, is not ready, and says once whose the engine is."""
    caplog.set_level(logging.INFO, "activities")
    async with _worker(client, engine, "one", machine="a") as one:
        await eventually(lambda: _serves(client, one, "one"))
        async with _worker(client, engine, "two", machine="b") as two:
            await eventually(lambda: two.wrong == "engine: already served as host one")
            said = [line for line in caplog.messages if "nothing is served" in line]
            assert await _pollers(client, "two") == []
            assert len(said) == 1
            assert "--host one" in said[0]
            assert "cloned" in said[0]
            assert f"--workflow-id {engine_workflow_id(_id(engine))}" in said[0]
        impatient = Hosts(client, released_after=timedelta(0))
        claim = await impatient.claim(Announcement(host="three", engine_id=_id(engine)))
        assert claim.problem == "already served as host one", "who is there keeps it"
        assert one.wrong == ""
    told = await _record(client, engine)
    assert told is not None
    assert (told.host, told.engine_id) == ("one", _id(engine))
    assert told.version
    assert told.engine_version
    assert told.since is not None


async def test_workers_of_one_host_serve_together(client: Client, engine: DockerEngine) -> None:
    """Two workers of one name and one engine are replicas, and both ask for work."""
    async with (
        _worker(client, engine, "one", machine="a") as a,
        _worker(client, engine, "one", machine="b") as b,
    ):
        await eventually(lambda: a.wrong == b.wrong == "")

        async def both() -> bool:
            asking = {identity.partition("/")[0] for identity in await _pollers(client, "one")}
            return asking == {"7@a", "7@b"}

        await eventually(both, within=60)


async def test_an_engine_that_nobody_serves_is_taken_over(
    client: Client, engine: DockerEngine
) -> None:
    """When the host that had an engine has had no worker for long, another gets it."""
    gone = Hosts(client)
    await gone.claim(Announcement(host="gone", engine_id=_id(engine)))
    async with _worker(client, engine, "new", released_after=_SOON) as new:
        await eventually(lambda: new.wrong == "engine: already served as host gone")
        assert await _pollers(client, "new") == []
        await eventually(lambda: _serves(client, new, "new"), within=30)
        told = await _record(client, engine)
        assert told is not None
        assert told.host == "new"


@pytest.mark.slow
async def test_a_host_whose_worker_has_gone_is_taken_over(
    client: Client, engine: DockerEngine
) -> None:
    """As long as Temporal names the worker that went, the other one waits; then it serves."""
    async with _worker(client, engine, "new", machine="b", released_after=_SOON) as new:
        await eventually(lambda: _serves(client, new, "new"))
    async with _worker(client, engine, "old", machine="a", released_after=_SOON) as old:
        await eventually(lambda: old.wrong == "engine: already served as host new")
        await eventually(lambda: _serves(client, old, "old"), within=150)


async def test_a_record_that_was_ended_by_hand_has_one_heir(
    client: Client, engine: DockerEngine
) -> None:
    """Whoever is quicker announces the engine; the other one stops, or goes on waiting."""
    async with _worker(client, engine, "one", machine="a") as one:
        await eventually(lambda: _serves(client, one, "one"))
        async with _worker(client, engine, "two", machine="b") as two:
            await eventually(lambda: two.wrong == "engine: already served as host one")
            handle = client.get_workflow_handle(engine_workflow_id(_id(engine)))
            await handle.terminate(reason="released by hand")

            async def decided() -> bool:
                heirs = [one.wrong == "", two.wrong == ""]
                told = await _record(client, engine)
                heir = two if told is not None and told.host == "two" else one
                return sum(heirs) == 1 and heir.wrong == ""

            await eventually(lambda: _is_running(client, engine), within=40)
            await eventually(decided, within=40)


async def _is_running(client: Client, engine: DockerEngine) -> bool:
    handle = client.get_workflow_handle(engine_workflow_id(_id(engine)))
    return (await handle.describe()).status is WorkflowExecutionStatus.RUNNING


async def test_a_second_engine_under_one_name_is_not_served(
    client: Client, engine: DockerEngine, second_engine: DockerEngine
) -> None:
    """Work approved for one engine would land on the other: the second worker takes none."""
    async with _worker(client, engine, "one", machine="a") as one:
        await eventually(lambda: _serves(client, one, "one"))
        async with _worker(client, second_engine, "one", machine="b") as other:
            wrong = f"engine: host one has another engine, {_id(engine)}"
            await eventually(lambda: other.wrong == wrong, within=30)
            assert {i.partition("/")[0] for i in await _pollers(client, "one")} == {"7@a"}
        assert one.wrong == ""


async def test_an_engine_that_was_replaced_is_served_at_once(
    client: Client, engine: DockerEngine, second_engine: DockerEngine
) -> None:
    """A worker of the same machine that finds a new engine under its name need not wait."""
    before = Hosts(client)
    await before.claim(Announcement(host="one", engine_id=_id(engine)))
    async with _worker(client, second_engine, "one") as worker:
        await eventually(lambda: _serves(client, worker, "one"))
    handle = client.get_workflow_handle(engine_workflow_id(_id(engine)))
    assert (await handle.describe()).status is WorkflowExecutionStatus.TERMINATED


@activity.defn(name="list_containers")
async def _look() -> None:
    """Stand for the work of a host."""


@pytest.mark.parametrize("is_over", [False, True], ids=["lives", "over"])
async def test_a_process_that_ended_serves_nothing(client: Client, *, is_over: bool) -> None:
    """Temporal names it for a minute more; on its own machine a new worker knows better."""
    other = await asyncio.create_subprocess_exec("cat", stdin=asyncio.subprocess.PIPE)
    identity = f"{other.pid}@{socket.gethostname()}"
    its = await Client.connect(client.service_client.config.target_host, identity=identity)
    await Hosts(its).claim(Announcement(host="one", engine_id="before"))
    look: list[Callable[..., object]] = [_look]
    async with Worker(
        its,
        task_queue=docker_task_queue("one"),
        activities=look,
        identity=poller_identity(process_name(its), "before"),
    ):
        await eventually(lambda: _is_polled(client, "one"))
        await eventually(lambda: _is_listed(client, "before"))
        if is_over:
            other.kill()
            await other.wait()
        claim = await Hosts(client).claim(Announcement(host="one", engine_id="now"))
    assert (claim.problem == "") is is_over
    if not is_over:
        other.kill()
        await other.wait()


async def test_one_number_in_two_process_spaces_is_two_processes(
    client: Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Two workers in containers with the host's network are both 1@host, and neither has ended."""
    spaces = [tmp_path / "one", tmp_path / "other"]
    for space in spaces:
        space.touch()
    monkeypatch.setattr(hosts, "_PROCESS_SPACE", spaces[0])
    first = Hosts(client)
    await first.claim(Announcement(host="one", engine_id="first"))
    look: list[Callable[..., object]] = [_look]
    async with Worker(
        client,
        task_queue=docker_task_queue("one"),
        activities=look,
        identity=poller_identity(process_name(client), "first"),
    ):
        await eventually(lambda: _is_polled(client, "one"))
        await eventually(lambda: _is_listed(client, "first"))
        monkeypatch.setattr(hosts, "_PROCESS_SPACE", spaces[1])
        claim = await Hosts(client).claim(Announcement(host="one", engine_id="second"))

    assert claim.problem == "host one has another engine, first"


async def _is_listed(client: Client, engine_id: str) -> bool:
    found = client.list_workflows(f"WorkflowId = '{engine_workflow_id(engine_id)}'")
    return bool([run async for run in found])


async def test_a_new_version_is_announced_once(client: Client, engine: DockerEngine) -> None:
    """The record says what runs now, and still since when the host has the engine."""
    first = Announcement(host="one", engine_id=_id(engine), version="0.0.1")
    await Hosts(client).claim(first)
    before = await _record(client, engine)
    newer = Hosts(client)
    for version in ("0.0.2", "0.0.3"):
        claim = await newer.claim(Announcement(**_facts(first, version=version)))
        assert claim.problem == ""
    after = await _record(client, engine)
    assert before is not None
    assert after is not None
    assert (after.version, after.since) == ("0.0.2", before.since)


def _facts(announcement: Announcement, **changes: Any) -> dict[str, Any]:
    facts = {"host": announcement.host, "engine_id": announcement.engine_id}
    return {**facts, **changes}


@pytest.mark.fault
async def test_a_temporal_that_refuses_the_announcement_is_told(
    engine: DockerEngine, caplog: pytest.LogCaptureFixture
) -> None:
    """Without our search attributes nobody could say whose the engine is: nothing is served."""
    async with (
        temporal_server(search_attributes=()) as env,
        _worker(env.client, engine, "one") as worker,
    ):
        await eventually(lambda: worker.wrong == "engine: not announced")
        assert await _pollers(env.client, "one") == []
    assert any("run `check`" in line for line in caplog.messages)


@pytest.mark.fault
async def test_a_worker_serves_on_when_temporal_was_away(engine: DockerEngine) -> None:
    """Nothing is said of the engine while Temporal is away; back, it is announced anew."""
    port = free_port()
    async with temporal_server(port=port) as env:
        address = env.client.service_client.config.target_host
        client = await Client.connect(address, identity="7@a")
    # What connected once waits for Temporal by itself.
    async with serving(client, config_of(engine, "one")) as worker:
        await eventually(lambda: "engine: not announced yet" in worker.wrong, within=60)
        async with temporal_server(port=port) as env:
            await eventually(lambda: _serves(env.client, worker, "one"), within=60)
        await eventually(lambda: worker.wrong == "temporal: no answer", within=60)
        async with temporal_server(port=port) as env:
            await eventually(lambda: _serves(env.client, worker, "one"), within=60)
            await eventually(lambda: _is_listed(env.client, _id(engine)), within=60)
