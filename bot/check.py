"""Is everything that Dockwarden needs there, and what is to do if not?"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

import aiohttp
from slack_sdk.errors import SlackApiError
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from bot import settings as bot_settings
from bot.book_check import (
    BookReport,
    PolicyCheck,
    about_approvers,
    about_hosts,
    about_the_book,
    about_the_control_workers,
)
from bot.finding import Finding
from bot.parts import Part
from bot.secrets import mistaken, variable
from bot.settings import ConfigurationError, Settings, SlackMode
from bot.slack.client import refusal, slack_client
from bot.temporal import client as temporal
from bot.temporal.errors import BotError
from bot.temporal.hosts import Hosts, HostStanding, engine_words, service_words
from bot.temporal.seals import how_seals_fit
from workflows.model.names import SEARCH_ATTRIBUTES, engine_workflow_id

_WITHIN = timedelta(seconds=5)
#: The histories are read to find a card again whose posting was not answered.
_SCOPES = (
    "commands",
    "chat:write",
    "im:write",
    "users:read",
    "channels:history",
    "groups:history",
    "im:history",
)
_TROUBLES = "Slack has troubles of its own; try again"
#: As far back as people can list requests, and what they are better kept for.
_SHORTEST_KEPT = timedelta(days=7)
_DAYS_TO_KEEP = 30
_GROUP_SCOPE = "usergroups:read"


class EngineReport(Protocol):
    """What a worker says of its engine: whether it can be used, and in words how it is."""

    @property
    def usable(self) -> bool:
        """Whether it can be used as it is."""

    @property
    def words(self) -> str:
        """How it is, or what is wrong, in one line."""


#: Asks the engine at an address how it is, and whether its disk has so many MB left.
DockerCheck = Callable[[str, int, Path | None], EngineReport]


async def run_checks(
    settings: Settings,
    parts: frozenset[Part],
    docker_check: DockerCheck,
    policy_check: PolicyCheck,
) -> list[Finding]:
    """Check the given parts, in an order in which people mend them."""
    book = policy_check(settings.policies)
    checks: dict[Part, Callable[[], Awaitable[list[Finding]]]] = {
        Part.SETTINGS: _settings,
        Part.POLICIES: lambda: _policies(settings, book),
        Part.SLACK: lambda: _slack(settings, book),
        Part.TEMPORAL: lambda: _temporal(settings, book),
        Part.DOCKER: lambda: _docker(settings, docker_check),
    }
    findings: list[Finding] = []
    for part, check in checks.items():
        if part in parts:
            findings += await check()
    return findings


async def _settings() -> list[Finding]:
    unknown = bot_settings.unknown_variables()
    if unknown:
        return [Finding(False, "settings", words) for words in unknown]
    return [Finding(True, "settings", "all known")]


async def _policies(settings: Settings, book: BookReport) -> list[Finding]:
    return about_the_book(settings, book)


async def _slack(settings: Settings, book: BookReport) -> list[Finding]:
    findings = await _bot_token(settings, book)
    if settings.slack_mode is SlackMode.HTTP:
        return [*findings, _signing_secret(settings)]
    return [*findings, await _socket(settings)]


async def _bot_token(settings: Settings, book: BookReport) -> list[Finding]:
    thing = "Slack token"
    token = settings.slack_bot_token.get_secret_value()
    if wrong := _not_what_it_is_called(settings, "slack_bot_token", thing):
        return [wrong]
    async with aiohttp.ClientSession() as session:
        client = slack_client(token, settings.slack_api_url, session)
        try:
            answer = await client.auth_test()
        except SlackApiError as error:
            code = refusal(error)
            words = f"Slack refuses it ({code}): copy it anew from the page of the installed app"
            return [Finding(False, thing, words if code else _TROUBLES)]
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            words = f"{settings.slack_api_url} cannot be reached ({type(error).__name__})"
            return [Finding(False, "Slack", words)]
        who = f"{answer.get('user')} in {answer.get('team')} ({answer.get('team_id')})"
        scopes = _scopes(book, answer.headers)
        return [Finding(True, thing, who), scopes, *await about_approvers(book, client)]


def _not_what_it_is_called(settings: Settings, field: str, thing: str) -> Finding | None:
    """Find a secret that is missing, or stands in another one's place."""
    secret: str = getattr(settings, field).get_secret_value()
    if not secret:
        return Finding(False, thing, f"{variable(field)} is not set")
    words = mistaken(settings, field)
    return Finding(False, thing, words) if words else None


def _scopes(book: BookReport, headers: dict[str, str]) -> Finding:
    lower = {name.lower(): value for name, value in headers.items()}
    if "x-oauth-scopes" not in lower:
        return Finding(True, "Slack scopes", "not told by this server")
    given = {scope.strip() for scope in lower["x-oauth-scopes"].split(",")}
    missing = [
        scope
        for scope in (*_SCOPES, *((_GROUP_SCOPE,) if book.uses_groups else ()))
        if scope not in given
    ]
    if missing:
        words = f"missing {', '.join(missing)}: add them to the app and install it again"
        return Finding(False, "Slack scopes", words)
    return Finding(True, "Slack scopes", "all there")


async def _socket(settings: Settings) -> Finding:
    thing = "Socket Mode"
    if wrong := _not_what_it_is_called(settings, "slack_app_token", thing):
        return wrong
    async with aiohttp.ClientSession() as session:
        client = slack_client("", settings.slack_api_url, session)
        app_token = settings.slack_app_token.get_secret_value()
        try:
            await client.apps_connections_open(app_token=app_token)
        except SlackApiError as error:
            code = refusal(error)
            words = (
                f"Slack refuses the app-level token ({code}); it needs the scope connections:write"
            )
            return Finding(False, thing, words if code else _TROUBLES)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return Finding(False, thing, f"cannot be reached ({type(error).__name__})")
    return Finding(True, thing, "connections can be opened")


def _signing_secret(settings: Settings) -> Finding:
    thing = "signing secret"
    wrong = _not_what_it_is_called(settings, "slack_signing_secret", thing)
    return wrong or Finding(True, thing, "set")


async def _temporal(settings: Settings, book: BookReport) -> list[Finding]:
    try:
        config = temporal.connection()
        async with asyncio.timeout(_WITHIN.total_seconds()):
            client = await Client.connect(**config)
    except ConfigurationError as error:
        return [Finding(False, "Temporal", str(error))]
    except (RuntimeError, ValueError, TimeoutError):
        address = config["target_host"]
        words = f"{address} does not answer; start Temporal, or set TEMPORAL_ADDRESS"
        if config.get("tls"):
            words += "; if its certificates and ours (TEMPORAL_TLS_…) do not fit, its log says so"
        return [Finding(False, "Temporal", words)]
    records = await _records(client)
    if records is None:
        words = (
            f"{config['target_host']} has no namespace {client.namespace}; create it with: "
            f"temporal operator namespace create --namespace {client.namespace} "
            f"--retention {_DAYS_TO_KEEP}d"
        )
        return [Finding(False, "Temporal", words)]
    reached = Finding(True, "Temporal", f"{config['target_host']}, namespace {client.namespace}")
    attributes = await _search_attributes(client)
    books = await about_the_control_workers(client, settings, book)
    hosts = await _hosts(client, settings, book)
    seals = await how_seals_fit(client, settings.seal_keys, default=settings.default_host)
    found = [Finding(right, "seal key", words) for right, words in seals]
    return [reached, records, attributes, *books, *hosts, *found]


async def _hosts(client: Client, settings: Settings, book: BookReport) -> list[Finding]:
    """Say which hosts there are; that nobody serves one is wrong where commands mean it."""
    try:
        standings = await Hosts(client).standings(default=settings.default_host)
    except BotError as error:
        return [Finding(False, "hosts", f"cannot be listed: {error}")]
    if not any(one.engines or one.workers for one in standings):
        words = "none has announced itself yet; each docker worker does so when it starts"
        return [Finding(True, "hosts", words)]
    known = [one.host for one in standings if one.engines or one.workers]
    return [*(_host(one, client.namespace) for one in standings), *about_hosts(book, known)]


def _host(standing: HostStanding, namespace: str) -> Finding:
    engines = "; ".join(map(engine_words, standing.engines)) or "no engine announced"
    words = f"{engines}; {service_words(standing, datetime.now(UTC))}"
    if standing.workers:
        words += f" ({', '.join(standing.workers)})"
    elif standing.is_default:
        words += (
            f": commands that name no host mean it ({variable('default_host')}); start dockwarden "
            f"worker --host {standing.host} there"
        )
    elif standing.engines:
        record = engine_workflow_id(standing.engines[0].engine_id)
        words += (
            "; if the host is gone for good: temporal workflow terminate --namespace "
            f"{namespace} --workflow-id {record}"
        )
    right = bool(standing.workers) or not standing.is_default
    return Finding(right, f"host {standing.host}", words)


async def _records(client: Client) -> Finding | None:
    """Look how long Temporal keeps what is over; ``None`` when the namespace is missing."""
    thing = "records"
    try:
        answer = await client.workflow_service.describe_namespace(
            DescribeNamespaceRequest(namespace=client.namespace), timeout=_WITHIN
        )
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return None
        return Finding(True, thing, "this server does not tell how long it keeps them")
    kept = answer.config.workflow_execution_retention_ttl.ToTimedelta()
    words = f"kept for {kept.days} {'day' if kept.days == 1 else 'days'}"
    if kept >= _SHORTEST_KEPT:
        return Finding(True, thing, words)
    command = (
        f"temporal operator namespace update --namespace {client.namespace} "
        f"--retention {_DAYS_TO_KEEP}d"
    )
    words += f": `requests recent`, `status` and Request again end there; run: {command}"
    return Finding(False, thing, words)


async def _search_attributes(client: Client) -> Finding:
    thing = "search attributes"
    try:
        answer = await client.operator_service.list_search_attributes(
            ListSearchAttributesRequest(namespace=client.namespace), timeout=_WITHIN
        )
    except RPCError as error:
        if error.status in (RPCStatusCode.UNIMPLEMENTED, RPCStatusCode.PERMISSION_DENIED):
            return Finding(True, thing, "this server does not list them; see that all five exist")
        return Finding(False, thing, f"namespace {client.namespace}: {error.message}")
    keyword = IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD
    missing = [
        key.name for key in SEARCH_ATTRIBUTES if answer.custom_attributes.get(key.name) != keyword
    ]
    if not missing:
        return Finding(True, thing, "all five there")
    names = " ".join(f"--name {name} --type Keyword" for name in missing)
    command = f"temporal operator search-attribute create --namespace {client.namespace} {names}"
    return Finding(False, thing, f"missing; run: {command}")


async def _docker(settings: Settings, docker_check: DockerCheck) -> list[Finding]:
    report = await asyncio.to_thread(
        docker_check, settings.docker_host, settings.min_free_mb, settings.data_root
    )
    return [Finding(report.usable, "Docker", report.words)]
