"""Was what somebody did taken up a moment later, and who is told if not?

Temporal keeps every act for good, also when no worker runs, and then nothing at all happens in
Slack: a button seems dead. So the state is asked once, three seconds after an act; when nobody
answers, that person is told in private, once.

A request that goes well gets no words at all: its card is the answer, and a refusal is the
workflow's to tell. Only when three seconds bring neither a line says so, and it gives way once the
card is up. Slack replaces no answer to a command, only one to a click: there what takes its place
stands below it, so both are true by themselves. The address to which they are sent stays in memory,
and nowhere else.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from slack_sdk.web.async_client import AsyncWebClient

from bot.service import Receipt, Service
from bot.slack import uptake_words
from bot.slack.listener import SlackRequest
from bot.slack.mrkdwn import Reply
from bot.slack.uptake_words import Act
from bot.temporal.requests import Uptake
from workflows.model.state import RequestState

_log = logging.getLogger(__name__)

_AFTER = 3.0
#: So many acts are followed at once. Whoever acts in a flood beyond it is not told.
_MOST = 200
#: A line is looked after as long as Slack takes answers to a command, and a little less.
_LOOKED_AFTER = timedelta(minutes=25)
#: Between two looks whether a line can give way.
_LONGEST_PAUSE = 10.0
_GROWS = 1.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What somebody did, by which delivery, and when it was recorded.

    ``channel_id`` is where it can be answered when the delivery has no way back of its own.
    """

    act: Act
    receipt: Receipt
    slack_request: SlackRequest
    channel_id: str
    at: datetime = field(default_factory=lambda: datetime.now(UTC))


class FollowUps:
    """Follows acts. Nobody waits for it: no delivery, and no shutdown."""

    def __init__(
        self, service: Service, client: AsyncWebClient, *, command: str, after: float = _AFTER
    ) -> None:
        self._service = service
        self._client = client
        self._command = command
        self._after = after
        self._tasks: set[asyncio.Task[None]] = set()

    def follow(
        self, slack_request: SlackRequest, receipt: Receipt, act: Act, *, channel_id: str = ""
    ) -> None:
        """Ask in a moment whether an act was taken up."""
        if len(self._tasks) >= _MOST:
            return
        done = Done(
            act=act,
            receipt=receipt,
            slack_request=slack_request,
            channel_id=channel_id or slack_request.channel_id,
        )
        task = asyncio.create_task(self._follow(done))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Give up what is being followed."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _follow(self, done: Done) -> None:
        await asyncio.sleep(self._after)
        ids = {"request_id": done.receipt.address.request_id, "act": done.act}
        try:
            if done.act is Act.START:
                await self._until_answered(done, ids)
                return
            uptake = await self._service.is_taken_up(done.receipt)
            if uptake is not Uptake.TAKEN:
                await self._tell_not_taken_up(done, uptake, ids)
        except Exception as error:  # noqa: BLE001 - nobody waits for it, and the act is recorded
            _log.warning("not followed to its end", extra={**ids, "why": type(error).__name__})

    async def _until_answered(self, done: Done, ids: Mapping[str, str]) -> None:
        """Tell that neither card nor refusal has come, and where the card is once it has."""
        answer = await self._service.answer_to(done.receipt)
        if isinstance(answer, Uptake) and answer is not Uptake.TAKEN:
            await self._tell_not_taken_up(done, answer, ids)
        pause = self._after
        while isinstance(answer, Uptake) and answer is not Uptake.TAKEN:
            is_late = datetime.now(UTC) - done.at > _LOOKED_AFTER
            if is_late or not done.slack_request.has_own_line:
                return
            await asyncio.sleep(pause)
            pause = min(pause * _GROWS, _LONGEST_PAUSE)
            answer = await self._service.answer_to(done.receipt)
        if done.slack_request.has_own_line and isinstance(answer, RequestState):
            told = uptake_words.answered(answer, done.slack_request.asked)
            if told is not None:
                await done.slack_request.tell(told, replace=True)

    async def _tell_not_taken_up(self, done: Done, uptake: Uptake, ids: Mapping[str, str]) -> None:
        _log.warning("not taken up", extra={**ids, "why": uptake})
        reply = uptake_words.not_taken_up(
            done.act,
            uptake,
            done.receipt.address,
            asked=done.slack_request.asked,
            at=done.at,
            command=self._command,
        )
        await self._tell(done, reply)

    async def _tell(self, done: Done, reply: Reply) -> None:
        if done.slack_request.can_be_answered:
            in_place = done.act is Act.START and done.slack_request.has_own_line
            await done.slack_request.tell(reply, replace=in_place)
            return
        await self._client.chat_postEphemeral(
            channel=done.channel_id,
            user=done.slack_request.user_id,
            text=reply.text,
            blocks=reply.blocks,
        )
