"""How does the campaign run all parts of the laptop, with a proxy before its Slack?

The parts and the supervisor of the laptop itself, in this process, so that the bot and the worker
can be led through a proxy that refuses their calls. Sockets go past it.
"""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Self

from deploy.laptop.dockwarden import dockwarden, seal_key_file
from deploy.laptop.slack_server import slack_server, slack_url
from deploy.laptop.state import LOOPBACK, Ports, StateDirectory
from deploy.laptop.supervisor import Part, Supervisor
from deploy.laptop.temporal_server import keep_records, temporal_server
from tests.rigs.slack_proxy import SlackProxy
from workflows.model.seal import SealKeys


class Stack:
    """One Dockwarden on one engine. What dies is started again. Use as a context manager."""

    def __init__(self, directory: Path, docker_url: str, policies: Path) -> None:
        self._state = StateDirectory(directory / "state")
        self._docker_url = docker_url
        self._policies = policies
        self._ending = AsyncExitStack()
        self._supervisor = Supervisor(lambda _: None)
        self._ports: Ports
        self.worker: Part
        self.slack_proxy: SlackProxy

    async def __aenter__(self) -> Self:
        """Start everything."""
        async with AsyncExitStack() as failing:
            state = failing.enter_context(self._state)
            self._ports = state.ports()
            proxy = SlackProxy(slack_url(self._ports))
            self.slack_proxy = await failing.enter_async_context(proxy)
            failing.push_async_callback(self._supervisor.stop)
            await self._supervisor.start(
                temporal_server(state, self._ports), slack_server(state, self._ports)
            )
            await keep_records(self._ports)
            parts = dockwarden(
                state,
                self._ports,
                docker_url=self._docker_url,
                policies=self._policies,
                # A few people do here in a minute what many do in a day.
                limits=False,
            )
            self.worker, bot = (self._led_through_the_proxy(part) for part in parts)
            await self._supervisor.start(self.worker, bot)
            self._ending = failing.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        """End everything."""
        await self._ending.aclose()

    @property
    def seal_keys(self) -> SealKeys:
        """The key that all of its processes have."""
        return SealKeys((seal_key_file(self._state).read_text(encoding="utf-8"),))

    @property
    def bot_log(self) -> Path:
        """What the bot has logged."""
        return self._state.logs / "bot.log"

    async def add(self, part: Part) -> None:
        """Start another part beside these."""
        await self._supervisor.start(part)

    async def remove(self, name: str) -> None:
        """Stop it again."""
        await self._supervisor.stop(name)

    @property
    def slack(self) -> str:
        """The address at which people see the local Slack."""
        return slack_url(self._ports)

    @property
    def temporal(self) -> str:
        """The address of the Temporal server."""
        return f"{LOOPBACK}:{self._ports.temporal}"

    @property
    def pids(self) -> dict[str, int]:
        """The process ids of the parts that are up, by their names."""
        return self._supervisor.pids()

    def _led_through_the_proxy(self, part: Part) -> Part:
        address = {"DOCKWARDEN_SLACK_API_URL": self.slack_proxy.api_url}
        return replace(part, environment={**part.environment, **address})
