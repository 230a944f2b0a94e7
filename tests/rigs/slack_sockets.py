"""How do tests cut the sockets between a bot and the local Slack?"""

from __future__ import annotations

import asyncio
import contextlib

import aiohttp
from aiohttp import web


class SocketRelay:
    """Stands between the two ends of each Socket Mode connection.

    ``refuse`` makes every new connection fail with 403, as a ticket that is used up does.
    """

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session
        self._runner: web.AppRunner | None = None
        self._targets: list[str] = []
        self._open: list[web.Request] = []
        self._changed = asyncio.Condition()
        self._url = ""
        self.refuse = False
        self.connected = 0
        self.refused = 0

    async def open(self) -> None:
        """Listen on a free port of this machine."""
        app = web.Application()
        app.router.add_get("/{ticket}", self._relay)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        host, port = self._runner.addresses[0][:2]
        self._url = f"ws://{host}:{port}"

    async def close(self) -> None:
        """Stop listening, and cut what is connected."""
        self.cut()
        if self._runner is not None:
            await self._runner.cleanup()

    def address_for(self, target: str) -> str:
        """Give the address that leads to ``target`` through this relay."""
        self._targets.append(target)
        return f"{self._url}/{len(self._targets) - 1}"

    def cut(self) -> int:
        """Cut all connections without a word, as a broken network does; count them."""
        cut = [request.transport for request in self._open if request.transport]
        for transport in cut:
            transport.abort()
        return len(cut)

    async def wait_for_connection(self, number: int) -> None:
        """Wait until this many connections were made in all."""
        async with self._changed:
            await self._changed.wait_for(lambda: self.connected >= number)

    async def _relay(self, request: web.Request) -> web.StreamResponse:
        if self.refuse:
            self.refused += 1
            return web.Response(status=403)
        near = web.WebSocketResponse(max_msg_size=0)
        await near.prepare(request)
        self._open.append(request)
        async with self._changed:
            self.connected += 1
            self._changed.notify_all()
        target = self._targets[int(request.match_info["ticket"])]
        try:
            async with self._session.ws_connect(target, max_msg_size=0) as far:
                down = asyncio.create_task(_pump(far, near))
                up = asyncio.create_task(_pump(near, far))
                await asyncio.wait((down, up), return_when=asyncio.FIRST_COMPLETED)
                for pump in (down, up):
                    pump.cancel()
                    with contextlib.suppress(asyncio.CancelledError, ConnectionError):
                        await pump
        finally:
            self._open.remove(request)
            await near.close()
        return near


async def _pump(
    source: web.WebSocketResponse | aiohttp.ClientWebSocketResponse,
    sink: web.WebSocketResponse | aiohttp.ClientWebSocketResponse,
) -> None:
    async for message in source:
        match message.type:
            case aiohttp.WSMsgType.TEXT:
                await sink.send_str(message.data)
            case aiohttp.WSMsgType.BINARY:
                await sink.send_bytes(message.data)
