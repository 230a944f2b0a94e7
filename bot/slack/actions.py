"""What do the buttons of a card do?

A button holds an address, never an authority. The workflow redraws the card and tells people
what became of their click, so a click that was recorded gets no answer here.
"""

from __future__ import annotations

import logging

from slack_sdk.errors import SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from bot.service import Requesting, cancellation, decision
from bot.slack import replies
from bot.slack.listener import Exchange
from bot.slack.views import RejectForm
from bot.temporal.requests import Gateway
from workflows.model.names import parse_button_value
from workflows.model.requests import Choice

_log = logging.getLogger(__name__)


class Actions:
    """Carries out the clicks."""

    def __init__(
        self,
        gateway: Gateway,
        requesting: Requesting,
        client: AsyncWebClient,
        *,
        command: str,
    ) -> None:
        self._gateway = gateway
        self._requesting = requesting
        self._client = client
        self._command = command

    async def approve(self, exchange: Exchange) -> None:
        """Record an approval."""
        address = await _address(exchange)
        if address is None:
            return
        request_id, host, container = address
        made = decision(exchange, request_id, Choice.APPROVE, source=_source(exchange))
        await self._gateway.decide(host, container, made)

    async def cancel(self, exchange: Exchange) -> None:
        """Record a cancel."""
        address = await _address(exchange)
        if address is None:
            return
        request_id, host, container = address
        cancel = cancellation(exchange, request_id, source=_source(exchange))
        await self._gateway.cancel(host, container, cancel)

    async def open_reject_form(self, exchange: Exchange) -> None:
        """Open the form that asks for the reason."""
        address = await _address(exchange)
        if address is None:
            return
        await exchange.acknowledge()
        form = RejectForm(
            address=address, channel_id=exchange.channel_id, message_ts=exchange.message_ts
        )
        try:
            await self._client.views_open(trigger_id=exchange.trigger_id, view=form.build())
        except SlackClientError as error:
            _log.warning("form not opened", extra={"request_id": address[0], "why": str(error)})
            await exchange.tell(replies.form_unavailable(self._command, address[0]))

    async def request_again(self, exchange: Exchange) -> None:
        """Ask for the same once more, as the one who clicked."""
        address = await _address(exchange)
        if address is None:
            return
        _, state = await self._gateway.status(address[0])
        if state is None:
            await exchange.tell(replies.again_unknown(self._command, address[0]))
            return
        await self._requesting.ask(exchange, state.operation, state.container, state.reason)


async def _address(exchange: Exchange) -> tuple[str, str, str] | None:
    """Read a button; one that is not ours is refused in private."""
    try:
        return parse_button_value(exchange.button_value)
    except ValueError:
        _log.warning("unknown button refused", extra={"user": exchange.user_id})
        await exchange.tell(replies.bad_button())
        return None


def _source(exchange: Exchange) -> str:
    return f"card:{exchange.channel_id}:{exchange.message_ts}"
