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
from tests.rigs.dockerd import DockerRig
from tests.rigs.laptop import LaptopRig
from tests.rigs.podman import PodmanRig
from tests.rigs.request_driver import RequestDriver

_POLICIES = f"""\
[[policy]]
name = "laptop"
hosts = ["local", "edge"]
approvers = ["{USERS["bob"]}", "{USERS["carol"]}"]
"""


@pytest.fixture(scope="package")
def door(engine_rig: DockerRig) -> Iterator[DockerProxy]:
    """Stand before the shared engine."""
    with DockerProxy(engine_rig.base_url) as proxy:
        yield proxy


@pytest.fixture(scope="package")
def laptop(door: DockerProxy, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LaptopRig]:
    """Run one laptop behind the proxy, where people may ask about a second host too."""
    directory = tmp_path_factory.mktemp("laptop")
    policies = directory / "policies.toml"
    policies.write_text(_POLICIES, encoding="utf-8")
    arguments = ("--no-containers", "--policies", str(policies))
    rig = LaptopRig(directory, door.base_url, *arguments)
    try:
        yield rig.start()
    finally:
        rig.close()


@pytest.fixture(scope="package")
async def temporal(laptop: LaptopRig) -> Client:
    """Connect to the laptop's Temporal."""
    return await Client.connect(laptop.ready["temporal"])


@pytest.fixture
def proxy(door: DockerProxy, engine_rig: DockerRig) -> Iterator[DockerProxy]:
    """Give the proxy, without traps and before the shared engine."""
    door.up()
    door.lead_to(engine_rig.base_url)
    yield door
    door.clear()


@pytest.fixture(scope="package")
def podman_rig() -> Iterator[PodmanRig]:
    """Run one Podman."""
    rig = PodmanRig()
    try:
        yield rig.start()
    finally:
        rig.close()


@pytest.fixture(params=["engine_rig", "podman_rig"], ids=["docker", "podman"])
async def any_driver(
    request: pytest.FixtureRequest, laptop: LaptopRig, temporal: Client, proxy: DockerProxy
) -> AsyncIterator[RequestDriver]:
    """Serve requests on the shared engine, then on Podman."""
    rig: DockerRig = request.getfixturevalue(request.param)
    proxy.lead_to(rig.base_url)
    yield RequestDriver(laptop, temporal, rig)
    rig.remove_containers()


@pytest.fixture
async def driver(
    laptop: LaptopRig, temporal: Client, proxy: DockerProxy, engine_rig: DockerRig
) -> AsyncIterator[RequestDriver]:
    """Serve requests on the shared engine, and clear it afterwards."""
    assert proxy.engine == engine_rig.base_url
    yield RequestDriver(laptop, temporal, engine_rig)
    engine_rig.clear()
    gc.collect()
