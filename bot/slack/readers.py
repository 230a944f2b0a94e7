"""Who may read in private why somebody asked, or what somebody said to a decision?

What people type may be meant for their channel alone. So it is shown to those whom the request is
about: who asked, who decided and who could decide, and to anybody in its own channel, where it
stands already. Who belongs to a group of approvers is remembered for a minute; what cannot be
verified does not count.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.service import Actor
from workflows.model.names import GROUP_ID_FORM
from workflows.model.state import RequestState

_log = logging.getLogger(__name__)

_REMEMBERED = 60.0
#: A group that could not be read is not asked about again and again.
_REMEMBERED_FAILURE = 10.0
_MOST_GROUPS = 100
#: Slack gives three seconds in all for an answer.
_WITHIN = 1.0


@dataclass(frozen=True, slots=True)
class _Members:
    """Who belongs to a group, and until when that is believed."""

    user_ids: frozenset[str]
    until: float


class Readers:
    """Judges who may read, by Slack and the stored request."""

    def __init__(
        self, client: AsyncWebClient, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._slack = client
        self._clock = clock
        self._groups: dict[str, _Members] = {}

    async def may_read(self, state: RequestState, actor: Actor, channel_id: str) -> bool:
        """Say whether somebody who asks from a channel may read what people typed."""
        if actor.team_id != state.team_id:
            return False
        named = state.policy.approvers if state.policy is not None else ()
        people = {state.requester, *(d.approver_id for d in state.decisions), *named}
        if actor.user_id in people or is_own_channel(state, channel_id):
            return True
        groups = state.policy.approver_groups if state.policy is not None else ()
        members = await asyncio.gather(*(self._members(group) for group in groups))
        return any(actor.user_id in user_ids for user_ids in members)

    async def _members(self, group: str) -> frozenset[str]:
        known = self._groups.get(group)
        if known is not None and self._clock() < known.until:
            return known.user_ids
        try:
            members = await self._ask(group)
            remembered = _REMEMBERED
        except (SlackApiError, aiohttp.ClientError, TimeoutError, OSError) as error:
            _log.warning(
                "the members of a group are not known",
                extra={"group": group, "why": type(error).__name__},
            )
            members, remembered = frozenset(), _REMEMBERED_FAILURE
        self._groups.pop(group, None)
        if len(self._groups) >= _MOST_GROUPS:
            self._groups.pop(next(iter(self._groups)))
        self._groups[group] = _Members(members, self._clock() + remembered)
        return members

    async def _ask(self, group: str) -> frozenset[str]:
        # Whoever starts a request by hand may name anything as a group.
        if not GROUP_ID_FORM.fullmatch(group):
            return frozenset()
        async with asyncio.timeout(_WITHIN):
            answer = await self._slack.usergroups_users_list(usergroup=group)
        return frozenset(str(user) for user in answer.get("users") or [])


def is_own_channel(state: RequestState, channel_id: str) -> bool:
    """Say whether a channel is that of the request, where all that it says stands already."""
    card_is_in = state.card.channel_id if state.card is not None else ""
    return bool(channel_id) and channel_id in (state.channel_id, card_is_in)
