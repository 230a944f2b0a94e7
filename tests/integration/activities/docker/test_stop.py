"""Is exactly the approved container stopped, and does the result tell the truth?"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import pytest

from activities.docker.protection import Protection
from tests.integration.activities.docker.docker_worker import Attempts, DockerWorker, fail, run
from tests.rigs.dockerd import HEARS_TERM, IGNORES_TERM, DockerEngine
from tests.rigs.lossy_socket import LossySocket
from tests.rigs.waiting import wait_until
from workflows.model.errors import ErrorType
from workflows.model.state import StopResult


def _ended(engine: DockerEngine, container: str, result: StopResult) -> StopResult:
    """Complete a result by when the engine says that the container ended, and by its name."""
    seen = engine.inspect(container)
    ended = datetime.fromisoformat(seen["State"]["FinishedAt"])
    return replace(result, stopped_at=ended, name=seen["Name"].removeprefix("/"))


def test_stops_a_container_gracefully(worker: DockerWorker, engine: DockerEngine) -> None:
    """A container that heeds TERM ends with its own exit code."""
    container = engine.run()
    result = run(worker.containers.ensure_stopped, worker.stop(worker.pin(container)))
    assert result == _ended(engine, container, StopResult(was_running=True, exit_code=0))
    assert engine.state(container) == "exited"


def test_tells_that_a_container_had_to_be_killed(
    worker: DockerWorker, engine: DockerEngine
) -> None:
    """A container that ignores TERM is killed after the grace, and the result says so."""
    container = engine.run(IGNORES_TERM)
    result = run(worker.containers.ensure_stopped, worker.stop(worker.pin(container), grace=1))
    assert result == _ended(
        engine, container, StopResult(was_running=True, exit_code=137, graceful=False)
    )


def test_without_a_grace_a_container_is_killed_at_once(
    worker: DockerWorker, engine: DockerEngine
) -> None:
    """A grace of 0 is what some containers ask for, and the result says what it did."""
    container = engine.run(HEARS_TERM)
    result = run(worker.containers.ensure_stopped, worker.stop(worker.pin(container), grace=0))
    assert result == _ended(
        engine, container, StopResult(was_running=True, exit_code=137, graceful=False)
    )


def test_a_container_that_ends_like_a_killed_one_was_not_killed(
    worker: DockerWorker, engine: DockerEngine
) -> None:
    """Exit code 137 within the grace is the container's own."""
    container = engine.run('trap "exit 137" TERM; sleep 100000 & wait $!')
    result = run(worker.containers.ensure_stopped, worker.stop(worker.pin(container), grace=30))
    assert result == _ended(engine, container, StopResult(was_running=True, exit_code=137))


def test_stops_a_paused_container(worker: DockerWorker, engine: DockerEngine) -> None:
    """A paused container counts as running."""
    container = engine.run()
    engine.api.pause(container)
    result = run(worker.containers.ensure_stopped, worker.stop(worker.pin(container)))
    assert result.was_running
    assert engine.state(container) == "exited"


def test_stops_a_crash_looping_container(worker: DockerWorker, engine: DockerEngine) -> None:
    """A container between two crashes is stopped, though it restarted since the approval."""
    container = engine.run("exit 3", policy="always")
    engine.await_state(container, "restarting")
    pin = worker.pin(container)
    wait_until(lambda: worker.pin(container).started_at != pin.started_at, "it crashed again")
    result = run(worker.containers.ensure_stopped, worker.stop(pin))
    assert result.was_running
    assert result.restarted_since
    assert engine.state(container) == "exited"


@pytest.mark.parametrize("started", [False, True])
def test_leaves_a_resting_container_alone(
    worker: DockerWorker, engine: DockerEngine, *, started: bool
) -> None:
    """A container that rested when it was approved needs no stop."""
    container = engine.run("exit 5") if started else engine.create()
    engine.await_state(container, "exited" if started else "created")
    result = run(worker.containers.ensure_stopped, worker.stop(worker.pin(container)))
    assert replace(result, name="") == StopResult(
        was_running=False, exit_code=5 if started else None
    )
    assert engine.state(container) == ("exited" if started else "created")


def test_notes_a_mere_restart(worker: DockerWorker, engine: DockerEngine) -> None:
    """A restart since the approval is told and does not hinder."""
    container = engine.run()
    pin = worker.pin(container)
    engine.api.restart(container, timeout=2)
    result = run(worker.containers.ensure_stopped, worker.stop(pin))
    assert result.restarted_since
    assert engine.state(container) == "exited"


def test_refuses_a_container_in_another_state_than_approved(
    worker: DockerWorker, engine: DockerEngine
) -> None:
    """What the card said no longer holds: nothing is touched."""
    container = engine.run()
    pin = worker.pin(container)
    engine.api.pause(container)
    error = fail(worker.containers.ensure_stopped, worker.stop(pin))
    assert (error.type, error.non_retryable) == (ErrorType.CONTAINER_CHANGED, True)
    assert not error.details
    assert engine.state(container) == "paused"


def test_never_stops_one_that_rested_when_approved(
    worker: DockerWorker, engine: DockerEngine
) -> None:
    """Nothing of ours starts such a container, so somebody else did: even later it stays up."""
    container = engine.create()
    pin = worker.pin(container)
    engine.api.start(container)
    attempts = Attempts()
    attempts.lose()
    error = attempts.fail(worker.containers.ensure_stopped, worker.stop(pin, untouched=False))
    assert error.type == ErrorType.CONTAINER_CHANGED
    assert engine.state(container) == "running"


def test_never_touches_a_recreated_container(worker: DockerWorker, engine: DockerEngine) -> None:
    """A new container under the old name is another container."""
    old = engine.run(name="web-1")
    pin = worker.pin(old)
    engine.api.remove_container(old, force=True)
    new = engine.run(name="web-1")
    error = fail(worker.containers.ensure_stopped, worker.stop(pin))
    assert (error.type, error.non_retryable) == (ErrorType.CONTAINER_GONE, True)
    assert engine.state(new) == "running"


def test_a_renamed_container_is_not_what_the_card_shows(
    worker: DockerWorker, engine: DockerEngine
) -> None:
    """While nothing was touched it is out of date, under its new name; after a stop it is ours."""
    container = engine.run(name="web-1")
    pin = worker.pin(container)
    engine.api.rename(container, "web-old")
    other = engine.run(name="web-1")
    error = fail(worker.containers.ensure_stopped, worker.stop(pin))
    assert (error.type, error.details) == (ErrorType.CONTAINER_CHANGED, ())
    assert error.message == "it is named web-old now"
    assert (engine.state(container), engine.state(other)) == ("running", "running")
    result = run(worker.containers.ensure_stopped, worker.stop(pin, untouched=False))
    assert result.name == "web-old"
    assert (engine.state(container), engine.state(other)) == ("exited", "running")


@pytest.mark.parametrize(
    ("field", "kind"),
    [("engine_id", ErrorType.WRONG_ENGINE), ("image_id", ErrorType.CONTAINER_CHANGED)],
)
def test_refuses_another_engine_or_image(
    worker: DockerWorker, engine: DockerEngine, field: str, kind: ErrorType
) -> None:
    """The pin names engine and image too."""
    container = engine.run()
    error = fail(
        worker.containers.ensure_stopped,
        worker.stop(replace(worker.pin(container), **{field: "sha256:" + "0" * 64})),
    )
    assert (error.type, error.non_retryable) == (kind, True)
    assert engine.state(container) == "running"


def test_refuses_a_container_that_is_protected_by_now(
    make_worker: Callable[..., DockerWorker], worker: DockerWorker, engine: DockerEngine
) -> None:
    """Protection is asked again before anything is done."""
    container = engine.run(name="web-1")
    guarded = make_worker(protection=Protection(name_patterns=("web-*",)))
    error = fail(guarded.containers.ensure_stopped, worker.stop(worker.pin(container)))
    assert error.type == ErrorType.CONTAINER_CHANGED
    assert engine.state(container) == "running"


def test_refuses_an_impossible_grace(worker: DockerWorker, engine: DockerEngine) -> None:
    """An engine would wait for ever with a negative grace."""
    container = engine.run()
    error = fail(worker.containers.ensure_stopped, worker.stop(worker.pin(container), grace=-1))
    assert error.type == ErrorType.BAD_INPUT
    assert engine.state(container) == "running"


def test_joins_a_stop_that_was_given_up(
    make_worker: Callable[..., DockerWorker], worker: DockerWorker, engine: DockerEngine
) -> None:
    """A lost answer is no "not done": the next attempt joins, and tells what the first began."""
    container = engine.run(IGNORES_TERM)
    pin, attempts = worker.pin(container), Attempts()
    with LossySocket(engine.base_url, lose="/stop", after=0.2) as lossy:
        unlucky = make_worker(lossy.base_url)
        error = attempts.fail(unlucky.containers.ensure_stopped, worker.stop(pin, grace=60))
        assert lossy.lost == 1
    assert (error.type, error.non_retryable) == (ErrorType.ENGINE_AMBIGUOUS, False)
    assert error.details == ("touched",)
    assert engine.state(container) == "running", "the stop is still at work"
    # What the first stop does at the end of its grace, which leaves room for all that is above.
    end_of_grace = threading.Timer(1, engine.api.kill, (container,))
    end_of_grace.start()
    result = attempts.run(worker.containers.ensure_stopped, worker.stop(pin, grace=60))
    end_of_grace.join()
    # Nobody saw the grace end, so that is not told.
    assert result == _ended(engine, container, StopResult(was_running=True, exit_code=137))


def test_a_stop_of_a_lost_attempt_is_our_own_doing(
    worker: DockerWorker, engine: DockerEngine
) -> None:
    """After a killed worker a resting container is what its stop came to."""
    container = engine.run()
    pin, attempts = worker.pin(container), Attempts()
    attempts.lose()
    engine.api.stop(container, timeout=3)
    result = attempts.run(worker.containers.ensure_stopped, worker.stop(pin))
    assert result == _ended(engine, container, StopResult(was_running=True, exit_code=0))
