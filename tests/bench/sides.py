"""What is measured: the same container, stopped and committed by bare calls, and by two bots?

Of a bot the time counts from the click until its card says that it is done. Both are asked and
read in the same way, by Slack's own API, one card at a time.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import docker
from slack_sdk.web.async_client import AsyncWebClient

from deploy.laptop.channel import headline, request_of
from deploy.laptop.slack_server import CHANNEL_ID, USERS
from deploy.laptop.supervisor import post_json
from tests.bench import naive_bot
from workflows.model.names import ActionId

_POLL: Final = 0.002
_PATIENCE: Final = 60.0
#: A card stands among the newest messages as long as it is worked on; a notice may be newer.
_NEWEST: Final = 4
#: A follow-up of the start may still be under way right after the card came.
_READS_THE_CARD: Final = 0.4
_GRACE: Final = 5
_ASKER, _APPROVER = USERS["alice"], USERS["bob"]
Message = Mapping[str, Any]


def bare(api: docker.APIClient, name: str) -> float:
    """Do it by hand, and give the seconds that it took."""
    began = time.perf_counter()
    api.inspect_container(name)
    api.stop(name, timeout=_GRACE)
    image = api.commit(name)["Id"]
    api.tag(image, "bench/bare", uuid.uuid4().hex)
    return time.perf_counter() - began


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One bot: what is typed, which card is a container's, and when it is done.

    ``web`` reads its Slack, as the bot itself could.
    """

    slack: str
    web: AsyncWebClient
    typed: str
    action_id: str
    waits: Callable[[Message, str], bool]
    is_done: Callable[[Message, str], bool]

    async def click_to_done(self, name: str) -> float:
        """Ask, click, and give the seconds from the click until the card says that it is done."""
        await self._post("command", _ASKER, command="/container", text=self.typed.format(name))
        card = await self._until(lambda card: self.waits(card, name))
        await asyncio.sleep(_READS_THE_CARD)
        # By now it may have been drawn again, with another button.
        card = await self._until(lambda card: self.waits(card, name), ts=str(card["ts"]))
        press = {"messageTs": card["ts"], "action": self._button(card)}
        began = time.perf_counter()
        await self._post("interact", _APPROVER, **press)
        await self._until(lambda card: self.is_done(card, name), ts=str(card["ts"]))
        return time.perf_counter() - began

    def _button(self, card: Message) -> dict[str, str]:
        for block in card.get("blocks", []):
            for element in block.get("elements", []):
                if element.get("action_id") == self.action_id:
                    found = {key: element[key] for key in ("type", "action_id", "value")}
                    return {**found, "block_id": block.get("block_id", "")}
        message = f"the card has no button {self.action_id}"
        raise LookupError(message)

    async def _until(
        self, is_it: Callable[[Message], bool], *, ts: str = "", within: float = _PATIENCE
    ) -> Message:
        """Read the newest messages until one, or the one of that time stamp, is as wanted."""
        deadline = time.monotonic() + within
        while True:
            read = await self.web.conversations_history(channel=CHANNEL_ID, limit=_NEWEST)
            messages: list[Message] = read["messages"]
            for message in messages:
                if ts in ("", message["ts"]) and is_it(message):
                    return message
            if time.monotonic() > deadline:
                words = f"not within {within:g} s; the last messages are {messages}"
                raise TimeoutError(words)
            await asyncio.sleep(_POLL)

    async def _post(self, door: str, user: str, **fields: Any) -> None:
        body = {"channel": CHANNEL_ID, "user": user, **fields}
        await post_json(f"{self.slack}/_control/{door}", body)


def naive_side(slack: str, web: AsyncWebClient) -> Side:
    """Give the naive bot."""
    return Side(
        slack=slack,
        web=web,
        typed="{}",
        action_id=naive_bot.APPROVE,
        waits=lambda card, name: card.get("text") == naive_bot.question(name),
        is_done=lambda card, name: card.get("text") == naive_bot.answer(name),
    )


def our_side(slack: str, web: AsyncWebClient) -> Side:
    """Give Dockwarden; what is typed names the container, and its card is known by its id."""

    def is_card(card: Message, name: str) -> bool:
        return bool(request_of(card)) and f"`{name}`" in str(card["blocks"])

    return Side(
        slack=slack,
        web=web,
        typed="stop {} snapshot",
        action_id=ActionId.APPROVE,
        waits=lambda card, name: is_card(card, name) and ActionId.APPROVE in str(card["blocks"]),
        is_done=lambda card, _name: bool(request_of(card)) and headline(card).startswith("✅"),
    )
