"""Does the process live, and does it serve?"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiohttp import web

from bot.settings import ConfigurationError


@asynccontextmanager
async def served(*, address: str, port: int, is_ready: Callable[[], bool]) -> AsyncIterator[None]:
    """Answer ``/livez`` and ``/readyz`` meanwhile; with port 0 nothing is opened.

    Raises:
        ConfigurationError: the port is taken.
    """
    if not port:
        yield
        return

    async def livez(_request: web.Request) -> web.Response:
        return web.Response(text="alive\n")

    async def readyz(_request: web.Request) -> web.Response:
        ready = is_ready()
        return web.Response(
            text="ready\n" if ready else "not ready\n", status=200 if ready else 503
        )

    app = web.Application()
    app.add_routes([web.get("/livez", livez), web.get("/readyz", readyz)])
    runner = web.AppRunner(app, access_log=None)
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
