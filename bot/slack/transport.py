"""How do deliveries reach the bot, and how does it go on when a connection dies?"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections import OrderedDict
from typing import Protocol

import aiohttp
from aiohttp import web
from slack_bolt import BoltResponse
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.adapter.socket_mode.async_internals import run_async_bolt_app, send_async_response
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.signature import SignatureVerifier
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.web.async_client import AsyncWebClient

from bot.counted import CountedLine, server_log
from bot.settings import ConfigurationError
from bot.slack.client import refusal

_log = logging.getLogger(__name__)
# The client logs each failed attempt with its trace; the watchdog says the same in one line.
_sdk_log = logging.getLogger("slack_sdk.socket")
_sdk_log.setLevel(logging.CRITICAL)

_NOT_YET = "Slack is not reachable yet; its sockets are tried again and again"
HTTP_PATH = "/slack/events"
_CONNECTIONS = 2
_REMEMBERED = 1000
#: So many checks in a row must fail before a connection's address is thrown away.
_PATIENCE = 2
#: What Slack sends, without a signature, to see whether a certificate is good.
_SSL_CHECK = re.compile(rb"(?:^|&)ssl_check=1(?:&|$)")


class Transport(Protocol):
    """One way between Slack and the bot."""

    async def start(self) -> None:
        """Serve, as soon as Slack can be reached."""

    async def stop_listening(self) -> None:
        """Take no new deliveries; those under way are still answered."""

    async def close(self) -> None:
        """Give all connections back."""

    @property
    def is_ready(self) -> bool:
        """Whether deliveries can arrive now."""


class SocketTransport:
    """Socket Mode over two connections, so that deliveries arrive while one is renewed."""

    def __init__(
        self,
        app: AsyncApp,
        *,
        app_token: str,
        web_client: AsyncWebClient,
        ping_seconds: float,
    ) -> None:
        self._app = app
        self._app_token = app_token
        self._web_client = web_client
        self._ping_seconds = ping_seconds
        self._clients: list[SocketModeClient] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._answers: OrderedDict[str, asyncio.Task[BoltResponse]] = OrderedDict()
        self._listening = True

    async def start(self) -> None:
        """Connect; return when the first connection stands.

        Raises:
            ConfigurationError: Slack refuses the app-level token.
        """
        await self._check_token()
        for _ in range(_CONNECTIONS):
            client = SocketModeClient(
                app_token=self._app_token,
                web_client=self._web_client,
                ping_interval=self._ping_seconds,
                logger=_sdk_log,
            )
            client.socket_mode_request_listeners.append(self._handle)
            self._clients.append(client)
        connecting = [
            asyncio.create_task(client.connect())  # type: ignore[no-untyped-call] # slack_sdk's
            for client in self._clients
        ]
        self._tasks = [*connecting, asyncio.create_task(self._watch())]
        await asyncio.wait(connecting, return_when=asyncio.FIRST_COMPLETED)

    async def stop_listening(self) -> None:
        """Ignore new envelopes: another bot answers them, or Slack tells the person."""
        self._listening = False

    async def close(self) -> None:
        """Send what is answered, then close the connections."""
        if self._answers:
            await asyncio.wait(self._answers.values(), timeout=1)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for client in self._clients:
            await client.close()  # type: ignore[no-untyped-call] # slack_sdk's

    @property
    def is_ready(self) -> bool:
        """Whether at least one connection stands."""
        return any(_is_open(client) for client in self._clients)

    async def _check_token(self) -> None:
        try:
            await self._web_client.apps_connections_open(app_token=self._app_token)
        except SlackApiError as error:
            code = refusal(error)
            if not code:
                _log.warning(_NOT_YET)
                return
            message = (
                f"Slack refuses the app-level token ({code}): set "
                "DOCKWARDEN_SLACK_APP_TOKEN to an xapp-… token with the scope connections:write"
            )
            raise ConfigurationError(message) from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            _log.warning(_NOT_YET)
            _log.debug("Slack cannot be reached", extra={"why": repr(error)})

    async def _handle(self, client: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        """Answer an envelope; one that came over both connections is worked on once."""
        if not self._listening:
            return
        answer = self._answers.get(request.envelope_id)
        if answer is None:
            answer = asyncio.create_task(run_async_bolt_app(self._app, request))
            self._answers[request.envelope_id] = answer
            if len(self._answers) > _REMEMBERED:
                self._answers.popitem(last=False)
        response = await answer
        try:
            await send_async_response(client, request, response, time.time())
        except Exception as error:  # noqa: BLE001 - the other connection sends the same answer
            _log.warning("answer not sent", extra={"why": type(error).__name__})
            _log.debug("answer not sent", extra={"why": repr(error)})

    async def _watch(self) -> None:
        """Get a fresh address for a connection that stays down.

        The client tries the same address for ever, and Slack's addresses expire.
        """
        misses = [0] * len(self._clients)
        are_down = False
        while True:
            await asyncio.sleep(self._ping_seconds)
            for number, client in enumerate(self._clients):
                connected = await client.is_connected()
                misses[number] = 0 if connected else misses[number] + 1
                if misses[number] >= _PATIENCE:
                    _log.debug("a new address is asked for", extra={"socket": number})
                    client.wss_uri = None
                    misses[number] = 0
                    if not are_down and not self.is_ready:
                        are_down = True
                        wait = _PATIENCE * self._ping_seconds
                        _log.warning("no socket to Slack stands; next try in %g s", wait)
            if are_down and self.is_ready:
                are_down = False
                _log.info("a socket to Slack stands again")


class HttpTransport:
    """Slack calls us; nothing of a call is read before its signature is known to be right."""

    def __init__(self, app: AsyncApp, *, signing_secret: str, address: str, port: int) -> None:
        self._app = app
        self._signatures = SignatureVerifier(signing_secret)
        self._forged = CountedLine(_log, "refused: bad signature")
        self._address = address
        self._port = port
        web_app = web.Application()
        web_app.add_routes([web.post(HTTP_PATH, self._handle)])
        self._runner = web.AppRunner(
            web_app, access_log=None, logger=server_log(_log), shutdown_timeout=5
        )
        self._site: web.TCPSite | None = None

    async def start(self) -> None:
        """Open the port.

        Raises:
            ConfigurationError: it is taken.
        """
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._address, self._port)
        try:
            await site.start()
        except OSError as error:
            await self._runner.cleanup()
            message = (
                f"DOCKWARDEN_HTTP_PORT: {self._address}:{self._port} cannot be opened "
                f"({error.strerror})"
            )
            raise ConfigurationError(message) from error
        self._site = site

    async def stop_listening(self) -> None:
        """Close the port; calls under way go on."""
        if self._site is not None:
            await self._site.stop()
            self._site = None

    async def close(self) -> None:
        """Give the server back."""
        await self._runner.cleanup()

    @property
    def is_ready(self) -> bool:
        """Whether the port is open."""
        return self._site is not None

    @property
    def port(self) -> int:
        """The port that is open, also when a free one was asked for."""
        return int(self._runner.addresses[0][1])

    async def _handle(self, request: web.Request) -> web.Response:
        body = await request.read()
        if not self._is_slacks(body, request):
            if _SSL_CHECK.search(body):
                return web.Response()
            self._forged.note(remote=request.remote)
            return web.json_response({"error": "invalid request"}, status=401)
        response = await self._app.async_dispatch(await to_bolt_request(request))
        return await to_aiohttp_response(response)

    def _is_slacks(self, body: bytes, request: web.Request) -> bool:
        """Whether Slack signed a call just now. bolt asks too, but has read and logged it then."""
        try:
            return self._signatures.is_valid_request(body, dict(request.headers))
        except (ValueError, TypeError):
            # A time that is no number, or letters that are in no body and no signature of Slack's.
            return False


def _is_open(client: SocketModeClient) -> bool:
    session = client.current_session
    return session is not None and not session.closed
