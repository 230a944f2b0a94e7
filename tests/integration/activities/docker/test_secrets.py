"""Does anything secret of a container leave its host through an activity?"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from temporalio.api.failure.v1 import Failure
from temporalio.converter import (
    DefaultFailureConverter,
    DefaultPayloadConverter,
    JSONPlainPayloadConverter,
)

from tests.integration.activities.docker.docker_worker import DockerWorker, fail, run
from tests.rigs.dockerd import STOPS_AT_ONCE, DockerEngine
from tests.rigs.lossy_socket import LossySocket
from workflows.model.listing import ListInput

CANARY = "hunter2canary"


def _payload(value: Any) -> str:
    payload = JSONPlainPayloadConverter().to_payload(value)
    assert payload is not None
    return payload.data.decode()


def _failure(error: BaseException) -> str:
    failure = Failure()
    DefaultFailureConverter().to_failure(error, DefaultPayloadConverter(), failure)
    return str(failure)


def test_no_result_error_or_log_tells_a_secret(
    make_worker: Callable[..., DockerWorker],
    worker: DockerWorker,
    engine: DockerEngine,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Environment, labels and command line stay on the host, in success and in failure."""
    caplog.set_level(logging.DEBUG)
    container = engine.run(
        f"echo {CANARY}; {STOPS_AT_ONCE}",
        name="web-1",
        environment={"TOKEN": CANARY},
        labels={"secret": CANARY},
        healthcheck=f"true {CANARY}",
    )
    caplog.clear()
    pin = worker.pin(container)
    selected = worker.inspect("web-1", label_selectors=({"secret": "guess"},))
    told = [
        run(worker.containers.inspect_container, selected),
        run(worker.containers.list_containers, ListInput(host="local")),
        run(worker.containers.ensure_stopped, worker.stop(pin)),
        snapshot := run(worker.snapshots.ensure_snapshot, worker.commit(pin)),
        run(worker.snapshots.ensure_tag, worker.tag(pin, snapshot.image_id)),
        run(worker.containers.ensure_running, worker.put_back(pin)),
    ]
    broken = engine.api.create_container(
        "rig/busybox:1", [f"/no/{CANARY}"], network_disabled=True, name="broken"
    )["Id"]
    with LossySocket(engine.base_url, lose="/stop") as lossy:
        failed = [
            fail(
                worker.containers.ensure_running,
                worker.put_back(replace(pin, container_id=broken)),
            ),
            fail(make_worker(lossy.base_url).containers.ensure_stopped, worker.stop(pin)),
            fail(worker.containers.inspect_container, worker.inspect("web")),
        ]
    assert str(snapshot.image_id) in _payload(told[3])
    for text in (*map(_payload, told), *map(repr, told), *map(_failure, failed), caplog.text):
        assert CANARY not in text


def test_observations_hide_labels(worker: DockerWorker, engine: DockerEngine) -> None:
    """What the activities look at can be logged without a secret."""
    container = engine.create(labels={"secret": CANARY}, environment={"TOKEN": CANARY})
    assert CANARY not in repr(worker.engine.container(container))
    assert CANARY not in repr(worker.engine.containers())
