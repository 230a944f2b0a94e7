"""What do the acceptance tests run on? The installed program, whole, on the laptop's parts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
from temporalio.client import Client

from deploy.laptop.slack_server import USERS
from tests.rigs.dockerd import DockerEngine
from tests.rigs.laptop import LaptopProcess
from tests.rigs.people import People

#: Whatever is not named here behaves as on a laptop without a policy book of its own.
POLICIES = f"""\
[[policy]]
name = "alice alone"
operations = ["*"]
containers = ["lonely-*"]
approvers = ["{USERS["alice"]}"]

[[policy]]
name = "two of them"
operations = ["*"]
containers = ["careful-*"]
approvers = ["{USERS["bob"]}", "{USERS["carol"]}"]
required_approvals = 2
reason_required = true

[[policy]]
name = "hasty"
operations = ["*"]
containers = ["hasty-*"]
approvers = ["{USERS["bob"]}"]
expires_after = "1s"

[[policy]]
name = "at terminals"
operations = ["*"]
containers = ["typed-*"]
approvers = ["{USERS["bob"]}", "{USERS["carol"]}"]
terminal_decides = true

[[policy]]
name = "all others"
operations = ["*"]
hosts = ["local", "edge", "nowhere"]
approvers = ["{USERS["bob"]}", "{USERS["carol"]}"]
"""


@pytest.fixture(scope="session")
def laptop(
    engine: DockerEngine, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LaptopProcess]:
    """Run one laptop for the whole session; tests make their own containers in its engine."""
    directory = tmp_path_factory.mktemp("laptop")
    policies = directory / "policies.toml"
    policies.write_text(POLICIES, encoding="utf-8")
    started = LaptopProcess(
        directory, engine.base_url, "--no-containers", "--policies", str(policies)
    )
    try:
        yield started.start()
    finally:
        started.close()


@pytest.fixture(scope="session")
async def client(laptop: LaptopProcess) -> Client:
    """Connect to the laptop's Temporal."""
    return await Client.connect(laptop.ready["temporal"])


@pytest.fixture
async def people(
    laptop: LaptopProcess, client: Client, engine: DockerEngine
) -> AsyncIterator[People]:
    """Let the people of the laptop's channel act; the engine is cleared afterwards."""
    yield await People(laptop.ready["slack"], client, engine).arrive()
    engine.clear()
