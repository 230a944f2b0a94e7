"""What does a submitted form do?"""

from __future__ import annotations

from bot.commands.options import shorten
from bot.deciding import decision
from bot.slack import replies
from bot.slack.listener import Exchange
from bot.slack.reject_form import RejectForm
from bot.temporal.requests import Gateway
from workflows.model.requests import Choice


class Views:
    """Carries out the forms. What fails is shown in the form, which then stays open."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def reject(self, exchange: Exchange) -> None:
        """Record a rejection with its reason."""
        try:
            form, reason = RejectForm.read(exchange.body["view"])
        except ValueError:
            await exchange.tell(replies.bad_button())
            return
        if not reason:
            await exchange.tell(replies.reason_missing())
            return
        request_id, host, container = form.address
        made = decision(
            exchange,
            request_id,
            Choice.REJECT,
            source=f"form:{form.channel_id}:{form.message_ts}",
            comment=shorten(reason),
        )
        await self._gateway.decide(host, container, made)
