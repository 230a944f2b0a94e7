"""Do people read before and after an approval what a restart changes, and who forbids a stop?"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from temporalio.client import Client

from deploy.laptop.slack_server import USERS
from tests.rigs.dockerd import IMAGE, STOPS_AT_ONCE, DockerEngine
from tests.rigs.laptop import LaptopProcess
from tests.rigs.request_driver import RequestDriver
from workflows.model.state import RequestStatus


@pytest.fixture
def driver(laptop: LaptopProcess, client: Client, engine: DockerEngine) -> Iterator[RequestDriver]:
    """Serve requests, and clear the engine afterwards."""
    yield RequestDriver(laptop, client, engine)
    engine.clear()


def _host_port(engine: DockerEngine, container: str) -> str:
    return str(engine.inspect(container)["NetworkSettings"]["Ports"]["80/tcp"][0]["HostPort"])


async def test_a_snapshot_that_moves_a_port(driver: RequestDriver) -> None:
    """Both ports are on the last card and in the thread, and what is in memory is named before."""
    engine = driver.engine
    engine.api.create_network("lan")
    made = engine.api.create_container(
        IMAGE,
        ["sh", "-c", STOPS_AT_ONCE],
        name="moving",
        ports=[80],
        host_config=engine.api.create_host_config(
            network_mode="lan", port_bindings={80: None}, tmpfs={"/data": ""}
        ),
    )["Id"]
    engine.api.start(made)
    before = _host_port(engine, made)
    (request,) = await driver.ask("moving", command="snapshot {}")
    asked = str(await driver.card(request))
    assert f"80/tcp is at {before} now" in asked
    assert "what it keeps in memory alone is lost (tmpfs /data)" in asked
    assert "without tmpfs `/data`" in asked
    await driver.approve(request)
    await driver.check_snapshotted(request, await request.outcome(), runs=True)
    told = f"80/tcp {before} → {_host_port(engine, made)}."
    assert told in str(await driver.card(request))
    assert told in str(await driver.thread(request))


async def test_a_stop_that_an_engine_will_undo(driver: RequestDriver) -> None:
    """Who approves it knows, and so does who reads how it ended."""
    driver.engine.run(name="returning", policy="always")
    (request,) = await driver.ask("returning", command="stop {}")
    asked = str(await driver.card(request))
    assert "*Afterwards* it is down" in asked
    assert "is restarted" in asked
    await driver.approve(request)
    await driver.check(request, await request.outcome(), RequestStatus.SUCCEEDED)
    done = str(await driver.card(request))
    assert "t is down" in done
    assert "is restarted" in done


async def test_what_an_orchestrator_runs(driver: RequestDriver) -> None:
    """There is no card, but a private answer with the command that stops it there."""
    container = driver.engine.run(
        name="web.1.t4sk",
        labels={"com.docker.swarm.task.id": "t4sk", "com.docker.swarm.service.name": "web"},
    )
    await driver.type("alice", "stop web.1.t4sk")
    await driver.refusal(USERS["alice"], "Docker Swarm", "`docker service scale web=0` stops it")
    assert driver.engine.state(container) == "running"
