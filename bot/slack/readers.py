"""Who may read in private why somebody asked, or what somebody said to a decision?

What people type may be meant for their channel alone. So it is shown to those whom the request is
about: who asked and who decided, as it is stored, and who could decide, as the control worker
judges now; and to anybody in its own channel, where it stands already.
"""

from __future__ import annotations

from bot.service import Actor, Service
from workflows.model.state import RequestState


class Readers:
    """Judges who may read."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def may_read(self, state: RequestState, actor: Actor, channel_id: str) -> bool:
        """Say whether somebody who asks from a channel may read what people typed."""
        if actor.team_id != state.team_id:
            return False
        if actor.user_id in {state.requester, *(d.approver_id for d in state.decisions)}:
            return True
        if is_own_channel(state, channel_id):
            return True
        return await self._service.could_decide(actor, state) is True


def is_own_channel(state: RequestState, channel_id: str) -> bool:
    """Say whether a channel is that of the request, where all that it says stands already."""
    card_is_in = state.card.channel_id if state.card is not None else ""
    return bool(channel_id) and channel_id in (state.channel_id, card_is_in)
