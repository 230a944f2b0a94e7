"""What do the tests of the Docker side run on? Real activities against a real engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.integration.activities.docker.docker_worker import DockerWorker
from tests.rigs.dockerd import DockerEngine


@pytest.fixture
def engine(engine: DockerEngine) -> Iterator[DockerEngine]:
    """Give an engine without containers, and clear it afterwards."""
    yield engine
    engine.clear()


@pytest.fixture
def make_worker(engine: DockerEngine) -> Iterator[Callable[..., DockerWorker]]:
    """Give workers on that engine, or on another address, with other time limits."""
    made: list[DockerWorker] = []

    def make(base_url: str = "", **options: Any) -> DockerWorker:
        made.append(DockerWorker(base_url or engine.base_url, **options))
        return made[-1]

    yield make
    for worker in made:
        worker.engine.close()


@pytest.fixture
def worker(make_worker: Callable[..., DockerWorker]) -> DockerWorker:
    """Give the activities of one worker on that engine."""
    return make_worker()
