"""Who asks what in one delivery, and how is it answered in private?"""

from __future__ import annotations

import hashlib
import logging
import uuid
from enum import StrEnum
from typing import Any

import aiohttp
from slack_bolt.async_app import AsyncAck
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bot.slack.mrkdwn import Reply

_log = logging.getLogger(__name__)

#: The block of the reject form; a failure is shown below it.
REASON_BLOCK = "reason"


class Kind(StrEnum):
    """The kinds of deliveries, which are answered in different ways."""

    COMMAND = "slash_commands"
    CLICK = "block_actions"
    FORM = "view_submission"


class Exchange:
    """One delivery. It is acknowledged exactly once; all later answers go another way."""

    def __init__(self, body: dict[str, Any], ack: AsyncAck, session: aiohttp.ClientSession) -> None:
        self.body = body
        self._ack = ack
        self._session = session
        self.acknowledged = False
        self.kind = Kind(body.get("type", Kind.COMMAND))

    @property
    def user_id(self) -> str:
        """Who asks."""
        return str(self.body.get("user_id") or self._part("user").get("id", ""))

    @property
    def team_id(self) -> str:
        """The workspace of the person, not that of the channel."""
        user = self._part("user")
        return str(
            user.get("team_id") or self.body.get("team_id") or self._part("team").get("id", "")
        )

    @property
    def channel_id(self) -> str:
        """Where it was asked."""
        return str(
            self.body.get("channel_id")
            or self._part("channel").get("id")
            or self._part("container").get("channel_id", "")
        )

    @property
    def message_ts(self) -> str:
        """The message whose button was pressed."""
        return str(self._part("container").get("message_ts") or self._part("message").get("ts", ""))

    @property
    def trigger_id(self) -> str:
        """What Slack opens forms with; unique for each act of a person."""
        return str(self.body.get("trigger_id", ""))

    @property
    def request_id(self) -> str:
        """The id of the request that this delivery makes: the same for the same delivery."""
        delivery = self.trigger_id or uuid.uuid4().hex
        return hashlib.sha256(f"{self.team_id}|{delivery}".encode()).hexdigest()[:12]

    @property
    def button_value(self) -> str:
        """The value of the button that was pressed."""
        actions = self.body.get("actions") or [{}]
        return str(actions[0].get("value", ""))

    async def acknowledge(self) -> None:
        """Tell Slack that the delivery arrived, without words."""
        if not self.acknowledged:
            self.acknowledged = True
            await self._ack()

    async def tell(self, reply: Reply) -> None:
        """Answer the one who asked, and nobody else."""
        if not self.acknowledged and self.kind is not Kind.CLICK:
            self.acknowledged = True
            if self.kind is Kind.COMMAND:
                await self._ack(**reply.as_arguments())
            else:
                errors = {REASON_BLOCK: reply.bare_text}
                await self._ack(response_action="errors", errors=errors)
            return
        await self.acknowledge()
        url = self.body.get("response_url")
        if not url:
            _log.warning("no way to answer", extra={"kind": self.kind, "user": self.user_id})
            return
        webhook = AsyncWebhookClient(url, session=self._session, retry_handlers=[], timeout=10)
        await webhook.send_dict({**reply.as_arguments(), "replace_original": False})

    def _part(self, name: str) -> dict[str, Any]:
        part = self.body.get(name)
        return part if isinstance(part, dict) else {}
