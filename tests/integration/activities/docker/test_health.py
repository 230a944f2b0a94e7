"""How long is the health of a started container waited for, and what if it says nothing?"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final

from tests.integration.activities.docker.docker_worker import DockerWorker, fail, run
from tests.rigs.dockerd import IMAGE, STOPS_AT_ONCE, DockerEngine
from workflows.model.errors import ErrorType
from workflows.model.state import CautionCode

_SECOND: Final = 1_000_000_000


def _run(engine: DockerEngine, test: str, **check: Any) -> str:
    made = engine.api.create_container(
        IMAGE,
        ["sh", "-c", STOPS_AT_ONCE],
        name="web-1",
        network_disabled=True,
        healthcheck={"test": ["CMD-SHELL", test], **check},
    )["Id"]
    engine.api.start(made)
    return str(made)


def test_a_verdict_that_comes_too_late_is_not_waited_for(
    make_worker: Callable[..., DockerWorker], engine: DockerEngine
) -> None:
    """Neither failed nor proven: it is up, and that its health is not known yet was said before."""
    worker = make_worker(verify_health=120)
    container = _run(engine, "true", interval=600 * _SECOND)
    inspection = run(worker.containers.inspect_container, worker.inspect("web-1"))
    (caution,) = inspection.cautions
    assert caution.code is CautionCode.HEALTH_UNKNOWN
    assert caution.detail == "its first health check comes 600 s after a start"
    assert inspection.three_queues
    engine.api.stop(container, timeout=1)
    began = time.monotonic()
    result = run(worker.containers.ensure_running, worker.put_back(inspection.pin))
    assert time.monotonic() - began < 20
    assert (result.started, result.healthy, result.health_pending) == (True, None, True)


def test_a_verdict_that_does_not_come_in_time_is_no_failure(
    make_worker: Callable[..., DockerWorker], engine: DockerEngine
) -> None:
    """A start period in which no failure counts may be longer than we wait."""
    worker = make_worker(verify_health=2)
    container = _run(engine, "false", interval=_SECOND // 5, start_period=600 * _SECOND)
    pin = worker.pin(container)
    assert not pin.unhealthy
    engine.api.stop(container, timeout=1)
    result = run(worker.containers.ensure_running, worker.put_back(pin))
    assert (result.started, result.healthy, result.health_pending) == (True, None, True)


def test_a_check_that_fails_is_told_as_soon_as_it_has(
    make_worker: Callable[..., DockerWorker], engine: DockerEngine
) -> None:
    """The time that it is given ends with its verdict."""
    worker = make_worker(verify_health=3600)
    check = {"interval": _SECOND // 5, "retries": 2, "timeout": _SECOND}
    container = _run(engine, "test -e /never", **check)
    pin = worker.pin(container)
    engine.api.stop(container, timeout=1)
    error = fail(worker.containers.ensure_running, worker.put_back(pin))
    assert (error.type, error.non_retryable) == (ErrorType.UNHEALTHY, False)
    assert error.details[0]["state"] == "running"
