"""What happens to a listener that fails, is slow, or still works when the program ends?"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
from slack_bolt.async_app import AsyncAck

from bot.slack import replies
from bot.slack.listener import Exchange
from bot.slack.mrkdwn import Reply
from bot.temporal.errors import BotError

_log = logging.getLogger(__name__)

Listener = Callable[[Exchange], Awaitable[None]]
BoltListener = Callable[[dict[str, Any], AsyncAck], Awaitable[None]]

#: Slack waits three seconds; a listener that needs longer is acknowledged before.
ACKNOWLEDGE_WITHIN = 2.6


class Guard:
    """Runs listeners so that none lets an exception reach bolt and each is answered in time."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        command: str,
        acknowledge_within: float = ACKNOWLEDGE_WITHIN,
    ) -> None:
        self.command = command
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
                await self._run(listener, Exchange(body, ack, self._session))
            finally:
                self._running -= 1
                if not self._running:
                    self._idle.set()

        return run

    async def drain(self, seconds: float) -> bool:
        """Wait until no listener works any more; false when some still do."""
        try:
            await asyncio.wait_for(self._idle.wait(), seconds)
        except TimeoutError:
            return False
        return True

    async def _run(self, listener: Listener, exchange: Exchange) -> None:
        late = asyncio.create_task(self._acknowledge_late(exchange))
        try:
            await listener(exchange)
        except BotError as error:
            _log.warning("not done", extra={**_ids(exchange), "why": str(error)})
            await _tell(exchange, replies.failure(error, self.command))
        except Exception as error:  # noqa: BLE001 - the one place where it becomes words
            await _tell(exchange, report(error, **_ids(exchange)))
        finally:
            late.cancel()
            await exchange.acknowledge()

    async def _acknowledge_late(self, exchange: Exchange) -> None:
        await asyncio.sleep(self._acknowledge_within)
        if not exchange.acknowledged:
            await _tell(exchange, replies.slow())


def report(error: Exception, **ids: str) -> Reply:
    """Log an unexpected error and give the words for it; both carry the same id."""
    error_id = uuid.uuid4().hex[:8]
    _log.error("unexpected error", exc_info=error, extra={"error_id": error_id, **ids})
    return replies.unexpected(error_id)


async def _tell(exchange: Exchange, reply: Reply) -> None:
    try:
        await exchange.tell(reply)
    except Exception as error:  # noqa: BLE001 - Slack is away: nobody is left to be told
        _log.warning("no answer reached Slack", extra={**_ids(exchange), "why": repr(error)})


def _ids(exchange: Exchange) -> dict[str, str]:
    return {
        "kind": exchange.kind,
        "user": exchange.user_id,
        "team": exchange.team_id,
        "channel": exchange.channel_id,
    }
