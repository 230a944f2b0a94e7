"""What do the buttons of a card do that record something at once?

A button holds an address, never an authority. The workflow redraws the card and tells people
what became of their click, so a click that was recorded gets no answer here.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from bot.counted import CountedLine
from bot.service import Receipt, Service
from bot.slack import replies
from bot.slack.listener import Follow, SlackRequest
from bot.slack.uptake_words import Act
from workflows.model.names import RequestAddress, parse_button_value
from workflows.model.requests import Choice

_log = logging.getLogger(__name__)
_unknown = CountedLine(_log, "unknown button refused")


class Actions:
    """Carries out the clicks."""

    def __init__(self, service: Service, follow: Follow) -> None:
        self._service = service
        self._follow = follow

    async def approve(self, slack_request: SlackRequest) -> None:
        """Record an approval."""
        address = await address_of(slack_request)
        if address is None:
            return
        receipt = await self._service.decide(
            slack_request.actor, address, Choice.APPROVE, source=_source(slack_request)
        )
        self._follow(slack_request, receipt, Act.APPROVAL)
        if slack_request.is_on_private_answer:
            # The card is in another place.
            await slack_request.tell(replies.recorded(address.request_id, Act.APPROVAL))

    async def cancel(self, slack_request: SlackRequest) -> None:
        """Record a cancel. Cards of earlier releases have this button to stop trying too."""
        await self._record(slack_request, self._service.cancel, Act.CANCEL)

    async def stop_trying(self, slack_request: SlackRequest) -> None:
        """Record that the tries to put a container back are to end."""
        receipt = await self._record(slack_request, self._service.stop_trying, Act.STOP_TRYING)
        if receipt is not None and slack_request.is_on_private_answer:
            # Its button is used up, and the card is in another place.
            done = replies.recorded(receipt.address.request_id, Act.STOP_TRYING)
            await slack_request.tell(done, replace=True)

    async def try_now(self, slack_request: SlackRequest) -> None:
        """Record that a container is to be put back now."""
        await self._record(slack_request, self._service.try_now, Act.TRY_NOW)

    async def _record(
        self, slack_request: SlackRequest, instruct: Callable[..., Awaitable[Receipt]], act: Act
    ) -> Receipt | None:
        """Record what the button says, if it is one of ours, and follow what becomes of it."""
        address = await address_of(slack_request)
        if address is None:
            return None
        receipt = await instruct(slack_request.actor, address, source=_source(slack_request))
        self._follow(slack_request, receipt, act)
        return receipt


async def address_of(slack_request: SlackRequest) -> RequestAddress | None:
    """Read a button; one that is not ours is refused in private."""
    try:
        return parse_button_value(slack_request.button_value)
    except ValueError:
        _unknown.note(user=slack_request.user_id)
        await slack_request.tell(replies.bad_button())
        return None


def _source(slack_request: SlackRequest) -> str:
    """Name the door: a card by its place, a private answer of ours as the list that it is."""
    if slack_request.is_on_private_answer:
        return "list"
    return f"card:{slack_request.channel_id}:{slack_request.message_ts}"
