"""Is exactly the approved container stopped, and does the result tell the truth?"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import pytest

from activities.docker.protection import Protection
from tests.integration.activities.docker.docker_worker import Attempts, Host, fail, run
from tests.rigs.dockerd import IGNORES_TERM, DockerRig
from tests.rigs.lossy_socket import LossySocket
from tests.rigs.waiting import wait_until
from workflows.model.errors import ErrorType
from workflows.model.state import StopResult


def _ended(rig: DockerRig, container: str, result: StopResult) -> StopResult:
    """Complete a result by when the engine says that the container ended."""
    ended = rig.inspect(container)["State"]["FinishedAt"]
    return replace(result, stopped_at=datetime.fromisoformat(ended))


def test_stops_a_container_gracefully(host: Host, rig: DockerRig) -> None:
    """A container that heeds TERM ends with its own exit code."""
    container = rig.run()
    result = run(host.containers.ensure_stopped, host.stop(host.pin(container)))
    assert result == _ended(rig, container, StopResult(was_running=True, exit_code=0))
    assert rig.state(container) == "exited"


def test_tells_that_a_container_had_to_be_killed(host: Host, rig: DockerRig) -> None:
    """A container that ignores TERM is killed after the grace, and the result says so."""
    container = rig.run(IGNORES_TERM)
    result = run(host.containers.ensure_stopped, host.stop(host.pin(container), grace=1))
    assert result == _ended(
        rig, container, StopResult(was_running=True, exit_code=137, graceful=False)
    )


def test_stops_a_paused_container(host: Host, rig: DockerRig) -> None:
    """A paused container counts as running."""
    container = rig.run()
    rig.api.pause(container)
    result = run(host.containers.ensure_stopped, host.stop(host.pin(container)))
    assert result.was_running
    assert rig.state(container) == "exited"


def test_stops_a_crash_looping_container(host: Host, rig: DockerRig) -> None:
    """A container between two crashes is stopped, though it restarted since the approval."""
    container = rig.run("exit 3", policy="always")
    rig.await_state(container, "restarting")
    pin = host.pin(container)
    wait_until(lambda: host.pin(container).started_at != pin.started_at, "it crashed again")
    result = run(host.containers.ensure_stopped, host.stop(pin))
    assert result.was_running
    assert result.restarted_since
    assert rig.state(container) == "exited"


@pytest.mark.parametrize("started", [False, True])
def test_leaves_a_resting_container_alone(host: Host, rig: DockerRig, *, started: bool) -> None:
    """A container that rested when it was approved needs no stop."""
    container = rig.run("exit 5") if started else rig.create()
    rig.await_state(container, "exited" if started else "created")
    result = run(host.containers.ensure_stopped, host.stop(host.pin(container)))
    assert result == StopResult(was_running=False, exit_code=5 if started else None)
    assert rig.state(container) == ("exited" if started else "created")


def test_notes_a_mere_restart(host: Host, rig: DockerRig) -> None:
    """A restart since the approval is told and does not hinder."""
    container = rig.run()
    pin = host.pin(container)
    rig.api.restart(container, timeout=2)
    result = run(host.containers.ensure_stopped, host.stop(pin))
    assert result.restarted_since
    assert rig.state(container) == "exited"


def test_refuses_a_container_in_another_state_than_approved(host: Host, rig: DockerRig) -> None:
    """What the card said no longer holds: nothing is touched."""
    container = rig.run()
    pin = host.pin(container)
    rig.api.pause(container)
    error = fail(host.containers.ensure_stopped, host.stop(pin))
    assert (error.type, error.non_retryable) == (ErrorType.CONTAINER_CHANGED, True)
    assert not error.details
    assert rig.state(container) == "paused"


def test_never_stops_one_that_rested_when_approved(host: Host, rig: DockerRig) -> None:
    """Nothing of ours starts such a container, so somebody else did: even later it stays up."""
    container = rig.create()
    pin = host.pin(container)
    rig.api.start(container)
    attempts = Attempts()
    attempts.lose()
    error = attempts.fail(host.containers.ensure_stopped, host.stop(pin, untouched=False))
    assert error.type == ErrorType.CONTAINER_CHANGED
    assert rig.state(container) == "running"


def test_never_touches_a_recreated_container(host: Host, rig: DockerRig) -> None:
    """A new container under the old name is another container."""
    old = rig.run(name="web-1")
    pin = host.pin(old)
    rig.api.remove_container(old, force=True)
    new = rig.run(name="web-1")
    error = fail(host.containers.ensure_stopped, host.stop(pin))
    assert (error.type, error.non_retryable) == (ErrorType.CONTAINER_GONE, True)
    assert rig.state(new) == "running"


def test_follows_a_renamed_container(host: Host, rig: DockerRig) -> None:
    """A new name changes nothing about what was approved."""
    container = rig.run(name="web-1")
    pin = host.pin(container)
    rig.api.rename(container, "web-old")
    other = rig.run(name="web-1")
    run(host.containers.ensure_stopped, host.stop(pin))
    assert (rig.state(container), rig.state(other)) == ("exited", "running")


@pytest.mark.parametrize(
    ("field", "kind"),
    [("engine_id", ErrorType.WRONG_ENGINE), ("image_id", ErrorType.CONTAINER_CHANGED)],
)
def test_refuses_another_engine_or_image(
    host: Host, rig: DockerRig, field: str, kind: ErrorType
) -> None:
    """The pin names engine and image too."""
    container = rig.run()
    error = fail(
        host.containers.ensure_stopped,
        host.stop(replace(host.pin(container), **{field: "sha256:" + "0" * 64})),
    )
    assert (error.type, error.non_retryable) == (kind, True)
    assert rig.state(container) == "running"


def test_refuses_a_container_that_is_protected_by_now(
    make_host: Callable[..., Host], host: Host, rig: DockerRig
) -> None:
    """Protection is asked again before anything is done."""
    container = rig.run(name="web-1")
    guarded = make_host(protection=Protection(name_patterns=("web-*",)))
    error = fail(guarded.containers.ensure_stopped, host.stop(host.pin(container)))
    assert error.type == ErrorType.CONTAINER_CHANGED
    assert rig.state(container) == "running"


def test_refuses_an_impossible_grace(host: Host, rig: DockerRig) -> None:
    """An engine would wait for ever with a negative grace."""
    container = rig.run()
    error = fail(host.containers.ensure_stopped, host.stop(host.pin(container), grace=-1))
    assert error.type == ErrorType.BAD_INPUT
    assert rig.state(container) == "running"


def test_joins_a_stop_that_was_given_up(
    make_host: Callable[..., Host], host: Host, rig: DockerRig
) -> None:
    """A lost answer is no "not done": the next attempt joins, and tells what the first began."""
    container = rig.run(IGNORES_TERM)
    pin, attempts = host.pin(container), Attempts()
    with LossySocket(rig.base_url, lose="/stop", after=0.2) as lossy:
        unlucky = make_host(lossy.base_url)
        error = attempts.fail(unlucky.containers.ensure_stopped, host.stop(pin, grace=60))
        assert lossy.lost == 1
    assert (error.type, error.non_retryable) == (ErrorType.ENGINE_AMBIGUOUS, False)
    assert error.details == ("touched",)
    assert rig.state(container) == "running", "the stop is still at work"
    # What the first stop does at the end of its grace, which leaves room for all that is above.
    end_of_grace = threading.Timer(1, rig.api.kill, (container,))
    end_of_grace.start()
    result = attempts.run(host.containers.ensure_stopped, host.stop(pin, grace=60))
    end_of_grace.join()
    assert result == _ended(
        rig, container, StopResult(was_running=True, exit_code=137, graceful=False)
    )


def test_a_stop_of_a_lost_attempt_is_our_own_doing(host: Host, rig: DockerRig) -> None:
    """After a killed worker a resting container is what its stop came to."""
    container = rig.run()
    pin, attempts = host.pin(container), Attempts()
    attempts.lose()
    rig.api.stop(container, timeout=3)
    result = attempts.run(host.containers.ensure_stopped, host.stop(pin))
    assert result == _ended(rig, container, StopResult(was_running=True, exit_code=0))
