"""What if somebody else acts on the container or the image between two of our calls?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.rigs.docker_proxy import Answer, DockerProxy, Moment
from tests.rigs.dockerd import DockerEngine
from tests.rigs.podman import PodmanEngine
from tests.rigs.request_driver import RequestDriver
from workflows.model.errors import ErrorType
from workflows.model.state import RequestStatus, StepName, StepStatus


@pytest.mark.parametrize("times", [1, 2])
async def test_a_prune_before_the_tag(
    driver: RequestDriver, docker_proxy: DockerProxy, times: int
) -> None:
    """A snapshot that an image prune took is made anew."""
    driver.engine.run(name="pruned")
    pruned = docker_proxy.trap(
        "^POST .*/tag", Moment.BEFORE, lambda: _prune(driver.engine), times=times
    )
    request = await driver.start("pruned")
    state = await request.outcome()
    assert pruned.fired == times
    assert len(docker_proxy.passed("^POST .*/commit")) == times + 1
    await driver.check_snapshotted(request, state)


async def test_prunes_without_end(driver: RequestDriver, docker_proxy: DockerProxy) -> None:
    """After three rounds the container is put back, and the card names the prune."""
    before = driver.engine.inspect(driver.engine.run(name="hopeless"))
    pruned = docker_proxy.trap(
        "^POST .*/tag", Moment.BEFORE, lambda: _prune(driver.engine), times=99
    )
    request = await driver.start("hopeless")
    state = await request.outcome()
    assert pruned.fired == 3
    assert state.cause is ErrorType.SNAPSHOT_VANISHED
    await driver.check_put_back(request, state, before)


def _ends_itself(engine: DockerEngine, container: str) -> None:
    engine.api.kill(container, signal="TERM")
    engine.await_state(container, "exited")


def _stopped_by_somebody(engine: DockerEngine, container: str) -> None:
    engine.api.stop(container, timeout=1)


def _paused(engine: DockerEngine, container: str) -> None:
    engine.api.pause(container)


@pytest.mark.parametrize("act", [_ends_itself, _stopped_by_somebody, _paused])
async def test_somebody_is_quicker_than_the_stop(
    driver: RequestDriver, docker_proxy: DockerProxy, act: Callable[[DockerEngine, str], None]
) -> None:
    """A container that ends or is paused in the moment of the stop rests with its snapshot."""
    container = driver.engine.run(name="quick")
    acted = docker_proxy.trap("^POST .*/stop", Moment.BEFORE, lambda: act(driver.engine, container))
    request = await driver.start("quick")
    state = await request.outcome()
    assert acted.fired == 1
    await driver.check_snapshotted(request, state)


async def test_somebody_starts_it_before_the_commit(
    driver: RequestDriver, docker_proxy: DockerProxy
) -> None:
    """A container that somebody started before the commit is stopped once more."""
    container = driver.engine.run(name="started")

    def start() -> None:
        assert driver.engine.state(container) == "exited"
        driver.engine.api.start(container)

    # Room for a snapshot is looked for by the same call, before the stop.
    started = docker_proxy.trap("^GET .*/images/json", Moment.BEFORE, start, after="^POST .*/stop")
    request = await driver.start("started")
    state = await request.outcome()
    assert started.fired == 1
    assert len(docker_proxy.passed("^POST .*/stop")) == 2
    await driver.check_snapshotted(request, state)


async def test_somebody_removes_it_while_it_is_down(
    driver: RequestDriver, docker_proxy: DockerProxy
) -> None:
    """What is gone cannot be put back: the card says so at once, and asks for a person."""
    container = driver.engine.run(name="removed")

    def remove() -> Answer:
        driver.engine.api.remove_container(container, force=True)
        return Answer(500, "no space left on device")

    removed = docker_proxy.trap("^POST .*/commit", Moment.BEFORE, remove)
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
    driver: RequestDriver, docker_proxy: DockerProxy, podman: PodmanEngine
) -> None:
    """When the host's address leads to another engine by now, nothing is touched on either."""
    container = driver.engine.run(name="moved")
    other = podman.run(name="moved")
    (request,) = await driver.ask("moved")
    docker_proxy.lead_to(podman.base_url)
    await driver.approve(request)
    state = await request.outcome()
    assert docker_proxy.passed("^GET .*/info")
    await driver.check(request, state, RequestStatus.STALE)
    assert state.cause is ErrorType.WRONG_ENGINE
    assert (driver.engine.state(container), podman.state(other)) == ("running", "running")
    podman.remove_containers()


def _prune(engine: DockerEngine) -> None:
    found: dict[str, Any] = engine.api.prune_images({"dangling": True})
    assert found["ImagesDeleted"]
