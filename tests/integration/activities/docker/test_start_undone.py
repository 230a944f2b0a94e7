"""Does what rested rest again when its start is undone, and only what we started?"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.integration.activities.docker.docker_worker import Attempts, DockerWorker, fail, run
from tests.rigs.docker_proxy import DockerProxy, Moment
from tests.rigs.dockerd import IGNORES_TERM, DockerEngine
from tests.rigs.waiting import wait_until
from workflows.model.errors import ErrorType
from workflows.model.requests import ContainerPin, ContainerState
from workflows.model.start_ports import RestoreInput


def _undo(pin: ContainerPin, **changes: Any) -> RestoreInput:
    undo = RestoreInput(pin=pin, settle_seconds=0, started_by_us=True, grace_seconds=2)
    return replace(undo, **changes)


@pytest.mark.parametrize("policy", ["no", "always", "on-failure"])
@pytest.mark.parametrize("known", [False, True], ids=["", "our run is known"])
def test_what_we_started_is_stopped_again(
    worker: DockerWorker, engine: DockerEngine, policy: str, *, known: bool
) -> None:
    """It stays down whatever its restart policy, and a second undo finds nothing to do."""
    container = engine.create(policy=policy)
    pin = worker.pin(container)
    started = run(worker.containers.ensure_started, worker.start(pin))
    undo = _undo(pin, started_at=started.started_at if known else None)

    result = run(worker.containers.ensure_running, undo)

    assert (result.state, result.stopped, result.started) == (ContainerState.EXITED, True, False)
    ended = engine.inspect(container)["State"]
    again = run(worker.containers.ensure_running, undo)
    assert (again.state, again.stopped) == (ContainerState.EXITED, False)
    assert engine.inspect(container)["State"] == ended


@pytest.mark.parametrize("policy", ["always", "on-failure"])
def test_what_its_policy_restarts_is_our_run_still(
    make_worker: Callable[..., DockerWorker], engine: DockerEngine, policy: str
) -> None:
    """It ended at once and loops by itself: nobody but us began that."""
    worker = make_worker(verify_running=2)
    container = engine.create("sleep 0.1; exit 7", policy=policy)
    pin = worker.pin(container)
    error = fail(worker.containers.ensure_started, worker.start(pin))
    assert error.type == ErrorType.NOT_RUNNING
    wait_until(lambda: worker.engine.container(container).restart_count > 0, "it loops")
    ours = worker.engine.container(container)
    undo = _undo(pin, started_at=ours.finished_at)

    result = run(worker.containers.ensure_running, undo)

    assert (result.state, result.stopped) == (ContainerState.EXITED, True)
    assert engine.state(container) == "exited"


def test_one_that_ends_only_when_killed_is_killed_after_its_grace(
    worker: DockerWorker, engine: DockerEngine
) -> None:
    """The undo of a start is a stop, with the grace of the request."""
    container = engine.create(IGNORES_TERM)
    pin = worker.pin(container)
    run(worker.containers.ensure_started, worker.start(pin))

    assert run(worker.containers.ensure_running, _undo(pin, grace_seconds=1)).stopped

    assert engine.inspect(container)["State"]["ExitCode"] == 137


def test_the_run_of_a_person_goes_on(worker: DockerWorker, engine: DockerEngine) -> None:
    """Who stopped what we started, and started it anew, wants it up."""
    container = engine.create()
    pin = worker.pin(container)
    started = run(worker.containers.ensure_started, worker.start(pin))
    engine.api.restart(container, timeout=2)

    undo = _undo(pin, started_at=started.started_at)
    result = run(worker.containers.ensure_running, undo)

    assert (result.state, result.stopped) == (ContainerState.RUNNING, False)
    assert engine.state(container) == "running"


def test_what_a_person_stopped_is_left_so(worker: DockerWorker, engine: DockerEngine) -> None:
    """It rests as it did, whoever saw to that."""
    container = engine.create()
    pin = worker.pin(container)
    run(worker.containers.ensure_started, worker.start(pin))
    engine.api.stop(container, timeout=2)

    result = run(worker.containers.ensure_running, _undo(pin))

    assert (result.state, result.stopped) == (ContainerState.EXITED, False)


def test_a_start_that_is_still_at_work_does_not_win(
    worker: DockerWorker, engine: DockerEngine
) -> None:
    """A start whose answer was lost may come through later: it is waited for."""
    container = engine.create()
    pin = worker.pin(container)
    late = threading.Timer(1, engine.api.start, (container,))
    late.start()

    result = run(worker.containers.ensure_running, _undo(pin, settle_seconds=60))

    late.join()
    assert (result.state, result.stopped) == (ContainerState.EXITED, True)
    assert engine.state(container) == "exited"


def test_a_mere_look_stops_nothing(worker: DockerWorker, engine: DockerEngine) -> None:
    """Somebody told us to stop trying: it is only said how it is."""
    container = engine.create()
    pin = worker.pin(container)
    run(worker.containers.ensure_started, worker.start(pin))
    look = _undo(pin, look_only=True)

    error = fail(worker.containers.ensure_running, look)

    assert (error.type, error.non_retryable) == (ErrorType.NOT_STOPPED, True)
    assert error.message == "the container is running, and was created when approved"
    assert error.details[0]["state"] == "running"
    assert engine.state(container) == "running"
    engine.api.stop(container, timeout=2)
    assert run(worker.containers.ensure_running, look).state is ContainerState.EXITED


def test_a_killed_undo_is_gone_on_with(
    make_worker: Callable[..., DockerWorker], engine: DockerEngine
) -> None:
    """A stop that was sent and whose answer was lost: the next attempt finds it down."""
    container = engine.create()
    attempts = Attempts()
    with DockerProxy(engine.base_url) as docker_proxy:
        worker = make_worker(docker_proxy.base_url)
        pin = worker.pin(container)
        run(worker.containers.ensure_started, worker.start(pin))
        stopped = docker_proxy.trap("^POST .*/stop", Moment.ANSWERED, docker_proxy.down)
        error = attempts.fail(worker.containers.ensure_running, _undo(pin))
        assert stopped.fired == 1
        assert not error.non_retryable
        docker_proxy.up()
        result = attempts.run(worker.containers.ensure_running, _undo(pin))
        worker.engine.close()

    assert result.state is ContainerState.EXITED
    assert engine.state(container) == "exited"
