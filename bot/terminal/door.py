"""What does each command of a terminal do?

The same calls of the service as in Slack. The difference is who hears of it: at a terminal nobody
sees a card or a private notice, so each act is followed until it is known whether it counts.
"""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bot.commands import looking, parser
from bot.commands.ask import Ask
from bot.service import Actor, Receipt, Service
from bot.temporal.requests import Uptake
from bot.terminal import errors, exits, listings, objects, refusals
from bot.terminal.exits import Exit
from bot.terminal.following import until_judged, until_let_in, until_over
from bot.terminal.progress import Progress
from bot.terminal.screen import Screen
from bot.terminal.tables import tamed
from bot.work_list import page_of
from workflows.model.names import RequestAddress
from workflows.model.requests import Choice
from workflows.model.state import JudgedAct, Refusal, RequestState
from workflows.model.terminal import TERMINAL_SOURCE

#: How many requests a page of a list shows: no message of Slack limits it here.
_PAGE_SIZE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """How a command is carried out: where a card goes, and whether the end is waited for."""

    default_host: str
    channel: str = ""
    wait: bool = False
    within: float | None = None


class Door:
    """Carries out the commands.

    ``goes_on`` is the id of a request that is recorded and goes on without this program.
    """

    def __init__(self, service: Service, actor: Actor, screen: Screen, wishes: Wishes) -> None:
        self._service = service
        self._actor = actor
        self._screen = screen
        self._wishes = wishes
        self._progress = Progress()
        self.goes_on = ""
        self._handlers: dict[type, Callable[[Any], Awaitable[Exit]]] = {
            Ask: self._ask,
            parser.Approve: lambda asked: self._decide(asked, Choice.APPROVE),
            parser.Reject: lambda asked: self._decide(asked, Choice.REJECT),
            parser.Cancel: lambda asked: self._instruct(asked, service.cancel),
            parser.StopTrying: lambda asked: self._instruct(asked, service.stop_trying),
            parser.TryNow: lambda asked: self._instruct(asked, service.try_now),
            parser.Requests: self._requests,
            parser.Status: self._status,
            looking.ListContainers: self._list,
            looking.ListHosts: self._hosts,
            looking.Inspect: self._inspect,
        }

    async def run(self, command: parser.Command) -> Exit:
        """Do what was typed, and say what came of it.

        Raises:
            BotError: it could not be done.
        """
        return await self._handlers[type(command)](command)

    async def _ask(self, ask: Ask) -> Exit:
        receipt = await self._service.submit(
            self._actor,
            ask.operation,
            ask.container,
            reason=ask.reason,
            channel_id=self._wishes.channel,
            key=f"{TERMINAL_SOURCE}:{uuid.uuid4().hex}",
            in_place=ask.replace,
        )
        # Nobody else has this key, so nobody else can have started it.
        assert receipt is not None  # noqa: S101
        request_id = self.goes_on = receipt.address.request_id
        self._screen.tell(f"Request {request_id} is noted.")
        if receipt.replaces is not None:
            judged = await until_judged(self._service, receipt.replaces)
            if isinstance(judged, JudgedAct) and judged.refusal is not None:
                return await self._not_counted(receipt.replaces, judged.refusal)
        state = await until_let_in(self._service, receipt)
        if isinstance(state, Uptake):
            return self._not_confirmed(request_id, state)
        if state.refusal is not None:
            return self._screen.end(
                Exit.NOT_DONE,
                (),
                error=refusals.not_let_in(state.refusal, state),
                request=objects.request(state),
            )
        self._screen.tell(*self._progress.news(state))
        return await self._end(receipt, state, lines=())

    async def _decide(self, asked: parser.Approve | parser.Reject, choice: Choice) -> Exit:
        # Each is an act of its own: what became of this one is asked, not of an earlier one.
        source = f"{TERMINAL_SOURCE}:{uuid.uuid4().hex}"
        receipt, decided = await self._service.decide_by_id(
            self._actor, asked.request, choice, source=source, comment=asked.comment
        )
        if decided is not None:
            self._screen.tell(listings.plan(decided))
        return await self._followed(receipt)

    async def _instruct(
        self,
        asked: parser.Cancel | parser.StopTrying | parser.TryNow,
        instruct: Callable[..., Awaitable[Receipt]],
    ) -> Exit:
        receipt = await instruct(self._actor, asked.request, source=TERMINAL_SOURCE)
        return await self._followed(receipt)

    async def _followed(self, receipt: Receipt) -> Exit:
        """Say whether what was recorded counts."""
        request_id = self.goes_on = receipt.address.request_id
        judged = await until_judged(self._service, receipt)
        if isinstance(judged, Uptake):
            return self._not_confirmed(request_id, judged)
        if judged.refusal is not None:
            return await self._not_counted(receipt, judged.refusal)
        state = await self._service.standing(receipt)
        if isinstance(state, Uptake):
            words = f"It counts. `dockwarden status {request_id}` shows what follows."
            return self._screen.end(Exit.DONE, [words], counted=True, request=None)
        words = f"It counts. Request {request_id} is {listings.status_words(state)}."
        return await self._end(receipt, state, lines=[tamed(words)], counted=True)

    async def _end(
        self,
        receipt: Receipt,
        state: RequestState,
        *,
        lines: list[str] | tuple[str, ...],
        **fields: Any,  # noqa: ANN401
    ) -> Exit:
        """End here, or with the request when that is waited for."""
        if not self._wishes.wait:
            return self._screen.end(Exit.DONE, lines, request=objects.request(state), **fields)
        self._screen.tell(*lines)
        last = await until_over(
            self._service,
            receipt,
            self._screen,
            self._progress,
            within=self._wishes.within,
        )
        if last is None:
            words = (
                f"The time of --within is over, and request {state.request_id} goes on: "
                f"`dockwarden status {state.request_id} --wait`."
            )
            return self._screen.end(
                Exit.STILL_WAITING, (), error=words, request={"id": state.request_id}, **fields
            )
        shown = ["", *listings.request(last)]
        data = objects.request(last)
        return self._screen.end(exits.of_outcome(last), shown, request=data, **fields)

    async def _not_counted(self, receipt: Receipt, refusal: Refusal) -> Exit:
        state = await self._service.standing(receipt)
        data, words = None, f"That did not count: {refusal.code}."
        if isinstance(state, RequestState):
            data, words = objects.request(state), refusals.not_counted(refusal, state)
        return self._screen.end(
            Exit.NOT_DONE,
            (),
            error=words,
            counted=False,
            refusal=objects.refusal(refusal),
            request=data,
        )

    def _not_confirmed(self, request_id: str, uptake: Uptake) -> Exit:
        words = errors.not_confirmed(uptake, request_id)
        fields = {"counted": None, "request": {"id": request_id}}
        return self._screen.end(Exit.NOT_CONFIRMED, (), error=words, **fields)

    async def _requests(self, asked: parser.Requests) -> Exit:
        page = await page_of(
            self._service, self._actor, asked.selection, number=asked.page, size=_PAGE_SIZE
        )
        shown = listings.requests(page, now=datetime.now(UTC))
        return self._screen.end(Exit.DONE, shown, **objects.requests(page))

    async def _status(self, asked: parser.Status) -> Exit:
        summary, state = await self._service.status(asked.request)
        if state is None:
            data = objects.summary(summary)
            return self._screen.end(Exit.NOT_CONFIRMED, listings.row(summary), request=data)
        if not self._wishes.wait or state.closed:
            ended = exits.of_outcome(state) if self._wishes.wait else Exit.DONE
            return self._screen.end(ended, listings.request(state), request=objects.request(state))
        self.goes_on = state.request_id
        address = RequestAddress(
            request_id=state.request_id, host=state.container.host, container=state.container.name
        )
        return await self._end(Receipt(address=address), state, lines=())

    async def _list(self, asked: looking.ListContainers) -> Exit:
        result = await self._service.look(asked.host, wanted=asked.wanted)
        if result.containers is None:
            return self._nothing_to_show(result.refusal, asked.host)
        data = objects.containers(asked.host, result.containers)
        return self._screen.end(Exit.DONE, listings.containers(result.containers), **data)

    async def _hosts(self, _asked: looking.ListHosts) -> Exit:
        standings = await self._service.hosts(default=self._wishes.default_host)
        shown = listings.hosts(standings, now=datetime.now(UTC))
        return self._screen.end(Exit.DONE, shown, **objects.hosts(standings))

    async def _inspect(self, asked: looking.Inspect) -> Exit:
        result = await self._service.look(asked.host, asked.container)
        if result.inspection is None:
            return self._nothing_to_show(result.refusal, asked.host, asked.container)
        pin = result.inspection.pin
        data = objects.container(asked.host, pin) | objects.rules(result.rules)
        shown = listings.container(asked.host, pin, result.rules)
        return self._screen.end(Exit.DONE, shown, **data)

    def _nothing_to_show(self, refusal: Refusal | None, host: str, name: str = "") -> Exit:
        words = refusals.nothing_to_show(refusal, host=host, name=name)
        return self._screen.end(Exit.NOT_DONE, (), error=words, refusal=objects.refusal(refusal))
