"""How do Slack users do what the buttons of a card do not offer them?"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from deploy.laptop.channel import Message, request_of
from deploy.laptop.supervisor import post_json
from tests.rigs.dockerd import DockerEngine
from tests.rigs.request_driver import Request, RequestDriver
from workflows.model.names import ActionId

if TYPE_CHECKING:
    from tests.rigs.installation import Installation

_numbers = itertools.count(1)


class SlackUsers(RequestDriver):
    """The users of an installation's Slack, honest ones and others."""

    def __init__(self, installation: Installation, engine: DockerEngine) -> None:
        super().__init__(installation, installation.client, engine)
        self.installation = installation

    async def run_and_ask(self, kind: str, command: str = "stop {}", **container: Any) -> Request:
        """Run a container with a name of its own, and have alice ask about it."""
        name = f"{kind}-{next(_numbers)}"
        self.engine.run(name=name, **container)
        (request,) = await self.ask(name, command=command)
        return request

    async def run_and_ask_each(self, commands: Mapping[str, str]) -> dict[str, Request]:
        """Run containers of these names, and have alice ask about each with its own command."""
        for name in commands:
            self.engine.run(name=name)
        await asyncio.gather(
            *(self.installation.channel.ask("alice", c) for c in commands.values())
        )
        asked = {}
        for name in commands:
            mark = f"`{name}`"
            card = await self.installation.channel.wait_for(
                f"the card of {name}", lambda m, mark=mark: bool(request_of(m)) and mark in str(m)
            )
            asked[name] = self._request(name, card)
        return asked

    async def withdraw(self, *requests: Request) -> None:
        """Have alice cancel."""
        for request in requests:
            await self.installation.channel.press("alice", request.card, ActionId.CANCEL)

    async def interact(self, user_id: str, card: Message, action: dict[str, str]) -> None:
        """Press what is on no card, as an attacker does."""
        body = {"channel": card["channel"], "messageTs": card["ts"]}
        url = f"{self.installation.slack_url}/_control/interact"
        await post_json(url, body | {"user": user_id, "action": action})

    async def delete(self, message: Message) -> None:
        """Delete a message, as an administrator of the workspace can."""
        url = f"{self.installation.slack_url}/api/chat.delete"
        answer = await post_json(url, {"channel": message["channel"], "ts": message["ts"]})
        assert answer["ok"], answer

    async def said_in_private(self, user_id: str) -> list[str]:
        """Read all that one person was told in private."""
        messages = await self.installation.channel.messages()
        return [str(m) for m in messages if m.get("ephemeral_to") == user_id]
