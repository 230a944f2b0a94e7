"""How does a test disturb people, Slack and processes, with all parts real?

The parts of the laptop, started one by one: the same installed commands on the same servers. But
the bot and the worker call Slack through a proxy that sees every payload, and each part can be
killed, kept away, replaced or doubled.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import pytest
from temporalio.client import Client, WorkflowFailureError
from temporalio.service import RPCError

from deploy.laptop.channel import Channel
from deploy.laptop.dockwarden import HOST, dockwarden
from deploy.laptop.slack_server import USERS, credentials, slack_server, slack_url, workspace
from deploy.laptop.state import LOOPBACK, StateDirectory
from deploy.laptop.supervisor import Part, Supervisor, answers, until_ready
from deploy.laptop.temporal_server import temporal_server
from tests.fakes.slack_stub import SlackStub
from tests.rigs.deliveries import HttpBot
from tests.rigs.docker_proxy import DockerProxy
from tests.rigs.dockerd import DockerEngine
from tests.rigs.pollers import are_polled
from tests.rigs.program import free_port
from tests.rigs.slack_proxy import SlackProxy
from tests.rigs.slack_users import SlackUsers
from tests.rigs.waiting import eventually
from workflows.model.names import STATUS
from workflows.model.state import RequestStatus

GROUP = "S0WARDENS"
#: An approver whom Slack knows by another id, as happens in an Enterprise Grid.
GRID_USER = "W0ALICE01"
CROWD = tuple(f"U0CROWD{number:02}" for number in range(50))
POLICIES = f"""\
[[policy]]
name = "crowd"
containers = ["crowd-*"]
approvers = {json.dumps(CROWD)}

[[policy]]
name = "group"
containers = ["group-*"]
approver_groups = ["{GROUP}"]

[[policy]]
name = "brief"
containers = ["brief-*"]
approvers = ["{USERS["bob"]}", "{USERS["carol"]}"]
expires_after = "10s"

[[policy]]
name = "others"
approvers = ["{USERS["bob"]}", "{USERS["carol"]}", "{GRID_USER}"]
"""


class Installation:
    """All parts of one Dockwarden, between a real engine and a real Slack behind a proxy.

    ``code`` is a folder in which a copy of the rooms stands that the programs run from.
    """

    def __init__(
        self,
        directory: Path,
        engine: DockerEngine,
        *,
        policies: str = POLICIES,
        code: Path | None = None,
    ) -> None:
        directory.mkdir(exist_ok=True)
        self._policies = policies
        self._code = {"PYTHONPATH": str(code)} if code is not None else {}
        self._state = StateDirectory(directory / "state")
        self.docker_proxy = DockerProxy(engine.base_url)
        self._ending = AsyncExitStack()
        self._parts: dict[str, Part] = {}
        self.supervisor = Supervisor(lambda _: None)
        self.slack_stub = SlackStub()

    async def __aenter__(self) -> Self:
        """Start everything."""
        state = self._ending.enter_context(self._state)
        self._ending.enter_context(self.docker_proxy)
        self._ports = state.ports()
        self.slack_url = slack_url(self._ports)
        self.slack_proxy = await self._ending.enter_async_context(SlackProxy(self.slack_url))
        await self.slack_stub.start()
        self._ending.push_async_callback(self.slack_stub.close)
        self._ending.push_async_callback(self.supervisor.stop)
        self.channel = Channel(self.slack_url)
        policies = state.path / "policies.toml"
        policies.write_text(self._policies, encoding="utf-8")
        worker, bot = dockwarden(
            state,
            self._ports,
            docker_url=self.docker_proxy.base_url,
            policies=policies,
            limits=False,
        )
        self._ours(temporal_server(state, self._ports), slack_server(state, self._ports))
        self._populate()
        self._ours(self._changed(worker, DOCKWARDEN_PROTECTED="guarded-*"), self._changed(bot))
        await self.start("temporal", "slack")
        await self.start("worker", "bot")
        self.client = await Client.connect(self.temporal_address)
        return self

    async def __aexit__(self, *_: object) -> None:
        """End everything."""
        await self._ending.aclose()

    @property
    def temporal_address(self) -> str:
        """The address of the Temporal server."""
        return f"{LOOPBACK}:{self._ports.temporal}"

    @property
    def ready(self) -> dict[str, Any]:
        """Say where things are, in the words of the laptop's ready file."""
        return {"slack": self.slack_url, "temporal": self.temporal_address}

    @property
    def host(self) -> str:
        """The name of the Docker host."""
        return HOST

    @property
    def signing_secret(self) -> str:
        """What Slack signs its calls with."""
        return credentials(self._state).signing_secret

    async def start(self, *names: str) -> None:
        """Start parts that are away, and wait until all that run are well.

        A bot whose Slack was away connects seconds later; what people type before is lost.
        """
        await self.supervisor.start(*(self._parts[name] for name in names))
        running = self.supervisor.pids()
        await until_ready(*(self._parts[name] for name in running))
        if "temporal" in names and "worker" in running:
            await eventually(lambda: are_polled(self.client, HOST), within=60)

    async def stop(self, *names: str) -> None:
        """End parts in an orderly way; they stay away."""
        await self.supervisor.stop(*names)

    async def kill(self, *names: str) -> None:
        """Kill parts with no warning; they stay away."""
        pids = self.supervisor.pids()
        for name in names:
            os.kill(pids[name], signal.SIGKILL)
        await self.supervisor.stop(*names)

    async def replace(self, *names: str) -> None:
        """Kill parts, start others in their place, and wait until all parts are well again."""
        await self.kill(*names)
        await self.start(*names)

    async def add_worker(self, name: str) -> None:
        """Start another worker beside the first."""
        await self._add(name, self._parts["worker"])

    async def add_bot(self, name: str, *wrapper: str, **settings: str) -> None:
        """Start another bot beside the first; ``wrapper`` goes before its command."""
        await self._add(name, self._parts["bot"], *wrapper, **settings)

    async def add_http_bot(self, name: str, *wrapper: str, **settings: str) -> HttpBot:
        """Start another bot that Slack calls over HTTP, and give the way to it."""
        port = free_port()
        mode = {"DOCKWARDEN_SLACK_MODE": "http", "DOCKWARDEN_HTTP_PORT": str(port)}
        await self.add_bot(name, *wrapper, **mode, **settings)
        return HttpBot(port, self.signing_secret, self.slack_stub)

    def log(self, name: str) -> str:
        """Read what a part has logged."""
        return (self._state.logs / f"{name}.log").read_text(encoding="utf-8", errors="replace")

    def logs(self) -> dict[str, str]:
        """Read what all parts have logged."""
        return {file.stem: self.log(file.stem) for file in self._state.logs.glob("*.log")}

    async def _add(self, name: str, like: Part, *wrapper: str, **settings: str) -> None:
        port = free_port()
        health = {"DOCKWARDEN_HEALTH_PORT": str(port)}
        part = replace(
            self._changed(like, **health, **settings),
            name=name,
            command=(*wrapper, *like.command),
            log=self._state.logs / f"{name}.log",
            is_ready=lambda: answers(f"http://{LOOPBACK}:{port}/readyz"),
        )
        self._ours(part)
        await self.start(name)

    def _changed(self, part: Part, **settings: str) -> Part:
        through_the_proxy = {"DOCKWARDEN_SLACK_API_URL": self.slack_proxy.api_url}
        ours = {**through_the_proxy, **self._code, **settings}
        return replace(part, environment={**part.environment, **ours})

    def _ours(self, *parts: Part) -> None:
        self._parts |= {part.name: part for part in parts}

    def _populate(self) -> None:
        """Let more people live in the local Slack than on the laptop."""
        described: dict[str, Any] = workspace(credentials(self._state))
        described["users"] += [
            {"id": user_id, "name": user_id.lower(), "real_name": user_id, "tz": "UTC"}
            for user_id in (*CROWD, GRID_USER)
        ]
        file = self._state.path / "slack.json"
        file.write_text(json.dumps(described), encoding="utf-8")


@pytest.fixture(scope="session")
async def installation(
    engine: DockerEngine, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Installation]:
    """Run one installation for the whole session; tests make their own containers in its engine."""
    async with Installation(tmp_path_factory.mktemp("installation"), engine) as opened:
        yield opened


@pytest.fixture
async def users(installation: Installation, engine: DockerEngine) -> AsyncIterator[SlackUsers]:
    """Act as its Slack users; nothing that Slack would refuse may be sent meanwhile."""
    installation.docker_proxy.clear()
    installation.slack_proxy.forget()
    installation.slack_stub.responses.clear()
    yield SlackUsers(installation, engine)
    await _end_what_waits(installation.client)
    assert installation.slack_proxy.violations == []
    installation.slack_proxy.forget()
    engine.clear()
    gc.collect()


async def _end_what_waits(client: Client) -> None:
    """Cancel what people never decided: its reminder would meet the faults of a later test."""
    waiting = f"ExecutionStatus = 'Running' AND {STATUS.name} = '{RequestStatus.WAITING}'"
    async for execution in client.list_workflows(waiting):
        handle = client.get_workflow_handle(execution.id, run_id=execution.run_id)
        with suppress(RPCError, WorkflowFailureError):
            await handle.cancel()
            await asyncio.wait_for(handle.result(), 30)
