"""What do the buttons do that open something to read, or a form to fill in?

A button holds an address, never an authority, and the form that it opens holds no more. Slack
opens a view within three seconds of the press; what is to be shown is asked for no longer than
half of that.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from slack_sdk.errors import SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from bot.service import Service
from bot.slack import beforehand, details, forms, replies
from bot.slack.actions import address_of
from bot.slack.listener import SlackRequest
from bot.slack.mrkdwn import Reply, code, reply
from workflows.model.names import RequestAddress
from workflows.model.requests import Choice, OperationSpec
from workflows.model.state import RequestState
from workflows.operations import catalog
from workflows.operations.start import START
from workflows.operations.stop import STOP

_log = logging.getLogger(__name__)


class Openers:
    """Opens what belongs to a button."""

    def __init__(
        self,
        service: Service,
        client: AsyncWebClient,
        *,
        command: str,
        workflow_url: Callable[[str, str], str],
    ) -> None:
        self._service = service
        self._client = client
        self._command = command
        self._workflow_url = workflow_url

    async def reject(self, slack_request: SlackRequest) -> None:
        """Open the form that asks why, to somebody who could decide."""
        await self._open_decision(slack_request, Choice.REJECT)

    async def approve_with_comment(self, slack_request: SlackRequest) -> None:
        """Open the form for an approval with a comment, to somebody who could decide."""
        await self._open_decision(slack_request, Choice.APPROVE)

    async def details(self, slack_request: SlackRequest) -> None:
        """Show all that is known of a request."""
        address = await address_of(slack_request)
        if address is None:
            return
        await slack_request.acknowledge()
        actor, channel_id = slack_request.actor, slack_request.channel_id
        known = await beforehand.look(
            self._service, actor, address, settles=lambda met: met.may_read(actor, channel_id)
        )
        status = code(f"{self._command} status {address.request_id}")
        if known.state is None:
            await slack_request.tell(
                reply(f"Nothing to show: Dockwarden has not answered in time. Try {status}.")
            )
            return
        view = details.view(
            known.state,
            may_read=known.may_read(actor, channel_id),
            now=datetime.now(UTC),
            temporal=self._workflow_url(known.state.workflow_id, known.state.run_id),
        )
        refused = reply(f"Slack did not open it. Press Details again, or write {status}.")
        await self._open(slack_request, address, view, refused)

    async def request_again(self, slack_request: SlackRequest) -> None:
        """Open the form that asks for the same once more, as the one who pressed."""
        await self._open_ask(slack_request, lambda state: state.operation, example=STOP.example)

    async def start_again(self, slack_request: SlackRequest) -> None:
        """Open the form that asks to start what the request has stopped, as who pressed."""
        await self._open_ask(
            slack_request, lambda state: catalog.way_back(state.operation), example=START.example
        )

    async def _open_decision(self, slack_request: SlackRequest, choice: Choice) -> None:
        address = await address_of(slack_request)
        if address is None:
            return
        await slack_request.acknowledge()
        actor, channel_id = slack_request.actor, slack_request.channel_id

        def refused_for(met: beforehand.Known) -> Reply | None:
            return beforehand.why_not(met, actor, choice, command=self._command)

        known = await beforehand.look(
            self._service, actor, address, settles=lambda met: refused_for(met) is not None
        )
        told = refused_for(known)
        if told is not None:
            await slack_request.tell(told)
            return
        view = forms.decision_form(
            choice,
            _origin(slack_request, address),
            known,
            may_read=known.may_read(actor, channel_id),
            now=datetime.now(UTC),
        )
        refused = replies.form_unavailable(self._command, choice, address.request_id)
        await self._open(slack_request, address, view, refused)

    async def _open_ask(
        self,
        slack_request: SlackRequest,
        wanted: Callable[[RequestState], OperationSpec | None],
        *,
        example: str,
    ) -> None:
        address = await address_of(slack_request)
        if address is None:
            return
        await slack_request.acknowledge()
        _, state = await self._service.status(address.request_id)
        if state is None:
            told = replies.again_unknown(self._command, address.request_id, example)
            await slack_request.tell(told)
            return
        operation = wanted(state)
        if operation is None:
            await slack_request.tell(replies.bad_button())
            return
        view = forms.ask_form(
            _origin(slack_request, address),
            state,
            # The name that it was asked for by may be another container's now.
            forms.Wish(operation=operation, container=state.name_now),
            user_id=slack_request.user_id,
            now=datetime.now(UTC),
        )
        by_hand = code(f"{self._command} {operation.kind} {state.name_now}")
        refused = reply(f"Slack did not open the form. Press it again, or write {by_hand}.")
        await self._open(slack_request, address, view, refused)

    async def _open(
        self,
        slack_request: SlackRequest,
        address: RequestAddress,
        view: dict[str, Any],
        refused: Reply,
    ) -> None:
        try:
            await self._client.views_open(trigger_id=slack_request.trigger_id, view=view)
        except SlackClientError as error:
            request_id = address.request_id
            _log.warning("form not opened", extra={"request_id": request_id, "why": str(error)})
            await slack_request.tell(refused)


def _origin(slack_request: SlackRequest, address: RequestAddress) -> forms.Origin:
    return forms.Origin(
        address=address,
        channel_id=slack_request.channel_id,
        message_ts="" if slack_request.is_on_private_answer else slack_request.message_ts,
    )
