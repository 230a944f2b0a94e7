"""What if the container is no longer what the card says when somebody approves?"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import pytest
from temporalio.client import Client

from tests.rigs.dockerd import DockerEngine
from tests.rigs.laptop import LaptopProcess
from tests.rigs.request_driver import RequestDriver
from tests.rigs.waiting import wait_until
from workflows.model.names import PROTECTED_LABEL
from workflows.model.state import RequestStatus

_REMOVED, _RECREATED = "`stale` was removed", "`stale` was recreated, as "
_CHANGED = "no longer as the card showed it"


@pytest.fixture
def driver(laptop: LaptopProcess, client: Client, engine: DockerEngine) -> Iterator[RequestDriver]:
    """Serve requests, and clear the engine afterwards."""
    yield RequestDriver(laptop, client, engine)
    engine.clear()


def _recreate_protected(engine: DockerEngine, name: str) -> None:
    engine.api.remove_container(name, force=True)
    engine.run(name=name, labels={PROTECTED_LABEL: "true"})


def _remove(engine: DockerEngine, name: str) -> None:
    engine.api.remove_container(name, force=True)


def _end(engine: DockerEngine, name: str) -> None:
    engine.api.kill(name, signal="TERM")
    engine.await_state(name, "exited")


def _pause(engine: DockerEngine, name: str) -> None:
    engine.api.pause(name)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (_recreate_protected, _RECREATED),
        (_remove, _REMOVED),
        (_end, _CHANGED),
        (_pause, _CHANGED),
    ],
)
async def test_what_no_longer_holds_is_not_done(
    driver: RequestDriver, change: Callable[[DockerEngine, str], None], says: str
) -> None:
    """The request is out of date and says why; nothing was changed."""
    driver.engine.run(name="stale")
    (request,) = await driver.ask("stale")
    change(driver.engine, "stale")
    before = _states(driver.engine)
    await driver.approve(request)
    await driver.check(request, await request.outcome(), RequestStatus.STALE)
    assert says in str(await driver.card(request))
    assert _states(driver.engine) == before
    assert driver.images(request) == []


async def test_a_restart_is_told(driver: RequestDriver) -> None:
    """The same container, started anew since the card: it goes on, and the thread says so."""
    driver.engine.run(name="restarted")
    (request,) = await driver.ask("restarted")
    driver.engine.api.restart("restarted", timeout=1)
    await driver.approve(request)
    state = await request.outcome()
    assert state.restarted_since
    assert any("had been started anew" in reply["text"] for reply in await driver.thread(request))
    await driver.check_snapshotted(request, state)


async def test_a_rename_is_out_of_date(driver: RequestDriver) -> None:
    """The card shows a name that is another container's by now: neither of the two is touched."""
    driver.engine.run(name="old-name")
    (request,) = await driver.ask("old-name")
    driver.engine.api.rename("old-name", "new-name")
    driver.engine.run(name="old-name")
    before = _states(driver.engine)
    await driver.approve(request)
    await driver.check(request, await request.outcome(), RequestStatus.STALE)
    assert "it is named new-name now" in str(await driver.card(request))
    assert _states(driver.engine) == before
    assert driver.images(request) == []


async def test_a_name_like_an_id(driver: RequestDriver) -> None:
    """A container named like another one's id is the one that its name says, never the other."""
    shadowed = driver.engine.run(name="shadowed")
    named_so = driver.engine.run(name=shadowed[:12])
    request = await driver.start(shadowed[:12])
    assert request.container == named_so
    await driver.check_snapshotted(request, await request.outcome())
    assert driver.engine.state(shadowed) == "running"


async def test_a_crash_looping_container(driver: RequestDriver) -> None:
    """A container that crashes again and again is stopped, and stays so."""
    container = driver.engine.run("sleep 0.2; exit 3", name="looping", policy="always")
    await asyncio.to_thread(
        wait_until, lambda: driver.engine.inspect(container)["RestartCount"] > 1, "it loops"
    )
    request = await driver.start("looping")
    await driver.check_snapshotted(request, await request.outcome())


async def test_a_container_paused_before_the_request(driver: RequestDriver) -> None:
    """A snapshot of a paused container leaves it paused, as it was."""
    container = driver.engine.run(name="paused")
    driver.engine.api.pause(container)
    request = await driver.start("paused", "snapshot {}")
    state = await request.outcome()
    await driver.check(request, state, RequestStatus.SUCCEEDED)
    assert driver.engine.state(container) == "paused"
    assert [image["RepoTags"] for image in driver.images(request)] == [[state.reference]]


def _states(engine: DockerEngine) -> set[tuple[str, str]]:
    return {(found["Id"], found["State"]) for found in engine.api.containers(all=True)}
