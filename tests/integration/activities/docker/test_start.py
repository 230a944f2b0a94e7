"""Does a real container start as people approved it, and is nothing changed where it may not?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from activities.docker.protection import Protection
from tests.integration.activities.docker.docker_worker import Attempts, DockerWorker, fail, run
from tests.rigs.docker_proxy import Answer, DockerProxy, Moment
from tests.rigs.dockerd import STOPS_AT_ONCE, DockerEngine
from tests.rigs.lossy_socket import LossySocket
from tests.rigs.waiting import wait_until
from workflows.model.errors import ErrorType, RefusalCode
from workflows.model.requests import ContainerState, OperationSpec
from workflows.model.state import CautionCode

_START = OperationSpec(kind="start")


def _resting(engine: DockerEngine, script: str = STOPS_AT_ONCE, **options: Any) -> str:
    """Run a container and stop it."""
    container = engine.run(script, **options)
    engine.api.stop(container, timeout=2)
    return container


@pytest.mark.parametrize("ran_before", [False, True], ids=["created", "exited"])
def test_what_rests_is_started(
    worker: DockerWorker, engine: DockerEngine, *, ran_before: bool
) -> None:
    """It is up, and proven to be; nothing is told of a health that nobody checks."""
    container = _resting(engine) if ran_before else engine.create()
    pin = worker.pin(container)

    result = run(worker.containers.ensure_started, worker.start(pin))

    assert (result.state, result.started) == (ContainerState.RUNNING, True)
    assert (result.healthy, result.health_pending, result.stopped) == (None, False, False)
    assert result.started_at is not None
    assert engine.state(container) == "running"
    assert engine.inspect(container)["State"]["StartedAt"] != pin.started_at


@pytest.mark.parametrize("policy", ["no", "always"])
def test_what_ends_at_once_is_not_started_again_and_again(
    make_worker: Callable[..., DockerWorker], engine: DockerEngine, policy: str
) -> None:
    """The engine reports a start as done though the process dies: it ran once, and that is told."""
    worker = make_worker(verify_running=2)
    container = engine.create("sleep 0.3; exit 7", policy=policy)
    attempts = Attempts()

    error = attempts.fail(worker.containers.ensure_started, worker.start(worker.pin(container)))

    assert (error.type, error.non_retryable) == (ErrorType.NOT_RUNNING, True)
    assert error.details[0]["touched"] is True
    assert error.details[0]["started_at"]
    says = {
        "no": ("it ended with exit code 7",),
        "always": (
            "the container is restarting after its start",
            "it started, ended, and was started again by its restart policy",
        ),
    }
    assert error.message in says[policy]


def test_a_health_check_is_waited_for(worker: DockerWorker, engine: DockerEngine) -> None:
    """The engine calls what rests unhealthy, which says nothing of what was approved."""
    container = _resting(engine, healthcheck="true")
    assert engine.inspect(container)["State"]["Health"]["Status"] == "unhealthy"

    result = run(worker.containers.ensure_started, worker.start(worker.pin(container)))

    assert (result.healthy, result.health_pending) == (True, False)


def test_one_that_does_not_become_healthy_has_failed(
    worker: DockerWorker, engine: DockerEngine
) -> None:
    """It runs, and by us: so it is to be stopped again."""
    container = engine.create(healthcheck="false")

    error = fail(worker.containers.ensure_started, worker.start(worker.pin(container)))

    assert (error.type, error.non_retryable) == (ErrorType.UNHEALTHY, True)
    assert error.message == "it runs, but its health check fails"
    assert error.details[0]["touched"] is True
    assert engine.state(container) == "running"


def test_a_port_that_is_taken_changes_nothing(worker: DockerWorker, engine: DockerEngine) -> None:
    """The engine says no, and a no of it is a no: nothing is to be undone."""
    engine.api.create_network("lan")
    container = engine.create(network="lan", ports={80: 18081})
    engine.run(network="lan", ports={80: 18081})

    error = fail(worker.containers.ensure_started, worker.start(worker.pin(container)))

    assert (error.type, error.non_retryable) == (ErrorType.PORT_BUSY, True)
    assert error.message == "port 18081, which it publishes, is taken"
    assert error.details[0]["touched"] is False
    assert engine.state(container) == "created"


@pytest.mark.parametrize("end", ["stopped", "made anew"])
def test_an_owner_that_is_missing_is_known_before(
    worker: DockerWorker, engine: DockerEngine, end: str
) -> None:
    """What rests needs it once it is to be started: the request is refused, and so is the step."""
    owner = engine.run(name="gw")
    container = _resting(engine, name="app", network="container:gw")
    pin = worker.pin(container)
    arg = worker.inspect("app", operation=_START)
    assert run(worker.containers.inspect_container, arg).pin == replace(pin, facts=())
    engine.api.stop(owner, timeout=1)
    if end == "made anew":
        engine.api.remove_container(owner)
        engine.run(name="gw")
    kind = ErrorType.OWNER_MISSING if end == "stopped" else ErrorType.OWNER_GONE

    assert fail(worker.containers.inspect_container, arg).type == kind
    error = fail(worker.containers.ensure_started, worker.start(pin))
    stop = replace(worker.stop(pin), starts=True)
    before_the_snapshot = fail(worker.containers.ensure_stopped, stop)

    assert (error.type, error.non_retryable) == (kind, True)
    assert error.details[0]["touched"] is False
    assert (before_the_snapshot.type, before_the_snapshot.details) == (kind, ())
    assert engine.state(container) == "exited"


def test_what_changed_since_the_approval_is_left_alone(
    make_worker: Callable[..., DockerWorker], worker: DockerWorker, engine: DockerEngine
) -> None:
    """Started, renamed, protected, made anew, on another engine: none of it is started."""
    container = _resting(engine, name="web-1")
    pin = worker.pin(container)
    ours = make_worker(protection=Protection(name_patterns=("web-*",)))

    def told(using: DockerWorker = worker, **changes: str) -> tuple[str, bool]:
        error = fail(using.containers.ensure_started, using.start(replace(pin, **changes)))
        assert error.details[0]["touched"] is False
        return error.message, error.non_retryable

    assert told(ours) == ("the container is protected now", True)
    assert told(engine_id="another")[1]
    assert told(image_id="sha256:" + "0" * 64) == (
        "the container runs another image than approved",
        True,
    )
    assert engine.state(container) == "exited"
    engine.api.rename(container, "web-old")
    assert told() == ("it is named web-old now", True)
    engine.api.rename(container, "web-1")
    engine.api.start(container)
    began = engine.inspect(container)["State"]["StartedAt"]
    assert told() == ("the container is running now, and was exited on the card", True)
    assert engine.inspect(container)["State"]["StartedAt"] == began
    engine.api.remove_container(container, force=True)
    assert told() == ("the container no longer exists", True)


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_killed_attempt_is_gone_on_with(
    worker: DockerWorker, engine: DockerEngine, when: str
) -> None:
    """Whatever the one before had come to, it is up once, and the next one proves it."""
    container = _resting(engine)
    pin, attempts = worker.pin(container), Attempts()
    attempts.lose()
    if when == "after":
        engine.api.start(container)
    began = engine.inspect(container)["State"]["StartedAt"]

    result = attempts.run(worker.containers.ensure_started, worker.start(pin))

    assert (result.state, result.started) == (ContainerState.RUNNING, True)
    assert (engine.inspect(container)["State"]["StartedAt"] == began) is (when == "after")


@pytest.mark.parametrize("told", [False, True], ids=["by its heartbeat", "by the workflow"])
def test_what_ran_and_ended_after_a_killed_attempt_is_not_run_once_more(
    worker: DockerWorker, engine: DockerEngine, *, told: bool
) -> None:
    """The run may have been ours, and a person may have ended it: whatever it did, it did."""
    container = engine.create("exit 7")
    pin, attempts = worker.pin(container), Attempts()
    engine.api.start(container)
    wait_until(lambda: engine.state(container) == "exited", "it ended")
    began = engine.inspect(container)["State"]["StartedAt"]
    if not told:
        attempts.lose()

    arg = replace(worker.start(pin), may_have_begun=told)
    error = attempts.fail(worker.containers.ensure_started, arg)

    assert (error.type, error.non_retryable) == (ErrorType.NOT_RUNNING, True)
    assert error.message == "it ended with exit code 7"
    assert error.details[0]["touched"] is True
    assert engine.inspect(container)["State"]["StartedAt"] == began


def test_a_start_without_an_answer_is_not_called_undone(
    make_worker: Callable[..., DockerWorker], worker: DockerWorker, engine: DockerEngine
) -> None:
    """A client that gave up has heard nothing: the next attempt finds it up."""
    container = _resting(engine)
    pin, attempts = worker.pin(container), Attempts()
    with LossySocket(engine.base_url, lose="/start", after=0.2) as lossy:
        unlucky = make_worker(lossy.base_url)
        error = attempts.fail(unlucky.containers.ensure_started, worker.start(pin))
        assert lossy.lost == 1
    assert (error.type, error.non_retryable) == (ErrorType.ENGINE_AMBIGUOUS, False)
    assert error.details[0]["touched"] is True
    wait_until(lambda: engine.state(container) == "running", "the start came through")

    result = attempts.run(worker.containers.ensure_started, worker.start(pin))

    assert (result.state, result.started) == (ContainerState.RUNNING, True)


def test_an_engine_that_is_away_before_the_start_is_no_start(
    make_worker: Callable[..., DockerWorker], worker: DockerWorker, engine: DockerEngine
) -> None:
    """Nothing was sent: that is told, and another attempt may follow."""
    pin = worker.pin(engine.create())
    away = make_worker("unix:///nowhere/docker.sock")

    error = fail(away.containers.ensure_started, worker.start(pin))

    assert (error.type, error.non_retryable) == (ErrorType.ENGINE_UNAVAILABLE, False)
    assert error.details[0]["touched"] is False


def test_a_no_of_the_engine_to_a_start_that_came_through_all_the_same(
    make_worker: Callable[..., DockerWorker], engine: DockerEngine
) -> None:
    """What is up after a refusal was started by it: the state is believed, and not the word."""
    container = engine.create()
    with DockerProxy(engine.base_url) as docker_proxy:
        worker = make_worker(docker_proxy.base_url)

        def refuse_late() -> Answer:
            engine.api.start(container)
            return Answer(500, "nothing that is known")

        refused = docker_proxy.trap("^POST .*/start", Moment.BEFORE, refuse_late)
        error = fail(worker.containers.ensure_started, worker.start(worker.pin(container)))
        worker.engine.close()

    assert refused.fired == 1
    assert (error.type, error.details[0]["touched"]) == (ErrorType.ENGINE_ERROR, True)


@pytest.mark.parametrize("state", ["running", "paused", "crash-looping"])
def test_what_our_stop_brought_down_is_as_it_was(
    worker: DockerWorker, engine: DockerEngine, state: str
) -> None:
    """A restart leads back to what was approved: up, paused, or looping."""
    looping = state == "crash-looping"
    container = engine.run("exit 3" if looping else STOPS_AT_ONCE, policy="always")
    if state == "paused":
        engine.api.pause(container)
    pin = worker.pin(container)
    while looping and pin.state is not ContainerState.RESTARTING:
        pin = worker.pin(container)
    run(worker.containers.ensure_stopped, worker.stop(pin))

    result = run(worker.containers.ensure_started, worker.start(pin))

    assert result.started
    assert result.state.is_up if looping else result.state is pin.state


def test_one_that_does_not_come_back_after_our_stop_is_tried_again(
    worker: DockerWorker, engine: DockerEngine
) -> None:
    """It is down by us, so nothing but what is hopeless is final."""
    network = engine.api.create_network("lan")["Id"]
    container = engine.run(network="lan")
    pin = worker.pin(container)
    run(worker.containers.ensure_stopped, worker.stop(pin))
    engine.api.remove_network(network)

    error = fail(worker.containers.ensure_started, worker.start(pin))

    assert (error.type, error.non_retryable) == (ErrorType.NETWORK_MISSING, False)
    assert error.details[0]["touched"] is True


def test_what_a_start_and_a_stop_are_judged_by(worker: DockerWorker, engine: DockerEngine) -> None:
    """The worker leaves to the request whether it makes sense, but for an older control worker."""
    _resting(engine, name="web-1")
    older = fail(worker.containers.inspect_container, worker.inspect("web-1"))
    assert (older.type, older.message) == (
        RefusalCode.ALREADY_STOPPED,
        "the container is exited",
    )
    for kind in ("start", "stop", "restart"):
        arg = worker.inspect("web-1", operation=OperationSpec(kind=kind))
        found = run(worker.containers.inspect_container, arg)
        assert (found.pin.state, found.starts) == (ContainerState.EXITED, True)


def test_cautions_of_a_stop_are_for_what_stops(worker: DockerWorker, engine: DockerEngine) -> None:
    """Health is a matter of every start; what a stop costs is none of one of what rests."""
    slow = {"Test": ["CMD-SHELL", "true"], "Interval": 600_000_000_000}
    made = engine.api.create_container(
        "rig/busybox:1",
        ["sh", "-c", STOPS_AT_ONCE],
        name="web-1",
        healthcheck=slow,
        host_config=engine.api.create_host_config(tmpfs={"/cache": ""}, network_mode="none"),
    )

    def said(kind: str) -> list[CautionCode]:
        arg = worker.inspect("web-1", operation=OperationSpec(kind=kind))
        found = run(worker.containers.inspect_container, arg)
        return [caution.code for caution in found.cautions]

    assert said("start") == [CautionCode.HEALTH_UNKNOWN]
    assert said("stop") == []
    engine.api.start(made["Id"])
    assert said("restart") == [CautionCode.HEALTH_UNKNOWN, CautionCode.MEMORY_LOST]
    assert said("start") == []
