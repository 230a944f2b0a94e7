"""Does a container come back as it was approved, whatever happened to it, and is that proven?"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.integration.activities.docker.docker_worker import Attempts, DockerWorker, fail, run
from tests.rigs.dockerd import IGNORES_TERM, STOPS_AT_ONCE, DockerEngine
from tests.rigs.lossy_socket import LossySocket
from tests.rigs.waiting import wait_until
from workflows.model.errors import ErrorType
from workflows.model.requests import ContainerState
from workflows.model.start_ports import RestoreResult

_RUNNING = RestoreResult(state=ContainerState.RUNNING, started=True)


def _verdict(result: RestoreResult) -> RestoreResult:
    """Leave out what differs from container to container."""
    return replace(result, ended_at=None, started_at=None, name="")


def test_starts_what_was_running(worker: DockerWorker, engine: DockerEngine) -> None:
    """A container that was up is up again, without waiting for a stop that has ended."""
    container = engine.run()
    pin = worker.pin(container)
    run(worker.containers.ensure_stopped, worker.stop(pin))
    result = run(worker.containers.ensure_running, worker.put_back(pin, settle=600))
    assert _verdict(result) == _RUNNING
    assert engine.state(container) == "running"


def test_an_abandoned_stop_does_not_win(
    make_worker: Callable[..., DockerWorker], worker: DockerWorker, engine: DockerEngine
) -> None:
    """A stop whose answer was lost still kills the container: the start waits for it."""
    container = engine.run(IGNORES_TERM)
    pin = worker.pin(container)
    with LossySocket(engine.base_url, lose="/stop", after=0.2) as lossy:
        unlucky = make_worker(lossy.base_url)
        error = fail(unlucky.containers.ensure_stopped, worker.stop(pin, grace=60))
        assert (error.type, lossy.lost) == (ErrorType.ENGINE_AMBIGUOUS, 1)
    engine.api.start(container)
    assert engine.inspect(container)["State"]["StartedAt"] == pin.started_at, "a start did nothing"
    # What the stop does at the end of its grace, which leaves room for all that is above.
    end_of_grace = threading.Timer(1, engine.api.kill, (container,))
    end_of_grace.start()
    result = run(worker.containers.ensure_running, worker.put_back(pin, settle=60))
    assert _verdict(result) == _RUNNING
    end_of_grace.join()
    state = engine.inspect(container)["State"]
    assert state["StartedAt"] > state["FinishedAt"] > pin.started_at, "it was killed first"


def test_leaves_a_container_that_a_person_stopped_again(
    worker: DockerWorker, engine: DockerEngine
) -> None:
    """Who started the container meanwhile and stopped it again wants it stopped."""
    container = engine.run()
    pin = worker.pin(container)
    ours = run(worker.containers.ensure_stopped, worker.stop(pin)).stopped_at
    assert ours is not None
    engine.api.start(container)
    engine.api.stop(container, timeout=1)

    error = fail(worker.containers.ensure_running, replace(worker.put_back(pin), stopped_at=ours))

    assert (error.type, error.non_retryable) == (ErrorType.STOPPED_BY_PERSON, True)
    assert engine.state(container) == "exited"


def test_starts_what_only_our_stop_ended(worker: DockerWorker, engine: DockerEngine) -> None:
    """A container that ended by our stop and not since is started."""
    container = engine.run()
    pin = worker.pin(container)
    ours = run(worker.containers.ensure_stopped, worker.stop(pin)).stopped_at

    result = run(worker.containers.ensure_running, replace(worker.put_back(pin), stopped_at=ours))

    assert _verdict(result) == _RUNNING


def test_a_stop_that_never_came_leaves_nothing_to_start(
    worker: DockerWorker, engine: DockerEngine
) -> None:
    """A container that still runs after the settle time is reported as untouched."""
    container = engine.run()
    pin = worker.pin(container)
    result = run(worker.containers.ensure_running, worker.put_back(pin))
    assert _verdict(result) == replace(_RUNNING, started=False)
    assert worker.pin(container) == pin


@pytest.mark.parametrize("restarted", [False, True])
def test_leaves_what_rested(worker: DockerWorker, engine: DockerEngine, *, restarted: bool) -> None:
    """A container that rested when approved is not started, nor stopped when somebody did."""
    container = engine.create()
    pin = worker.pin(container)
    if restarted:
        engine.api.start(container)
    result = run(worker.containers.ensure_running, worker.put_back(pin))
    assert not result.started
    assert engine.state(container) == ("running" if restarted else "created")


def test_pauses_again_what_was_paused(worker: DockerWorker, engine: DockerEngine) -> None:
    """A container that was paused is started and paused."""
    container = engine.run()
    engine.api.pause(container)
    pin = worker.pin(container)
    run(worker.containers.ensure_stopped, worker.stop(pin))
    result = run(worker.containers.ensure_running, worker.put_back(pin))
    assert _verdict(result) == RestoreResult(state=ContainerState.PAUSED, started=True)
    assert engine.state(container) == "paused"


def test_pauses_what_a_lost_attempt_had_started(worker: DockerWorker, engine: DockerEngine) -> None:
    """A worker that was killed between start and pause leaves the pause to the next attempt."""
    container = engine.run()
    engine.api.pause(container)
    pin, attempts = worker.pin(container), Attempts()
    engine.api.stop(container, timeout=3)
    engine.api.start(container)
    attempts.lose()
    result = attempts.run(worker.containers.ensure_running, worker.put_back(pin))
    assert _verdict(result) == RestoreResult(state=ContainerState.PAUSED, started=True)


def test_unpauses_what_a_commit_left_paused(worker: DockerWorker, engine: DockerEngine) -> None:
    """A container that came back by itself and was paused by a cut-off commit runs again."""
    container = engine.run()
    pin = worker.pin(container)
    engine.api.restart(container, timeout=3)
    engine.api.pause(container)
    run(worker.containers.ensure_running, worker.put_back(pin))
    assert engine.state(container) == "running"


def test_leaves_the_pause_of_somebody_else(worker: DockerWorker, engine: DockerEngine) -> None:
    """A container that we never stopped is not unpaused: no commit of ours paused it."""
    container = engine.run()
    pin = worker.pin(container)
    engine.api.pause(container)
    result = run(worker.containers.ensure_running, worker.put_back(pin))
    assert _verdict(result) == RestoreResult(state=ContainerState.PAUSED, started=False)
    assert engine.state(container) == "paused"


def test_a_crash_looping_container_is_back_when_it_loops(
    worker: DockerWorker, engine: DockerEngine
) -> None:
    """What crashed before need not be better afterwards."""
    container = engine.run("exit 3", policy="always")
    pin = worker.pin(container)
    while pin.state is not ContainerState.RESTARTING:
        pin = worker.pin(container)
    run(worker.containers.ensure_stopped, worker.stop(pin))
    result = run(worker.containers.ensure_running, worker.put_back(pin))
    assert result.started
    assert result.state.is_up


_DIES = 'test -e /once || { touch /once; trap "exit 0" TERM; sleep 1000 & wait $!; exit; }; '


@pytest.mark.parametrize("policy", ["no", "always"])
def test_a_container_that_dies_at_once_is_not_back(
    make_worker: Callable[..., DockerWorker], engine: DockerEngine, policy: str
) -> None:
    """The engine reports a start as done though the process dies: that is told, to be retried."""
    worker = make_worker(verify_running=2)
    container = engine.run(_DIES + "sleep 0.3; exit 7", policy=policy)
    wait_until(lambda: engine.api.diff(container) is not None, "it ran for the first time")
    pin = worker.pin(container)
    run(worker.containers.ensure_stopped, worker.stop(pin))
    error = fail(worker.containers.ensure_running, worker.put_back(pin))
    assert (error.type, error.non_retryable) == (ErrorType.NOT_RUNNING, False)


def test_that_memory_ran_out_is_told_only_when_the_engine_says_so(
    make_worker: Callable[..., DockerWorker], engine: DockerEngine
) -> None:
    """Exit code 137 is that of every kill: by itself it names no cause."""
    worker = make_worker(verify_running=2)
    told = []
    for end in ("exit 137", "x=aaaaaaaa; while :; do x=$x$x; done"):
        container = engine.run(_DIES + end, memory="16m")
        wait_until(lambda c=container: engine.api.diff(c) is not None, "it ran for the first time")
        pin = worker.pin(container)
        run(worker.containers.ensure_stopped, worker.stop(pin))
        told.append(fail(worker.containers.ensure_running, worker.put_back(pin)).message)
    assert told == [
        "it ended with exit code 137",
        "it ended with exit code 137, and the engine says that it ran out of memory",
    ]


def test_one_that_was_renamed_is_put_back_and_named_as_it_is_now(
    worker: DockerWorker, engine: DockerEngine
) -> None:
    """After our stop it is ours to bring back, whatever it is called; another has its old name."""
    container = engine.run(name="shop-2")
    pin = worker.pin(container)
    run(worker.containers.ensure_stopped, worker.stop(pin))
    engine.api.rename(container, "shop-2-old")
    other = engine.run(name="shop-2")
    before = engine.inspect(other)["State"]
    made = run(worker.snapshots.ensure_snapshot, worker.commit(pin))
    assert made.container_name == "shop-2-old"
    assert run(worker.snapshots.ensure_tag, worker.tag(pin, made.image_id)).container_name == (
        "shop-2-old"
    )
    result = run(worker.containers.ensure_running, worker.put_back(pin))
    assert (result.started, result.name) == (True, "shop-2-old")
    assert engine.state(container) == "running"
    assert engine.inspect(other)["State"] == before


def test_one_that_cannot_be_put_back_is_named_as_it_is_now(
    worker: DockerWorker, engine: DockerEngine
) -> None:
    """The call for help must not lead to the container that has the old name by now."""
    engine.api.create_network("lan")
    container = engine.run(name="shop-2", network="lan", ports={80: 18080})
    pin = worker.pin(container)
    run(worker.containers.ensure_stopped, worker.stop(pin))
    engine.api.rename(container, "shop-2-old")
    engine.run(name="shop-2", network="lan", ports={80: 18080})
    error = fail(worker.containers.ensure_running, worker.put_back(pin))
    assert error.type == ErrorType.PORT_BUSY
    assert error.details[0]["name"] == "shop-2-old"


def test_waits_until_it_is_healthy(worker: DockerWorker, engine: DockerEngine) -> None:
    """A container with a health check is back once the check passes."""
    container = engine.run(healthcheck="true")
    wait_until(lambda: worker.engine.container(container).health == "healthy", "it is healthy")
    pin = worker.pin(container)
    run(worker.containers.ensure_stopped, worker.stop(pin))
    result = run(worker.containers.ensure_running, worker.put_back(pin))
    assert _verdict(result) == replace(_RUNNING, healthy=True)


def test_tells_when_it_does_not_become_healthy(worker: DockerWorker, engine: DockerEngine) -> None:
    """A failing health check means that the container is not back, unless it failed before."""
    # The file is in memory, which is empty after each start.
    script = f"test -e /once || touch /once /dev/shm/well; {STOPS_AT_ONCE}"
    container = engine.run(script, healthcheck="test -e /dev/shm/well")
    wait_until(lambda: worker.engine.container(container).health == "healthy", "it is healthy")
    pin = worker.pin(container)
    assert not pin.unhealthy
    run(worker.containers.ensure_stopped, worker.stop(pin))
    error = fail(worker.containers.ensure_running, worker.put_back(pin))
    assert (error.type, error.non_retryable) == (ErrorType.UNHEALTHY, False)
    as_before = worker.put_back(worker.pin(container))
    assert as_before.pin.unhealthy
    assert run(worker.containers.ensure_running, as_before).healthy is False


def test_a_missing_network_is_told_and_retried(worker: DockerWorker, engine: DockerEngine) -> None:
    """The engine says "not found" about the network, which is not the container."""
    network = engine.api.create_network("lan")["Id"]
    container = engine.run(network="lan")
    pin = worker.pin(container)
    run(worker.containers.ensure_stopped, worker.stop(pin))
    engine.api.remove_network(network)
    error = fail(worker.containers.ensure_running, worker.put_back(pin))
    assert (error.type, error.non_retryable) == (ErrorType.NETWORK_MISSING, False)


def test_a_busy_port_is_told_and_retried(worker: DockerWorker, engine: DockerEngine) -> None:
    """A port that somebody took is waited for, and then the container comes back."""
    engine.api.create_network("lan")
    container = engine.run(network="lan", ports={80: 18080})
    pin = worker.pin(container)
    run(worker.containers.ensure_stopped, worker.stop(pin))
    thief = engine.run(network="lan", ports={80: 18080})
    attempts = Attempts()
    error = attempts.fail(worker.containers.ensure_running, worker.put_back(pin))
    assert (error.type, error.non_retryable) == (ErrorType.PORT_BUSY, False)
    engine.api.remove_container(thief, force=True)
    assert attempts.run(worker.containers.ensure_running, worker.put_back(pin)).started


def test_a_bad_command_is_retried_all_the_same(worker: DockerWorker, engine: DockerEngine) -> None:
    """It is no fault of the call, and to give up would leave a service down."""
    container = engine.run(STOPS_AT_ONCE, name="web-1")
    pin = worker.pin(container)
    run(worker.containers.ensure_stopped, worker.stop(pin))
    broken = engine.api.create_container(
        "rig/busybox:1", ["/no/such/program"], network_disabled=True
    )
    error = fail(
        worker.containers.ensure_running, worker.put_back(replace(pin, container_id=broken["Id"]))
    )
    assert (error.type, error.non_retryable) == (ErrorType.CANNOT_RUN, False)


@pytest.mark.parametrize("change", ["removed", "engine"])
def test_what_no_repetition_mends_is_final(
    worker: DockerWorker, engine: DockerEngine, change: str
) -> None:
    """A removed container and another engine need a person."""
    container = engine.run()
    pin = worker.pin(container)
    if change == "removed":
        engine.api.remove_container(container, force=True)
    else:
        pin = replace(pin, engine_id="another")
    error = fail(worker.containers.ensure_running, worker.put_back(pin))
    kind = ErrorType.CONTAINER_GONE if change == "removed" else ErrorType.WRONG_ENGINE
    assert (error.type, error.non_retryable) == (kind, True)
