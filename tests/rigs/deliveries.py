"""How does a test deliver to a bot what Slack would, signed, twice, forged or old?"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import aiohttp

from bot.slack.transport import HTTP_PATH
from deploy.laptop.slack_server import CHANNEL_ID, TEAM_ID
from tests.fakes.slack_stub import SlackStub
from tests.integration.bot.slack.bot_on_stub import click_body, command_body, form_body
from tests.rigs.local_slack import find_button
from workflows.model.names import ActionId

_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What a bot answers to a delivery."""

    status: int
    text: str
    seconds: float


class HttpBot:
    """The open port of one bot in HTTP mode; all later answers go to the stub of Slack."""

    def __init__(self, port: int, secret: str, slack_stub: SlackStub) -> None:
        self._url = f"http://127.0.0.1:{port}{HTTP_PATH}"
        self._secret = secret
        self.slack_stub = slack_stub

    async def post(self, body: str, headers: dict[str, str] | None = None) -> HttpAnswer:
        """Post a body; signed as Slack does, when no other headers are given."""
        began = time.monotonic()
        signed = self.signature(body) if headers is None else headers
        async with (
            aiohttp.ClientSession() as session,
            session.post(self._url, data=body, headers={**_FORM, **signed}) as answer,
        ):
            return HttpAnswer(answer.status, await answer.text(), time.monotonic() - began)

    def signature(self, body: str, *, key: str | None = None, age: float = 0) -> dict[str, str]:
        """Sign a body, as Slack did ``age`` seconds ago."""
        timestamp = str(int(time.time() - age))
        secret = self._secret if key is None else key
        digest = hmac.new(secret.encode(), f"v0:{timestamp}:{body}".encode(), hashlib.sha256)
        return {
            "X-Slack-Request-Timestamp": timestamp,
            "X-Slack-Signature": f"v0={digest.hexdigest()}",
        }

    def command_body(self, user_id: str, text: str, **changes: Any) -> str:
        """Write a slash command; each has a trigger of its own."""
        where = {"team_id": TEAM_ID, "channel_id": CHANNEL_ID, "user_id": user_id}
        return urlencode(command_body(text, self.slack_stub, **(where | changes)))

    def click_body(
        self, user_id: str, card: dict[str, Any], action_id: str = ActionId.APPROVE, **changes: Any
    ) -> str:
        """Write a click on a button of a card; each has a trigger of its own."""
        value = changes.pop("value", None) or find_button(card, action_id)["value"]
        where = _whereabouts(user_id, card)
        return _interaction(click_body(action_id, value, self.slack_stub, **(where | changes)))

    def reject_body(self, user_id: str, card: dict[str, Any], reason: str) -> str:
        """Write the form that Reject opens, filled in and sent."""
        value = find_button(card, ActionId.REJECT)["value"]
        metadata = {"v": 1, "request": value, "channel": card["channel"], "ts": card["ts"]}
        who = {"team": {"id": TEAM_ID}, "user": {"id": user_id, "team_id": TEAM_ID}}
        return _interaction(form_body(json.dumps(metadata), reason, **who))

    async def command(self, user_id: str, text: str) -> HttpAnswer:
        """Deliver a slash command."""
        return await self.post(self.command_body(user_id, text))

    async def click(self, user_id: str, card: dict[str, Any], **changes: Any) -> HttpAnswer:
        """Deliver a click."""
        return await self.post(self.click_body(user_id, card, **changes))

    async def reject(self, user_id: str, card: dict[str, Any], reason: str) -> HttpAnswer:
        """Deliver a rejection."""
        return await self.post(self.reject_body(user_id, card, reason))


async def send_bytes(port: int, sent: bytes) -> None:
    """Send what need be no HTTP, read what comes until it has begun or ended, and break off."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    with suppress(ConnectionError, TimeoutError):
        writer.write(sent)
        await writer.drain()
        async with asyncio.timeout(0.2):
            await reader.read(100)
    writer.close()


def _whereabouts(user_id: str, card: dict[str, Any]) -> dict[str, Any]:
    return {
        "team": {"id": TEAM_ID},
        "user": {"id": user_id, "team_id": TEAM_ID},
        "channel": {"id": card["channel"]},
        "container": {
            "type": "message",
            "channel_id": card["channel"],
            "message_ts": card["ts"],
        },
        "message": {"ts": card["ts"]},
    }


def _interaction(payload: dict[str, Any]) -> str:
    return urlencode({"payload": json.dumps(payload)})
