"""What does the form look like that asks why somebody rejects, and what does its answer do?

A form knows no message, so it carries the address of its request, never an authority.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from bot.commands.options import cut_with_notice
from bot.service import Service
from bot.slack import replies
from bot.slack.listener import REASON_BLOCK, Follow, SlackRequest
from bot.slack.uptake_words import Act
from workflows.model.names import REJECT_FORM, RequestAddress, button_value, parse_button_value
from workflows.model.requests import MAX_TEXT_LENGTH, Choice
from workflows.model.text import shows_nothing

_VERSION = 1
_INPUT = "v"


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectForm:
    """The form of one card, and where the card is."""

    address: RequestAddress
    channel_id: str
    message_ts: str

    def build(self) -> dict[str, Any]:
        """Draw the form. Nothing is prefilled: some clients send untouched texts as nothing."""
        return {
            "type": "modal",
            "callback_id": REJECT_FORM,
            "private_metadata": self._metadata(),
            "title": {"type": "plain_text", "text": "Reject the request"},
            "submit": {"type": "plain_text", "text": "Reject"},
            "close": {"type": "plain_text", "text": "Back"},
            "blocks": [
                {
                    "type": "section",
                    "block_id": "what",
                    "text": {
                        "type": "plain_text",
                        "text": (
                            f"Request {self.address.request_id} for {self.address.container} "
                            f"on {self.address.host}"
                        ),
                    },
                },
                {
                    "type": "input",
                    "block_id": REASON_BLOCK,
                    "label": {"type": "plain_text", "text": "Why?"},
                    "element": {
                        "type": "plain_text_input",
                        "action_id": _INPUT,
                        "multiline": True,
                        "max_length": MAX_TEXT_LENGTH,
                    },
                },
            ],
        }

    def _metadata(self) -> str:
        return json.dumps(
            {
                "v": _VERSION,
                "request": button_value(self.address),
                "channel": self.channel_id,
                "ts": self.message_ts,
            }
        )

    @classmethod
    def read(cls, view: dict[str, Any]) -> tuple[RejectForm, str]:
        """Read a submitted form and the reason in it; the reason may be empty.

        Raises:
            ValueError: it is not a form of ours.
        """
        try:
            metadata = json.loads(view["private_metadata"])
            form = cls(
                address=parse_button_value(metadata["request"]),
                channel_id=metadata["channel"],
                message_ts=metadata["ts"],
            )
            reason = view["state"]["values"][REASON_BLOCK][_INPUT].get("value")
        except (KeyError, TypeError, AttributeError) as error:
            message = "this is not a form of Dockwarden"
            raise ValueError(message) from error
        return form, str(reason or "").strip()


class Views:
    """Carries out the forms. What fails is shown in the form, which then stays open."""

    def __init__(self, service: Service, follow: Follow) -> None:
        self._service = service
        self._follow = follow

    async def reject(self, slack_request: SlackRequest) -> None:
        """Record a rejection with its reason."""
        try:
            form, reason = RejectForm.read(slack_request.body["view"])
        except ValueError:
            await slack_request.tell(replies.bad_button())
            return
        if shows_nothing(reason):
            await slack_request.tell(replies.reason_missing())
            return
        receipt = await self._service.decide(
            slack_request.actor,
            form.address,
            Choice.REJECT,
            source=f"form:{form.channel_id}:{form.message_ts}",
            comment=cut_with_notice(reason),
        )
        self._follow(slack_request, receipt, Act.REJECTION, channel_id=form.channel_id)
