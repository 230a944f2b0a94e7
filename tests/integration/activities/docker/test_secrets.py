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

from tests.integration.activities.docker.docker_worker import Host, fail, run
from tests.rigs.dockerd import STOPS_AT_ONCE, DockerRig
from tests.rigs.lossy_socket import LossySocket
from workflows.model.ports import ListInput

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
    make_host: Callable[..., Host],
    host: Host,
    rig: DockerRig,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Environment, labels and command line stay on the host, in success and in failure."""
    caplog.set_level(logging.DEBUG)
    container = rig.run(
        f"echo {CANARY}; {STOPS_AT_ONCE}",
        name="web-1",
        environment={"TOKEN": CANARY},
        labels={"secret": CANARY},
        healthcheck=f"true {CANARY}",
    )
    caplog.clear()
    pin = host.pin(container)
    selected = host.inspect("web-1", label_selectors=({"secret": "guess"},))
    told = [
        run(host.containers.inspect_container, selected),
        run(host.containers.list_containers, ListInput(host="local")),
        run(host.containers.ensure_stopped, host.stop(pin)),
        snapshot := run(host.snapshots.ensure_snapshot, host.commit(pin)),
        run(host.snapshots.ensure_tag, host.tag(pin, snapshot.image_id)),
        run(host.containers.ensure_running, host.put_back(pin)),
    ]
    broken = rig.api.create_container(
        "rig/busybox:1", [f"/no/{CANARY}"], network_disabled=True, name="broken"
    )["Id"]
    with LossySocket(rig.base_url, lose="/stop") as lossy:
        failed = [
            fail(
                host.containers.ensure_running,
                host.put_back(replace(pin, container_id=broken)),
            ),
            fail(make_host(lossy.base_url).containers.ensure_stopped, host.stop(pin)),
            fail(host.containers.inspect_container, host.inspect("web")),
        ]
    assert str(snapshot.image_id) in _payload(told[3])
    for text in (*map(_payload, told), *map(repr, told), *map(_failure, failed), caplog.text):
        assert CANARY not in text


def test_observations_hide_labels(host: Host, rig: DockerRig) -> None:
    """What the activities look at can be logged without a secret."""
    container = rig.create(labels={"secret": CANARY}, environment={"TOKEN": CANARY})
    assert CANARY not in repr(host.engine.container(container))
    assert CANARY not in repr(host.engine.containers())
