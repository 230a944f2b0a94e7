"""What does each sub-command of the slash command do?"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from bot.commands import looking, parser
from bot.commands.ask import Ask
from bot.commands.parser import parse
from bot.commands.tokens import CommandError
from bot.counted import CountedLine
from bot.service import Receipt, Service
from bot.slack import host_list, listings, replies, request_list, request_status, trying
from bot.slack.listener import Follow, SlackRequest, submit
from bot.slack.mrkdwn import escape
from bot.slack.readers import Readers
from bot.slack.uptake_words import Act
from bot.temporal.errors import LookUnansweredError, Silent
from bot.work_list import page_of
from workflows.host_query import HostQueryResult
from workflows.model.listing import EVERY, Wanted
from workflows.model.requests import Choice
from workflows.model.state import RequestState

#: Gives the address of a workflow and of its run in Temporal's UI, or nothing.
WorkflowUrl = Callable[[str, str], str]

_log = logging.getLogger(__name__)
_SOURCE = "command"


class Commands:
    """Carries out the sub-commands."""

    def __init__(
        self,
        service: Service,
        follow: Follow,
        readers: Readers,
        *,
        command: str,
        default_host: str,
        workflow_url: WorkflowUrl,
    ) -> None:
        self._service = service
        self._follow = follow
        self._readers = readers
        self._command = command
        self._default_host = default_host
        self._workflow_url = workflow_url
        self._unknown = CountedLine(_log, "unknown button refused")
        self._handlers: dict[type, Callable[[SlackRequest, Any], Awaitable[None]]] = {
            Ask: self._ask,
            looking.ListContainers: self._list,
            looking.ListHosts: self._list_hosts,
            looking.Inspect: self._inspect,
            parser.Requests: self._requests,
            parser.Status: self._status,
            parser.Cancel: self._cancel,
            parser.StopTrying: self._stop_trying,
            parser.TryNow: self._try_now,
            parser.Approve: self._approve,
            parser.Reject: self._reject,
            parser.Help: self._help,
        }

    async def run(self, slack_request: SlackRequest) -> None:
        """Read the text and do what it asks for."""
        text = str(slack_request.body.get("text") or "")
        try:
            command = parse(text, default_host=self._default_host)
        except CommandError as error:
            await slack_request.tell(replies.mistake(self._command, error))
            return
        await self._handlers[type(command)](slack_request, command)

    async def ask_instead(self, slack_request: SlackRequest) -> None:
        """Ask for what a refusal offers, as the one who pressed: judged like what is typed."""
        try:
            # Slack makes nothing of what a button carries, so there is nothing to undo.
            asked = parse(escape(slack_request.button_value), default_host=self._default_host)
        except CommandError:
            asked = parser.Help()
        if not isinstance(asked, Ask):
            self._unknown.note(user=slack_request.user_id)
            await slack_request.tell(replies.bad_button())
            return
        await self._ask(slack_request, asked)
        if slack_request.is_on_private_answer:
            await slack_request.take_back()

    async def _ask(self, slack_request: SlackRequest, ask: Ask) -> None:
        await submit(
            self._service,
            self._follow,
            slack_request,
            ask.operation,
            ask.container,
            reason=ask.reason,
            in_place=ask.replace,
        )

    async def _list(self, slack_request: SlackRequest, asked: looking.ListContainers) -> None:
        await slack_request.acknowledge()
        result, hosts = await self._look(slack_request, asked.host, wanted=asked.wanted)
        if result is not None and result.containers is not None:
            shown = listings.container_list(
                asked.host,
                result.containers,
                asked=slack_request.asked,
                wanted=asked.wanted,
                hosts=hosts,
            )
            await slack_request.tell(shown)

    async def _list_hosts(self, slack_request: SlackRequest, _asked: looking.ListHosts) -> None:
        await slack_request.acknowledge()
        standings = await self._service.hosts(default=self._default_host)
        shown = host_list.host_list(standings, now=datetime.now(UTC), asked=slack_request.asked)
        await slack_request.tell(shown)

    async def _inspect(self, slack_request: SlackRequest, asked: looking.Inspect) -> None:
        await slack_request.acknowledge()
        result, _ = await self._look(slack_request, asked.host, asked.container)
        if result is not None and result.inspection is not None:
            shown = listings.container(
                asked.host, result.inspection, result.rules, asked=slack_request.asked
            )
            await slack_request.tell(shown)

    async def _look(
        self, slack_request: SlackRequest, host: str, name: str = "", wanted: Wanted = EVERY
    ) -> tuple[HostQueryResult | None, tuple[str, ...]]:
        """Look at a host, and name the hosts that there are; say so where nothing can be seen."""
        named = asyncio.ensure_future(self._service.host_names())
        try:
            result = await self._service.look(host, name, wanted)
        except LookUnansweredError as error:
            hosts = await named
            shown = listings.unanswered(
                replies.silence(error),
                asked=slack_request.asked,
                hosts=hosts if error.silent is Silent.HOST else (),
            )
            await slack_request.tell(shown)
            return None, hosts
        except BaseException:
            named.cancel()
            raise
        hosts = await named
        if result.refusal is not None:
            refused = listings.look_refused(
                result.refusal, host=host, name=name, asked=slack_request.asked, hosts=hosts
            )
            await slack_request.tell(refused)
        return result, hosts

    async def _requests(self, slack_request: SlackRequest, asked: parser.Requests) -> None:
        page = await page_of(
            self._service,
            slack_request.actor,
            asked.selection,
            number=asked.page,
            size=request_list.PAGE_SIZE,
        )
        await slack_request.tell(
            request_list.show(
                page,
                asked.selection,
                actor=slack_request.actor,
                channel_id=slack_request.channel_id,
                now=datetime.now(UTC),
                command=self._command,
            )
        )

    async def _status(self, slack_request: SlackRequest, asked: parser.Status) -> None:
        summary, state = await self._service.status(asked.request)
        ui = self._workflow_url(summary.workflow_id, summary.run_id)
        may_read = summary.requester == slack_request.user_id
        if state is not None:
            may_read = await self._readers.may_read(
                state, slack_request.actor, slack_request.channel_id
            )
        await slack_request.tell(
            request_status.show(summary, state, now=datetime.now(UTC), ui=ui, may_read=may_read)
        )

    async def _cancel(self, slack_request: SlackRequest, asked: parser.Cancel) -> None:
        receipt = await self._service.cancel(slack_request.actor, asked.request, source=_SOURCE)
        await self._tell_recorded(slack_request, receipt, Act.CANCEL)

    async def _stop_trying(self, slack_request: SlackRequest, asked: parser.StopTrying) -> None:
        """Ask once more: a button does it."""
        summary, state = await self._service.status(asked.request)
        await slack_request.tell(
            trying.ask_to_stop(summary, state, slack_request.actor, command=self._command)
        )

    async def _try_now(self, slack_request: SlackRequest, asked: parser.TryNow) -> None:
        receipt = await self._service.try_now(slack_request.actor, asked.request, source=_SOURCE)
        await self._tell_recorded(slack_request, receipt, Act.TRY_NOW)

    async def _approve(self, slack_request: SlackRequest, asked: parser.Approve) -> None:
        await self._decide(slack_request, asked, Choice.APPROVE)

    async def _reject(self, slack_request: SlackRequest, asked: parser.Reject) -> None:
        await self._decide(slack_request, asked, Choice.REJECT)

    async def _decide(
        self, slack_request: SlackRequest, asked: parser.Approve | parser.Reject, choice: Choice
    ) -> None:
        receipt, decided = await self._service.decide_by_id(
            slack_request.actor, asked.request, choice, source=_SOURCE, comment=asked.comment
        )
        await self._tell_recorded(slack_request, receipt, Act.of(choice), decided)

    async def _tell_recorded(
        self,
        slack_request: SlackRequest,
        receipt: Receipt,
        act: Act,
        decided: RequestState | None = None,
    ) -> None:
        self._follow(slack_request, receipt, act)
        await slack_request.tell(replies.recorded(receipt.address.request_id, act, decided))

    async def _help(self, slack_request: SlackRequest, asked: parser.Help) -> None:
        await slack_request.tell(replies.help_text(self._command, asked.topic))
