"""What does a campaign run against? One engine, a proxy before it, one laptop, a few containers."""

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
from tests.rigs.docker_proxy import DockerProxy
from tests.rigs.dockerd import IGNORES_TERM, STOPS_AT_ONCE, DockerEngine
from tests.rigs.laptop import LaptopProcess

HOST: Final = "local"
#: Each container by its name, with what it is made of.
CONTAINERS: Final[dict[str, dict[str, Any]]] = {
    "trap-1": {"script": STOPS_AT_ONCE},
    "deaf-1": {"script": IGNORES_TERM, "stop_timeout": 2},
    "always-1": {"script": STOPS_AT_ONCE, "policy": "always"},
    "unless-1": {"script": STOPS_AT_ONCE, "policy": "unless-stopped"},
    "fat-1": {"script": f"dd if=/dev/zero of=/big bs=1M count=60 2>/dev/null; {STOPS_AT_ONCE}"},
    "hasty-1": {"script": 'trap "sleep 2; exit 0" TERM; sleep 100000 & wait $!'},
    "rested-1": {"script": STOPS_AT_ONCE},
}
#: It is down from the beginning.
RESTED: Final = "rested-1"
#: Nobody ever asks about it.
BYSTANDER: Final = "bystander-1"
POLICIES: Final = f"""\
[[policy]]
name = "two"
containers = ["unless-*"]
approvers = ["{USERS["bob"]}", "{USERS["carol"]}", "{USERS["alice"]}"]
required_approvals = 2
expires_after = "15m"

[[policy]]
name = "hasty"
containers = ["hasty-*"]
approvers = ["{USERS["bob"]}", "{USERS["carol"]}"]
expires_after = "10s"

[[policy]]
name = "one"
approvers = ["{USERS["bob"]}", "{USERS["carol"]}"]
expires_after = "15m"
"""


class System:
    """Everything that runs. ``api`` is the people's own way to the engine, past the proxy."""

    def __init__(
        self, engine: DockerEngine, docker_proxy: DockerProxy, laptop: LaptopProcess
    ) -> None:
        self.engine, self.docker_proxy, self.laptop = engine, docker_proxy, laptop
        self.api = docker.APIClient(base_url=engine.base_url, version="1.41", timeout=30)
        self.client: Client

    def make(self, name: str) -> str:
        """Create a container of this name; give its id."""
        return self.engine.create(name=name, **CONTAINERS.get(name, {"script": STOPS_AT_ONCE}))

    def make_all(self) -> None:
        """Make all containers and start those that are to run."""
        for name in (*CONTAINERS, BYSTANDER):
            container = self.make(name)
            if name != RESTED:
                self.engine.api.start(container)

    def pid(self, part: str) -> int | None:
        """Give the process of a part, if it is there and a child of our laptop."""
        pid = self.laptop.pids.get(part)
        if pid is None:
            return None
        try:
            stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
        except OSError:
            return None
        parent = int(stat.rpartition(")")[2].split()[1])
        return pid if parent == self.laptop._process.pid else None

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

    async def messages(self) -> list[dict[str, Any]]:
        """Read the channel."""
        found = await get_json(f"{self.laptop.ready['slack']}/_control/messages/{CHANNEL_ID}")
        return list(found["messages"])

    async def slack(self, path: str, user: str, **fields: Any) -> dict[str, Any]:
        """Do something in the local Slack as a person."""
        body = {"channel": CHANNEL_ID, "user": USERS[user], **fields}
        return dict(await post_json(f"{self.laptop.ready['slack']}/_control/{path}", body))


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
        arguments = ("--no-containers", "--policies", str(policies))
        laptop = LaptopProcess(directory, docker_proxy.base_url, *arguments)
        ending.push_async_callback(asyncio.to_thread, laptop.close)
        await asyncio.to_thread(laptop.start)
        made = System(engine, docker_proxy, laptop)
        ending.callback(made.api.close)
        made.client = await Client.connect(laptop.ready["temporal"])
        await asyncio.to_thread(made.make_all)
        yield made
