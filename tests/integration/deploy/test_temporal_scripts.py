"""Is Temporal set up by what the compose files run, and is it reached from a further machine?

The scripts and Temporal's command line are the real ones, and so are haproxy and the certificates.
The server is the dev server on SQLite: Temporal's own image, and its driver for PostgreSQL, cannot
be had where these tests run.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client

from tests.rigs import compose_file
from tests.rigs.dev_server import temporal_server
from tests.rigs.dockerd import DockerEngine
from tests.rigs.first_machine import FirstMachine
from tests.rigs.pollers import is_polled
from tests.rigs.program import dockwarden, free_port
from tests.rigs.terminal import Terminal
from tests.rigs.waiting import eventually
from workflows.model.names import SEARCH_ATTRIBUTES, docker_task_queue

_NAMESPACE, _ATTRIBUTES = map(compose_file.script, ("namespace", "search-attributes"))
_KEYWORD = 2


@pytest.fixture(scope="module")
async def client() -> AsyncIterator[Client]:
    """Reach a server that nobody has set up."""
    async with temporal_server(search_attributes=()) as server:
        yield server.client


def _address(client: Client) -> str:
    return client.service_client.config.target_host


async def test_a_start_sets_up_what_is_missing_and_the_next_one_nothing(client: Client) -> None:
    """The namespace keeps its records for a month, and requests can be listed; twice as well.

    The second script comes before the server knows the namespace that the first one made.
    """
    terminal = Terminal(f"passthrough:///{_address(client)}")
    settings = {"TEMPORAL_NAMESPACE": "requests", "RETENTION": "30d"}
    for _ in range(2):
        assert "ok: " in await terminal.script(_NAMESPACE, **settings)
        assert "ok: " in await terminal.script(_ATTRIBUTES, **settings)

    service = client.service_client
    told = await service.workflow_service.describe_namespace(
        DescribeNamespaceRequest(namespace="requests")
    )
    assert told.config.workflow_execution_retention_ttl.ToTimedelta().days == 30
    made = await service.operator_service.list_search_attributes(
        ListSearchAttributesRequest(namespace="requests")
    )
    assert {n for n, kind in made.custom_attributes.items() if kind == _KEYWORD} == {
        key.name for key in SEARCH_ATTRIBUTES
    }


async def test_what_cannot_be_set_up_is_said_with_its_reason(client: Client) -> None:
    """Who reads the end of the log reads what to do; the options of a command are not in it."""
    terminal = Terminal(_address(client))
    with pytest.raises(RuntimeError) as failed:
        await terminal.script(_NAMESPACE, TEMPORAL_NAMESPACE="requests", RETENTION="a month")
    reason, what_now = str(failed.value).splitlines()
    assert 'invalid argument "a month"' in reason
    assert what_now.startswith("! ")
    assert "TEMPORAL_RETENTION in deploy/.env takes days" in what_now

    await terminal.run("operator", "namespace", "create", "--namespace", "taken")
    made = ("operator", "search-attribute", "create", "--namespace", "taken")

    async def is_known() -> bool:
        try:
            await terminal.run(*made, "--name", SEARCH_ATTRIBUTES[0].name, "--type", "Int")
        except RuntimeError:
            return False
        return True

    await eventually(is_known, within=30)
    with pytest.raises(RuntimeError, match="has different type Int") as failed:
        await terminal.script(_ATTRIBUTES, TEMPORAL_NAMESPACE="taken")
    assert str(failed.value).splitlines()[-1].startswith("! The search attributes of Dockwarden")


async def test_a_further_machine_comes_in_by_its_certificate_alone(
    client: Client, engine: DockerEngine, tmp_path: Path
) -> None:
    """With what host.sh made for it; not without, nor with what another authority made.

    Its worker waits for work there as it would at Temporal itself.
    """
    await Terminal(_address(client)).script(_ATTRIBUTES, TEMPORAL_NAMESPACE="default")
    edge = _made_host(tmp_path / "here")
    other = _made_host(tmp_path / "elsewhere")
    async with _gate(client, tmp_path / "here" / "deploy" / "gate") as (at, log):
        key = "TEMPORAL_TLS_CLIENT_KEY_PATH", "TEMPORAL_TLS_CLIENT_CERT_PATH"
        bare = {name: value for name, value in edge.items() if name not in key}
        foreign = {name: edge[name] if name not in key else other[name] for name in edge}
        # The last one does not believe a gate of another authority.
        asked = asyncio.gather(*(_temporal_of(one, at) for one in (edge, bare, foreign, other)))
        worker = {**edge, "TEMPORAL_ADDRESS": at, "DOCKWARDEN_DOCKER_HOST": engine.base_url}
        words = compose_file.command("docker-worker", compose_file.FURTHER)
        async with dockwarden(*words, **worker, DOCKWARDEN_HOST="edge") as process:
            await process.until(" ready role=", 60)
            queue = docker_task_queue("edge"), TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY
            await eventually(lambda: is_polled(client, *queue), within=30)
        let_in, *lines = await asked
        assert let_in.startswith("ok ")
        assert all("does not answer" in line for line in lines), lines
        assert all("certificates and ours (TEMPORAL_TLS_…) do not fit" in line for line in lines)
        assert " edge " in log()
        assert "SSL client certificate not trusted" in log()
        assert "SSL handshake failure" in log()


def _made_host(machine: Path) -> dict[str, str]:
    """Run host.sh as on the first machine; give the settings of the worker on the further one."""
    folder = FirstMachine(machine).made_for("edge", "localhost")
    env = dict(
        line.split("=", 1) for line in (folder / ".env").read_text(encoding="utf-8").splitlines()
    )
    assert env == {"DOCKWARDEN_HOST": "edge", "TEMPORAL_ADDRESS": "localhost:7233"}
    given = compose_file.environment("docker-worker", compose_file.FURTHER)
    secrets = {
        name: value.replace("/run/secrets", str(folder / "secrets"))
        for name, value in given.items()
        if value.startswith("/run/secrets/")
    }
    assert len(secrets) == 4
    return {**secrets, "TEMPORAL_TLS": given["TEMPORAL_TLS"]}


@asynccontextmanager
async def _gate(client: Client, files: Path) -> AsyncIterator[tuple[str, Callable[[], str]]]:
    """Run the gate before the server; give its address, and what it has logged."""
    port, written = free_port(), files.parent / "gate.log"
    program = shutil.which("haproxy", path=f"/usr/sbin:{os.defpath}")
    assert program, "setup.sh test installs haproxy"
    with written.open("wb") as out:
        process = await asyncio.create_subprocess_exec(
            *(program, "-f", compose_file.FOLDER / "temporal" / "gate.cfg"),
            env={
                "GATE_BIND": f"127.0.0.1:{port}",
                "GATE_FILES": str(files),
                "GATE_TEMPORAL": _address(client),
            },
            stdout=out,
            stderr=out,
        )
    try:
        yield f"localhost:{port}", lambda: written.read_text(encoding="utf-8")
    finally:
        process.kill()
        await process.wait()


async def _temporal_of(settings: Mapping[str, str], address: str) -> str:
    """Give the line on Temporal of a check on the further machine."""
    words = ("check", "--only", "temporal")
    async with dockwarden(*words, **settings, TEMPORAL_ADDRESS=address) as check:
        line = await check.until("Temporal: ", 60)
        await check.end()
    return line
