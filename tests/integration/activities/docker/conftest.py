"""What do the tests of the Docker side run on? Real activities against a real engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.integration.activities.docker.docker_worker import Host
from tests.rigs.dockerd import DockerRig


@pytest.fixture
def rig(engine_rig: DockerRig) -> Iterator[DockerRig]:
    """Give an engine without containers, and clear it afterwards."""
    yield engine_rig
    engine_rig.clear()


@pytest.fixture
def make_host(rig: DockerRig) -> Iterator[Callable[..., Host]]:
    """Give workers on that engine, or on another address, with other time limits."""
    hosts: list[Host] = []

    def make(base_url: str = "", **options: Any) -> Host:
        hosts.append(Host(base_url or rig.base_url, **options))
        return hosts[-1]

    yield make
    for host in hosts:
        host.engine.close()


@pytest.fixture
def host(make_host: Callable[..., Host]) -> Host:
    """Give the activities of one worker on that engine."""
    return make_host()
