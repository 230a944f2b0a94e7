"""What do the tests of the Docker side run on? Real activities against a real engine.

Between the two stands the socket proxy of an installation. A test that needs another way gives its
worker the address: what loses answers or holds them up speaks to the engine itself, and so does
what looks at its disk.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.integration.activities.docker.docker_worker import DockerWorker
from tests.rigs.dockerd import DockerEngine
from tests.rigs.socket_proxy import SocketProxy


@pytest.fixture
def engine(engine: DockerEngine) -> Iterator[DockerEngine]:
    """Give an engine without containers, and clear it afterwards."""
    yield engine
    engine.clear()


@pytest.fixture(scope="session")
def _started() -> Iterator[dict[str, SocketProxy]]:
    """Keep the proxy of one test for the next, by the address of its engine."""
    started: dict[str, SocketProxy] = {}
    yield started
    for one in started.values():
        one.close()


@pytest.fixture
def socket_proxy(engine: DockerEngine, _started: dict[str, SocketProxy]) -> Iterator[SocketProxy]:
    """Stand before that engine, and let through all that the worker asks."""
    if engine.base_url not in _started:
        _started[engine.base_url] = SocketProxy(engine.base_url).start()
    proxy = _started[engine.base_url]
    before = proxy.refused()
    yield proxy
    assert proxy.refused() == before, proxy.log()


@pytest.fixture
def make_worker(socket_proxy: SocketProxy) -> Iterator[Callable[..., DockerWorker]]:
    """Give workers on that engine, or on another address, with other time limits."""
    made: list[DockerWorker] = []

    def make(base_url: str = "", **options: Any) -> DockerWorker:
        made.append(DockerWorker(base_url or socket_proxy.base_url, **options))
        return made[-1]

    yield make
    for worker in made:
        worker.engine.close()


@pytest.fixture
def worker(make_worker: Callable[..., DockerWorker]) -> DockerWorker:
    """Give the activities of one worker on that engine."""
    return make_worker()
