"""A bot on a stub of Slack, with a gateway that notes what it is asked for."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import aiohttp
from slack_bolt.async_app import AsyncApp, AsyncBoltRequest

from bot.service import Service
from bot.settings import Settings
from bot.slack.app import build_app, identify
from bot.slack.clicks import ClickRate
from bot.slack.client import slack_client
from bot.slack.follow_up import FollowUps
from bot.slack.listener import ListenerRunner
from bot.slack.rates import Clock
from bot.temporal.errors import RequestSummary
from bot.temporal.hosts import HostStanding
from bot.temporal.requests import RequestClient, Uptake
from bot.temporal.visibility import RequestPage
from tests.fakes.slack_stub import TEAM, SlackStub
from workflows.host_query import HostQueryResult
from workflows.model.hosts import Announcement
from workflows.model.listing import EVERY, Wanted
from workflows.model.names import RequestAddress, button_value
from workflows.model.requests import (
    ContainerRef,
    Decision,
    Instruction,
    LifecycleRequest,
    OperationSpec,
)
from workflows.model.state import RequestState, RequestStatus

REQUEST = "3f9a1c2b4d5e"
ADDRESS = RequestAddress(request_id=REQUEST, host="local", container="web-1")
BUTTON = button_value(ADDRESS)
DEFAULTS = Settings()
_triggers = itertools.count(1)


def summary(**changes: Any) -> RequestSummary:
    """Describe a request that waits."""
    facts: dict[str, Any] = {
        "request_id": REQUEST,
        "status": "waiting",
        "host": "local",
        "container": "web-1",
        "requester": "U0ALICE",
        "workflow_id": "request/local/web-1",
        "run_id": "run",
        "started_at": datetime.now(UTC),
        "open": True,
    }
    return RequestSummary(**{**facts, **changes})


def state(**changes: Any) -> RequestState:
    """Describe a request that expired."""
    facts: dict[str, Any] = {
        "request_id": REQUEST,
        "status": RequestStatus.EXPIRED,
        "operation": OperationSpec(kind="stop", snapshot=True, grace_seconds=7),
        "container": ContainerRef(host="local", name="web-1"),
        "requester": "U0ALICE",
        "team_id": TEAM,
        "channel_id": "C0OPS",
        "reason": "because",
        "requested_at": datetime.now(UTC),
        "workflow_id": "request/local/web-1",
    }
    return RequestState(**{**facts, **changes})


class FakeVisibility:
    """Lists the same request always."""

    async def waiting(self, *, most: int) -> RequestPage:
        """List what waits."""
        return RequestPage(rows=(summary(),)[:most], total=1)

    async def open(self, *, most: int) -> RequestPage:
        """List what is open."""
        return await self.waiting(most=most)

    async def of(self, user_id: str, *, most: int) -> RequestPage:
        """List what a user asked for."""
        return RequestPage(rows=(summary(requester=user_id),)[:most], total=1)

    async def recent(self, *, most: int) -> RequestPage:  # noqa: ARG002
        """List nothing."""
        return RequestPage(rows=(), total=0)


class FakeHosts:
    """Knows the same hosts always: the default one, which nobody serves."""

    async def standings(self, *, default: str) -> tuple[HostStanding, ...]:
        """Say how they stand."""
        engine = Announcement(host=default, engine_id="E1", engine_version="20.10")
        return (HostStanding(host=default, is_default=True, engines=(engine,)),)

    async def names(self) -> frozenset[str]:
        """Name them."""
        return frozenset({"edge-10", "edge-2"})


@dataclass
class FakeRequestClient:
    """Notes what it is asked for; ``error`` is raised instead, ``before`` is awaited first."""

    started: list[LifecycleRequest] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    instructions: list[Instruction] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    uptake_is: Uptake | RequestState = Uptake.TAKEN
    error: Exception | None = None
    before: Any = None
    state: RequestState | None = None
    summary: RequestSummary = field(default_factory=summary)
    deciders: set[str] = field(default_factory=set)
    wanted: Wanted = EVERY
    looked: HostQueryResult = field(default_factory=HostQueryResult)
    visibility: FakeVisibility = field(default_factory=FakeVisibility)
    hosts: FakeHosts = field(default_factory=FakeHosts)

    async def start(self, request: LifecycleRequest) -> bool:
        """Note a request."""
        await self._act()
        self.started.append(request)
        return True

    async def decide(self, _request: RequestAddress | str, decision: Decision) -> RequestAddress:
        """Note a decision."""
        await self._act()
        self.decisions.append(decision)
        return ADDRESS

    async def instruct(
        self, _request: RequestAddress | str, instruction: Instruction
    ) -> RequestAddress:
        """Note what somebody wants."""
        await self._act()
        self.instructions.append(instruction)
        return ADDRESS

    async def uptake(
        self, _request: RequestAddress, act_id: str, *, at: datetime
    ) -> Uptake | RequestState:
        """Say what became of an act."""
        assert at.tzinfo is not None
        self.asked.append(act_id)
        return self.uptake_is

    async def answer(self, request: RequestAddress) -> RequestState | Uptake:
        """Say whether a request has its card: where it is not taken up, no."""
        uptake = await self.uptake(request, "", at=datetime.now(UTC))
        return self.state or uptake if uptake is Uptake.TAKEN else uptake

    async def find(self, _request: str | ContainerRef) -> RequestSummary:
        """Find the request."""
        await self._act()
        return self.summary

    async def status(
        self, _request: str | ContainerRef
    ) -> tuple[RequestSummary, RequestState | None]:
        """Tell where the request stands."""
        await self._act()
        return self.summary, self.state

    async def now(self, _request: RequestAddress) -> RequestState | None:
        """Tell where a request stands."""
        await self._act()
        return self.state

    async def states(self, _rows: Sequence[RequestSummary]) -> dict[str, RequestState]:
        """Tell where the requests of a list stand."""
        return {} if self.state is None else {REQUEST: self.state}

    async def look(self, _host: str, _name: str, wanted: Wanted) -> HostQueryResult:
        """Look at a host, and note what was wanted of it."""
        self.wanted = wanted
        await self._act()
        return self.looked

    async def could_decide(self, _state: RequestState, user_id: str) -> bool:
        """Say whether somebody is one of those who decide, and note that it was asked."""
        self.asked.append(user_id)
        return user_id in self.deciders

    async def _act(self) -> None:
        if self.before is not None:
            await self.before()
        if self.error is not None:
            raise self.error


@dataclass
class Bot:
    """The app, and what stands around it."""

    app: AsyncApp
    slack_stub: SlackStub
    requests: FakeRequestClient
    runner: ListenerRunner
    follow_ups: FollowUps

    async def command(self, text: str, **changes: Any) -> dict[str, Any]:
        """Type a command; give the private answer."""
        response = await self.dispatch(command_body(text, self.slack_stub, **changes))
        assert response.status == 200, response.body
        return json.loads(response.body) if response.body else {}

    async def click(self, action: str, value: str = BUTTON, **changes: Any) -> str:
        """Press a button; give what the acknowledgement holds."""
        response = await self.dispatch(click_body(action, value, self.slack_stub, **changes))
        assert response.status == 200, response.body
        return response.body

    async def dispatch(self, body: dict[str, Any]) -> Any:
        """Deliver a payload as Socket Mode does."""
        return await self.app.async_dispatch(AsyncBoltRequest(mode="socket_mode", body=body))


@asynccontextmanager
async def bot_on(
    slack_stub: SlackStub,
    *,
    signing_secret: str = "",
    acknowledge_within: float = 2.6,
    followed_after: float = 3.0,
    real_requests: RequestClient | None = None,
    limits: Settings = DEFAULTS,
    clock: Clock = time.monotonic,
) -> AsyncIterator[Bot]:
    """Build the real app on a stub of Slack."""
    async with aiohttp.ClientSession() as session:
        client = slack_client("xoxb-test", f"{slack_stub.url}/api/", session, plain_markup=True)
        requests = FakeRequestClient()
        clicks = ClickRate(
            per_request=limits.clicks_per_request,
            per_person=limits.clicks_per_person,
            clock=clock,
        )
        runner = ListenerRunner(
            session,
            command="/container",
            limit=clicks,
            acknowledge_within=acknowledge_within,
            plain_markup=True,
        )
        service = Service(real_requests or requests)  # type: ignore[arg-type]
        follow_ups = FollowUps(service, client, command="/container", after=followed_after)
        app = build_app(
            identity=await identify(client),
            client=client,
            signing_secret=signing_secret,
            runner=runner,
            service=service,
            follow_ups=follow_ups,
            default_host="local",
            workflow_url=lambda workflow_id, _: f"http://temporal.test/{workflow_id}",
            commands_per_person=limits.commands_per_person,
        )
        yield Bot(app, slack_stub, requests, runner, follow_ups)
        assert await runner.drain(5)
        await follow_ups.close()


def command_body(text: str, slack_stub: SlackStub, **changes: Any) -> dict[str, Any]:
    """Make the payload of a slash command."""
    return {
        "command": "/container",
        "text": text,
        "team_id": TEAM,
        "channel_id": "C0OPS",
        "user_id": "U0ALICE",
        "trigger_id": f"trigger.{next(_triggers)}",
        "response_url": slack_stub.response_url,
        **changes,
    }


def click_body(action: str, value: str, slack_stub: SlackStub, **changes: Any) -> dict[str, Any]:
    """Make the payload of a pressed button."""
    return {
        "type": "block_actions",
        "team": {"id": TEAM},
        "user": {"id": "U0BOB", "team_id": TEAM},
        "channel": {"id": "C0OPS"},
        "container": {"type": "message", "channel_id": "C0OPS", "message_ts": "17.1"},
        "message": {"ts": "17.1"},
        "trigger_id": f"trigger.{next(_triggers)}",
        "response_url": slack_stub.response_url,
        "actions": [{"type": "button", "action_id": action, "block_id": "b", "value": value}],
        **changes,
    }


def form_body(metadata: str, reason: str | None, **changes: Any) -> dict[str, Any]:
    """Make the payload of a submitted reject form."""
    return {
        "type": "view_submission",
        "team": {"id": TEAM},
        "user": {"id": "U0BOB", "team_id": TEAM},
        "trigger_id": f"trigger.{next(_triggers)}",
        "view": {
            "id": "V1",
            "type": "modal",
            "callback_id": "request.reject.form",
            "private_metadata": metadata,
            "state": {"values": {"reason": {"v": {"value": reason}}}},
        },
        **changes,
    }


def http_body(payload: dict[str, Any]) -> str:
    """Write a slash command as Slack's HTTP mode does."""
    return urlencode(payload)
