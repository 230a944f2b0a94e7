"""What does ``/container`` do?"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from bot.commands import parser
from bot.commands.parser import CommandMistake, parse
from bot.service import Requesting, cancellation, decision
from bot.slack import replies, reply_views
from bot.slack.listener import Exchange
from bot.temporal.requests import Gateway
from workflows.model.requests import Choice, ContainerRef, OperationKind, OperationSpec

_SOURCE = "command"
_TITLES = {
    parser.Selection.WAITING: "Requests waiting for approval",
    parser.Selection.MINE: "Your requests",
    parser.Selection.RECENT: "Requests of the last seven days",
}


class Commands:
    """Carries out the sub-commands; ``workflow_link`` is the address of one in Temporal's UI."""

    def __init__(
        self,
        gateway: Gateway,
        requesting: Requesting,
        *,
        command: str,
        default_host: str,
        workflow_link: str,
    ) -> None:
        self._gateway = gateway
        self._requesting = requesting
        self._command = command
        self._default_host = default_host
        self._workflow_link = workflow_link
        self._handlers: dict[type, Callable[[Exchange, Any], Awaitable[None]]] = {
            parser.Stop: self._stop,
            parser.Snapshot: self._snapshot,
            parser.ListContainers: self._list,
            parser.Inspect: self._inspect,
            parser.Requests: self._requests,
            parser.Status: self._status,
            parser.Cancel: self._cancel,
            parser.Approve: self._approve,
            parser.Reject: self._reject,
            parser.Help: self._help,
        }

    async def run(self, exchange: Exchange) -> None:
        """Read the text and do what it asks for."""
        text = str(exchange.body.get("text") or "")
        try:
            command = parse(text, default_host=self._default_host)
        except CommandMistake as error:
            reply = replies.mistake(
                self._command, problem=error.problem, marked=error.marked, example=error.example
            )
            await exchange.tell(reply)
            return
        await self._handlers[type(command)](exchange, command)

    async def _stop(self, exchange: Exchange, stop: parser.Stop) -> None:
        operation = OperationSpec(
            kind=OperationKind.STOP,
            snapshot=stop.snapshot,
            snapshot_ref=stop.reference,
            grace_seconds=stop.grace_seconds,
        )
        container = ContainerRef(host=stop.host, name=stop.container)
        await self._requesting.ask(exchange, operation, container, stop.reason)

    async def _snapshot(self, exchange: Exchange, snapshot: parser.Snapshot) -> None:
        operation = OperationSpec(
            kind=OperationKind.SNAPSHOT,
            snapshot=True,
            snapshot_ref=snapshot.reference,
            grace_seconds=snapshot.grace_seconds,
        )
        container = ContainerRef(host=snapshot.host, name=snapshot.container)
        await self._requesting.ask(exchange, operation, container, snapshot.reason)

    async def _list(self, exchange: Exchange, asked: parser.ListContainers) -> None:
        await exchange.acknowledge()
        result = await self._gateway.look(asked.host)
        if result.containers is not None:
            await exchange.tell(reply_views.container_list(asked.host, result.containers))
        elif result.refusal is not None:
            await exchange.tell(reply_views.look_refused(result.refusal, host=asked.host, name=""))

    async def _inspect(self, exchange: Exchange, asked: parser.Inspect) -> None:
        await exchange.acknowledge()
        result = await self._gateway.look(asked.host, asked.container)
        if result.inspection is not None:
            await exchange.tell(reply_views.container(asked.host, result.inspection))
        elif result.refusal is not None:
            await exchange.tell(
                reply_views.look_refused(result.refusal, host=asked.host, name=asked.container)
            )

    async def _requests(self, exchange: Exchange, asked: parser.Requests) -> None:
        register = self._gateway.register
        match asked.selection:
            case parser.Selection.WAITING:
                rows, total = await register.waiting()
            case parser.Selection.MINE:
                rows, total = await register.of(exchange.user_id)
            case parser.Selection.RECENT:
                rows, total = await register.recent()
        title = _TITLES[asked.selection]
        await exchange.tell(reply_views.request_list(title, rows, total, now=datetime.now(UTC)))

    async def _status(self, exchange: Exchange, asked: parser.Status) -> None:
        summary, state = await self._gateway.status(asked.request_id)
        ui = self._workflow_link.format(
            workflow_id=summary.workflow_id.replace("/", "%2F"), run_id=summary.run_id
        )
        await exchange.tell(
            reply_views.request_status(summary, state, now=datetime.now(UTC), ui=ui)
        )

    async def _cancel(self, exchange: Exchange, asked: parser.Cancel) -> None:
        await self._gateway.cancel_by_id(cancellation(exchange, asked.request_id, source=_SOURCE))
        await exchange.tell(replies.cancel_recorded(asked.request_id))

    async def _approve(self, exchange: Exchange, asked: parser.Approve) -> None:
        made = decision(
            exchange, asked.request_id, Choice.APPROVE, source=_SOURCE, comment=asked.comment
        )
        await self._gateway.decide_by_id(made)
        await exchange.tell(replies.recorded(asked.request_id))

    async def _reject(self, exchange: Exchange, asked: parser.Reject) -> None:
        made = decision(
            exchange, asked.request_id, Choice.REJECT, source=_SOURCE, comment=asked.comment
        )
        await self._gateway.decide_by_id(made)
        await exchange.tell(replies.recorded(asked.request_id))

    async def _help(self, exchange: Exchange, asked: parser.Help) -> None:
        await exchange.tell(replies.help_text(self._command, asked.topic))
