"""What becomes of a step when the engine itself goes away, hangs, or is restarted?"""

from __future__ import annotations

import gc
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace

import pytest
from temporalio.exceptions import ApplicationError

from tests.integration.activities.docker.docker_worker import Attempts, DockerWorker, fail, run
from tests.rigs.dockerd import STOPS_AT_ONCE, DockerEngine
from tests.rigs.waiting import wait_until
from workflows.model.errors import ErrorType

# docker-py leaves the socket of a refused connection to the garbage collector.
pytestmark = [
    pytest.mark.fault,
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture
def engine() -> Iterator[DockerEngine]:
    """Give an engine that this test alone breaks."""
    engine = DockerEngine()
    try:
        yield engine.start()
    finally:
        engine.close()
        gc.collect()


@pytest.fixture
def busy() -> Iterator[Callable[..., Future[ApplicationError]]]:
    """Run an activity beside the test, which disturbs it; it must fail."""
    with ThreadPoolExecutor(1) as threads:
        yield threads.submit


def test_an_engine_that_is_down_is_waited_for(worker: DockerWorker, engine: DockerEngine) -> None:
    """Every step fails for now while the engine is down, and works when it is back."""
    container = engine.run(policy="always")
    pin, attempts = worker.pin(container), Attempts()
    engine.stop()
    for activity, arg in (
        (worker.containers.inspect_container, worker.inspect("web-1")),
        (worker.containers.ensure_running, worker.put_back(pin)),
        (worker.snapshots.ensure_snapshot, worker.commit(pin)),
        (worker.snapshots.ensure_tag, worker.tag(pin, pin.image_id)),
        (worker.snapshots.sweep_snapshots, worker.sweep(pin)),
    ):
        error = fail(activity, arg)
        assert (error.type, error.non_retryable) == (ErrorType.ENGINE_UNAVAILABLE, False)
    error = attempts.fail(worker.containers.ensure_stopped, worker.stop(pin))
    assert (error.type, error.details) == (ErrorType.ENGINE_UNAVAILABLE, ())
    engine.start()
    engine.await_state(container, "running")
    assert attempts.run(worker.containers.ensure_stopped, worker.stop(pin)).restarted_since


def test_a_container_that_an_engine_restart_ended_is_stale(
    worker: DockerWorker, engine: DockerEngine
) -> None:
    """An attempt that sent nothing leaves word of it: the next knows that it is not our doing."""
    container = engine.run()
    pin, attempts = worker.pin(container), Attempts()
    engine.stop()
    attempts.fail(worker.containers.ensure_stopped, worker.stop(pin))
    engine.start()
    assert engine.state(container) == "exited"
    error = attempts.fail(worker.containers.ensure_stopped, worker.stop(pin))
    assert (error.type, error.details) == (ErrorType.CONTAINER_CHANGED, ())


def test_an_engine_that_hangs_is_ambiguous(
    make_worker: Callable[..., DockerWorker], worker: DockerWorker, engine: DockerEngine
) -> None:
    """A time-out says neither yes nor no, and may be tried again."""
    pin = worker.pin(engine.run())
    hasty = make_worker(inspect_http=1)
    engine.freeze()
    error = fail(hasty.containers.ensure_stopped, worker.stop(pin))
    engine.thaw()
    assert (error.type, error.non_retryable) == (ErrorType.ENGINE_AMBIGUOUS, False)
    assert run(hasty.containers.ensure_stopped, worker.stop(pin)).was_running


def test_a_stop_queued_in_a_hung_engine_does_not_win(
    worker: DockerWorker, engine: DockerEngine
) -> None:
    """What was sent to a hung engine runs when it wakes up; the container comes back still."""
    container = engine.run()
    pin = worker.pin(container)
    engine.freeze()
    with socket.socket(socket.AF_UNIX) as queued:
        queued.connect(engine.base_url.removeprefix("unix://"))
        queued.sendall(
            f"POST /v1.41/containers/{container}/stop?t=5 HTTP/1.1\r\nHost: x\r\n\r\n".encode()
        )
    engine.thaw()
    result = run(worker.containers.ensure_running, worker.put_back(pin, settle=8))
    assert result.started
    state = engine.inspect(container)["State"]
    assert state["Running"]
    assert state["FinishedAt"] > pin.started_at, "the queued stop ran"


def test_an_engine_killed_during_a_stop(
    worker: DockerWorker, engine: DockerEngine, busy: Callable[..., Future[ApplicationError]]
) -> None:
    """The next attempt looks at what became of the container."""
    container = engine.run('trap "sleep 1; exit 0" TERM; sleep 1000 & wait $!')
    pin, attempts = worker.pin(container), Attempts()
    doomed = busy(attempts.fail, worker.containers.ensure_stopped, worker.stop(pin, grace=30))
    events = engine.api.events(filters={"event": "kill"}, since=0, decode=True)
    next(events)
    events.close()
    engine.kill()
    error = doomed.result()
    assert (error.type, error.details) == (ErrorType.ENGINE_AMBIGUOUS, ("touched",))
    engine.start()
    assert attempts.run(worker.containers.ensure_stopped, worker.stop(pin)).was_running
    assert engine.state(container) == "exited"


def test_an_engine_killed_during_a_commit(
    worker: DockerWorker, engine: DockerEngine, busy: Callable[..., Future[ApplicationError]]
) -> None:
    """The commit died with its engine: one image is made by the next attempt."""
    container = engine.run("dd if=/dev/zero of=/big bs=1M count=400 2>/dev/null")
    engine.await_state(container, "exited")
    pin, attempts = worker.pin(container), Attempts()
    doomed = busy(attempts.fail, worker.snapshots.ensure_snapshot, worker.commit(pin))
    wait_until(engine.is_committing, "the commit has begun to write")
    engine.kill()
    assert doomed.result().type == ErrorType.ENGINE_AMBIGUOUS
    engine.start()
    assert engine.images() == set()
    result = attempts.run(worker.snapshots.ensure_snapshot, worker.commit(pin))
    assert result.repeated
    assert engine.images() == {result.image_id}


def test_a_container_that_its_policy_started_again_is_stopped_again(
    worker: DockerWorker, engine: DockerEngine
) -> None:
    """An engine restart between stop and commit sends the work back to the stop."""
    container = engine.run(STOPS_AT_ONCE, policy="always")
    pin = worker.pin(container)
    run(worker.containers.ensure_stopped, worker.stop(pin))
    engine.stop()
    engine.start()
    engine.await_state(container, "running")
    error = fail(worker.snapshots.ensure_snapshot, worker.commit(pin))
    assert error.type == ErrorType.NOT_STOPPED
    assert run(worker.containers.ensure_stopped, worker.stop(pin, untouched=False)).was_running
    image = run(worker.snapshots.ensure_snapshot, worker.commit(pin)).image_id
    assert engine.images() == {image}


def test_a_stop_by_an_engine_that_was_killed_looks_like_a_persons(
    worker: DockerWorker, engine: DockerEngine
) -> None:
    """Started again after our stop and ended since: it is left so, and people are told."""
    container = engine.run(policy="unless-stopped")
    pin = worker.pin(container)
    stopped = run(worker.containers.ensure_stopped, worker.stop(pin))
    engine.api.start(container)
    engine.kill()
    engine.start()
    engine.await_state(container, "exited")
    arg = replace(worker.put_back(pin), stopped_at=stopped.stopped_at)
    error = fail(worker.containers.ensure_running, arg)
    assert (error.type, error.non_retryable) == (ErrorType.STOPPED_BY_PERSON, True)
    assert engine.state(container) == "exited"
