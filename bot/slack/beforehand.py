"""What is known of a request before a form about it opens, and can its answer count at all?

Slack opens a form within three seconds of the press or never, so the look is bounded. What is not
known in time keeps nobody from anything: the form opens, and the workflow judges as ever.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from bot.service import Actor, Service
from bot.slack.mrkdwn import Reply, code, deciders, link, reply, some
from bot.slack.readers import is_own_channel
from bot.temporal.errors import BotError
from workflows.model.markup import clock
from workflows.model.names import RequestAddress
from workflows.model.requests import Choice
from workflows.model.state import RequestState, RequestStatus
from workflows.operations.standing import status_words

_WITHIN = 1.5
_MOST_NAMED = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What was found in time. ``could_decide`` is ``None`` where nobody has said so."""

    state: RequestState | None = None
    could_decide: bool | None = None

    def may_read(self, actor: Actor, channel_id: str) -> bool:
        """Say whether what people typed in the request may be shown there to somebody."""
        if self.state is None or actor.team_id != self.state.team_id:
            return False
        people = {self.state.requester, *(one.approver_id for one in self.state.decisions)}
        is_open = is_own_channel(self.state, channel_id) or actor.user_id in people
        return is_open or self.could_decide is True


async def look(
    service: Service,
    actor: Actor,
    address: RequestAddress,
    *,
    settles: Callable[[Known], bool],
) -> Known:
    """Ask the request, and unless its answer settles it, whether the person could decide."""
    known = Known()
    with suppress(TimeoutError, BotError):
        async with asyncio.timeout(_WITHIN):
            state = await service.now(address)
            known = Known(state=state)
            if state is not None and not settles(known):
                could = await service.could_decide(actor, state)
                known = Known(state=state, could_decide=could)
    return known


def why_not(known: Known, actor: Actor, choice: Choice, *, command: str) -> Reply | None:
    """Say why a decision of this person would not count; nothing where that is not sure."""
    state = known.state
    if state is None:
        return None
    name, host = code(state.name_now), code(state.container.host)
    card = link(state.card.permalink, "See its card") if state.card is not None else ""
    if state.status is not RequestStatus.WAITING:
        return reply(
            f"🚫 There is nothing left to decide about {name} on {host}: {status_words(state)}. "
            f"{card}".rstrip()
        )
    if state.requester == actor.user_id:
        withdraw = code(f"{command} cancel {state.request_id}")
        return reply(
            f"🚫 You asked for this yourself, so others decide about {name}. To withdraw it, write "
            f"{withdraw}."
        )
    if choice is Choice.APPROVE and any(
        one.approver_id == actor.user_id for one in state.approvals
    ):
        return reply(approved_before(state, actor.user_id))
    if known.could_decide is False:
        return reply(
            f"🚫 You are not among those who decide about {name} on {host}"
            f"{_deciders(state)}. Nothing was recorded."
        )
    return None


def approved_before(state: RequestState, user_id: str) -> str:
    """Say when somebody approved a request already, and for whom it waits now."""
    given = next(one for one in state.approvals if one.approver_id == user_id)
    at = clock(given.decided_at)
    return f"You approved this at {at}, and each person counts once.{_still(state)}"


def _still(state: RequestState) -> str:
    policy = state.policy
    if policy is None or state.status is not RequestStatus.WAITING:
        return ""
    missing = policy.required_approvals - len(state.approvals)
    voted = (one.approver_id for one in state.approvals)
    possible = deciders(policy, state.requester, *voted)
    if not possible:
        return ""
    if missing == 1 and len(possible) <= _MOST_NAMED:
        return f" It now waits for {' or '.join(possible)}."
    return f" It now waits for {missing} of {some(possible, _MOST_NAMED)}."


def _deciders(state: RequestState) -> str:
    policy = state.policy
    if policy is None:
        return ""
    named = some(deciders(policy, state.requester), _MOST_NAMED)
    return f": those are {named}" if named else ""
