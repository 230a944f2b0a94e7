"""How do the card, its thread and private notices get into Slack, each exactly once?

An answer of Slack can be lost after the message was stored, a worker can die between two messages,
a drawing that was cancelled may have been half done, and Slack knows no idempotency key. So
whatever is posted carries a block id of ours, and a repetition asks Slack for it first.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from slack_sdk.models.blocks import Block, SectionBlock
from slack_sdk.web.async_client import AsyncWebClient
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.slack.card import Links, card
from activities.slack.client import Answer, call, refused_with
from activities.slack.mrkdwn import mrkdwn
from activities.slack.refusals import notice
from activities.slack.thread import reply
from workflows.model.names import USER_ID_FORM, card_block_id, thread_block_id
from workflows.model.ports import MessagesPort, Notice, NotifyInput, PublishInput
from workflows.model.state import CardRef, RequestState

_PAGES = 5
_PAGE_SIZE = 200
#: How far the clocks of Temporal and Slack may be apart.
_CLOCK_SKEW = timedelta(minutes=5)
#: Somebody deleted the card, or its channel was emptied.
_CARD_GONE = frozenset({"message_not_found"})
_NOT_IN_CHANNEL = frozenset({"user_not_in_channel", "channel_not_found", "not_in_channel"})
_QUIET = {"unfurl_links": False, "unfurl_media": False}


class Messages(MessagesPort):
    """Writes to Slack.

    Args:
        client: the way to Slack.
        temporal_ui: the address of Temporal's own UI, ``""`` for no links.
        namespace: where Temporal keeps the requests.
        command: the slash command, as the Slack app declares it; advice to people names it.
    """

    def __init__(
        self, client: AsyncWebClient, *, temporal_ui: str, namespace: str, command: str
    ) -> None:
        self._slack = client
        self._links = Links(temporal_ui=temporal_ui, namespace=namespace)
        self._command = command

    @activity.defn(name="publish")
    async def publish(self, arg: PublishInput) -> CardRef:
        """Draw the card and add the replies; safe to repeat."""
        state, progress = arg.state, Progress()
        text, blocks = card(state, self._links, datetime.now(UTC))
        place = await self._draw(state, text, blocks, progress)
        await self._add_replies(arg, place, progress)
        return place

    @activity.defn(name="notify")
    async def notify(self, arg: NotifyInput) -> None:
        """Tell people in private; safe to repeat. One who cannot be told holds nobody else up."""
        progress, refusals = Progress(), list[ApplicationError]()
        for told in arg.notices:
            if progress.has(told.notice_id) or not USER_ID_FORM.fullmatch(told.user_id):
                continue
            try:
                await self._tell(told)
            except ApplicationError as error:
                if not refused_with(error):
                    raise
                activity.logger.warning("one person was not told: %s", error.message)
                refusals.append(error)
            progress.add(told.notice_id)
        if refusals and len(refusals) == len(arg.notices):
            raise refusals[0]

    async def _draw(
        self, state: RequestState, text: str, blocks: list[Block], progress: Progress
    ) -> CardRef:
        if state.card is not None and await self._redraw(state.card, text, blocks):
            return state.card
        progress.beat()
        place = await self._find_card(state, progress)
        if place is not None and await self._redraw(place, text, blocks):
            return place
        progress.beat()
        answer = await call(
            self._slack.chat_postMessage,
            "chat.postMessage",
            channel=state.channel_id,
            text=text,
            blocks=blocks,
            **_QUIET,
        )
        progress.add_card(answer["channel"], answer["ts"])
        return await self._with_link(answer["channel"], answer["ts"])

    async def _redraw(self, place: CardRef, text: str, blocks: list[Block]) -> bool:
        """Replace the content of the card; false says that it is gone."""
        try:
            await call(
                self._slack.chat_update,
                "chat.update",
                channel=place.channel_id,
                ts=place.ts,
                text=text,
                blocks=blocks,
            )
        except ApplicationError as error:
            if refused_with(error) not in _CARD_GONE:
                raise
            return False
        return True

    async def _find_card(self, state: RequestState, progress: Progress) -> CardRef | None:
        """Find the card that an earlier try posted, if there was one."""
        if _is_first(state, progress):
            return None
        known = progress.card()
        if known is not None:
            return await self._with_link(*known)
        ts = await Posted(self._slack, progress).card(state)
        return await self._with_link(state.channel_id, ts) if ts else None

    async def _add_replies(self, arg: PublishInput, card: CardRef, progress: Progress) -> None:
        if not arg.thread:
            return
        is_new = _is_first(arg.state, progress)
        posted = set() if is_new else await Posted(self._slack, progress).replies(card)
        for entry in arg.thread:
            block_id = thread_block_id(arg.state.request_id, entry.key)
            if progress.has(entry.key) or block_id in posted:
                continue
            written = reply(arg.state, entry)
            progress.beat()
            await call(
                self._slack.chat_postMessage,
                "chat.postMessage",
                channel=card.channel_id,
                thread_ts=card.ts,
                text=written.text,
                blocks=written.blocks,
                reply_broadcast=written.broadcast,
                **_QUIET,
            )
            progress.add(entry.key)

    async def _with_link(self, channel: str, ts: str) -> CardRef:
        """Complete a card's position with its link, which is worth no failure."""
        try:
            answer = await call(
                self._slack.chat_getPermalink,
                "chat.getPermalink",
                channel=channel,
                message_ts=ts,
            )
        except ApplicationError as error:
            activity.logger.warning("the card has no link: %s", error.message)
            return CardRef(channel_id=channel, ts=ts)
        return CardRef(channel_id=channel, ts=ts, permalink=str(answer.get("permalink") or ""))

    async def _tell(self, told: Notice) -> None:
        """Tell one person in the channel, or directly when the person is not in it."""
        text = notice(told.refusal, told.state, command=self._command)
        blocks = [SectionBlock(block_id=f"notice.{told.notice_id}", text=mrkdwn(text))]
        try:
            await call(
                self._slack.chat_postEphemeral,
                "chat.postEphemeral",
                channel=told.channel_id,
                user=told.user_id,
                text=text,
                blocks=blocks,
            )
        except ApplicationError as error:
            if refused_with(error) not in _NOT_IN_CHANNEL:
                raise
        else:
            return
        await call(
            self._slack.chat_postMessage,
            "chat.postMessage",
            channel=told.user_id,
            text=text,
            blocks=blocks,
            **_QUIET,
        )


class Posted:
    """Finds messages of ours in Slack; beats for the activity meanwhile."""

    def __init__(self, client: AsyncWebClient, progress: Progress) -> None:
        self._slack = client
        self._progress = progress

    async def card(self, state: RequestState) -> str:
        """Find the time stamp of a request's card in its channel; ``""`` when there is none."""
        since = state.requested_at - _CLOCK_SKEW
        history = self._pages(
            self._slack.conversations_history,
            "conversations.history",
            channel=state.channel_id,
            oldest=f"{since.timestamp():.6f}",
        )
        wanted = card_block_id(state.request_id)
        async for message in history:
            if wanted in _block_ids(message):
                return str(message["ts"])
        return ""

    async def replies(self, card: CardRef) -> set[str]:
        """Collect the block ids of all replies to a card."""
        replies = self._pages(
            self._slack.conversations_replies,
            "conversations.replies",
            channel=card.channel_id,
            ts=card.ts,
        )
        return {block_id async for message in replies for block_id in _block_ids(message)}

    async def _pages(
        self,
        method: Callable[..., Any],
        name: str,
        **arguments: str,
    ) -> AsyncIterator[Answer]:
        """Read messages page by page; without the right to read there are none."""
        cursor = ""
        for _ in range(_PAGES):
            self._progress.beat()
            try:
                page = await call(method, name, limit=_PAGE_SIZE, cursor=cursor, **arguments)
            except ApplicationError as error:
                if not refused_with(error):
                    raise
                activity.logger.warning("%s; a message may be posted twice", error.message)
                return
            for message in page.get("messages") or []:
                yield message
            cursor = (page.get("response_metadata") or {}).get("next_cursor", "")
            if not cursor:
                return


class Progress:
    """What the tries of one activity have posted, kept in its heartbeat.

    It bridges what Slack may not be asked: without the right to read a channel's history there
    is only this.
    """

    def __init__(self) -> None:
        info = activity.info()
        self.is_repeated = info.attempt > 1
        self._done = [str(item) for item in info.heartbeat_details]
        self.beat()

    def has(self, item: str) -> bool:
        """Say whether this was posted."""
        return item in self._done

    def beat(self) -> None:
        """Show that the activity is alive."""
        activity.heartbeat(*self._done)

    def add(self, item: str) -> None:
        """Note that something was posted."""
        self._done.append(item)
        self.beat()

    def add_card(self, channel: str, ts: str) -> None:
        """Note where the card was posted."""
        self.add(f"card:{channel}:{ts}")

    def card(self) -> tuple[str, str] | None:
        """Give the channel and the time stamp of the card that was posted."""
        found = (item.split(":") for item in reversed(self._done) if item.startswith("card:"))
        return next(((channel, ts) for _, channel, ts in found), None)


def _is_first(state: RequestState, progress: Progress) -> bool:
    """Tell whether nothing of the request can be in Slack yet.

    The last word about one that was ended while its card was being posted knows of no card.
    """
    return state.card is None and not state.closed and not progress.is_repeated


def _block_ids(message: Answer) -> list[str]:
    return [str(block.get("block_id", "")) for block in message.get("blocks") or []]
