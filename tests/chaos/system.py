"""What does a campaign run against? One engine, the parts of a laptop, proxies, containers."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Final

import docker
from temporalio.client import Client

from deploy.laptop.slack_server import CHANNEL_ID, USERS
from deploy.laptop.supervisor import get_json, post_json
from tests.chaos.stack import Stack
from tests.rigs.docker_proxy import DockerProxy
from tests.rigs.dockerd import IGNORES_TERM, STOPS_AT_ONCE, DockerEngine

HOST: Final = "local"
#: As what a second worker offers the same engine.
OTHER_HOST: Final = "second"
#: Each container by its name, with what it is made of.
CONTAINERS: Final[dict[str, dict[str, Any]]] = {
    "trap-1": {"script": STOPS_AT_ONCE},
    "deaf-1": {"script": IGNORES_TERM, "stop_timeout": 2},
    "always-1": {"script": STOPS_AT_ONCE, "policy": "always"},
    "unless-1": {"script": STOPS_AT_ONCE, "policy": "unless-stopped"},
    "fat-1": {"script": f"dd if=/dev/zero of=/big bs=1M count=60 2>/dev/null; {STOPS_AT_ONCE}"},
    "hasty-1": {"script": 'trap "sleep 2; exit 0" TERM; sleep 100000 & wait $!'},
    "rested-1": {"script": STOPS_AT_ONCE},
    # Their stops are slow by what is asked for: with a long time-out of their own, an engine that
    # was killed would spend it on them before it is back.
    "slow-1": {"script": IGNORES_TERM, "stop_timeout": 2},
    "slow-2": {"script": IGNORES_TERM, "stop_timeout": 2},
    "app-1": {"script": STOPS_AT_ONCE, "network": "container:gw-1"},
}
#: Whose network another container lives in, by that container's name. Nobody asks about it.
OWNER: Final = "gw-1"
OWNED: Final = "app-1"
#: What people ask for about a container of this name, and nothing else.
SLOW_COMMANDS: Final = {
    "slow-1": "stop slow-1 grace=30s",
    "slow-2": "stop slow-2 snapshot grace=20s",
}
#: It is down from the beginning.
RESTED: Final = "rested-1"
#: Nobody ever asks about it.
BYSTANDER: Final = "bystander-1"
POLICIES: Final = f"""\
[[policy]]
name = "two"
operations = ["*"]
containers = ["unless-*"]
approvers = ["{USERS["bob"]}", "{USERS["carol"]}", "{USERS["alice"]}"]
required_approvals = 2
expires_after = "15m"

[[policy]]
name = "hasty"
operations = ["*"]
containers = ["hasty-*"]
approvers = ["{USERS["bob"]}", "{USERS["carol"]}"]
expires_after = "10s"

[[policy]]
name = "one"
operations = ["*"]
approvers = ["{USERS["bob"]}", "{USERS["carol"]}"]
expires_after = "15m"
"""


class System:
    """Everything that runs. ``api`` is the people's own way to the engine, past the proxy."""

    def __init__(self, engine: DockerEngine, docker_proxy: DockerProxy, stack: Stack) -> None:
        self.engine, self.docker_proxy, self.stack = engine, docker_proxy, stack
        self.api = docker.APIClient(base_url=engine.base_url, version="1.41", timeout=30)
        self.client: Client

    def make(self, name: str) -> str:
        """Create a container of this name; give its id."""
        return self.engine.create(name=name, **CONTAINERS.get(name, {"script": STOPS_AT_ONCE}))

    def make_all(self) -> None:
        """Make all containers and start those that are to run."""
        for name in (OWNER, *CONTAINERS, BYSTANDER):
            container = self.make(name)
            if name != RESTED:
                self.engine.api.start(container)

    def pid(self, part: str) -> int | None:
        """Give the process of a part, if it is up."""
        return self.stack.pids.get(part)

    def signal(self, part: str, number: signal.Signals) -> int | None:
        """Send a signal to a part; give its process, or ``None`` when it is not up."""
        pid = self.pid(part)
        if pid is not None:
            os.kill(pid, number)
        return pid

    @property
    def is_whole(self) -> bool:
        """Whether all parts are up."""
        return all(self.pid(part) is not None for part in ("bot", "worker", "temporal", "slack"))

    def find(self, name: str) -> dict[str, Any] | None:
        """Look a container up by its exact name, as the engine lists it."""
        found = self.api.containers(all=True, filters={"name": f"^/{name}$"})
        return dict(found[0]) if found else None

    def provide_owner(self) -> None:
        """See that there is a network to live in, as people do before they start what needs it."""
        found = self.find(OWNER)
        owner = self.make(OWNER) if found is None else str(found["Id"])
        if found is None or found["State"] != "running":
            self.api.start(owner)

    def is_orphaned(self, name: str) -> bool:
        """Tell whether a container lives in the network of one that is there no more."""
        found = self.find(name)
        if found is None:
            return False
        mode = str(self.api.inspect_container(found["Id"])["HostConfig"]["NetworkMode"])
        if not mode.startswith("container:"):
            return False
        ids = {container["Id"] for container in self.api.containers(all=True)}
        return mode.removeprefix("container:") not in ids

    async def messages(self) -> list[dict[str, Any]]:
        """Read the channel."""
        found = await get_json(f"{self.stack.slack}/_control/messages/{CHANNEL_ID}")
        return list(found["messages"])

    async def slack(self, path: str, user: str, **fields: Any) -> dict[str, Any]:
        """Do something in the local Slack as a person."""
        body = {"channel": CHANNEL_ID, "user": USERS[user], **fields}
        return dict(await post_json(f"{self.stack.slack}/_control/{path}", body))


@asynccontextmanager
async def running_system(directory: Path, *, live_restore: bool) -> AsyncIterator[System]:
    """Run it all; at the end nothing is left."""
    async with AsyncExitStack() as ending:
        engine = DockerEngine(live_restore=live_restore)
        ending.push_async_callback(asyncio.to_thread, engine.close)
        await asyncio.to_thread(engine.start)
        docker_proxy = ending.enter_context(DockerProxy(engine.base_url))
        policies = directory / "policies.toml"
        policies.write_text(POLICIES, encoding="utf-8")
        stack = await ending.enter_async_context(Stack(directory, docker_proxy.base_url, policies))
        made = System(engine, docker_proxy, stack)
        ending.callback(made.api.close)
        made.client = await Client.connect(stack.temporal)
        await asyncio.to_thread(made.make_all)
        yield made
