"""How does a test act as the people of a channel, and see what each of them is told?

They type commands, press buttons and fill in forms in the laptop's Slack. What is believed of a
container is what its engine says.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any, Self

import aiohttp
from temporalio.client import Client

from deploy.laptop.channel import Channel, Message, headline, request_of
from deploy.laptop.slack_server import USERS
from tests.rigs.dockerd import DockerEngine
from tests.rigs.local_slack import texts
from tests.rigs.request_driver import Request, request_on
from tests.rigs.slack_page import SlackPage
from tests.rigs.waiting import pauses
from workflows.model.names import REQUEST_LABEL, ActionId
from workflows.model.state import RequestState, RequestStatus


class People:
    """The people of one channel; ``engine`` is that of ``host``, which they ask about."""

    def __init__(
        self, slack: str, client: Client, engine: DockerEngine, *, host: str = "local"
    ) -> None:
        self.engine = engine
        self.channel = Channel(slack)
        self._slack = slack
        self._client = client
        self._host = host
        self._before: set[str] = set()

    async def arrive(self) -> Self:
        """Overlook what was said before."""
        self._before = await self._seen()
        return self

    async def type(self, who: str, text: str) -> str:
        """Type ``/container …``, and give the private answer."""
        seen = await self._seen()
        await self.channel.ask(who, text)
        return await self._private(who, seen, ())

    async def told(self, who: str, *words: str) -> str:
        """Wait until somebody was told in private what holds these words."""
        return await self._private(who, self._before, words)

    async def ask(self, text: str, who: str = "alice") -> Request:
        """Ask for something, and wait for the card."""
        seen = await self._seen()
        await self.channel.ask(who, text)
        card = await self._new(seen, lambda m: bool(request_of(m)))
        return self.request_on(card)

    async def press(self, who: str, request: Request, action: ActionId) -> None:
        """Press a button of the card, as it looks now."""
        await self.channel.press(who, await self.card(request), action)

    async def ask_by(self, action: ActionId, request: Request, who: str) -> Request:
        """Send the form of a button that asks for something, and wait for the card of that."""
        seen = await self._seen()
        await self.send_form(action, request, who)
        return self.request_on(await self._new(seen, lambda m: bool(request_of(m))))

    async def approve(self, request: Request, who: str = "bob") -> None:
        """Press Approve."""
        await self.press(who, request, ActionId.APPROVE)

    async def reject(self, request: Request, reason: str, who: str = "bob") -> None:
        """Press Reject, and send the form with a reason."""
        await self.send_form(ActionId.REJECT, request, who, reason)
        await self.until(request, RequestStatus.REJECTED)

    async def send_form(
        self, action: ActionId, request: Request, who: str, reason: str = ""
    ) -> None:
        """Press a button that opens a form, and send that with a reason."""
        address = f"{self._slack.replace('http', 'ws', 1)}/ui"
        async with aiohttp.ClientSession() as session:
            page = SlackPage(session, address)
            await page.open()
            await self.press(who, request, action)
            await page.frame("view")
            await page.submit(USERS[who], {"reason": {"v": {"value": reason}}})
            await page.close()

    async def card(self, request: Request) -> Message:
        """Read the one card of a request."""
        messages = await self.channel.messages()
        (card,) = [message for message in messages if request_of(message) == request.request_id]
        return card

    async def until(
        self, request: Request, status: RequestStatus, *, seconds: float = 30
    ) -> RequestState:
        """Wait until a request stands there, by its own word."""
        deadline, pause = time.monotonic() + seconds, pauses()
        while (state := await request.state()).status is not status:
            assert not state.closed, f"{request.name} ended as {state.status} ({state.cause})"
            assert time.monotonic() < deadline, f"{request.name} is {state.status}, not {status}"
            await asyncio.sleep(next(pause))
        return state

    async def until_card(self, request: Request, begins: str) -> str:
        """Wait until the card's first line begins so, and give all that the card says."""
        return texts(await self.channel.wait_for_card(request.request_id, begins))

    def images(self, request: Request) -> list[dict[str, Any]]:
        """Give the images of a request."""
        label = f"{REQUEST_LABEL}={request.request_id}"
        found: list[dict[str, Any]] = self.engine.api.images(filters={"label": label})
        return found

    async def _private(self, who: str, seen: set[str], words: tuple[str, ...]) -> str:
        message = await self._new(
            seen,
            lambda m: m.get("ephemeral_to") == USERS[who] and all(w in texts(m) for w in words),
        )
        return texts(message)

    async def _seen(self) -> set[str]:
        return {message["ts"] for message in await self.channel.messages()}

    async def _new(self, seen: set[str], is_it: Callable[[Message], bool]) -> Message:
        return await self.channel.wait_for(
            "what should come", lambda m: m["ts"] not in seen and is_it(m), within=20
        )

    def request_on(self, card: Message) -> Request:
        """Give the request of a card."""
        # Who asks at a terminal is named with its host.
        name = headline(card).split(" asks to ")[-1].split("`")[1]
        return request_on(card, name, self.engine, self._client, host=self._host)
