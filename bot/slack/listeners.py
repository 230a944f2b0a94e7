"""What does each kind of delivery from Slack do?

Every listener is guarded: bolt loses an acknowledgement when a listener raises after it, and
tells nobody about errors in lazy listeners, so none is lazy and none lets an exception out.
"""

from __future__ import annotations

import re

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.policy_book import PolicyBook
from bot.service import Requesting
from bot.slack.actions import Actions
from bot.slack.commands import Commands
from bot.slack.guard import Guard
from bot.slack.views import Views
from bot.temporal.requests import Gateway
from workflows.model.names import REJECT_FORM, ActionId


def register_listeners(
    app: AsyncApp,
    guard: Guard,
    *,
    client: AsyncWebClient,
    gateway: Gateway,
    book: PolicyBook,
    default_host: str,
    workflow_link: str,
) -> None:
    """Tie all listeners to their deliveries."""
    requesting = Requesting(gateway, book)
    commands = Commands(
        gateway,
        requesting,
        command=guard.command,
        default_host=default_host,
        workflow_link=workflow_link,
    )
    actions = Actions(gateway, requesting, client, command=guard.command)
    views = Views(gateway)
    app.command(guard.command)(guard.guarded(commands.run))
    app.action(ActionId.APPROVE)(guard.guarded(actions.approve))
    app.action(ActionId.REJECT)(guard.guarded(actions.open_reject_form))
    app.action(ActionId.CANCEL)(guard.guarded(actions.cancel))
    app.action(ActionId.AGAIN)(guard.guarded(actions.request_again))
    app.view(REJECT_FORM)(guard.guarded(views.reject))
    app.action(re.compile(".*"))(_acknowledge)
    app.event(re.compile(".*"))(_acknowledge)


async def _acknowledge(ack: AsyncAck) -> None:
    """Take what needs no answer, such as a press on a link."""
    await ack()
