"""Can the people and groups that a policy book names decide at all, as Slack knows them now?

For ``dockwarden check``: who left, is a guest or is an app decides nothing, and a group without
anybody who could decide is found out here and not by the first request. It asks one thing after
another, waits when Slack says so, and leaves out what would take too long; what it left out it
says.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.client import refusal

#: How many accounts are looked up at most, and for how long Slack may make us wait in all.
MAX_LOOK_UPS = 200
_MAX_WAIT_SECONDS = 60.0
_NOT_THERE = frozenset({"user_not_found", "users_not_found", "user_not_visible"})
_NO_GROUP = frozenset({"no_such_subteam", "subteam_not_found"})
_SLACKBOT = "USLACKBOT"
_TOO_MANY_REQUESTS = 429


@dataclass(slots=True)
class ApproverReport:
    """What was found: ``wrong`` by id, in words, and how many were not looked at, and why."""

    wrong: dict[str, str] = field(default_factory=dict)
    left_out: int = 0
    why_left_out: str = ""


class _TiredError(Exception):
    """Slack does not tell, or not soon enough; what is left is left out."""


async def look_at_approvers(
    slack: AsyncWebClient, *, people: Iterable[str], groups: Iterable[str]
) -> ApproverReport:
    """Look each person and each group up once."""
    look, report = _Look(slack), ApproverReport()
    questions = [
        *((one, look.what_is_wrong_with_person) for one in sorted(set(people))),
        *((one, look.what_is_wrong_with_group) for one in sorted(set(groups))),
    ]
    for number, (one, what_is_wrong) in enumerate(questions):
        try:
            if wrong := await what_is_wrong(one):
                report.wrong[one] = wrong
        except _TiredError as error:
            report.left_out, report.why_left_out = len(questions) - number, str(error)
            break
    return report


class _Look:
    """Asks Slack, within bounds."""

    def __init__(self, slack: AsyncWebClient) -> None:
        self._slack = slack
        self._known: dict[str, str] = {}
        self._may_wait = _MAX_WAIT_SECONDS

    async def what_is_wrong_with_person(self, user_id: str) -> str:
        """Say why somebody decides nothing; nothing when they may."""
        if user_id not in self._known:
            if len(self._known) >= MAX_LOOK_UPS:
                message = f"{MAX_LOOK_UPS} accounts are looked up at most"
                raise _TiredError(message)
            answer = await self._ask("users.info", {"user": user_id}, _NOT_THERE)
            self._known[user_id] = _what_is_wrong(answer)
        return self._known[user_id]

    async def what_is_wrong_with_group(self, group_id: str) -> str:
        """Say why nobody decides through a group; nothing when somebody may."""
        answer = await self._ask("usergroups.users.list", {"usergroup": group_id}, _NO_GROUP)
        if answer is None:
            return "is not there, or disabled"
        members = [str(user) for user in answer.get("users") or ()]
        if not members:
            return "has no members"
        for member in members:
            if not await self.what_is_wrong_with_person(member):
                return ""
        return "has no member who could decide: all are deactivated, guests or apps"

    async def _ask(
        self, method: str, arguments: dict[str, str], missing: frozenset[str]
    ) -> dict[str, Any] | None:
        """Ask once more when Slack wants us to wait; ``None`` when there is no such thing."""
        while True:
            try:
                answer = await self._slack.api_call(method, http_verb="GET", params=arguments)
            except SlackApiError as error:
                code = refusal(error)
                if code in missing:
                    return None
                if code:
                    message = f"Slack refuses {method} ({code})"
                    raise _TiredError(message) from error
                await self._wait(error)
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                message = f"Slack does not answer ({type(error).__name__})"
                raise _TiredError(message) from error
            else:
                return dict(answer.data) if isinstance(answer.data, dict) else {}

    async def _wait(self, error: SlackApiError) -> None:
        """Wait as long as Slack says, unless that is too long in all."""
        headers = getattr(error.response, "headers", None) or {}
        lower = {str(name).lower(): str(value) for name, value in headers.items()}
        asked = lower.get("retry-after", "")
        is_limit = getattr(error.response, "status_code", 0) == _TOO_MANY_REQUESTS
        seconds = float(asked) if asked.isdecimal() else 1.0
        if not is_limit or seconds > self._may_wait:
            message = "Slack lets us ask no more now" if is_limit else "Slack has troubles"
            raise _TiredError(message) from error
        self._may_wait -= seconds
        await asyncio.sleep(seconds)


def _what_is_wrong(answer: dict[str, Any] | None) -> str:
    """Judge an account as a decision does."""
    user = (answer or {}).get("user")
    if not isinstance(user, dict):
        return "is no account of this workspace"
    if user.get("deleted"):
        return "is deactivated"
    if user.get("is_bot") or user.get("id") == _SLACKBOT:
        return "is an app"
    if user.get("is_restricted") or user.get("is_ultra_restricted"):
        return "is a guest"
    return "is of another workspace" if user.get("is_stranger") else ""
