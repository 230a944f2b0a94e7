"""What do the engine's faults happen to? The installed program, with a proxy before its engine.

One laptop serves all tests of this package; the proxy leads it to the engine of each test.
"""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator, Iterator

import pytest
from temporalio.client import Client

from deploy.laptop.slack_server import USERS
from tests.rigs.docker_proxy import DockerProxy
from tests.rigs.dockerd import DockerEngine
from tests.rigs.laptop import LaptopProcess
from tests.rigs.podman import PodmanEngine
from tests.rigs.request_driver import RequestDriver

_POLICIES = f"""\
[[policy]]
name = "laptop"
hosts = ["local", "edge"]
operations = ["*"]
approvers = ["{USERS["bob"]}", "{USERS["carol"]}"]
"""


@pytest.fixture(scope="package")
def shared_proxy(engine: DockerEngine) -> Iterator[DockerProxy]:
    """Stand before the shared engine."""
    with DockerProxy(engine.base_url) as docker_proxy:
        yield docker_proxy


@pytest.fixture(scope="package")
def laptop(
    shared_proxy: DockerProxy, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LaptopProcess]:
    """Run one laptop behind the proxy, where people may ask about a second host too."""
    directory = tmp_path_factory.mktemp("laptop")
    policies = directory / "policies.toml"
    policies.write_text(_POLICIES, encoding="utf-8")
    arguments = ("--no-containers", "--policies", str(policies))
    started = LaptopProcess(directory, shared_proxy.base_url, *arguments)
    try:
        yield started.start()
    finally:
        started.close()


@pytest.fixture(scope="package")
async def client(laptop: LaptopProcess) -> Client:
    """Connect to the laptop's Temporal."""
    return await Client.connect(laptop.ready["temporal"])


@pytest.fixture
def docker_proxy(shared_proxy: DockerProxy, engine: DockerEngine) -> Iterator[DockerProxy]:
    """Give the proxy, without traps and before the shared engine."""
    shared_proxy.up()
    shared_proxy.lead_to(engine.base_url)
    yield shared_proxy
    shared_proxy.clear()


@pytest.fixture(scope="package")
def podman() -> Iterator[PodmanEngine]:
    """Run one Podman."""
    engine = PodmanEngine()
    try:
        yield engine.start()
    finally:
        engine.close()


@pytest.fixture(params=["engine", "podman"], ids=["docker", "podman"])
async def any_driver(
    request: pytest.FixtureRequest, laptop: LaptopProcess, client: Client, docker_proxy: DockerProxy
) -> AsyncIterator[RequestDriver]:
    """Serve requests on the shared engine, then on Podman."""
    engine: DockerEngine = request.getfixturevalue(request.param)
    docker_proxy.lead_to(engine.base_url)
    yield RequestDriver(laptop, client, engine)
    engine.remove_containers()


@pytest.fixture
async def driver(
    laptop: LaptopProcess, client: Client, docker_proxy: DockerProxy, engine: DockerEngine
) -> AsyncIterator[RequestDriver]:
    """Serve requests on the shared engine, and clear it afterwards."""
    assert docker_proxy.engine_url == engine.base_url
    yield RequestDriver(laptop, client, engine)
    engine.clear()
    gc.collect()


@pytest.fixture(scope="module")
def module_engine(engine: DockerEngine) -> Iterator[DockerEngine]:
    """Give the engine that one module strikes as a whole; a module may put its own here."""
    yield engine
    engine.clear()


@pytest.fixture(scope="module")
def module_driver(
    laptop: LaptopProcess, client: Client, shared_proxy: DockerProxy, module_engine: DockerEngine
) -> RequestDriver:
    """Serve all points of one module; the containers stay until all were looked at."""
    shared_proxy.lead_to(module_engine.base_url)
    return RequestDriver(laptop, client, module_engine)
