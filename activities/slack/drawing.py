"""How is a card drawn in its place, and what if Slack lets nobody change it there?

A workspace may close its messages to changes after a while, and an old card may be beyond them.
Then a new card takes its place, so that no card says for ever what is no longer true, and the old
one goes; where it cannot go, a reply under it leads to the new one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from slack_sdk.models.blocks import Block, SectionBlock
from slack_sdk.web.async_client import AsyncWebClient
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.slack.card import card, drawing_block_id
from activities.slack.client import call, is_final, lacks_right, post, refused_with
from activities.slack.mrkdwn import Links, mrkdwn
from activities.slack.posted import Posted, Progress, block_ids
from workflows.model.state import CardRef, RequestState
from workflows.model.symbols import Symbol

#: Somebody deleted the card, or its channel was emptied.
_CARD_GONE = "message_not_found"


@dataclass(frozen=True, slots=True)
class _Drawing:
    """One drawing of a card, as it is sent."""

    state: RequestState
    text: str
    blocks: list[Block]


class CardDrawer:
    """Draws the cards."""

    def __init__(self, client: AsyncWebClient, links: Links) -> None:
        self._slack = client
        self._links = links

    async def draw(self, state: RequestState, progress: Progress) -> CardRef:
        """Show the state on the request's card, be it on a new one; say where that is.

        Raises:
            ApplicationError: the channel takes neither the change nor a new card.
        """
        drawing = _Drawing(state, *card(state, self._links, datetime.now(UTC)))
        left: list[CardRef] = []
        if state.card is not None:
            refused = await self._redraw(state.card, drawing)
            if not refused:
                return state.card
            left += [] if refused == _CARD_GONE else [state.card]
        place = await self._posted_before(drawing, left, progress)
        if place is None:
            place = await self._post(drawing, progress)
        for old in left:
            await self._retire(old, place, state, progress)
        return place

    async def _redraw(self, place: CardRef, drawing: _Drawing) -> str:
        """Replace the content of a card; when Slack refuses that, give its code."""
        try:
            await call(
                self._slack.chat_update,
                "chat.update",
                channel=place.channel_id,
                ts=place.ts,
                text=drawing.text,
                blocks=drawing.blocks,
            )
        except ApplicationError as error:
            if not is_final(error):
                raise
            code = refused_with(error)
            if code != _CARD_GONE:
                activity.logger.warning("a card cannot be changed: %s", error.message)
            return code
        return ""

    async def _post(self, drawing: _Drawing, progress: Progress) -> CardRef:
        progress.beat()
        channel = drawing.state.channel_id
        answer = await post(self._slack, channel, drawing.text, drawing.blocks)
        progress.add_card(answer["channel"], answer["ts"])
        return await self._with_link(answer["channel"], answer["ts"])

    async def _posted_before(
        self, drawing: _Drawing, left: list[CardRef], progress: Progress
    ) -> CardRef | None:
        """Find the card that an earlier try posted, if there is one that shows this drawing.

        One that shows another and cannot be changed is added to what is ``left``.
        """
        state = drawing.state
        if is_first(state, progress):
            return None
        progress.beat()
        known = progress.card()
        if known is not None:
            return await self._with_link(*known)
        found = await Posted(self._slack, progress).card(state, besides=state.card)
        if found is None:
            return None
        place = await self._with_link(state.channel_id, str(found["ts"]))
        progress.beat()
        refused = await self._redraw(place, drawing)
        if not refused or drawing_block_id(state) in block_ids(found):
            return place
        if refused != _CARD_GONE:
            left.append(place)
        return None

    async def _retire(
        self, old: CardRef, new: CardRef, state: RequestState, progress: Progress
    ) -> None:
        """Take away a card that no longer tells the truth; where that is refused, say so there."""
        progress.beat()
        try:
            await call(self._slack.chat_delete, "chat.delete", channel=old.channel_id, ts=old.ts)
        except ApplicationError as error:
            if not (is_final(error) or lacks_right(error)):
                raise
            if refused_with(error) != _CARD_GONE:
                await self._cross_out(old, new, state, progress)

    async def _cross_out(
        self, old: CardRef, new: CardRef, state: RequestState, progress: Progress
    ) -> None:
        block_id = f"moved.{state.request_id}.{new.ts}"
        if block_id in await Posted(self._slack, progress).replies(old):
            return
        card_of_now = f"<{new.permalink}|a new card>" if new.permalink else "a new card"
        text = (
            f"{Symbol.MIND} *The card above is out of date, and its buttons do nothing.* Slack "
            "lets nobody change or delete it. The request goes on with "
            f"{card_of_now} in this channel."
        )
        blocks = [SectionBlock(block_id=block_id, text=mrkdwn(text))]
        try:
            await post(
                self._slack,
                old.channel_id,
                text,
                blocks,
                thread_ts=old.ts,
                reply_broadcast=False,
            )
        except ApplicationError as error:
            if not is_final(error):
                raise
            activity.logger.warning("an old card is not crossed out: %s", error.message)

    async def _with_link(self, channel: str, ts: str) -> CardRef:
        """Complete a card's position with its link, which is worth no failure."""
        try:
            answer = await call(
                self._slack.chat_getPermalink,
                "chat.getPermalink",
                channel=channel,
                message_ts=ts,
            )
        except ApplicationError as error:
            activity.logger.warning("the card has no link: %s", error.message)
            return CardRef(channel_id=channel, ts=ts)
        return CardRef(channel_id=channel, ts=ts, permalink=str(answer.get("permalink") or ""))


def is_first(state: RequestState, progress: Progress) -> bool:
    """Tell whether nothing of the request can be in Slack yet.

    The last word about one that was ended while its card was being posted knows of no card.
    """
    return state.card is None and not state.closed and not progress.is_repeated
