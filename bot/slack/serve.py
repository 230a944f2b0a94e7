"""How does the bot run, from the first call to Slack to its last answer?"""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from functools import partial

import aiohttp
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from temporalio.client import Client
from temporalio.service import RPCError

from bot import health
from bot.service import Service
from bot.settings import Settings, SlackMode
from bot.slack.app import Identity, build_app, identify
from bot.slack.clicks import ClickRate
from bot.slack.client import refusal, slack_client
from bot.slack.follow_up import FollowUps
from bot.slack.listener import ListenerRunner
from bot.slack.transport import HttpTransport, SocketTransport, Transport
from bot.temporal import client as temporal
from bot.temporal.client import bounded
from bot.temporal.errors import TemporalCall, TemporalMisconfiguredError, TemporalUnavailableError
from bot.temporal.requests import RequestClient
from bot.temporal.seals import warn_of_misfits
from workflows.model.text import workflow_url

_log = logging.getLogger(__name__)

_DRAIN_SECONDS = 12.0
_FIRST_WAIT = 1.0
_LONGEST_WAIT = 15.0
_TOKEN_EVERY = 60.0


async def serve_bot(settings: Settings, stop: asyncio.Event) -> None:
    """Serve until ``stop`` is set, then finish what was begun.

    Raises:
        ConfigurationError: the bot cannot start as it is set up.
    """
    client = await temporal.connect_lazily()
    presence = Presence(stop)
    async with (
        aiohttp.ClientSession() as session,
        health.served(
            address=settings.listen,
            port=settings.health_port,
            what_is_wrong=presence.what_is_wrong,
        ),
    ):
        token = settings.slack_bot_token.get_secret_value()
        slack = slack_client(
            token, settings.slack_api_url, session, plain_markup=settings.plain_markup
        )
        identity = await _identify_patiently(slack, stop)
        if identity is None:
            return
        clicks = ClickRate(
            per_request=settings.clicks_per_request, per_person=settings.clicks_per_person
        )
        runner = ListenerRunner(
            session, command=settings.command, limit=clicks, plain_markup=settings.plain_markup
        )
        service = Service(RequestClient(client, keys=settings.seal_keys))
        follow_ups = FollowUps(service, slack, command=settings.command)
        app = build_app(
            identity=identity,
            client=slack,
            signing_secret=settings.slack_signing_secret.get_secret_value(),
            runner=runner,
            service=service,
            follow_ups=follow_ups,
            default_host=settings.default_host,
            workflow_url=partial(workflow_url, settings.temporal_ui_url, client.namespace),
            commands_per_person=settings.commands_per_person,
        )
        presence.transport = transport = _transport(settings, app, slack)
        beside = [asyncio.create_task(presence.watch_token(slack))]
        if await _warm_up(client):
            # People need not wait until each host was asked about.
            comparing = warn_of_misfits(client, settings.seal_keys, default=settings.default_host)
            beside.append(asyncio.create_task(comparing))
        if await _start(transport, stop):
            _log.info(
                "ready",
                extra={
                    "role": "bot",
                    "team": identity.team_id,
                    "mode": settings.slack_mode,
                },
            )
            await stop.wait()
        for task in beside:
            task.cancel()
        await _shut_down(transport, runner)
        await follow_ups.close()


class Presence:
    """Whether people reach the bot, and it them, for who looks from outside."""

    def __init__(self, stop: asyncio.Event) -> None:
        self._stop = stop
        self._refused = ""
        self.transport: Transport | None = None

    def what_is_wrong(self) -> str:
        """Say in words why nobody is served; nothing when people are."""
        if self._stop.is_set():
            return "stopping"
        if self._refused:
            return f"slack: {self._refused}"
        reached = self.transport is not None and self.transport.is_ready
        return "" if reached else "slack: not connected"

    async def watch_token(self, slack: AsyncWebClient) -> None:
        """Ask Slack again and again whether it takes the bot token, which it did at the start."""
        while True:
            await asyncio.sleep(_TOKEN_EVERY)
            try:
                await slack.auth_test()
            except SlackApiError as error:
                # One that has troubles of its own, or is away, says nothing about the token.
                if code := refusal(error):
                    self._take(code)
            except (aiohttp.ClientError, TimeoutError, OSError):
                continue
            else:
                self._take("")

    def _take(self, refused: str) -> None:
        if refused and not self._refused:
            _log.error("Slack refuses the bot token; install the app again", extra={"why": refused})
        elif self._refused and not refused:
            _log.info("Slack takes the bot token again")
        self._refused = refused


def _transport(settings: Settings, app: AsyncApp, slack: AsyncWebClient) -> Transport:
    if settings.slack_mode is SlackMode.HTTP:
        return HttpTransport(
            app,
            signing_secret=settings.slack_signing_secret.get_secret_value(),
            address=settings.listen,
            port=settings.http_port,
        )
    return SocketTransport(
        app,
        app_token=settings.slack_app_token.get_secret_value(),
        web_client=slack,
        ping_seconds=settings.socket_ping_seconds,
    )


async def _identify_patiently(slack: AsyncWebClient, stop: asyncio.Event) -> Identity | None:
    """Ask who the bot is as soon as Slack can be reached; ``None`` when ``stop`` came first."""
    wait = _FIRST_WAIT
    while not stop.is_set():
        try:
            return await identify(slack)
        except (SlackApiError, aiohttp.ClientError, TimeoutError, OSError) as error:
            _log.warning(
                "waiting for Slack; next try in %g s", wait, extra={"address": slack.base_url}
            )
            _log.debug("Slack cannot be reached", extra={"why": repr(error)})
        await _pause(stop, wait)
        wait = min(2 * wait, _LONGEST_WAIT)
    return None


async def _warm_up(client: Client) -> bool:
    """Connect before the first command does; a bot without Temporal serves too, and says so."""
    within = timedelta(seconds=3)
    try:
        await bounded(TemporalCall.READ, client.service_client.check_health(timeout=within), within)
    except (TemporalUnavailableError, TemporalMisconfiguredError, RPCError) as error:
        _log.warning(
            "Temporal does not answer; commands are refused until it does",
            extra={"address": client.service_client.config.target_host},
        )
        _log.debug("Temporal cannot be reached", extra={"why": str(error.__cause__ or error)})
        return False
    return True


async def _start(transport: Transport, stop: asyncio.Event) -> bool:
    """Start the transport; false when ``stop`` was set before it served."""
    starting = asyncio.create_task(transport.start())
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait((starting, stopping), return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if not starting.done():
        starting.cancel()
        return False
    starting.result()
    return True


async def _shut_down(transport: Transport, runner: ListenerRunner) -> None:
    _log.info("stopping", extra={"role": "bot"})
    await transport.stop_listening()
    if not await runner.drain(_DRAIN_SECONDS):
        _log.warning("gave up on answers that take too long")
    await transport.close()


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return
