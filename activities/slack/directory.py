"""Who is a Slack user at this moment: member, guest, stranger, bot, gone; and in which groups?

Asked anew at every decision that may count: whoever was taken out of a group, or out of the
workspace, decides nothing from then on. The members of a group are kept for seconds, only to
refuse whom they do not hold: Slack tells them some twenty times a minute, and a hundred clicks of
a stranger would have the real approver wait for minutes. What Slack does not tell counts against
the person. What is wrongly sealed is refused before Slack is asked, for it says nothing of anybody.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import replace

from slack_sdk.web.async_client import AsyncWebClient
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.slack import verifying
from activities.slack.client import (
    Answer,
    call,
    is_final,
    lacks_right,
    not_at_once,
    refused_with,
)
from workflows.model.names import GROUP_ID_FORM, USER_ID_FORM
from workflows.model.ports import DirectoryPort, GroupMembers, GroupMembersInput, LookUpInput
from workflows.model.requests import Person
from workflows.model.seal import NO_KEYS, SealKeys

_UNKNOWN_USER = frozenset({"user_not_found", "users_not_found", "user_not_visible"})
_SLACKBOT = "USLACKBOT"
#: So long the members of a group are kept, to refuse others.
_KEPT_SECONDS = 10.0
_MOST_KEPT = 100
#: A workflow that looks up within its own task waits no longer, and asks in the ordinary way.
_AT_ONCE = 0.45

Members = frozenset[str] | None


class Directory(DirectoryPort):
    """Asks Slack; ``keys`` verify what people are said to have sent."""

    def __init__(
        self,
        client: AsyncWebClient,
        *,
        keys: SealKeys = NO_KEYS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._slack = client
        self._keys = keys
        self._clock = clock
        self._kept: dict[str, tuple[float, Members]] = {}

    @activity.defn(name="look_up_person")
    async def look_up_person(self, arg: LookUpInput) -> Person:
        """Say who a user is now, and verify what that user is said to have sent."""
        if not activity.info().is_local:
            return await self._looked_up(arg)
        began = time.monotonic()
        try:
            async with asyncio.timeout(_AT_ONCE):
                person = await self._looked_up(arg)
        except TimeoutError:
            # Before its time is over, of which the SDK would write a page into the log.
            raise not_at_once() from None
        return replace(person, took_ms=round(1000 * (time.monotonic() - began)))

    async def _looked_up(self, arg: LookUpInput) -> Person:
        refused = verifying.refusal(self._keys, arg)
        # Whoever sent an instruction is judged by the id alone.
        if refused is not None or arg.instruction is not None:
            return Person(user_id=arg.user_id, team_id="", refused=refused)
        person = await self._person(arg)
        return person if arg.ballot is None else verifying.voter(self._keys, arg.ballot, person)

    async def _person(self, arg: LookUpInput) -> Person:
        if not USER_ID_FORM.fullmatch(arg.user_id):
            return Person(user_id=arg.user_id, team_id="", found=False)
        user, members = await asyncio.gather(
            self._user(arg.user_id), self._members(arg.groups, unless_without=arg.user_id)
        )
        if user is None:
            return Person(user_id=arg.user_id, team_id="", found=False)
        user_id = str(user.get("id") or "")
        return Person(
            user_id=user_id,
            team_id=await self._team(user),
            is_guest=any(user.get(f) for f in ("is_restricted", "is_ultra_restricted"))
            or bool(user.get("is_stranger")),
            is_bot=bool(user.get("is_bot")) or user_id == _SLACKBOT,
            deleted=bool(user.get("deleted")),
            groups=tuple(group for group, ids in members.items() if ids and user_id in ids),
            groups_known=all(ids is not None for ids in members.values()),
        )

    @activity.defn(name="list_group_members")
    async def list_group_members(self, arg: GroupMembersInput) -> GroupMembers:
        """Say who could decide now, so that no request is opened that nobody can approve."""
        members = await self._members(arg.groups)
        known = [ids for ids in members.values() if ids is not None]
        return GroupMembers(
            user_ids=tuple(sorted(set[str]().union(*known))), known=len(known) == len(members)
        )

    async def _user(self, user_id: str) -> Answer | None:
        try:
            answer = await call(self._slack.users_info, "users.info", user=user_id)
        except ApplicationError as error:
            if refused_with(error) not in _UNKNOWN_USER:
                raise
            return None
        user = answer.get("user")
        return user if isinstance(user, dict) else None

    async def _team(self, user: Answer) -> str:
        """Say to which team a user belongs; on Enterprise Grid one belongs to several."""
        home = str(user.get("team_id") or "")
        teams = (user.get("enterprise_user") or {}).get("teams") or []
        if not teams:
            return home
        ours = str((await call(self._slack.auth_test, "auth.test")).get("team_id") or "")
        return ours if ours in teams else home

    async def _members(
        self, groups: Iterable[str], *, unless_without: str = ""
    ) -> dict[str, Members]:
        """Read the members of each group; ``None`` for one that Slack does not tell.

        A group that was read a moment ago ``unless_without`` a person is not read again.
        """
        asked = list(dict.fromkeys(groups))
        known = {group: self._kept_without(group, unless_without) for group in asked}
        unknown = [group for group in asked if known[group] is None]
        read = await asyncio.gather(*map(self._group, unknown))
        for group, members in zip(unknown, read, strict=True):
            self._keep(group, members)
        return known | dict(zip(unknown, read, strict=True))

    def _kept_without(self, group: str, user_id: str) -> Members:
        at, members = self._kept.get(group, (0.0, None))
        is_fresh = self._clock() - at < _KEPT_SECONDS
        return members if user_id and is_fresh and members and user_id not in members else None

    def _keep(self, group: str, members: Members) -> None:
        if len(self._kept) >= _MOST_KEPT:
            self._kept.clear()
        self._kept[group] = self._clock(), members

    async def _group(self, group: str) -> Members:
        if not GROUP_ID_FORM.fullmatch(group):
            return None
        try:
            answer = await call(
                self._slack.usergroups_users_list, "usergroups.users.list", usergroup=group
            )
        except ApplicationError as error:
            if not (is_final(error) or lacks_right(error)):
                raise
            activity.logger.warning("the members of a group are not known: %s", error.message)
            return None
        return frozenset(str(user) for user in answer.get("users") or [])
