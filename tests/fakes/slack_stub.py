"""A small Slack on the loopback: it answers the calls that the bot makes, and remembers them.

It stands in where the local Slack cannot: refused tokens, stale socket addresses, forged and
foreign payloads.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

from aiohttp import WSMsgType, web

TEAM = "T0OWN"


class SlackStub:
    """The Web API under ``/api``, response URLs under ``/respond``, sockets under ``/socket``."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.responses: list[dict[str, Any]] = []
        self.acks: list[dict[str, Any]] = []
        self.handshakes: list[str] = []
        self.refusals: dict[str, str] = {}
        self.stale_addresses = 0
        self.scopes = ""
        #: What is special about people, and who is in a group; of the rest nobody is.
        self.people: dict[str, dict[str, Any]] = {}
        self.groups: dict[str, list[str]] = {}
        #: How often a method is still refused as asked too often.
        self.limited: dict[str, int] = {}
        self.retry_after = 1
        self._sockets: list[web.WebSocketResponse] = []
        self._changed = asyncio.Condition()
        self._tickets = 0
        app = web.Application()
        app.add_routes(
            [
                web.route("*", "/api/{method}", self._api),
                web.post("/respond", self._respond),
                web.get("/socket/{ticket}", self._socket),
            ]
        )
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)

    async def start(self) -> None:
        """Open a free port."""
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()

    async def close(self) -> None:
        """Close the port."""
        for socket in self._sockets:
            await socket.close()
        await self._runner.cleanup()

    @property
    def url(self) -> str:
        """The address, without a path."""
        host, port = self._runner.addresses[0][:2]
        return f"http://{host}:{port}"

    @property
    def response_url(self) -> str:
        """Where private answers go."""
        return f"{self.url}/respond"

    def count(self, method: str) -> int:
        """Say how often a method was called."""
        return sum(called == method for called, _ in self.calls)

    async def until(self, holds: Any, seconds: float = 5) -> None:
        """Wait until a condition on this stub holds."""
        async with asyncio.timeout(seconds), self._changed:
            await self._changed.wait_for(holds)

    async def deliver(self, envelope_id: str, kind: str, payload: dict[str, Any]) -> int:
        """Send an envelope over every open socket; say over how many."""
        message = json.dumps(
            {
                "envelope_id": envelope_id,
                "type": kind,
                "payload": payload,
                "accepts_response_payload": True,
            }
        )
        live = [socket for socket in self._sockets if not socket.closed]
        for socket in live:
            await socket.send_str(message)
        return len(live)

    def live_sockets(self) -> int:
        """Count the open sockets."""
        return sum(not socket.closed for socket in self._sockets)

    async def drop_sockets(self) -> None:
        """Break all open sockets without a farewell."""
        for socket in self._sockets:
            if socket._req is not None and socket._req.transport is not None:
                socket._req.transport.abort()
        self._sockets.clear()

    async def _note(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def _api(self, request: web.Request) -> web.Response:
        method = request.match_info["method"]
        given = await request.json() if request.content_type.endswith("json") else {}
        self.calls.append((method, {**given, **(await request.post())}))
        await self._note()
        if method in self.refusals:
            return web.json_response({"ok": False, "error": self.refusals[method]})
        if self.limited.get(method, 0) > 0:
            self.limited[method] -= 1
            refused = {"ok": False, "error": "ratelimited"}
            return web.json_response(
                refused, status=429, headers={"Retry-After": f"{self.retry_after}"}
            )
        # Slack's library puts the arguments of what only reads into the address.
        asked = {**request.query, **self.calls[-1][1]}
        answer: dict[str, Any] = {"ok": True}
        if method == "users.info":
            known = self.people.get(asked["user"], {})
            if known.get("missing"):
                return web.json_response({"ok": False, "error": "user_not_found"})
            answer["user"] = {"id": asked["user"], "team_id": TEAM, **known}
        elif method == "usergroups.users.list":
            if asked["usergroup"] not in self.groups:
                return web.json_response({"ok": False, "error": "no_such_subteam"})
            answer["users"] = self.groups[asked["usergroup"]]
        elif method == "auth.test":
            answer |= {"team_id": TEAM, "team": "Own", "user": "bot", "user_id": "U0BOT"}
            answer |= {"bot_id": "B0BOT"}
        elif method == "apps.connections.open":
            self._tickets += 1
            answer["url"] = f"{self.url.replace('http', 'ws')}/socket/{self._tickets}"
        headers = {"x-oauth-scopes": self.scopes} if self.scopes else {}
        return web.json_response(answer, headers=headers)

    async def _respond(self, request: web.Request) -> web.Response:
        self.responses.append(await request.json())
        await self._note()
        return web.Response(text="ok")

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        ticket = request.match_info["ticket"]
        self.handshakes.append(ticket)
        await self._note()
        if int(ticket) <= self.stale_addresses:
            return web.Response(status=403)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self._sockets.append(socket)
        await self._note()
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                self.acks.append(json.loads(message.data))
                await self._note()
        return socket
