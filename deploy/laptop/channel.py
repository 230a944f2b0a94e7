"""How do the people of the local Slack ask, press and read, without a browser?"""

from __future__ import annotations

import asyncio
import html
import re
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from deploy.laptop.console import say
from deploy.laptop.slack_server import BOT_USER_ID, CHANNEL_ID, USERS
from deploy.laptop.supervisor import get_json, post_json
from workflows.model.names import card_block_id

Message = Mapping[str, Any]
_MENTION = re.compile(r"<@([A-Z0-9]+)(?:\|[^>]*)?>")
_LINK = re.compile(r"<(?:[^>|]*)\|([^>]*)>")
_BOLD = re.compile(r"(?<![\w*])\*([^*\n]+)\*(?![\w*])")
#: As the page of the local Slack shows them.
_NAMES = {user_id: name.title() for name, user_id in USERS.items()} | {BOT_USER_ID: "Dockwarden"}
_POLL = 0.05
_PATIENCE = 60.0


class SceneError(Exception):
    """Something that a scene waits for or checks is not so."""


class Channel:
    """The channel of the local Slack; prints what is new in it as people see it."""

    def __init__(self, slack: str) -> None:
        self._control = f"{slack}/_control"
        self._printed: dict[str, list[str]] = {}

    async def ask(self, user: str, text: str) -> None:
        """Type ``/container …`` as a person."""
        say(f"\n  {user.title()} types: /container {text}")
        await self._post("command", user, command="/container", text=text)

    async def press(self, user: str, card: Message, action_id: str) -> None:
        """Press a button of a card as a person.

        Raises:
            SceneError: the card has no such button.
        """
        for block in card.get("blocks", []):
            for element in block.get("elements", []):
                if element.get("action_id") == action_id:
                    say(f"\n  {user.title()} presses: {element['text']['text']}")
                    action = {
                        "type": "button",
                        "action_id": action_id,
                        "block_id": block["block_id"],
                        "value": element["value"],
                    }
                    await self._post("interact", user, messageTs=card["ts"], action=action)
                    return
        message = f"the card has no button {action_id}"
        raise SceneError(message)

    async def wait_for(
        self, what: str, is_it: Callable[[Message], bool], *, within: float = _PATIENCE
    ) -> Message:
        """Wait for a message, printing what appears meanwhile.

        Raises:
            SceneError: it does not come in time.
        """
        deadline = time.monotonic() + within
        while True:
            messages = await self.messages()
            self._print_news(messages)
            found = next((message for message in messages if is_it(message)), None)
            if found is not None:
                return found
            if time.monotonic() > deadline:
                message = f"{what} did not come within {within:g} s"
                raise SceneError(message)
            await asyncio.sleep(_POLL)

    async def wait_for_card(self, request_id: str, state: str) -> Message:
        """Wait until the first line of a request's card begins with these words."""
        return await self.wait_for(
            f"the card saying {state}",
            lambda m: request_of(m) == request_id and headline(m).startswith(state),
        )

    async def messages(self) -> list[Message]:
        """Read the channel, oldest first, with replies and private notices."""
        answer = await get_json(f"{self._control}/messages/{CHANNEL_ID}")
        found: list[Message] = answer["messages"]
        return found

    def _print_news(self, messages: list[Message]) -> None:
        for message in messages:
            lines = render(message, _NAMES)
            before = self._printed.get(message["ts"])
            if lines == before or message.get("user") in USERS.values():
                continue
            self._printed[message["ts"]] = lines
            say("")
            if before is None:
                say("\n".join(lines))
            else:
                say(f"{lines[0]}  (redrawn)")
                say("\n".join(line for line in lines[1:] if line not in before))

    async def _post(self, door: str, user: str, **fields: Any) -> None:  # noqa: ANN401 - JSON
        body = {"channel": CHANNEL_ID, "user": USERS[user], **fields}
        await post_json(f"{self._control}/{door}", body)


def render(message: Message, names: Mapping[str, str]) -> list[str]:
    """Draw a message as lines of plain text; ``names`` are the people by their ids."""
    lines = list(_block_lines(message.get("blocks") or [], names))
    if not lines:
        lines = _mrkdwn(message.get("text", ""), names).splitlines()
    author = names.get(message.get("user", ""), "somebody")
    margin = "    ↳ " if message.get("thread_ts") else "  "
    reader = message.get("ephemeral_to")
    title = f"{author}  (only {names.get(reader, reader)} sees this)" if reader else author
    return [f"{margin}{title}", *(f"{' ' * len(margin)}│ {line}".rstrip() for line in lines)]


def _block_lines(blocks: list[Message], names: Mapping[str, str]) -> Iterator[str]:
    for block in blocks:
        match block["type"]:
            case "section" | "header":
                if "text" in block:
                    yield from _text(block["text"], names).splitlines()
                for field in block.get("fields", []):
                    yield "  " + _text(field, names).replace("\n", ": ", 1).replace("\n", " ")
            case "context":
                yield "   ".join(_text(element, names) for element in block["elements"])
            case "actions":
                yield " ".join(f"[ {_text(e['text'], names)} ]" for e in block["elements"])
            case "divider":
                yield "─" * 40
            case other:
                yield f"({other})"


def _text(piece: Message, names: Mapping[str, str]) -> str:
    text: str = piece.get("text", "")
    return text if piece["type"] == "plain_text" else _mrkdwn(text, names)


def _mrkdwn(text: str, names: Mapping[str, str]) -> str:
    text = _MENTION.sub(lambda found: f"@{names.get(found[1], found[1])}", text)
    return html.unescape(_BOLD.sub(r"\1", _LINK.sub(r"\1", text)))


def request_of(message: Message) -> str:
    """Give the id of the request whose card a message is, or ``""``."""
    blocks = message.get("blocks") or [{}]
    prefix = card_block_id("")
    block_id: str = blocks[0].get("block_id", "")
    return block_id.removeprefix(prefix) if block_id.startswith(prefix) else ""


def headline(card: Message) -> str:
    """Give the first line of a card."""
    text: str = card["blocks"][0]["text"]["text"]
    return text
