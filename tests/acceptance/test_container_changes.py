"""What if the container is no longer what the card says when somebody approves?"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import pytest
from temporalio.client import Client

from tests.rigs.dockerd import DockerRig
from tests.rigs.laptop import LaptopRig
from tests.rigs.request_driver import RequestDriver
from tests.rigs.waiting import wait_until
from workflows.model.names import PROTECTED_LABEL
from workflows.model.state import RequestStatus

_GONE = "That very container is gone"
_CHANGED = "no longer as the card showed it"


@pytest.fixture
def driver(laptop: LaptopRig, temporal: Client, engine_rig: DockerRig) -> Iterator[RequestDriver]:
    """Serve requests, and clear the engine afterwards."""
    yield RequestDriver(laptop, temporal, engine_rig)
    engine_rig.clear()


def _recreate_protected(rig: DockerRig, name: str) -> None:
    rig.api.remove_container(name, force=True)
    rig.run(name=name, labels={PROTECTED_LABEL: "true"})


def _remove(rig: DockerRig, name: str) -> None:
    rig.api.remove_container(name, force=True)


def _end(rig: DockerRig, name: str) -> None:
    rig.api.kill(name, signal="TERM")
    rig.await_state(name, "exited")


def _pause(rig: DockerRig, name: str) -> None:
    rig.api.pause(name)


@pytest.mark.parametrize(
    ("change", "says"),
    [(_recreate_protected, _GONE), (_remove, _GONE), (_end, _CHANGED), (_pause, _CHANGED)],
)
async def test_what_no_longer_holds_is_not_done(
    driver: RequestDriver, change: Callable[[DockerRig, str], None], says: str
) -> None:
    """The request is out of date and says why; nothing was changed."""
    driver.rig.run(name="stale")
    (request,) = await driver.ask("stale")
    change(driver.rig, "stale")
    before = _states(driver.rig)
    await driver.approve(request)
    await driver.check(request, await request.outcome(), RequestStatus.STALE)
    assert says in str(await driver.card(request))
    assert _states(driver.rig) == before
    assert driver.images(request) == []


async def test_a_restart_is_told(driver: RequestDriver) -> None:
    """The same container, started anew since the card: it goes on, and the thread says so."""
    driver.rig.run(name="restarted")
    (request,) = await driver.ask("restarted")
    driver.rig.api.restart("restarted", timeout=1)
    await driver.approve(request)
    state = await request.outcome()
    assert state.restarted_since
    assert any("had restarted" in reply["text"] for reply in await driver.thread(request))
    await driver.check_snapshotted(request, state)


async def test_a_rename_is_followed(driver: RequestDriver) -> None:
    """What was approved is stopped under whatever name, and nothing else under the old one."""
    driver.rig.run(name="old-name")
    (request,) = await driver.ask("old-name")
    driver.rig.api.rename("old-name", "new-name")
    other = driver.rig.run(name="old-name")
    await driver.approve(request)
    await driver.check_snapshotted(request, await request.outcome())
    assert driver.rig.state(other) == "running"


async def test_a_name_like_an_id(driver: RequestDriver) -> None:
    """A container named like another one's id is the one that its name says, never the other."""
    shadowed = driver.rig.run(name="shadowed")
    named_so = driver.rig.run(name=shadowed[:12])
    request = await driver.start(shadowed[:12])
    assert request.container == named_so
    await driver.check_snapshotted(request, await request.outcome())
    assert driver.rig.state(shadowed) == "running"


async def test_a_crash_looping_container(driver: RequestDriver) -> None:
    """A container that crashes again and again is stopped, and stays so."""
    container = driver.rig.run("sleep 0.2; exit 3", name="looping", policy="always")
    await asyncio.to_thread(
        wait_until, lambda: driver.rig.inspect(container)["RestartCount"] > 1, "it loops"
    )
    request = await driver.start("looping")
    await driver.check_snapshotted(request, await request.outcome())


async def test_a_container_paused_before_the_request(driver: RequestDriver) -> None:
    """A snapshot of a paused container leaves it paused, as it was."""
    container = driver.rig.run(name="paused")
    driver.rig.api.pause(container)
    request = await driver.start("paused", "snapshot {}")
    state = await request.outcome()
    await driver.check(request, state, RequestStatus.SUCCEEDED)
    assert driver.rig.state(container) == "paused"
    assert [image["RepoTags"] for image in driver.images(request)] == [[state.reference]]


def _states(rig: DockerRig) -> set[tuple[str, str]]:
    return {(found["Id"], found["State"]) for found in rig.api.containers(all=True)}
