"""What do the buttons of a card do?

A button holds an address, never an authority. The workflow redraws the card and tells people
what became of their click, so a click that was recorded gets no answer here.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace

from slack_sdk.errors import SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from bot.counted import CountedLine
from bot.service import Receipt, Service
from bot.slack import replies
from bot.slack.listener import Follow, SlackRequest, submit
from bot.slack.readers import is_own_channel
from bot.slack.uptake_words import Act
from bot.slack.views import RejectForm
from workflows.model.names import RequestAddress, parse_button_value
from workflows.model.requests import Choice
from workflows.model.state import RequestState
from workflows.operations import catalog
from workflows.operations.start import START
from workflows.operations.stop import STOP

_log = logging.getLogger(__name__)


class Actions:
    """Carries out the clicks."""

    def __init__(
        self, service: Service, follow: Follow, client: AsyncWebClient, *, command: str
    ) -> None:
        self._service = service
        self._follow = follow
        self._client = client
        self._command = command
        self._unknown = CountedLine(_log, "unknown button refused")

    async def approve(self, slack_request: SlackRequest) -> None:
        """Record an approval."""
        address = await self._address(slack_request)
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

    async def open_reject_form(self, slack_request: SlackRequest) -> None:
        """Open the form that asks for the reason."""
        address = await self._address(slack_request)
        if address is None:
            return
        await slack_request.acknowledge()
        form = RejectForm(
            address=address,
            channel_id=slack_request.channel_id,
            message_ts=slack_request.message_ts,
        )
        try:
            await self._client.views_open(trigger_id=slack_request.trigger_id, view=form.build())
        except SlackClientError as error:
            request_id = address.request_id
            _log.warning("form not opened", extra={"request_id": request_id, "why": str(error)})
            await slack_request.tell(replies.form_unavailable(self._command, request_id))

    async def request_again(self, slack_request: SlackRequest) -> None:
        """Ask for the same once more, as the one who clicked."""
        state = await self._state(slack_request, example=STOP.example)
        if state is None:
            return
        # A reason may be meant for its own channel alone.
        is_own = is_own_channel(state, slack_request.channel_id)
        await submit(
            self._service,
            self._follow,
            slack_request,
            state.operation,
            # The name that it was asked for by may be another container's now.
            replace(state.container, name=state.name_now),
            reason=state.reason if is_own else "",
            left_out="" if is_own or not state.reason else replies.reason_left_out(),
        )

    async def start_again(self, slack_request: SlackRequest) -> None:
        """Ask to start what the request has stopped, as the one who clicked.

        It comes without the reason of the other, which was one to stop.
        """
        state = await self._state(slack_request, example=START.example)
        if state is None:
            return
        operation = catalog.way_back(state.operation)
        if operation is None:
            self._unknown.note(user=slack_request.user_id)
            await slack_request.tell(replies.bad_button())
            return
        container = replace(state.container, name=state.name_now)
        await submit(self._service, self._follow, slack_request, operation, container, reason="")

    async def _state(self, slack_request: SlackRequest, *, example: str) -> RequestState | None:
        """Read what the request of a button came to; that it cannot be read is told."""
        address = await self._address(slack_request)
        if address is None:
            return None
        _, state = await self._service.status(address.request_id)
        if state is None:
            told = replies.again_unknown(self._command, address.request_id, example)
            await slack_request.tell(told)
        return state

    async def _record(
        self, slack_request: SlackRequest, instruct: Callable[..., Awaitable[Receipt]], act: Act
    ) -> Receipt | None:
        """Record what the button says, if it is one of ours, and follow what becomes of it."""
        address = await self._address(slack_request)
        if address is None:
            return None
        receipt = await instruct(slack_request.actor, address, source=_source(slack_request))
        self._follow(slack_request, receipt, act)
        return receipt

    async def _address(self, slack_request: SlackRequest) -> RequestAddress | None:
        """Read a button; one that is not ours is refused in private."""
        try:
            return parse_button_value(slack_request.button_value)
        except ValueError:
            self._unknown.note(user=slack_request.user_id)
            await slack_request.tell(replies.bad_button())
            return None


def _source(slack_request: SlackRequest) -> str:
    """Name the door: a card by its place, a private answer of ours as the list that it is."""
    if slack_request.is_on_private_answer:
        return "list"
    return f"card:{slack_request.channel_id}:{slack_request.message_ts}"
