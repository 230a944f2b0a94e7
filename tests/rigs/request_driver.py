"""How does a test take a request through the whole product, and check what became of it?

People ask and press in the local Slack, as users do. What is believed is what the engine, the
workflow's own state and the card say, all three.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any, Final

from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowHandle

from deploy.laptop.channel import Message, headline, request_of
from deploy.laptop.supervisor import get_json
from tests.rigs.dockerd import IMAGE, DockerEngine
from tests.rigs.laptop import LaptopProcess
from tests.rigs.waiting import eventually, pauses
from workflows.model.names import (
    REQUEST_LABEL,
    STATE_QUERY,
    ActionId,
    card_block_id,
    operation_workflow_id,
    request_workflow_id,
)
from workflows.model.state import RequestState, RequestStatus, StepName, StepState

_HOST: Final = "local"
#: How the first line of a card begins at each end of a request.
ENDS: Final = {
    RequestStatus.SUCCEEDED: "✅",
    RequestStatus.PUT_BACK: "↩️",
    RequestStatus.STALE: "⚠️",
    RequestStatus.FAILED: "⚠️",
    RequestStatus.NEEDS_PERSON: "🛑",
    RequestStatus.REJECTED: "❌",
    RequestStatus.EXPIRED: "⌛",
    RequestStatus.CANCELLED: "⏹️",
}


@dataclass(frozen=True, kw_only=True)
class Request:
    """One request that has a card."""

    request_id: str
    name: str
    container: str
    card: Message = field(repr=False)
    handle: WorkflowHandle[Any, RequestState] = field(repr=False)

    async def state(self) -> RequestState:
        """Ask the workflow where it stands."""
        return await self.handle.query(STATE_QUERY, result_type=RequestState)

    async def until(self, status: RequestStatus, *, seconds: float = 60) -> RequestState:
        """Wait until it stands there."""
        deadline, pause = time.monotonic() + seconds, pauses()
        while (state := await self.state()).status is not status:
            assert time.monotonic() < deadline, f"{self.name} is {state.status}, never {status}"
            assert not state.closed, f"{self.name} ended as {state.status} ({state.cause})"
            await asyncio.sleep(next(pause))
        return state

    async def permalink(self) -> str:
        """Give the address of its card, once it knows that; the card is in the channel before."""

        async def is_known() -> bool:
            card = (await self.state()).card
            return card is not None and bool(card.permalink)

        await eventually(is_known, within=30, what="it never knew the address of its card")
        card = (await self.state()).card
        assert card
        return card.permalink

    async def until_cancelled(self) -> None:
        """Wait until it is recorded who cancelled it."""

        async def is_known() -> bool:
            return bool((await self.state()).cancel_requested_by)

        await eventually(is_known, within=30, what="the cancel was not recorded")

    async def outcome(self, *, seconds: float = 100) -> RequestState:
        """Wait for the end."""
        return await asyncio.wait_for(self.handle.result(), seconds)

    async def last_state(self, *, seconds: float = 60) -> RequestState:
        """Wait for the end, be it by a cancel through Temporal, and give the state then."""
        deadline, pause = time.monotonic() + seconds, pauses()
        while (await self.handle.describe()).close_time is None:
            assert time.monotonic() < deadline, f"{self.name} did not end"
            await asyncio.sleep(next(pause))
        return await self.state()


class RequestDriver:
    """Alice asks and bob approves, on one laptop and one engine."""

    def __init__(self, laptop: LaptopProcess, client: Client, engine: DockerEngine) -> None:
        self.engine = engine
        self._channel = laptop.channel
        self._log = f"{laptop.ready['slack']}/_control/log"
        self.client = client

    async def ask(
        self, *names: str, command: str = "stop {} snapshot", by: str = "alice"
    ) -> list[Request]:
        """Ask about containers, one request each, and wait for the cards.

        Where a busy machine takes too long for a start, the bot says so, and people ask again.
        """
        known = {request_of(message) for message in await self._channel.messages()}
        cards: dict[str, Message] = {}
        began, pause = time.monotonic(), pauses()
        ask_at = began
        while len(cards) < len(names):
            now, missing = time.monotonic(), set(names) - cards.keys()
            assert now < began + 120, f"no card for {missing}"
            if now >= ask_at:
                ask_at = now + 30
                asked = (self._channel.ask(by, command.format(name)) for name in missing)
                await asyncio.gather(*asked)
            await asyncio.sleep(next(pause))
            for message in await self._channel.messages():
                if request_of(message) and request_of(message) not in known:
                    name = headline(message).split("`")[1]
                    cards |= {name: message} if name in names else {}
        return [self._request(name, cards[name]) for name in names]

    async def approve(self, *requests: Request) -> None:
        """Press the button."""
        pressed = (self._channel.press("bob", r.card, ActionId.APPROVE) for r in requests)
        await asyncio.gather(*pressed)

    async def start(self, name: str, command: str = "stop {} snapshot") -> Request:
        """Ask about a container and approve it."""
        (request,) = await self.ask(name, command=command)
        await self.approve(request)
        return request

    async def press(self, who: str, request: Request, action_id: ActionId) -> None:
        """Press a button of the card as it is now."""
        await self._channel.press(who, await self.card(request), action_id)

    async def type(self, who: str, text: str) -> None:
        """Type a command."""
        await self._channel.ask(who, text)

    async def cancel(self, request: Request) -> None:
        """Cancel it as its requester, and wait until the operation knows."""
        await self._channel.ask("alice", f"cancel {request.request_id}")
        await request.until_cancelled()

    async def until_told(self, request: Request) -> None:
        """Wait until the operation has a cancel in its history."""
        operation = operation_workflow_id(_HOST, request.container)
        handle = self.client.get_workflow_handle(operation)
        told = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED

        async def is_told() -> bool:
            return told in [event.event_type async for event in handle.fetch_history_events()]

        await eventually(is_told, what="the operation was not told of the cancel")

    async def card(self, request: Request) -> Message:
        """Read the one card of a request."""
        messages = await self._channel.messages()
        (card,) = [message for message in messages if request_of(message) == request.request_id]
        return card

    async def until_card(self, request: Request, headline_begins: str) -> Message:
        """Wait until the card says this."""
        return await self._channel.wait_for_card(request.request_id, headline_begins)

    async def thread(self, request: Request) -> list[Message]:
        """Read the replies to the card, each of which was posted once."""
        messages = await self._channel.messages()
        replies = [m for m in messages if m.get("thread_ts") == request.card["ts"]]
        replies = [m for m in replies if m["ts"] != request.card["ts"]]
        block_ids = [reply["blocks"][0]["block_id"] for reply in replies]
        assert len(block_ids) == len(set(block_ids)), f"replies twice: {block_ids}"
        return replies

    async def posted(self, request: Request) -> list[dict[str, Any]]:
        """Read how the replies were posted: the local Slack shows none of them in the channel."""
        log = (await get_json(self._log))["log"]
        posts = [entry["detail"] for entry in log if entry["summary"] == "chat.postMessage"]
        return [post for post in posts if post.get("thread_ts") == request.card["ts"]]

    async def refusal(self, user_id: str, *words: str) -> Message:
        """Wait for a private notice that holds these words."""
        return await self._channel.wait_for(
            f"a notice with {words}",
            lambda m: m.get("ephemeral_to") == user_id and all(w in _said(m) for w in words),
        )

    async def check(self, request: Request, state: RequestState, status: RequestStatus) -> None:
        """See that state, card and container all tell this outcome."""
        assert state.status is status, f"{request.name}: {state.status}, {state.cause}"
        card = await self.card(request)
        assert headline(card).startswith(ENDS[status]), headline(card)
        if state.closed:
            assert not _buttons(card) & {ActionId.APPROVE, ActionId.REJECT, ActionId.CANCEL}
        await self.thread(request)

    async def check_snapshotted(
        self, request: Request, state: RequestState, *, runs: bool = False
    ) -> None:
        """See that it succeeded: one tagged image, and the container as the request says."""
        await self.check(request, state, RequestStatus.SUCCEEDED)
        assert self.engine.state(request.container) == ("running" if runs else "exited")
        (image,) = self.images(request)
        assert state.snapshot is not None
        assert image["Id"] == state.snapshot.image_id
        assert _tags(image) == [state.reference]

    async def check_put_back(
        self, request: Request, state: RequestState, before: dict[str, Any], *, anew: bool = True
    ) -> None:
        """See that it failed and was put back: the same container, up, and no image left."""
        await self.check(request, state, RequestStatus.PUT_BACK)
        after = self.engine.inspect(request.container)["State"]
        assert after["Status"] == before["State"]["Status"]
        assert (after["StartedAt"] != before["State"]["StartedAt"]) == anew
        assert self.images(request) == []

    def images(self, request: Request) -> list[dict[str, Any]]:
        """Give all images of a request, those without a tag too."""
        label = f"{REQUEST_LABEL}={request.request_id}"
        found: list[dict[str, Any]] = self.engine.api.images(filters={"label": label})
        return [image for image in found if IMAGE not in _tags(image)]

    def _request(self, name: str, card: Message) -> Request:
        return request_on(card, name, self.engine, self.client)


def request_on(
    card: Message, name: str, engine: DockerEngine, client: Client, *, host: str = _HOST
) -> Request:
    """Give the request of a card."""
    assert str(card["blocks"][0]["block_id"]).startswith(card_block_id(""))
    workflow_id = request_workflow_id(host, name)
    return Request(
        request_id=request_of(card),
        name=name,
        container=engine.inspect(name)["Id"],
        card=card,
        handle=client.get_workflow_handle(workflow_id, result_type=RequestState),
    )


def step(state: RequestState, name: StepName) -> StepState:
    """Find a step that there must be."""
    return next(step for step in state.steps if step.name is name)


def _tags(image: dict[str, Any]) -> list[str]:
    """Give the tags of an image; Podman names the registry of each."""
    return [tag.removeprefix("docker.io/") for tag in image["RepoTags"] or ()]


def _buttons(card: Message) -> set[str]:
    elements = [e for block in card["blocks"] for e in block.get("elements", [])]
    return {element["action_id"] for element in elements if "action_id" in element}


def _said(message: Message) -> str:
    return f"{message.get('text', '')} {message.get('blocks')}"
