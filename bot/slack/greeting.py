"""What does the bot say of itself: in a channel that it joins, and on its Home tab?

Slack tells of both by events, which nobody waits for and which have no way back: what fails is
logged, and nothing else depends on it.
"""

from __future__ import annotations

import logging
from typing import Any

from slack_bolt.async_app import AsyncAck
from slack_sdk.web.async_client import AsyncWebClient

from bot.commands.parser import FIRST_EXAMPLE
from bot.service import Service
from bot.slack.mrkdwn import Reply, bullet_list, code, reply
from bot.temporal.errors import BotError
from bot.temporal.hosts import HostStanding
from workflows.operations import catalog

_log = logging.getLogger(__name__)

_MOST_HOSTS = 10


class Greeting:
    """Greets a channel once, when the bot itself joins it, and fills the Home tab."""

    def __init__(
        self,
        service: Service,
        client: AsyncWebClient,
        *,
        bot_user_id: str,
        command: str,
        default_host: str,
    ) -> None:
        self._service = service
        self._client = client
        self._bot_user_id = bot_user_id
        self._command = command
        self._default_host = default_host

    async def joined(self, event: dict[str, Any], ack: AsyncAck) -> None:
        """Say what to type; of anybody else who joins it says nothing."""
        await ack()
        if event.get("user") != self._bot_user_id or not self._bot_user_id:
            return
        try:
            told = hello(self._command, await self._hosts())
            channel = str(event.get("channel", ""))
            await self._client.chat_postMessage(
                channel=channel, text=told.text, blocks=told.blocks, unfurl_links=False
            )
        except Exception as error:  # noqa: BLE001 - see the head of the file
            _log.warning("no greeting", extra={"why": type(error).__name__})

    async def home(self, event: dict[str, Any], ack: AsyncAck) -> None:
        """Fill the Home tab of who opens it."""
        await ack()
        if event.get("tab", "home") != "home":
            return
        view = {"type": "home", "blocks": home(self._command).blocks}
        try:
            await self._client.views_publish(user_id=str(event.get("user", "")), view=view)
        except Exception as error:  # noqa: BLE001 - see the head of the file
            _log.warning("no Home tab", extra={"why": type(error).__name__})

    async def _hosts(self) -> tuple[HostStanding, ...]:
        """Look who is served; where nobody says so, the greeting goes without."""
        try:
            return await self._service.hosts(default=self._default_host)
        except BotError:
            return ()


def hello(command: str, hosts: tuple[HostStanding, ...]) -> Reply:
    """Greet a channel: what the bot is for, what to type, what it serves and who decides."""
    served = [code(one.host) for one in hosts if one.workers]
    more = f" and {len(served) - _MOST_HOSTS} more" if len(served) > _MOST_HOSTS else ""
    names = f"Hosts: {', '.join(served[:_MOST_HOSTS])}{more}. " if served else ""
    return reply(
        f"I {_kinds()} containers, after somebody else has said yes.",
        f"Type {code(f'{command} list')} to see the containers, or ask: "
        f"{code(f'{command} {FIRST_EXAMPLE}')}",
        f"{names}Who decides about a container: {code(f'{command} inspect NAME')}. "
        f"All that can be typed: {code(f'{command} help')}",
    )


def home(command: str) -> Reply:
    """Say on the Home tab what to type, in a channel where those are who decide."""
    rows = {
        f"{command} {FIRST_EXAMPLE}": "asks; somebody else approves before anything is touched",
        f"{command} list": "shows the containers of a host",
        f"{command} inspect NAME": "shows one, and who decides about it",
        f"{command} requests": "shows what is open, first what waits for you",
        f"{command} help": "shows all that can be typed",
    }
    return reply(
        f"*I {_kinds()} containers, after somebody else has said yes.*",
        "Type this in a channel where I am, and where those are who decide; to have me there, type "
        f"{code('/invite')} and my name.",
        bullet_list(f"{code(typed)} {words}" for typed, words in rows.items()),
    )


def _kinds() -> str:
    kinds = [one.kind for one in catalog.OPERATIONS]
    return f"{', '.join(kinds[:-1])} and {kinds[-1]}"
