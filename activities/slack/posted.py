"""What of ours is in Slack already, posted by an earlier try?

An answer of Slack can be lost after the message was stored, a worker can die between two messages,
a drawing that was cancelled may have been half done, and Slack knows no idempotency key. So
whatever is posted carries a block id of ours, and a repetition asks Slack for it first.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.slack.client import Answer, call, is_final, lacks_right, not_at_once
from workflows.model.names import card_block_id
from workflows.model.state import CardRef, RequestState

#: So long, in seconds, something is begun within a workflow task, which hears nothing meanwhile.
_AT_ONCE = 1.0
_PAGES = 5
_PAGE_SIZE = 200
#: How far the clocks of Temporal and Slack may be apart.
_CLOCK_SKEW = timedelta(minutes=5)


class Progress:
    """What the tries of one activity have posted, kept in its heartbeat.

    It bridges what Slack may not be asked: without the right to read a channel's history there
    is only this.
    """

    def __init__(self) -> None:
        info = activity.info()
        self.is_repeated = info.attempt > 1
        # One within a workflow task is not watched: it is short, and begins anew with the task.
        self._ends_at = time.monotonic() + _AT_ONCE if info.is_local else None
        self._done = [str(item) for item in info.heartbeat_details]
        self.beat()

    def has(self, item: str) -> bool:
        """Say whether this was posted."""
        return item in self._done

    def beat(self) -> None:
        """Show that the activity is alive, before anything more is sent.

        Raises:
            ApplicationError: it is at work within a workflow task, and has been for long enough.
                What it has sent is never cut off: whoever goes on would not find that in Slack yet.
        """
        if self._ends_at is None:
            activity.heartbeat(*self._done)
        elif time.monotonic() > self._ends_at:
            raise not_at_once()

    def add(self, item: str) -> None:
        """Note that something was posted."""
        self._done.append(item)
        if self._ends_at is None:
            activity.heartbeat(*self._done)

    def add_card(self, channel: str, ts: str) -> None:
        """Note where the card was posted."""
        self.add(f"card:{channel}:{ts}")

    def card(self) -> tuple[str, str] | None:
        """Give the channel and the time stamp of the card that was posted."""
        found = (item.split(":") for item in reversed(self._done) if item.startswith("card:"))
        return next(((channel, ts) for _, channel, ts in found), None)


class Posted:
    """Finds messages of ours in Slack; beats for the activity meanwhile."""

    def __init__(self, client: AsyncWebClient, progress: Progress) -> None:
        self._slack = client
        self._progress = progress

    async def card(self, state: RequestState, *, besides: CardRef | None = None) -> Answer | None:
        """Find the card of a request in its channel, be it not the one at ``besides``."""
        since = state.requested_at - _CLOCK_SKEW
        history = self._pages(
            self._slack.conversations_history,
            "conversations.history",
            channel=state.channel_id,
            oldest=f"{since.timestamp():.6f}",
        )
        wanted = card_block_id(state.request_id)
        async for message in history:
            if wanted in block_ids(message) and not (besides and message["ts"] == besides.ts):
                return message
        return None

    async def replies(self, card: CardRef) -> set[str]:
        """Collect the block ids of all replies to a card."""
        replies = self._pages(
            self._slack.conversations_replies,
            "conversations.replies",
            channel=card.channel_id,
            ts=card.ts,
        )
        return {block_id async for message in replies for block_id in block_ids(message)}

    async def direct(self, user_id: str) -> set[str]:
        """Collect the block ids of what a person was told directly."""
        try:
            opened = await call(self._slack.conversations_open, "conversations.open", users=user_id)
        except ApplicationError as error:
            if not (is_final(error) or lacks_right(error)):
                raise
            return set()
        history = self._pages(
            self._slack.conversations_history,
            "conversations.history",
            channel=opened["channel"]["id"],
        )
        return {block_id async for message in history for block_id in block_ids(message)}

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
                if not (is_final(error) or lacks_right(error)):
                    raise
                activity.logger.warning("%s; a message may be posted twice", error.message)
                return
            for message in page.get("messages") or []:
                yield message
            cursor = (page.get("response_metadata") or {}).get("next_cursor", "")
            if not cursor:
                return


def block_ids(message: Answer) -> list[str]:
    """List the block ids of a message."""
    return [str(block.get("block_id", "")) for block in message.get("blocks") or []]
