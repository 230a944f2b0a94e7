"""How do the card, its thread and private notices get into Slack, each exactly once?

Words are never lost with the place they were meant for: what a channel does not take goes to the
people concerned directly, and only what nobody can be told at all fails for good.
"""

from __future__ import annotations

from slack_sdk.models.blocks import SectionBlock
from slack_sdk.web.async_client import AsyncWebClient
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.slack.asking_again import buttons
from activities.slack.client import call, is_final, lacks_right, post
from activities.slack.direct import URGENT, DirectMessages
from activities.slack.drawing import CardDrawer, is_first
from activities.slack.mrkdwn import Links, mrkdwn
from activities.slack.posted import Posted, Progress
from activities.slack.refusals import notice
from activities.slack.thread import LAST_WORDS, is_told, reply
from workflows.model.errors import ErrorType
from workflows.model.names import USER_ID_FORM, thread_block_id
from workflows.model.ports import MessagesPort, Notice, NotifyInput, PublishInput, ThreadEntry
from workflows.model.state import CardRef, RequestState, RequestStatus
from workflows.operations import catalog


class Messages(MessagesPort):
    """Writes to Slack.

    Args:
        client: the way to Slack.
        temporal_ui: the address of Temporal's own UI, ``""`` for no links.
        namespace: where Temporal keeps the requests.
        command: the slash command, as the Slack app declares it; advice to people names it.
    """

    def __init__(
        self, client: AsyncWebClient, *, temporal_ui: str, namespace: str, command: str
    ) -> None:
        self._slack = client
        self._cards = CardDrawer(client, Links(temporal_ui=temporal_ui, namespace=namespace))
        self._direct = DirectMessages(client, command)
        self._command = command

    @activity.defn(name="publish")
    async def publish(self, arg: PublishInput) -> CardRef:
        """Draw the card and add the replies; safe to repeat."""
        _check_plan(arg.state)
        progress = Progress()
        try:
            place = await self._cards.draw(arg.state, progress)
        except ApplicationError as error:
            if not is_final(error):
                raise
            return await self._tell_directly(arg, error, progress)
        await self._add_replies(arg, place, progress)
        return place

    @activity.defn(name="notify")
    async def notify(self, arg: NotifyInput) -> None:
        """Tell people in private; safe to repeat. One who cannot be told holds nobody else up."""
        progress, refusals = Progress(), list[ApplicationError]()
        for told in arg.notices:
            if progress.has(told.notice_id) or not USER_ID_FORM.fullmatch(told.user_id):
                continue
            try:
                await self._tell(told, progress)
            except ApplicationError as error:
                if not is_final(error):
                    raise
                activity.logger.warning("one person was not told: %s", error.message)
                refusals.append(error)
            progress.add(told.notice_id)
        if refusals and len(refusals) == len(arg.notices):
            raise refusals[0]

    async def _tell_directly(
        self, arg: PublishInput, refusal: ApplicationError, progress: Progress
    ) -> CardRef:
        """Tell people what matters, for the channel takes no card; its place stays as it was."""
        urgent = [entry for entry in arg.thread if entry.kind in URGENT]
        if not urgent:
            raise refusal
        activity.logger.warning("people are told directly: %s", refusal.message)
        for entry in urgent:
            await self._direct.tell(arg.state, entry, refusal, progress)
        return arg.state.card or CardRef(channel_id=arg.state.channel_id, ts="")

    async def _add_replies(self, arg: PublishInput, card: CardRef, progress: Progress) -> None:
        closing = any(entry.kind in LAST_WORDS for entry in arg.thread)
        told = [entry for entry in arg.thread if is_told(arg.state, entry, closing=closing)]
        if not told:
            return
        is_new = is_first(arg.state, progress)
        posted = set() if is_new else await Posted(self._slack, progress).replies(card)
        for entry in told:
            block_id = thread_block_id(arg.state.request_id, entry.key)
            if progress.has(entry.key) or block_id in posted:
                continue
            progress.beat()
            try:
                await self._reply(arg.state, entry, card)
            except ApplicationError as error:
                if not is_final(error):
                    raise
                activity.logger.warning("not told in the thread: %s", error.message)
                if entry.kind in URGENT:
                    await self._direct.tell(arg.state, entry, error, progress)
            progress.add(entry.key)

    async def _reply(self, state: RequestState, entry: ThreadEntry, card: CardRef) -> None:
        written = reply(state, entry)
        await post(
            self._slack,
            card.channel_id,
            written.text,
            written.blocks,
            thread_ts=card.ts,
            reply_broadcast=written.broadcast,
        )

    async def _tell(self, told: Notice, progress: Progress) -> None:
        """Tell one person in the channel, or directly when the channel does not take it."""
        text = notice(told.refusal, told.state, command=self._command)
        blocks = [
            SectionBlock(block_id=f"notice.{told.notice_id}", text=mrkdwn(text)),
            *buttons(told.refusal, told.state),
        ]
        try:
            await call(
                self._slack.chat_postEphemeral,
                "chat.postEphemeral",
                channel=told.channel_id,
                user=told.user_id,
                text=text,
                blocks=blocks,
            )
        except ApplicationError as error:
            if not (is_final(error) or lacks_right(error)):
                raise
        else:
            return
        if progress.is_repeated:
            await self._direct.send_once(told.user_id, text, blocks, progress)
        else:
            await self._direct.send(told.user_id, text, blocks)


def _check_plan(state: RequestState) -> None:
    """Draw no card that shows one plan and whose buttons approve another.

    Whoever can write to Temporal's namespace can have a card drawn of anything. Once people have
    decided, nothing must keep the words from them.
    """
    if state.status is not RequestStatus.WAITING or not state.plan_hash:
        return
    if state.renamed or not (state.shows_its_plan and _shows_steps(state)):
        message = "what the card would show is not the plan that its buttons approve"
        raise ApplicationError(message, type=ErrorType.BAD_INPUT, non_retryable=True)


def _shows_steps(state: RequestState) -> bool:
    if state.pin is None or catalog.find(state.operation.kind) is None:
        return False
    planned = catalog.steps_of(state.operation, state.pin)
    return [step.name for step in state.steps] == [step.name for step in planned]
