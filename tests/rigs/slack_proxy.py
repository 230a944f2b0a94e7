"""How do tests see every call to Slack, refuse what Slack would refuse, and let calls fail?

A pass-through before the local Slack. Each payload is held against Slack's limits; faults are
injected on demand, a number of times, and count themselves, so that a test can prove that its
fault fired. Sockets go past it, unless a test wants to cut them.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl

import aiohttp
from aiohttp import web

from tests.rigs.payload_rules import problems
from tests.rigs.slack_sockets import SocketRelay


class Fault(StrEnum):
    """What can go wrong with a call."""

    RATE_LIMITED = "429 with Retry-After"
    SERVER_ERROR = "500"
    GARBLED = "200 with an answer that is no JSON"
    REFUSED = "200 with ok false"
    RESET = "the connection is cut before Slack sees the call"
    LOST_ANSWER = "the connection is cut after Slack carried the call out"
    DELAY = "the call comes late"
    LATE_ANSWER = "the answer comes late"


@dataclass(slots=True)
class Injection:
    """A fault that is waiting for its calls; ``fired`` counts those that it met."""

    method: str
    fault: Fault
    times: int = 1
    retry_after: int = 1
    error: str = "internal_error"
    seconds: float = 0.0
    when: Callable[[Mapping[str, Any]], bool] = lambda _: True
    fired: int = 0


@dataclass(frozen=True, slots=True)
class Call:
    """One call that was seen, with what it carried."""

    method: str
    payload: Mapping[str, Any]
    at: float = field(default_factory=time.monotonic)


@dataclass(slots=True)
class UserFacts:
    """What Slack says about users beyond what the local Slack knows."""

    fields: dict[str, dict[str, Any]] = field(default_factory=dict)
    groups: dict[str, list[str]] = field(default_factory=dict)


class SlackProxy:
    """A running proxy. ``violations`` lists payloads that Slack would not have taken."""

    def __init__(self, upstream: str) -> None:
        self._upstream = upstream.rstrip("/")
        self._injections: list[Injection] = []
        self._runner: web.AppRunner | None = None
        self._session: aiohttp.ClientSession | None = None
        self.user_facts = UserFacts()
        self.calls: list[Call] = []
        self.violations: list[str] = []
        self.sockets: SocketRelay | None = None
        self.url = ""
        #: As long as it is set, every call is refused with it, as a token that Slack withdrew is.
        self.refuse_all = ""
        self.refused = 0

    @property
    def api_url(self) -> str:
        """The base URL of the Web API."""
        return f"{self.url}/api/"

    async def __aenter__(self) -> Self:
        """Listen on a free port of this machine."""
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60))
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_route("*", "/api/{method}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop listening."""
        if self.sockets is not None:
            await self.sockets.close()
        if self._runner is not None:
            await self._runner.cleanup()
        if self._session is not None:
            await self._session.close()

    def inject(self, method: str, fault: Fault, **how: Any) -> Injection:
        """Let the next calls of a method fail; ``how`` sets fields of the injection."""
        injection = Injection(method, fault, **how)
        self._injections.append(injection)
        return injection

    def count(self, method: str) -> int:
        """Count the calls of a method."""
        return Counter(call.method for call in self.calls)[method]

    def forget(self) -> None:
        """Drop all faults, facts and records: the next test begins anew."""
        self._injections.clear()
        self.refuse_all = ""
        self.calls.clear()
        self.violations.clear()
        self.user_facts = UserFacts()

    async def relay_sockets(self) -> SocketRelay:
        """Lead Socket Mode through the proxy from now on, so that it can be cut."""
        assert self._session is not None
        if self.sockets is None:
            self.sockets = SocketRelay(self._session)
            await self.sockets.open()
        return self.sockets

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        method, body = request.match_info["method"], await request.read()
        payload = _payload(request, body)
        self.calls.append(Call(method, payload))
        wrong = problems(method, payload)
        if wrong:
            self.violations.append(f"{method}: {'; '.join(wrong)}")
            return web.json_response({"ok": False, "error": "invalid_blocks"})
        if self.refuse_all:
            self.refused += 1
            return web.json_response({"ok": False, "error": self.refuse_all})
        injection = self._take(method, payload)
        try:
            if injection is None:
                return await self._answer(request, method, payload, body)
            return await self._fail(injection, request, payload, body)
        except aiohttp.ClientConnectionError:
            # The local Slack is away: so is the proxy.
            return _hang_up(request)

    async def _fail(
        self,
        injection: Injection,
        request: web.Request,
        payload: Mapping[str, Any],
        body: bytes,
    ) -> web.StreamResponse:
        match injection.fault:
            case Fault.RATE_LIMITED:
                headers = {"Retry-After": str(injection.retry_after)}
                refused = {"ok": False, "error": "ratelimited"}
                return web.json_response(refused, status=429, headers=headers)
            case Fault.SERVER_ERROR:
                return web.Response(status=500, text="<html>Server Error: secret-body</html>")
            case Fault.GARBLED:
                return web.Response(text="{secret-body", content_type="application/json")
            case Fault.REFUSED:
                return web.json_response({"ok": False, "error": injection.error})
            case Fault.DELAY | Fault.LATE_ANSWER:
                before = injection.seconds if injection.fault is Fault.DELAY else 0
                await asyncio.sleep(before)
                answer = await self._answer(request, injection.method, payload, body)
                await asyncio.sleep(injection.seconds - before)
                return answer
            case Fault.LOST_ANSWER:
                await self._answer(request, injection.method, payload, body)
        return _hang_up(request)

    async def _answer(
        self, request: web.Request, method: str, payload: Mapping[str, Any], body: bytes
    ) -> web.Response:
        if method == "usergroups.users.list" and self.user_facts.groups:
            return web.json_response(self._group(str(payload.get("usergroup"))))
        answer = await self._pass_on(request, body)
        if method == "users.info" and answer.get("ok"):
            answer["user"] |= self.user_facts.fields.get(str(payload.get("user")), {})
        if method == "apps.connections.open" and self.sockets is not None:
            answer["url"] = self.sockets.address_for(answer["url"])
        return web.json_response(answer)

    async def _pass_on(self, request: web.Request, body: bytes) -> dict[str, Any]:
        assert self._session is not None
        kept = {k: v for k, v in request.headers.items() if k in ("Authorization", "Content-Type")}
        url = f"{self._upstream}{request.path_qs}"
        async with self._session.request(request.method, url, data=body, headers=kept) as answer:
            return dict(await answer.json())

    def _group(self, group: str) -> dict[str, Any]:
        if group not in self.user_facts.groups:
            return {"ok": False, "error": "no_such_subteam"}
        return {"ok": True, "users": self.user_facts.groups[group]}

    def _take(self, method: str, payload: Mapping[str, Any]) -> Injection | None:
        for injection in self._injections:
            fits = injection.method == method and injection.when(payload)
            if fits and injection.fired < injection.times:
                injection.fired += 1
                return injection
        return None


def _hang_up(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)


def _payload(request: web.Request, body: bytes) -> dict[str, Any]:
    """Read a call's arguments: from JSON, from a form, or from the address."""
    if request.content_type == "application/json":
        return dict(json.loads(body or b"{}"))
    if request.content_type == "application/x-www-form-urlencoded" and body:
        return {**request.query, **dict(parse_qsl(body.decode()))}
    return dict(request.query)
