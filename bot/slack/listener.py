"""Who asks what in one delivery, how is it answered in private, and what if that goes wrong?

A listener may fail, be slow, or still work when the program ends. Every one is guarded: bolt
loses an acknowledgement when a listener raises after it, and tells nobody about errors in lazy
listeners, so none is lazy and none lets an exception out.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import Any, Protocol

import aiohttp
from slack_bolt.async_app import AsyncAck
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bot.commands.typed import read_typed
from bot.service import Actor, Receipt, Service
from bot.slack import replies
from bot.slack.mrkdwn import Reply
from bot.slack.uptake_words import Act
from bot.temporal.errors import BotError
from workflows.model.markup import sent_in_plain_words
from workflows.model.requests import ContainerRef, OperationSpec, Policy
from workflows.operations.typed import brief_line

_log = logging.getLogger(__name__)

#: Slack waits three seconds; a listener that needs longer is acknowledged before.
ACKNOWLEDGE_WITHIN = 2.6
#: So begins the id of a conversation of two: with the app, or with one person and without the app.
_DIRECT = "D"
#: The block of the reject form; a failure is shown below it.
REASON_BLOCK = "reason"


class Kind(StrEnum):
    """The kinds of deliveries, which are answered in different ways."""

    COMMAND = "slash_commands"
    CLICK = "block_actions"
    FORM = "view_submission"


class SlackRequest:
    """One delivery. It is acknowledged exactly once; all later answers go another way."""

    def __init__(
        self,
        body: dict[str, Any],
        ack: AsyncAck,
        session: aiohttp.ClientSession,
        *,
        plain_markup: bool = False,
    ) -> None:
        self.body = body
        self._ack = ack
        self._session = session
        self._plain_markup = plain_markup
        self._has_told = False
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
    def actor(self) -> Actor:
        """Who asks, as the service wants to know it."""
        return Actor(user_id=self.user_id, team_id=self.team_id)

    @property
    def key(self) -> str:
        """What tells this act of a person from every other: the same for the same delivery."""
        return self.trigger_id or uuid.uuid4().hex

    @property
    def asked(self) -> str:
        """What was typed behind the slash command, for :func:`answer_to`; of a click nothing."""
        if self.kind is not Kind.COMMAND:
            return ""
        return read_typed(str(self.body.get("text") or "")).name(0).strip()

    @property
    def button_value(self) -> str:
        """The value of the button that was pressed."""
        actions = self.body.get("actions") or [{}]
        return str(actions[0].get("value", ""))

    @property
    def can_be_answered(self) -> bool:
        """Whether there is a way back to the one who acted; a form has none."""
        return bool(self.body.get("response_url"))

    @property
    def is_on_private_answer(self) -> bool:
        """Whether the button that was pressed stands on an answer of ours, not on a card.

        Slack says so of the message's place; the local Slack shows the message instead.
        """
        is_shown = self._part("message").get("subtype") == "ephemeral"
        return is_shown or self._part("container").get("is_ephemeral") is True

    @property
    def has_own_line(self) -> bool:
        """Whether the last answer is ours to replace: what a click answers to may be a card."""
        return self._has_told and self.kind is Kind.COMMAND

    async def acknowledge(self) -> None:
        """Tell Slack that the delivery arrived, without words."""
        if not self.acknowledged:
            self.acknowledged = True
            await self._ack()

    async def tell(self, reply: Reply, *, replace: bool = False) -> None:
        """Answer the one who asked, and nobody else; in place of our last answer if told so."""
        self._has_told = True
        if not self.acknowledged and self.kind is not Kind.CLICK:
            self.acknowledged = True
            if self.kind is Kind.COMMAND:
                await self._ack(**self._arguments(reply))
            else:
                errors = {REASON_BLOCK: reply.bare_text}
                await self._ack(response_action="errors", errors=errors)
            return
        await self.acknowledge()
        await self._send({**reply.as_arguments(), "replace_original": replace})

    async def take_back(self) -> None:
        """Have the answer of ours deleted whose button was pressed; nothing else can be."""
        await self._send({"delete_original": True})

    async def _send(self, answer: dict[str, Any]) -> None:
        url = self.body.get("response_url")
        if not url:
            _log.warning("no way to answer", extra={"kind": self.kind, "user": self.user_id})
            return
        webhook = AsyncWebhookClient(url, session=self._session, retry_handlers=[], timeout=10)
        sent = sent_in_plain_words(answer) if self._plain_markup else answer
        await webhook.send_dict(sent)

    def _arguments(self, reply: Reply) -> dict[str, Any]:
        arguments = reply.as_arguments()
        sent: dict[str, Any] = sent_in_plain_words(arguments) if self._plain_markup else arguments
        return sent

    def _part(self, name: str) -> dict[str, Any]:
        part = self.body.get(name)
        return part if isinstance(part, dict) else {}


class Follow(Protocol):
    """Has it looked, in a moment, whether an act was taken up."""

    def __call__(
        self, slack_request: SlackRequest, receipt: Receipt, act: Act, *, channel_id: str = ""
    ) -> None:
        """Follow one act; a delivery that cannot be answered needs the channel."""


class Limit(Protocol):
    """Says which deliveries come too soon."""

    def allows(self, slack_request: SlackRequest) -> bool:
        """Count a delivery, if it does not."""

    def words(self, slack_request: SlackRequest) -> Reply | None:
        """Say so of one that does; nothing if its person knows."""


Listener = Callable[[SlackRequest], Awaitable[None]]
BoltListener = Callable[[dict[str, Any], AsyncAck], Awaitable[None]]


class ListenerRunner:
    """Runs listeners so that none lets an exception reach bolt and each is answered in time.

    What ``limit`` does not allow reaches no listener.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        command: str,
        limit: Limit,
        acknowledge_within: float = ACKNOWLEDGE_WITHIN,
        plain_markup: bool = False,
    ) -> None:
        self.command = command
        self._plain_markup = plain_markup
        self._limit = limit
        self._session = session
        self._acknowledge_within = acknowledge_within
        self._running = 0
        self._idle = asyncio.Event()
        self._idle.set()

    def guarded(self, listener: Listener) -> BoltListener:
        """Wrap a listener for bolt."""

        async def run(body: dict[str, Any], ack: AsyncAck) -> None:
            self._running += 1
            self._idle.clear()
            try:
                await self._run(listener, self._request(body, ack))
            finally:
                self._running -= 1
                if not self._running:
                    self._idle.set()

        return run

    def _request(self, body: dict[str, Any], ack: AsyncAck) -> SlackRequest:
        return SlackRequest(body, ack, self._session, plain_markup=self._plain_markup)

    async def drain(self, seconds: float) -> bool:
        """Wait until no listener works any more; false when some still do."""
        try:
            await asyncio.wait_for(self._idle.wait(), seconds)
        except TimeoutError:
            return False
        return True

    async def _run(self, listener: Listener, slack_request: SlackRequest) -> None:
        late = asyncio.create_task(self._acknowledge_late(slack_request))
        try:
            if self._limit.allows(slack_request):
                await listener(slack_request)
            elif words := self._limit.words(slack_request):
                await slack_request.tell(words)
        except BotError as error:
            _log.warning("not done", extra={**_ids(slack_request), "why": str(error)})
            told = replies.failure(error, self.command, asked=slack_request.asked)
            await _tell(slack_request, told)
        except Exception as error:  # noqa: BLE001 - the one place where it becomes words
            told = report(error, slack_request.asked, **_ids(slack_request))
            await _tell(slack_request, told)
        finally:
            late.cancel()
            await slack_request.acknowledge()

    async def _acknowledge_late(self, slack_request: SlackRequest) -> None:
        await asyncio.sleep(self._acknowledge_within)
        if not slack_request.acknowledged:
            await _tell(slack_request, replies.slow(slack_request.asked))


async def submit(
    service: Service,
    follow: Follow,
    slack_request: SlackRequest,
    operation: OperationSpec,
    container: ContainerRef,
    *,
    reason: str,
    left_out: str = "",
    in_place: bool = False,
) -> None:
    """Start a request of the one who asks; its card is the answer, or the workflow's refusal.

    What was ``left_out`` of it is told in private. Where nobody else could read the card nothing
    is started.
    """
    if slack_request.channel_id.startswith(_DIRECT):
        await slack_request.acknowledge()
        policy = await _policy_of(service, operation, container)
        asked = slack_request.asked or brief_line(operation, container.name)
        await slack_request.tell(replies.nobody_here(asked, policy, slack_request.user_id))
        return
    receipt = await service.submit(
        slack_request.actor,
        operation,
        container,
        reason=reason,
        channel_id=slack_request.channel_id,
        key=slack_request.key,
        in_place=in_place,
    )
    if receipt is None:
        # Who asked hears of the copy that started it.
        await slack_request.acknowledge()
        return
    follow(slack_request, receipt, Act.START)
    if left_out:
        await slack_request.tell(replies.left_out(left_out))
    await slack_request.acknowledge()


async def _policy_of(
    service: Service, operation: OperationSpec, container: ContainerRef
) -> Policy | None:
    """Find out by which policy something would be decided; ``None`` where that is not known."""
    try:
        found = await service.look(container.host, container.name)
    except BotError:
        return None
    rules = (rule for rule in found.rules or () if operation.kind in rule.kinds)
    return next((rule.policy for rule in rules), None)


def report(error: Exception, asked: str = "", **ids: str) -> Reply:
    """Log an unexpected error and give the words for it; both carry the same id."""
    error_id = uuid.uuid4().hex[:8]
    _log.error("unexpected error", exc_info=error, extra={"error_id": error_id, **ids})
    return replies.unexpected(error_id, asked)


async def _tell(slack_request: SlackRequest, reply: Reply) -> None:
    try:
        await slack_request.tell(reply)
    except Exception as error:  # noqa: BLE001 - Slack is away: nobody is left to be told
        _log.warning("no answer reached Slack", extra={**_ids(slack_request), "why": repr(error)})


def _ids(slack_request: SlackRequest) -> dict[str, str]:
    return {
        "kind": slack_request.kind,
        "user": slack_request.user_id,
        "team": slack_request.team_id,
        "channel": slack_request.channel_id,
    }
