"""Which deliveries are let in?

Those of our own workspace, each once, and commands no faster than people type. Clicks have limits
of their own (``bot/slack/clicks.py``), which commands never use up: a decision must get through
while somebody floods the commands.
"""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Any

from slack_bolt import BoltResponse
from slack_bolt.async_app import AsyncApp

from bot.counted import CountedLine
from bot.slack import replies
from bot.slack.mrkdwn import Reply
from bot.slack.rates import REMEMBERED, Bucket, Buckets, Clock, Rate

_log = logging.getLogger(__name__)

Next = Callable[[], Awaitable[BoltResponse]]
#: A person may give a third of a minute's commands at once.
_PARTS_AT_ONCE = 3
ALL_USERS = Rate(burst=200, per_second=20)


class OwnTeamOnly:
    """Lets in the members of one workspace; others are told, if they can be."""

    def __init__(self, team_id: str) -> None:
        self._team_id = team_id
        self._refused = CountedLine(_log, "refused: other workspace")

    async def __call__(
        self,
        body: dict[str, Any],
        next_: Next,
    ) -> BoltResponse:
        """Refuse a payload that names another workspace, or none."""
        teams = set(_teams(body))
        if teams == {self._team_id}:
            return await next_()
        self._refused.note(teams=",".join(sorted(teams)) or "none")
        return _refusal(body, replies.foreign_team())


class EachOnce:
    """Lets in each delivery once: several sockets and impatient proxies repeat them.

    Two clicks of one person are two deliveries, and both go through.
    """

    def __init__(self) -> None:
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._dropped = CountedLine(_log, "repeated delivery dropped", level=logging.INFO)

    async def __call__(
        self,
        body: dict[str, Any],
        next_: Next,
    ) -> BoltResponse:
        """Acknowledge a repeated delivery and do nothing else."""
        key = _delivery(body)
        if key in self._seen:
            self._dropped.note(kind=body.get("type", "command"))
            return BoltResponse(status=200, body="")
        self._seen[key] = None
        if len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        return await next_()


class CommandRate:
    """Limits commands, per person and in all; 0 per person limits neither."""

    def __init__(self, *, per_person: int, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._all = Bucket(ALL_USERS, clock())
        self._users: Buckets | None = None
        if per_person:
            at_once = max(1, per_person // _PARTS_AT_ONCE)
            self._users = Buckets(Rate.a_minute(per_person, at_once=at_once), clock)
        self._refused = CountedLine(_log, "refused: too many commands")

    async def __call__(
        self,
        body: dict[str, Any],
        next_: Next,
    ) -> BoltResponse:
        """Refuse a command that comes too soon, in private."""
        if "command" not in body or self._allows(str(body.get("user_id"))):
            return await next_()
        self._refused.note(user=body.get("user_id"))
        return _refusal(body, replies.too_many())

    def _allows(self, user_id: str) -> bool:
        if self._users is None:
            return True
        now = self._clock()
        return self._users.of(user_id).take(now) and self._all.take(now)


def install(app: AsyncApp, *, team_id: str, commands_per_person: int) -> None:
    """Put all rules before the listeners."""
    app.middleware(OwnTeamOnly(team_id))
    app.middleware(EachOnce())
    app.middleware(CommandRate(per_person=commands_per_person))


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
