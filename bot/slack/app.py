"""How is the bolt app put together: its client, who it is, and which listener takes what?

Slack is asked once who the bot is. What no listener of ours wants is acknowledged all the same,
or Slack would tell the person that the app failed.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass

from slack_bolt import BoltResponse
from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.service import Service
from bot.settings import ConfigurationError
from bot.slack import middleware
from bot.slack.actions import Actions
from bot.slack.client import refusal
from bot.slack.commands import Commands, WorkflowUrl
from bot.slack.follow_up import FollowUps
from bot.slack.greeting import Greeting
from bot.slack.listener import ListenerRunner, report
from bot.slack.openers import Openers
from bot.slack.readers import Readers
from bot.slack.views import Views
from workflows.model.names import APPROVE_FORM, ASK_FORM, REJECT_FORM, ActionId

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who the bot is, as Slack says."""

    team_id: str
    bot_id: str
    bot_user_id: str


async def identify(client: AsyncWebClient) -> Identity:
    """Ask Slack who the bot is.

    Raises:
        ConfigurationError: Slack refuses the token.
        SlackApiError: Slack has troubles of its own.
    """
    try:
        answer = await client.auth_test()
    except SlackApiError as error:
        code = refusal(error)
        if not code:
            raise
        message = (
            f"Slack refuses the bot token ({code}): "
            "set DOCKWARDEN_SLACK_BOT_TOKEN to the xoxb-… token of the installed app"
        )
        raise ConfigurationError(message) from error
    return Identity(
        team_id=str(answer["team_id"]),
        bot_id=str(answer.get("bot_id") or ""),
        bot_user_id=str(answer.get("user_id") or ""),
    )


def build_app(
    *,
    identity: Identity,
    client: AsyncWebClient,
    signing_secret: str,
    runner: ListenerRunner,
    service: Service,
    follow_ups: FollowUps,
    default_host: str,
    workflow_url: WorkflowUrl,
    commands_per_person: int,
) -> AsyncApp:
    """Build the app. Slack was asked once who we are, so no delivery waits for that again."""
    token = client.token

    async def authorize() -> AuthorizeResult:
        return AuthorizeResult(
            enterprise_id=None,
            team_id=identity.team_id,
            bot_id=identity.bot_id,
            bot_user_id=identity.bot_user_id,
            bot_token=token,
        )

    # bolt warns of a client that has a token beside ``authorize``: it gets one without.
    nameless = AsyncWebClient(base_url=client.base_url, retry_handlers=[])
    app = AsyncApp(
        name="dockwarden",
        client=nameless,
        signing_secret=signing_secret,
        authorize=authorize,
        # Left alone, its parts take the level of our own log, and write down what people wrote.
        logger=logging.getLogger("slack_bolt"),
    )
    app.error(_on_error)
    middleware.install(app, team_id=identity.team_id, commands_per_person=commands_per_person)
    register_listeners(
        app,
        runner,
        client=client,
        service=service,
        follow_ups=follow_ups,
        default_host=default_host,
        workflow_url=workflow_url,
        bot_user_id=identity.bot_user_id,
    )
    return app


def register_listeners(
    app: AsyncApp,
    runner: ListenerRunner,
    *,
    client: AsyncWebClient,
    service: Service,
    follow_ups: FollowUps,
    default_host: str,
    workflow_url: WorkflowUrl,
    bot_user_id: str,
) -> None:
    """Tie all listeners to their deliveries."""
    commands = Commands(
        service,
        follow_ups.follow,
        Readers(service),
        command=runner.command,
        default_host=default_host,
        workflow_url=workflow_url,
    )
    actions = Actions(service, follow_ups.follow)
    openers = Openers(service, client, command=runner.command, workflow_url=workflow_url)
    views = Views(service, follow_ups.follow)
    app.command(runner.command)(runner.guarded(commands.run))
    app.action(ActionId.APPROVE)(runner.guarded(actions.approve))
    app.action(ActionId.REJECT)(runner.guarded(openers.reject))
    app.action(ActionId.CANCEL)(runner.guarded(actions.cancel))
    app.action(ActionId.STOP_TRYING)(runner.guarded(actions.stop_trying))
    app.action(ActionId.TRY_NOW)(runner.guarded(actions.try_now))
    app.action(ActionId.AGAIN)(runner.guarded(openers.request_again))
    app.action(ActionId.START_AGAIN)(runner.guarded(openers.start_again))
    app.action(ActionId.DETAILS)(runner.guarded(openers.details))
    app.action(ActionId.APPROVE_WITH_COMMENT)(runner.guarded(openers.approve_with_comment))
    app.action(re.compile(rf"{re.escape(ActionId.ASK)}\.\d"))(runner.guarded(commands.ask_instead))
    app.view(REJECT_FORM)(runner.guarded(views.reject))
    app.view(APPROVE_FORM)(runner.guarded(views.approve))
    app.view(ASK_FORM)(runner.guarded(views.ask))
    greeting = Greeting(
        service,
        client,
        bot_user_id=bot_user_id,
        command=runner.command,
        default_host=default_host,
    )
    app.event("member_joined_channel")(greeting.joined)
    app.event("app_home_opened")(greeting.home)
    app.action(re.compile(".*"))(_acknowledge)
    app.event(re.compile(".*"))(_acknowledge)


async def _acknowledge(ack: AsyncAck) -> None:
    """Take what needs no answer, such as a press on a link."""
    await ack()


async def _on_error(error: Exception) -> BoltResponse:
    """Put an error from outside the listeners into words."""
    return BoltResponse(status=200, body=report(error).as_arguments())
