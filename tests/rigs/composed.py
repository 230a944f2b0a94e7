"""How does a test use the compose installation, and look into its containers?

It is run as ``make demo-compose`` runs it, stand-ins included, on an engine of the tests' own. What
a service may do is tried inside of its container, as whoever owns it would.
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import docker
from temporalio.client import Client

from deploy.composed.installation import PROJECT, Installation, container_name
from deploy.composed.relay import relay
from deploy.composed.running import Options, running, where
from deploy.laptop.containers import NAMES
from deploy.laptop.demo import demo_policies
from deploy.laptop.scenes import IMPATIENT
from deploy.laptop.state import LOOPBACK
from tests.rigs.dockerd import DockerEngine
from tests.rigs.people import People
from tests.rigs.waiting import eventually

#: Runs inside of a container, with what to knock at as its argument.
_LOOK: Final = """
import json, os, socket, sys
from concurrent.futures import ThreadPoolExecutor

def opens(place):
    try:
        socket.create_connection(tuple(place), 2).close()
    except OSError as error:
        # Refused is reached, too.
        return isinstance(error, ConnectionRefusedError)
    return True

def write():
    try:
        open("/tried", "w").close()
    except OSError as error:
        return error.strerror
    return ""

status = dict(line.split(":\\t", 1) for line in open("/proc/self/status") if ":\\t" in line)
places = json.loads(sys.argv[1])
with ThreadPoolExecutor(len(places)) as pool:
    opened = list(pool.map(opens, places))
print(json.dumps({
    "user": os.getuid(),
    "capabilities": [int(status[key], 16) for key in ("CapEff", "CapPrm", "CapBnd")],
    "no_new_privileges": int(status["NoNewPrivs"]),
    "write": write(),
    "secrets": sorted(os.listdir("/run/secrets")) if os.path.isdir("/run/secrets") else [],
    "environment": dict(os.environ),
    "opened": opened,
}))
"""


@dataclass(frozen=True, kw_only=True)
class Composed:
    """The running installation."""

    installation: Installation
    engine: DockerEngine
    slack: str
    client: Client

    async def people(self) -> People:
        """Let the people of its channel act."""
        return await People(self.slack, self.client, self.engine).arrive()

    def services(self) -> dict[str, dict[str, Any]]:
        """Inspect the containers of its services, by their names, one-shots too."""
        label = f"com.docker.compose.project={PROJECT}"
        found: dict[str, dict[str, Any]] = {}
        for listed in self.engine.api.containers(all=True, filters={"label": label}):
            # Meanwhile it may have been removed.
            with suppress(docker.errors.NotFound):
                service = listed["Labels"]["com.docker.compose.service"]
                found[service] = self.engine.inspect(listed["Id"])
        return found

    async def look(self, service: str, places: list[tuple[str, int]]) -> dict[str, Any]:
        """See from inside of a container what it may do, and which places it reaches."""
        started: tuple[str, ...] = ("exec", "--no-TTY", service, "python")
        if service == "check":
            started = ("run", "--rm", "--no-TTY", "--no-deps", "--entrypoint=python", service)
        asked = (*started, "-c", _LOOK, json.dumps(places))
        found: dict[str, Any] = json.loads(await self.installation.compose(*asked))
        return found

    async def crash(self, service: str) -> None:
        """Kill the first process of a service, and wait until Docker has started it again."""
        name = container_name(service)
        state = self.engine.inspect(name)["State"]
        os.kill(state["Pid"], signal.SIGKILL)

        def is_back() -> bool:
            now = self.engine.inspect(name)["State"]
            return now["Running"] and now["StartedAt"] != state["StartedAt"]

        await eventually(is_back, within=60, what=f"{service} was not started again")


@asynccontextmanager
async def composed_on(engine: DockerEngine, state: Path) -> AsyncIterator[Composed]:
    """Run the installation on an engine of the tests."""
    options = Options(
        state=state,
        policies=demo_policies(),
        containers=(*NAMES, IMPATIENT),
        docker_host=engine.base_url,
        stand_ins=True,
        apart=engine.pid,
    )
    async with (
        running(options) as found,
        relay(lambda: where(engine.base_url, engine.pid, "temporal", 7233)) as port,
    ):
        yield Composed(
            installation=found.installation,
            engine=engine,
            slack=found.slack,
            client=await Client.connect(f"{LOOPBACK}:{port}"),
        )
