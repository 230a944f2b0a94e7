"""Does the process live, and does it serve; if not, what is in the way?"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiohttp import web

from bot.counted import server_log
from bot.settings import ConfigurationError

_log = logging.getLogger(__name__)


@asynccontextmanager
async def served(
    *, address: str, port: int, what_is_wrong: Callable[[], str]
) -> AsyncIterator[None]:
    """Answer ``/livez`` and ``/readyz`` meanwhile; with port 0 nothing is opened.

    ``what_is_wrong`` says in words why the process does not serve; nothing when it does.

    Raises:
        ConfigurationError: the port is taken.
    """
    if not port:
        yield
        return

    async def livez(_request: web.Request) -> web.Response:
        return web.Response(text="alive\n")

    async def readyz(_request: web.Request) -> web.Response:
        words = what_is_wrong()
        return web.Response(text=f"{words or 'ready'}\n", status=503 if words else 200)

    app = web.Application()
    app.add_routes([web.get("/livez", livez), web.get("/readyz", readyz)])
    runner = web.AppRunner(app, access_log=None, logger=server_log(_log))
    await runner.setup()
    try:
        await web.TCPSite(runner, address, port).start()
    except OSError as error:
        await runner.cleanup()
        message = f"DOCKWARDEN_HEALTH_PORT: {address}:{port} cannot be opened ({error.strerror})"
        raise ConfigurationError(message) from error
    try:
        yield
    finally:
        await runner.cleanup()
