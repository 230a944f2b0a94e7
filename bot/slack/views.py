"""What do the submitted forms do? What fails is shown in the form, which then stays open."""

from __future__ import annotations

from bot.commands.options import cut_with_notice
from bot.service import Service
from bot.slack import replies
from bot.slack.forms import TAG_BLOCK, Origin, Wish, tag_problem, typed
from bot.slack.listener import Follow, SlackRequest
from bot.slack.mrkdwn import plain, reply
from bot.slack.uptake_words import Act
from workflows.model.requests import Choice, ContainerRef
from workflows.model.text import shows_nothing


class Views:
    """Carries out the forms."""

    def __init__(self, service: Service, follow: Follow) -> None:
        self._service = service
        self._follow = follow

    async def reject(self, slack_request: SlackRequest) -> None:
        """Record a rejection with its reason."""
        await self._decide(slack_request, Choice.REJECT)

    async def approve(self, slack_request: SlackRequest) -> None:
        """Record an approval, of the plan that its card shows, with a comment."""
        await self._decide(slack_request, Choice.APPROVE)

    async def ask(self, slack_request: SlackRequest) -> None:
        """Start a request of the one who has sent the form."""
        view = slack_request.body["view"]
        try:
            origin, metadata = Origin.read(view)
            reason = typed(view)
            tag = typed(view, TAG_BLOCK) if TAG_BLOCK in view["state"]["values"] else ""
            wish = Wish.read(metadata, tag)
        except ValueError:
            await slack_request.tell(replies.bad_button())
            return
        if problem := tag_problem(tag):
            await slack_request.tell(reply(plain(f"{tag}: {problem}.")), block=TAG_BLOCK)
            return
        receipt = await self._service.submit(
            slack_request.actor,
            wish.operation,
            ContainerRef(host=origin.address.host, name=wish.container),
            reason="" if shows_nothing(reason) else cut_with_notice(reason),
            channel_id=origin.channel_id,
            key=slack_request.key,
        )
        if receipt is not None:
            self._follow(slack_request, receipt, Act.START, channel_id=origin.channel_id)

    async def _decide(self, slack_request: SlackRequest, choice: Choice) -> None:
        view = slack_request.body["view"]
        try:
            (origin, _), comment = Origin.read(view), typed(view)
        except ValueError:
            await slack_request.tell(replies.bad_button())
            return
        if choice is Choice.REJECT and shows_nothing(comment):
            await slack_request.tell(replies.reason_missing())
            return
        receipt = await self._service.decide(
            slack_request.actor,
            origin.address,
            choice,
            source=origin.source,
            comment=cut_with_notice(comment),
        )
        self._follow(slack_request, receipt, Act.of(choice), channel_id=origin.channel_id)
