"""Who is a Slack user at this moment: member, guest, stranger, bot, gone; and in which groups?

Asked anew at every decision, never remembered: whoever was taken out of a group, or out of the
workspace, decides nothing from then on. What Slack does not tell counts against the person.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from slack_sdk.web.async_client import AsyncWebClient
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.slack.client import Answer, call, is_final, lacks_right, refused_with
from workflows.model.names import GROUP_ID_FORM, USER_ID_FORM
from workflows.model.ports import DirectoryPort, GroupMembers, GroupMembersInput, LookUpInput
from workflows.model.requests import Person

_UNKNOWN_USER = frozenset({"user_not_found", "users_not_found", "user_not_visible"})
_SLACKBOT = "USLACKBOT"


class Directory(DirectoryPort):
    """Asks Slack."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._slack = client

    @activity.defn(name="look_up_person")
    async def look_up_person(self, arg: LookUpInput) -> Person:
        """Say who a user is now."""
        if not USER_ID_FORM.fullmatch(arg.user_id):
            return Person(user_id=arg.user_id, team_id="", found=False)
        user, members = await asyncio.gather(self._user(arg.user_id), self._members(arg.groups))
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

    async def _members(self, groups: Iterable[str]) -> dict[str, frozenset[str] | None]:
        """Read the members of each group; ``None`` for one that Slack does not tell."""
        asked = list(dict.fromkeys(groups))
        return dict(zip(asked, await asyncio.gather(*map(self._group, asked)), strict=True))

    async def _group(self, group: str) -> frozenset[str] | None:
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
