"""What if somebody else acts on the container or the image between two of our calls?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.rigs.docker_proxy import Answer, DockerProxy, Moment
from tests.rigs.dockerd import DockerRig
from tests.rigs.podman import PodmanRig
from tests.rigs.request_driver import RequestDriver
from workflows.model.errors import ErrorType
from workflows.model.state import RequestStatus, StepName, StepStatus


@pytest.mark.parametrize("times", [1, 2])
async def test_a_prune_before_the_tag(
    driver: RequestDriver, proxy: DockerProxy, times: int
) -> None:
    """A snapshot that an image prune took is made anew."""
    driver.rig.run(name="pruned")
    pruned = proxy.trap("^POST .*/tag", Moment.BEFORE, lambda: _prune(driver.rig), times=times)
    request = await driver.start("pruned")
    state = await request.outcome()
    assert pruned.fired == times
    assert len(proxy.passed("^POST .*/commit")) == times + 1
    await driver.check_snapshotted(request, state)


async def test_prunes_without_end(driver: RequestDriver, proxy: DockerProxy) -> None:
    """After three rounds the container is put back, and the card names the prune."""
    before = driver.rig.inspect(driver.rig.run(name="hopeless"))
    pruned = proxy.trap("^POST .*/tag", Moment.BEFORE, lambda: _prune(driver.rig), times=99)
    request = await driver.start("hopeless")
    state = await request.outcome()
    assert pruned.fired == 3
    assert state.cause is ErrorType.SNAPSHOT_VANISHED
    await driver.check_put_back(request, state, before)


def _ends_itself(rig: DockerRig, container: str) -> None:
    rig.api.kill(container, signal="TERM")
    rig.await_state(container, "exited")


def _stopped_by_somebody(rig: DockerRig, container: str) -> None:
    rig.api.stop(container, timeout=1)


def _paused(rig: DockerRig, container: str) -> None:
    rig.api.pause(container)


@pytest.mark.parametrize("act", [_ends_itself, _stopped_by_somebody, _paused])
async def test_somebody_is_quicker_than_the_stop(
    driver: RequestDriver, proxy: DockerProxy, act: Callable[[DockerRig, str], None]
) -> None:
    """A container that ends or is paused in the moment of the stop rests with its snapshot."""
    container = driver.rig.run(name="quick")
    acted = proxy.trap("^POST .*/stop", Moment.BEFORE, lambda: act(driver.rig, container))
    request = await driver.start("quick")
    state = await request.outcome()
    assert acted.fired == 1
    await driver.check_snapshotted(request, state)


async def test_somebody_starts_it_before_the_commit(
    driver: RequestDriver, proxy: DockerProxy
) -> None:
    """A container that somebody started before the commit is stopped once more."""
    container = driver.rig.run(name="started")

    def start() -> None:
        assert driver.rig.state(container) == "exited"
        driver.rig.api.start(container)

    # Room for a snapshot is looked for by the same call, before the stop.
    started = proxy.trap("^GET .*/images/json", Moment.BEFORE, start, after="^POST .*/stop")
    request = await driver.start("started")
    state = await request.outcome()
    assert started.fired == 1
    assert len(proxy.passed("^POST .*/stop")) == 2
    await driver.check_snapshotted(request, state)


async def test_somebody_removes_it_while_it_is_down(
    driver: RequestDriver, proxy: DockerProxy
) -> None:
    """What is gone cannot be put back: the card says so at once, and asks for a person."""
    container = driver.rig.run(name="removed")

    def remove() -> Answer:
        driver.rig.api.remove_container(container, force=True)
        return Answer(500, "no space left on device")

    removed = proxy.trap("^POST .*/commit", Moment.BEFORE, remove)
    request = await driver.start("removed")
    state = await request.outcome()
    assert removed.fired == 1
    assert state.steps[-1].name is StepName.PUT_BACK
    assert (state.steps[-1].status, state.steps[-1].error) == (
        StepStatus.FAILED,
        ErrorType.CONTAINER_GONE,
    )
    await driver.check(request, state, RequestStatus.NEEDS_PERSON)


async def test_another_engine_answers(
    driver: RequestDriver, proxy: DockerProxy, podman_rig: PodmanRig
) -> None:
    """When the host's address leads to another engine by now, nothing is touched on either."""
    container = driver.rig.run(name="moved")
    other = podman_rig.run(name="moved")
    (request,) = await driver.ask("moved")
    proxy.lead_to(podman_rig.base_url)
    await driver.approve(request)
    state = await request.outcome()
    assert proxy.passed("^GET .*/info")
    await driver.check(request, state, RequestStatus.STALE)
    assert state.cause is ErrorType.WRONG_ENGINE
    assert (driver.rig.state(container), podman_rig.state(other)) == ("running", "running")
    podman_rig.remove_containers()


def _prune(rig: DockerRig) -> None:
    found: dict[str, Any] = rig.api.prune_images({"dangling": True})
    assert found["ImagesDeleted"]
