"""How do tests run the real local Slack, act as its people, and wait for what it shows?

One process on a free port. People act through the control API; what has no control API (forms)
goes over the web page's own WebSocket, whose frames are also what tests wait on.
"""

from __future__ import annotations

import asyncio
import json
import re
import secrets
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp

from deploy.laptop import slack_server
from tests.rigs.slack_page import SlackPage

CREDENTIALS = slack_server.Credentials(
    bot_token=f"xoxb-{secrets.token_hex(8)}",
    app_token=f"xapp-{secrets.token_hex(8)}",
    signing_secret=secrets.token_hex(16),
)
TEAM_ID = slack_server.TEAM_ID
CHANNEL_ID = slack_server.CHANNEL_ID
BOT_USER_ID = slack_server.BOT_USER_ID
ALICE, BOB, CAROL, DAVE = (slack_server.USERS[name] for name in ("alice", "bob", "carol", "dave"))

_READY = re.compile(r"https?://[^\s:]+:(\d+)")
_READY_SECONDS = 10.0

Message = dict[str, Any]


class LocalSlack:
    """A running local Slack. ``url`` is its page, ``api_url`` what a Slack client is pointed at."""

    def __init__(self, directory: Path, *, binary: Path | None = None) -> None:
        self._directory = directory
        self._binary = binary or slack_server.binary()
        self._process: asyncio.subprocess.Process | None = None
        self._draining: asyncio.Task[bytes] | None = None
        self._session: aiohttp.ClientSession | None = None
        self._page: SlackPage | None = None
        self.url = ""

    @property
    def api_url(self) -> str:
        """The base URL of the Web API."""
        return f"{self.url}/api/"

    @property
    def page(self) -> SlackPage:
        """The web page's WebSocket, open since the start."""
        assert self._page is not None, "the local Slack is not running"
        return self._page

    async def __aenter__(self) -> Self:
        """Start the process, and wait until it listens."""
        config = self._directory / "slack.json"
        config.write_text(json.dumps(slack_server.workspace(CREDENTIALS)), encoding="utf-8")
        self._process = await asyncio.create_subprocess_exec(
            *(str(self._binary), "--config", str(config)),
            *("--port", "0", "--base-host", "127.0.0.1"),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        assert self._process.stdout is not None
        port = await asyncio.wait_for(_read_port(self._process.stdout), _READY_SECONDS)
        self._draining = asyncio.create_task(self._process.stdout.read())
        self.url = f"http://127.0.0.1:{port}"
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30))
        self._page = SlackPage(self._session, f"ws://127.0.0.1:{port}/ui")
        await self._page.open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the process."""
        if self._page is not None:
            await self._page.close()
        if self._session is not None:
            await self._session.close()
        if self._process is not None:
            if self._process.returncode is None:
                self._process.terminate()
            await asyncio.wait_for(self._process.wait(), _READY_SECONDS)
        if self._draining is not None:
            await self._draining

    async def messages(self, channel: str = CHANNEL_ID) -> list[Message]:
        """Read all messages of a channel, replies and private ones too, oldest first."""
        return list((await self._control("GET", f"messages/{channel}"))["messages"])

    async def log(self) -> list[dict[str, Any]]:
        """Read what went to and came from the bot."""
        return list((await self._control("GET", "log"))["log"])

    async def reset(self) -> None:
        """Forget all messages; connections stay."""
        await self._control("POST", "reset", {})

    async def command(
        self, user: str, text: str, *, channel: str = CHANNEL_ID, command: str = "/container"
    ) -> None:
        """Type a slash command; returns when the bot acknowledged it."""
        body = {"channel": channel, "user": user, "command": command, "text": text}
        await self._control("POST", "command", body)

    async def press(self, user: str, message: Message, action_id: str, **forged: str) -> None:
        """Press a button of a message; ``forged`` replaces fields, as an attacker would."""
        action = find_button(message, action_id) | forged
        body = {"channel": message["channel"], "messageTs": message["ts"]}
        await self._control("POST", "interact", body | {"user": user, "action": action})

    async def delete(self, message: Message) -> None:
        """Delete a message, as an administrator of the workspace can."""
        assert self._session is not None
        body = {"channel": message["channel"], "ts": message["ts"]}
        headers = {"Authorization": f"Bearer {CREDENTIALS.bot_token}"}
        url = f"{self.api_url}chat.delete"
        async with self._session.post(url, json=body, headers=headers) as answer:
            assert (await answer.json())["ok"]

    async def wait_for(
        self,
        found: Callable[[Message], bool],
        *,
        channel: str = CHANNEL_ID,
        timeout: float = 20,  # noqa: ASYNC109 - a wait for a condition names its own bound
    ) -> Message:
        """Wait until the channel has a message for which ``found`` holds, and give the newest."""

        async def look() -> Message:
            while True:
                changes = self.page.changes
                fitting = [m for m in await self.messages(channel) if found(m)]
                if fitting:
                    return fitting[-1]
                await self.page.wait_for_change(changes)

        return await asyncio.wait_for(look(), timeout)

    async def _control(self, verb: str, path: str, body: object = None) -> dict[str, Any]:
        assert self._session is not None, "the local Slack is not running"
        url = f"{self.url}/_control/{path}"
        async with self._session.request(verb, url, json=body) as answer:
            assert answer.status == 200, f"{path}: {answer.status} {await answer.text()}"
            return dict(await answer.json())


async def _read_port(output: asyncio.StreamReader) -> int:
    printed = []
    async for line in output:
        printed.append(line.decode())
        if "Web UI" in printed[-1] and (found := _READY.search(printed[-1])):
            return int(found.group(1))
    message = "the local Slack ended: " + "".join(printed)
    raise RuntimeError(message)


def find_button(message: Message, action_id: str) -> dict[str, str]:
    """Find a button of a message by its ``action_id``."""
    for block in message.get("blocks", []):
        for element in block.get("elements", []):
            if element.get("action_id") == action_id:
                found = {key: element[key] for key in ("type", "action_id", "value")}
                return found | {"block_id": block["block_id"]}
    known = [e.get("action_id") for b in message.get("blocks", []) for e in b.get("elements", [])]
    problem = f"no button {action_id} on the message; it has {known}"
    raise LookupError(problem)


def is_card(request_id: str = "") -> Callable[[Message], bool]:
    """Build the test whether a message is a card (of this request)."""

    def found(message: Message) -> bool:
        blocks = message.get("blocks") or [{}]
        return str(blocks[0].get("block_id", "")).startswith(f"card.{request_id}")

    return found


def texts(message: Message) -> str:
    """Read all that a message says: its text, and the texts of its blocks, one a line."""
    said = [str(message.get("text", ""))]
    for block in message.get("blocks", []):
        parts = [block.get("text"), *block.get("fields", []), *block.get("elements", [])]
        said += [_text(part) for part in parts if part]
    return "\n".join(said)


def _text(part: dict[str, Any]) -> str:
    text = part.get("text", "")
    return str(text.get("text", "")) if isinstance(text, dict) else str(text)
