"""Which deliveries are let in?

Those of our own workspace, each once, and commands no faster than people type. Clicks are never
limited: a decision must get through while somebody floods the commands.
"""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from slack_bolt import BoltResponse
from slack_bolt.async_app import AsyncApp

from bot.slack import replies
from bot.slack.mrkdwn import Reply

_log = logging.getLogger(__name__)

Next = Callable[[], Awaitable[BoltResponse]]
Clock = Callable[[], float]

_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """A limit: ``burst`` at once, then ``per_second``."""

    burst: int
    per_second: float


PER_USER = Rate(burst=20, per_second=1)
ALL_USERS = Rate(burst=200, per_second=20)


class OwnTeamOnly:
    """Lets in the members of one workspace; others are told, if they can be."""

    def __init__(self, team_id: str) -> None:
        self._team_id = team_id

    async def __call__(
        self,
        body: dict[str, Any],
        next_: Next,
    ) -> BoltResponse:
        """Refuse a payload that names another workspace, or none."""
        teams = set(_teams(body))
        if teams == {self._team_id}:
            return await next_()
        _log.warning("refused: other workspace", extra={"teams": ",".join(sorted(teams)) or "none"})
        return _refusal(body, replies.foreign_team())


class EachOnce:
    """Lets in each delivery once: several sockets and impatient proxies repeat them.

    Two clicks of one person are two deliveries, and both go through.
    """

    def __init__(self) -> None:
        self._seen: OrderedDict[str, None] = OrderedDict()

    async def __call__(
        self,
        body: dict[str, Any],
        next_: Next,
    ) -> BoltResponse:
        """Acknowledge a repeated delivery and do nothing else."""
        key = _delivery(body)
        if key in self._seen:
            _log.info("repeated delivery dropped", extra={"kind": body.get("type", "command")})
            return BoltResponse(status=200, body="")
        self._seen[key] = None
        if len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)
        return await next_()


class CommandRate:
    """Limits commands, per person and in all."""

    def __init__(
        self,
        *,
        per_user: Rate = PER_USER,
        all_users: Rate = ALL_USERS,
        clock: Clock = time.monotonic,
    ) -> None:
        self._per_user = per_user
        self._clock = clock
        self._all = _Bucket(all_users, clock())
        self._users: OrderedDict[str, _Bucket] = OrderedDict()

    async def __call__(
        self,
        body: dict[str, Any],
        next_: Next,
    ) -> BoltResponse:
        """Refuse a command that comes too soon, in private."""
        if "command" not in body or self._allows(str(body.get("user_id"))):
            return await next_()
        _log.warning("refused: too many commands", extra={"user": body.get("user_id")})
        return _refusal(body, replies.too_many())

    def _allows(self, user_id: str) -> bool:
        now = self._clock()
        bucket = self._users.pop(user_id, None) or _Bucket(self._per_user, now)
        self._users[user_id] = bucket
        if len(self._users) > _REMEMBERED:
            self._users.popitem(last=False)
        return bucket.take(now) and self._all.take(now)


class _Bucket:
    """A token bucket."""

    def __init__(self, rate: Rate, now: float) -> None:
        self._rate = rate
        self._tokens = float(rate.burst)
        self._at = now

    def take(self, now: float) -> bool:
        """Take a token if there is one."""
        grown = self._tokens + (now - self._at) * self._rate.per_second
        self._tokens = min(float(self._rate.burst), grown)
        self._at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


def install(app: AsyncApp, *, team_id: str) -> None:
    """Put all rules before the listeners."""
    app.middleware(OwnTeamOnly(team_id))
    app.middleware(EachOnce())
    app.middleware(CommandRate())


def _teams(body: dict[str, Any]) -> list[str]:
    """Name every workspace that a payload mentions as the person's or the app's."""
    team, user = body.get("team"), body.get("user")
    named = [
        body.get("team_id"),
        team.get("id") if isinstance(team, dict) else None,
        user.get("team_id") if isinstance(user, dict) else None,
    ]
    return [str(name) for name in named if name]


def _delivery(body: dict[str, Any]) -> str:
    kind = body.get("type", "command")
    if trigger := body.get("trigger_id"):
        return f"{kind}|{trigger}"
    content = json.dumps(body, sort_keys=True, default=str)
    return f"{kind}|{hashlib.sha256(content.encode()).hexdigest()}"


def _refusal(body: dict[str, Any], reply: Reply) -> BoltResponse:
    """Answer a command in words; other payloads have no place for them."""
    if "command" not in body:
        return BoltResponse(status=200, body="")
    return BoltResponse(status=200, body=reply.as_arguments())
