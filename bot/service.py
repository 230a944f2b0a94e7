"""What can a person ask for, through whatever door?

Plain values in, plain values or a :class:`~bot.temporal.errors.BotError` out: the doors read what
somebody wants and put the answer into words, and nothing here knows one of them.
"""

from __future__ import annotations

import hashlib
import logging
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from bot.commands.parser import Selection
from bot.temporal.errors import (
    AlreadyOpenError,
    PlanUnreadError,
    RequestEndedError,
    RequestSummary,
)
from bot.temporal.hosts import HostStanding
from bot.temporal.requests import RequestClient, Uptake
from bot.temporal.visibility import RequestPage
from workflows.host_query import HostQueryResult
from workflows.model.listing import EVERY, Wanted, in_natural_order
from workflows.model.names import RequestAddress
from workflows.model.requests import (
    Choice,
    ContainerRef,
    Decision,
    Instruction,
    Intent,
    LifecycleRequest,
    OperationSpec,
    Replacement,
)
from workflows.model.state import JudgedAct, RequestState
from workflows.model.terminal import TERMINAL_SOURCE, Terminal
from workflows.operations import catalog

_log = logging.getLogger(__name__)

#: Which request is meant: where it is, or its id alone, or the container that it is about.
Request = RequestAddress | str | ContainerRef


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """The person who acts, and the workspace that vouches for the person.

    At a ``terminal`` nobody vouches: the person is a claim, and the terminal is what is known.
    """

    user_id: str
    team_id: str
    terminal: Terminal | None = None

    @property
    def typed_at(self) -> str:
        """Say where this person types, for the log; nothing for somebody in Slack."""
        return "" if self.terminal is None else self.terminal.words


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """That something was recorded for a request; ``act_id`` is empty for its start.

    ``replaces`` is for the rejection of another request, without which this one does not begin.
    """

    address: RequestAddress
    act_id: str = ""
    replaces: Receipt | None = None


class Service:
    """Lets requests, decisions and questions in."""

    def __init__(self, requests: RequestClient) -> None:
        self._requests = requests

    async def submit(
        self,
        actor: Actor,
        operation: OperationSpec,
        container: ContainerRef,
        *,
        reason: str,
        channel_id: str,
        key: str,
        in_place: bool = False,
    ) -> Receipt | None:
        """Start a request; ``None`` when a copy of the same wish has started it.

        Args:
            actor: who asks.
            operation: what is to be done.
            container: to which container.
            reason: why, in the requester's words.
            channel_id: where the card is posted.
            key: unique for each act of a person: the same key makes the same request.
            in_place: where another's request waits, reject it and begin this one, if the one
                who asks is an approver of the other; the workflow judges that.

        Raises:
            AlreadyOpenError: another request for the container is open.
        """
        request = LifecycleRequest(
            request_id=hashlib.sha256(f"{actor.team_id}|{key}".encode()).hexdigest()[:12],
            operation=operation,
            container=container,
            requester=actor.user_id,
            team_id=actor.team_id,
            channel_id=channel_id,
            delivery_id=key,
            reason=reason,
            terminal=actor.terminal,
        )
        event, replaces = "request started", None
        try:
            if not await self._requests.start(request):
                return None
        except AlreadyOpenError as error:
            if not in_place:
                raise
            replacement = _replacement(request, error.request_id)
            await self._requests.replace(error.request_id, replacement)
            other = RequestAddress(
                request_id=error.request_id, host=container.host, container=container.name
            )
            replaces = Receipt(address=other, act_id=replacement.decision.decision_id)
            event = "request asked for in the place of another"
        _log.info(
            event,
            extra={
                "request_id": request.request_id,
                "operation": catalog.words_of(operation),
                "host": container.host,
                "container": container.name,
                "user": request.requester,
                "team": request.team_id,
                "channel": request.channel_id,
                "terminal": actor.typed_at,
            },
        )
        address = RequestAddress(
            request_id=request.request_id, host=container.host, container=container.name
        )
        return Receipt(address=address, replaces=replaces)

    async def decide(
        self,
        actor: Actor,
        request: RequestAddress | str,
        choice: Choice,
        *,
        source: str,
        comment: str = "",
    ) -> Receipt:
        """Record what one person decides; whether it counts is for the workflow to say.

        Args:
            actor: who decides.
            request: its address with the plan that the person saw, or its id alone, which is
                enough to reject it.
            choice: what is decided.
            source: the door: a word, or ``word:position`` when it has more than one place. The
                same person, choice and place always make the same decision.
            comment: why, in that person's words.

        Raises:
            RequestEndedError: the request is over.
            RequestUnknownError: there is none with this id.
        """
        request_id = _id_of(request)
        place = source if ":" in source else f"{source}:{request_id}"
        position = place.partition(":")[2]
        act = f"{actor.team_id}|{position}|{actor.user_id}|{choice}"
        decision = _decision(actor, request_id, choice, act=act, comment=comment, source=source)
        if isinstance(request, RequestAddress):
            decision = replace(decision, plan_hash=request.plan_hash)
        _log.info(
            "decision received",
            extra={
                "request_id": request_id,
                "decision_id": decision.decision_id[:12],
                "choice": choice,
                "user": actor.user_id,
                "team": actor.team_id,
                "source": source,
                "terminal": actor.typed_at,
            },
        )
        address = await self._requests.decide(request, decision)
        return Receipt(address=address, act_id=decision.decision_id)

    async def decide_by_id(
        self,
        actor: Actor,
        request: str | ContainerRef,
        choice: Choice,
        *,
        source: str,
        comment: str = "",
    ) -> tuple[Receipt, RequestState | None]:
        """Record a decision about a request given by its id or its container; see :meth:`decide`.

        What it would do is read once, for that is what is approved.

        Returns:
            What was decided about as well; ``None`` if that is not known, and it was rejected.

        Raises:
            PlanUnreadError: nobody answers, or what answers shows another plan than it names, so
                nobody can approve it in this way.
        """
        summary, state = await self._requests.status(request)
        request_id = summary.request_id
        if not summary.open and not isinstance(request, str):
            raise RequestEndedError(summary, state)
        is_shown = state is not None and state.shows_its_plan
        if choice is Choice.APPROVE and not is_shown:
            raise PlanUnreadError(request_id)
        address: RequestAddress | str = request_id
        if state is not None and not state.closed:
            address = RequestAddress(
                request_id=request_id,
                host=state.container.host,
                container=state.container.name,
                plan_hash=state.plan_hash,
            )
        receipt = await self.decide(actor, address, choice, source=source, comment=comment)
        return receipt, state

    async def cancel(self, actor: Actor, request: Request, *, source: str) -> Receipt:
        """Record that one person wants to cancel; see :meth:`decide`."""
        return await self._instruct(actor, request, Intent.CANCEL, source)

    async def stop_trying(self, actor: Actor, request: Request, *, source: str) -> Receipt:
        """Record that one person wants the tries to put a container back to end."""
        return await self._instruct(actor, request, Intent.STOP_TRYING, source)

    async def try_now(self, actor: Actor, request: Request, *, source: str) -> Receipt:
        """Record that one person wants a container to be put back now, not at the next try."""
        return await self._instruct(actor, request, Intent.TRY_NOW, source)

    async def is_taken_up(self, receipt: Receipt, *, at: datetime) -> Uptake | RequestState:
        """Ask once, and not for long, whether a request has taken up what was recorded then.

        Where the same decision counted long before, the state that says so is given.
        """
        return await self._requests.uptake(receipt.address, receipt.act_id, at=at)

    async def answer_to(self, receipt: Receipt, *, at: datetime) -> RequestState | Uptake:
        """Ask once for the state of a request that has its card, or was refused.

        Where neither is so, or nobody says it, say why; ``TAKEN`` where it is over and another is
        there, or where the one is over in whose place it was asked for.
        """
        answer = await self._requests.answer(receipt.address)
        if answer is Uptake.TAKEN and receipt.replaces is not None:
            before = await self.is_taken_up(receipt.replaces, at=at)
            return before if isinstance(before, Uptake) else answer
        return answer

    async def judgement(self, receipt: Receipt) -> JudgedAct | Uptake:
        """Ask once whether what was recorded counts; where that is not known yet, say why."""
        return await self._requests.judgement(receipt.address, receipt.act_id)

    async def standing(self, receipt: Receipt) -> RequestState | Uptake:
        """Ask once where a request stands now; where nobody answers, say why.

        Raises:
            RequestUnknownError: it is over, and no longer kept.
        """
        return await self._requests.state(receipt.address)

    async def list(self, selection: Selection | None, *, user_id: str, most: int) -> RequestPage:
        """Give at most so many requests: those selected, ``None`` for all that are open.

        ``user_id`` is whose requests are meant by those of one's own.
        """
        visibility = self._requests.visibility
        match selection:
            case None:
                return await visibility.open(most=most)
            case Selection.WAITING:
                return await visibility.waiting(most=most)
            case Selection.MINE:
                return await visibility.of(user_id, most=most)
            case Selection.RECENT:
                return await visibility.recent(most=most)

    async def states(self, rows: Sequence[RequestSummary]) -> dict[str, RequestState]:
        """Say where these requests stand, by their ids, as far as they say so within a second."""
        return await self._requests.states(rows)

    async def status(
        self, request: str | ContainerRef
    ) -> tuple[RequestSummary, RequestState | None]:
        """Say where a request stands; without a worker only its summary is known.

        Raises:
            RequestUnknownError: there is none with this id.
            NothingAskedError: there is none about this container.
        """
        return await self._requests.status(request)

    async def look(self, host: str, name: str = "", wanted: Wanted = EVERY) -> HostQueryResult:
        """Look at one container of a host, or at those wanted when ``name`` is empty.

        Raises:
            LookUnansweredError: the question was put, but not answered in time.
        """
        return await self._requests.look(host, name, wanted)

    async def now(self, request: RequestAddress) -> RequestState | None:
        """Ask a request itself where it stands; ``None`` when it does not say so."""
        return await self._requests.now(request)

    async def could_decide(self, actor: Actor, state: RequestState) -> bool | None:
        """Ask whether somebody could decide about a request; ``None`` is no answer."""
        return await self._requests.could_decide(state, actor.user_id)

    async def hosts(self, *, default: str) -> tuple[HostStanding, ...]:
        """Say which hosts there are and who serves them; ``default`` is among them always."""
        return await self._requests.hosts.standings(default=default)

    async def host_names(self) -> tuple[str, ...]:
        """Name the hosts that docker workers have announced; none where that is not known now."""
        return tuple(sorted(await self._requests.hosts.names(), key=in_natural_order))

    async def _instruct(
        self, actor: Actor, request: Request, intent: Intent, source: str
    ) -> Receipt:
        if isinstance(request, ContainerRef):
            summary = await self._requests.find(request)
            if not summary.open:
                raise RequestEndedError(summary)
            request = RequestAddress(
                request_id=summary.request_id, host=request.host, container=request.name
            )
        instruction = Instruction(
            request_id=_id_of(request),
            user_id=actor.user_id,
            team_id=actor.team_id,
            source=source,
            intent=intent,
            instruction_id=uuid.uuid4().hex,
            terminal=actor.terminal,
            sent_at=datetime.now(UTC),
        )
        _log.info(
            "instruction received",
            extra={
                "request_id": instruction.request_id,
                "intent": intent,
                "user": actor.user_id,
                "team": actor.team_id,
                "source": source,
                "terminal": actor.typed_at,
            },
        )
        address = await self._requests.instruct(request, instruction)
        return Receipt(address=address, act_id=instruction.instruction_id)


def _replacement(request: LifecycleRequest, other_id: str) -> Replacement:
    decision = _decision(
        Actor(user_id=request.requester, team_id=request.team_id, terminal=request.terminal),
        other_id,
        Choice.REJECT,
        act=f"{request.team_id}|{request.requester}|replace|{request.request_id}",
        comment=f"Another request comes in its place: {request.request_id}",
        source="command" if request.terminal is None else TERMINAL_SOURCE,
    )
    return Replacement(decision=decision, request=request)


def _decision(
    actor: Actor, request_id: str, choice: Choice, *, act: str, comment: str, source: str
) -> Decision:
    """Write down what one person decides now; the same ``act`` is the same decision."""
    return Decision(
        decision_id=hashlib.sha256(act.encode()).hexdigest(),
        request_id=request_id,
        approver_id=actor.user_id,
        team_id=actor.team_id,
        choice=choice,
        comment=comment,
        source=source,
        sent_at=datetime.now(UTC),
        terminal=actor.terminal,
    )


def _id_of(request: RequestAddress | str) -> str:
    return request if isinstance(request, str) else request.request_id
