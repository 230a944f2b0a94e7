"""How do tests submit forms of the local Slack, and wait for what it shows, without a browser?"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import aiohttp


class SlackPage:
    """The web page of the local Slack, without the browser."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._url = url
        self._reading: asyncio.Task[None] | None = None
        self._changed = asyncio.Condition()
        self.changes = 0
        self.frames: list[dict[str, Any]] = []

    async def open(self) -> None:
        """Connect, and keep every frame that comes but the log's."""
        self._socket = await self._session.ws_connect(self._url, max_msg_size=0)
        self._reading = asyncio.create_task(self._read())

    async def close(self) -> None:
        """Disconnect."""
        await self._socket.close()
        if self._reading is not None:
            self._reading.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._reading

    async def submit(self, user: str, values: dict[str, Any]) -> None:
        """Submit the open form: ``values`` is ``{block_id: {action_id: {"value": …}}}``."""
        await self._socket.send_json({"t": "view_submit", "user": user, "values": values})

    async def close_form(self, user: str) -> None:
        """Close the open form without submitting it."""
        await self._socket.send_json({"t": "view_close", "user": user})

    async def wait_for_change(self, since: int) -> None:
        """Wait until more frames came than ``since``."""
        async with self._changed:
            await self._changed.wait_for(lambda: self.changes > since)

    async def frame(
        self,
        kind: str,
        *,
        after: int = 0,
        timeout: float = 20,  # noqa: ASYNC109 - a wait for a condition names its own bound
    ) -> dict[str, Any]:
        """Wait for a frame of a kind (``view``, ``view_errors``, ``home``), newest first."""

        async def look() -> dict[str, Any]:
            while True:
                changes = self.changes
                fitting = [f for f in self.frames[after:] if f["t"] == kind]
                if fitting:
                    return fitting[-1]
                await self.wait_for_change(changes)

        return await asyncio.wait_for(look(), timeout)

    async def _read(self) -> None:
        async for received in self._socket:
            frame = received.json()
            if frame["t"] == "log":
                continue
            async with self._changed:
                self.frames.append(frame)
                self.changes += 1
                self._changed.notify_all()
