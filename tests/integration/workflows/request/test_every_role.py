"""What if people of every role try everything, at every door, wherever a request stands?

One small table says who has an effect; all else is tried too, and nothing comes of it. Requests
stand in their states beside each other, so that eight hundred tries take seconds.
"""

from __future__ import annotations

import asyncio
import itertools
import threading
import uuid
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import Enum
from functools import partial
from typing import Any

import pytest
from temporalio.client import Client
from temporalio.service import RPCError

from bot.service import Actor, Service
from bot.temporal.errors import PlanUnreadError, RequestEndedError, TemporalUnavailableError
from bot.temporal.requests import RequestClient
from tests.fakes.many_containers import HELD, SICK, ManyContainers
from tests.rigs.waiting import eventually
from tests.rigs.workers import RequestUnderTest, Workers
from workflows.model.errors import RefusalCode
from workflows.model.names import DECIDE_SIGNAL, RequestAddress
from workflows.model.requests import (
    Choice,
    ContainerRef,
    Instruction,
    Intent,
    OperationSpec,
)
from workflows.model.state import RequestState, RequestStatus


class Role(Enum):
    """Who somebody is to a request: an id, and the workspace that vouches for it."""

    REQUESTER = ("UALICE", "T1")
    NAMED = ("UBOB", "T1")
    IN_GROUP = ("UCAROL", "T1")
    MEMBER = ("UDAVE", "T1")
    GUEST = ("UGUEST", "T1")
    BOT = ("UAPP", "T1")
    DEACTIVATED = ("UGONE", "T1")
    OTHER_TEAM = ("UOTHER", "T2")
    IMPOSTOR = ("UBOB", "T2")
    IMPOSTOR_OF_THE_REQUESTER = ("UALICE", "T2")
    UNKNOWN = ("UNOBODY", "T1")


class Door(Enum):
    """How it comes: from the card, another card, the form, typed, or as a bare signal."""

    CARD = "card:C1:1.0"
    OTHER_CARD = "card:C1:9.9"
    FORM = "form:C1:1.0"
    COMMAND = "command"
    TERMINAL = "terminal"


Act = Choice | Intent
ACTS: tuple[Act, ...] = (*Choice, *Intent)
WAITING, RUNNING, NEEDS_PERSON, ENDED = "waiting", HELD, SICK, "ended"
STATUS = {
    WAITING: RequestStatus.WAITING,
    RUNNING: RequestStatus.RUNNING,
    NEEDS_PERSON: RequestStatus.NEEDS_PERSON,
    ENDED: RequestStatus.SUCCEEDED,
}

#: The table. In all but the waiting ones bob, who is named, has approved.
HAS_EFFECT: dict[tuple[str, Act], set[Role]] = {
    (WAITING, Choice.APPROVE): {Role.NAMED, Role.IN_GROUP},
    (WAITING, Choice.REJECT): {Role.NAMED, Role.IN_GROUP},
    (WAITING, Intent.CANCEL): {Role.REQUESTER},
    (RUNNING, Intent.CANCEL): {Role.REQUESTER},
    (NEEDS_PERSON, Intent.STOP_TRYING): {Role.REQUESTER, Role.NAMED},
    (NEEDS_PERSON, Intent.TRY_NOW): {Role.REQUESTER, Role.NAMED},
}
#: How a request ends by it, and whether its container was stopped.
EFFECTS = {
    (WAITING, Choice.APPROVE): (RequestStatus.SUCCEEDED, True),
    (WAITING, Choice.REJECT): (RequestStatus.REJECTED, False),
    (WAITING, Intent.CANCEL): (RequestStatus.CANCELLED, False),
    (RUNNING, Intent.CANCEL): (RequestStatus.PUT_BACK, True),
    (NEEDS_PERSON, Intent.STOP_TRYING): (RequestStatus.NEEDS_PERSON, True),
}
#: Why a decision about a waiting request does not count; that of an impostor is of another team.
WHY = {
    Role.REQUESTER: RefusalCode.OWN_REQUEST,
    Role.MEMBER: RefusalCode.NOT_AN_APPROVER,
    Role.GUEST: RefusalCode.GUEST,
    Role.BOT: RefusalCode.BOT,
    Role.DEACTIVATED: RefusalCode.DEACTIVATED,
    Role.OTHER_TEAM: RefusalCode.WRONG_TEAM,
    Role.UNKNOWN: RefusalCode.UNKNOWN_PERSON,
}
#: What else is told to whom it may be, by where the request stands.
TOLD = {
    WAITING: {
        *(RefusalCode.WRONG_CARD, RefusalCode.WRONG_TEAM),
        *(RefusalCode.NOT_REQUESTER, RefusalCode.NOT_TRYING),
    },
    RUNNING: {RefusalCode.NOT_OPEN, RefusalCode.NOT_REQUESTER, RefusalCode.NOT_TRYING},
    NEEDS_PERSON: {RefusalCode.NOT_OPEN, RefusalCode.NOT_REQUESTER, RefusalCode.PUTTING_BACK},
}


@dataclass(frozen=True, kw_only=True)
class Try:
    """One person does something at one door."""

    role: Role
    door: Door
    act: Act

    def has_effect(self, where: str) -> bool:
        """Say what the table says; a decision counts from its own card only."""
        if self.door is Door.OTHER_CARD and isinstance(self.act, Choice):
            return False
        return self.role in HAS_EFFECT.get((where, self.act), set())


_MOST_REPEATS = 10
#: Another card and the form are about decisions only.
TRIES = [
    Try(role=role, door=door, act=act)
    for role, door, act in itertools.product(Role, Door, ACTS)
    if isinstance(act, Choice) or door not in (Door.OTHER_CARD, Door.FORM)
]


class Stage:
    """Requests in their states, and the ways to act on them."""

    def __init__(self, workers: Workers, docker: ManyContainers) -> None:
        self.workers = workers
        self.docker = docker
        self._service = Service(RequestClient(workers.client))
        self._numbers = itertools.count()
        # The bot gives each call two seconds.
        self._at_once = asyncio.Semaphore(4)

    async def request(self, where: str, *, requester_is_named: bool = True) -> RequestUnderTest:
        """Take a request to where it is wanted; everybody who must not decide is named too."""
        # What has no room for its snapshot cannot be carried out.
        operation = OperationSpec(kind="stop", snapshot=where == NEEDS_PERSON)
        request = self.workers.request(operation=operation)
        named = {role.value[0] for role in Role} - {Role.IN_GROUP.value[0], Role.MEMBER.value[0]}
        if not requester_is_named:
            named -= {Role.REQUESTER.value[0]}
        policy = replace(
            request.policies[0], approvers=tuple(sorted(named)), approver_groups=("SOPS",)
        )
        container = ContainerRef(host=self.docker.name, name=f"{where}-{next(self._numbers)}")
        under_test = await self.workers.start(
            replace(request, container=container, policies=(policy,))
        )
        await under_test.until(RequestStatus.WAITING, within=60)
        if where != WAITING:
            await under_test.decide(Role.NAMED.value[0])
            await under_test.until(STATUS[where], within=60)
        if where == RUNNING:
            await eventually(lambda: container.name in self.docker.stopped, within=60)
        return under_test

    async def carry_out(self, one: Try, under_test: RequestUnderTest) -> None:
        """Do it: through what every door of the bot calls, or as a signal by hand."""
        async with self._at_once:
            for _ in range(_MOST_REPEATS):
                # On a busy machine the two seconds may be over; whoever is told so does it again.
                with suppress(TemporalUnavailableError, PlanUnreadError):
                    await self._carry_out(one, under_test)
                    return
        pytest.fail(f"{one} could not be recorded")

    async def _carry_out(self, one: Try, under_test: RequestUnderTest) -> None:
        user_id, team_id = one.role.value
        request = under_test.request
        if one.door is Door.TERMINAL:
            await self._by_hand(one, under_test)
            return
        address: RequestAddress | str = request.request_id
        if one.door is not Door.COMMAND:
            address = RequestAddress(
                request_id=request.request_id,
                host=request.container.host,
                container=request.container.name,
                plan_hash=under_test.plan_hash,
            )
        actor, source = Actor(user_id=user_id, team_id=team_id), one.door.value
        match one.act:
            case Choice() if isinstance(address, str):
                await self._service.decide_by_id(actor, address, one.act, source=source)
            case Choice():
                await self._service.decide(actor, address, one.act, source=source)
            case Intent.CANCEL:
                await self._service.cancel(actor, address, source=source)
            case Intent.STOP_TRYING:
                await self._service.stop_trying(actor, address, source=source)
            case Intent.TRY_NOW:
                await self._service.try_now(actor, address, source=source)

    async def _by_hand(self, one: Try, under_test: RequestUnderTest) -> None:
        user_id, team_id = one.role.value
        if isinstance(one.act, Choice):
            decision = under_test.decision(
                user_id, one.act, team_id=team_id, decision_id=uuid.uuid4().hex
            )
            await under_test.handle.signal(DECIDE_SIGNAL, decision)
            return
        instruction = Instruction(
            request_id=under_test.request.request_id,
            user_id=user_id,
            team_id=team_id,
            instruction_id=uuid.uuid4().hex,
        )
        await under_test.handle.signal(one.act.value, instruction)

    async def until_judged(self, under_test: RequestUnderTest) -> None:
        """Wait until all that was sent is judged: somebody comes last, and is answered."""
        last = f"ULAST{next(self._numbers)}"
        self.workers.slack.person(last)
        await under_test.decide(last)
        await eventually(
            lambda: any(n.user_id == last for n in self._notices(under_test)), within=60
        )

    def codes(self, under_test: RequestUnderTest, user_id: str) -> set[RefusalCode]:
        """Give what one person was told in private about a request."""
        return {n.refusal.code for n in self._notices(under_test) if n.user_id == user_id}

    def _notices(self, under_test: RequestUnderTest) -> list[Any]:
        request_id = under_test.request.request_id
        return [n for n in self.workers.slack.notices if n.state.request_id == request_id]

    async def operation_heard(self, under_test: RequestUnderTest) -> list[str]:
        """Give the signals and cancels that reached the operation of a request."""
        state = await under_test.state()
        if not state.operation_workflow_id:
            return []
        handle = self.workers.client.get_workflow_handle(state.operation_workflow_id)
        wanted = ("WORKFLOW_EXECUTION_SIGNALED", "WORKFLOW_EXECUTION_CANCEL_REQUESTED")
        return [event for event in await under_test.events(handle) if event in wanted]


@pytest.fixture(name="stage")
async def _stage(client: Client) -> AsyncIterator[Stage]:
    workers = Workers(client, at_once=32)
    docker = ManyContainers(workers.docker.name)
    docker.gates["ensure_stopped"] = threading.Event()
    workers.docker = docker
    for role, facts in {
        Role.GUEST: {"is_guest": True},
        Role.BOT: {"is_bot": True},
        Role.DEACTIVATED: {"deleted": True},
        Role.OTHER_TEAM: {"team_id": "T2"},
    }.items():
        workers.slack.person(role.value[0], **facts)
    workers.slack.groups["SOPS"] = {role.value[0] for role in Role} - {Role.MEMBER.value[0]}
    async with workers:
        yield Stage(workers, docker)


async def test_what_the_table_does_not_allow_has_no_effect(stage: Stage) -> None:
    """All of it on one request: it stays where it stood, and everybody is told so alone."""
    tried = await asyncio.gather(
        _nothing_else_has_an_effect(stage, WAITING),
        _nothing_else_has_an_effect(stage, WAITING, requester_is_named=False),
        _nothing_else_has_an_effect(stage, RUNNING),
        _nothing_else_has_an_effect(stage, NEEDS_PERSON),
    )
    await _end(stage, *tried)


async def _nothing_else_has_an_effect(
    stage: Stage, where: str, *, requester_is_named: bool = True
) -> tuple[RequestUnderTest, str]:
    under_test = await stage.request(where, requester_is_named=requester_is_named)
    before = _what_counts(await under_test.state())
    heard = await stage.operation_heard(under_test)

    vain = [one for one in TRIES if not one.has_effect(where)]
    await asyncio.gather(*(stage.carry_out(one, under_test) for one in vain))
    await stage.until_judged(under_test)

    assert _what_counts(await under_test.state()) == before, where
    assert await stage.operation_heard(under_test) == heard, where
    was_stopped = under_test.request.container.name in stage.docker.stopped
    assert was_stopped == (where != WAITING), where
    for user_id in {role.value[0] for role in Role}:
        told = stage.codes(under_test, user_id)
        why = {WHY[role] for role in Role if role.value[0] == user_id and role in WHY}
        assert told, f"{user_id} heard nothing of a request that is {where}"
        assert told <= TOLD[where] | (why if where == WAITING else set()), (where, user_id)
        assert where != WAITING or why <= told, (where, user_id)
    return under_test, where


async def test_what_is_over_stays_as_it_is(stage: Stage) -> None:
    """Whoever comes too late, by whatever door, changes nothing."""
    under_test = await stage.request(ENDED)
    before, stopped = await under_test.result(), list(stage.docker.stopped)

    async def too_late(one: Try) -> None:
        with suppress(RequestEndedError, RPCError):
            await stage.carry_out(one, under_test)
            pytest.fail(f"{one} was recorded")

    # The doors of the bot call the same for each of them, and look twice before they say no.
    tries = [one for one in TRIES if one.door in (Door.CARD, Door.TERMINAL)]
    await asyncio.gather(*map(too_late, tries))

    assert await under_test.result() == before
    assert stage.docker.stopped == stopped


async def test_what_the_table_allows_has_its_effect(stage: Stage) -> None:
    """Each on a request of its own, by every door."""
    cases = [
        (where, one)
        for where, one in itertools.product((WAITING, RUNNING, NEEDS_PERSON), TRIES)
        if one.has_effect(where) and one.act is not Intent.TRY_NOW
    ]
    assert {(where, one.act) for where, one in cases} | {(NEEDS_PERSON, Intent.TRY_NOW)} == set(
        HAS_EFFECT
    )
    requests = await asyncio.gather(*(stage.request(where) for where, _ in cases))

    await asyncio.gather(
        *(stage.carry_out(one, r) for (_, one), r in zip(cases, requests, strict=True))
    )
    for (where, _), under_test in zip(cases, requests, strict=True):
        if where == RUNNING:
            await eventually(partial(_is_cancelling, under_test), within=60)
    stage.docker.gates["ensure_stopped"].set()
    ended = await asyncio.gather(*(r.result() for r in requests))

    for (where, one), state in zip(cases, ended, strict=True):
        who, was_stopped = one.role.value[0], state.container.name in stage.docker.stopped
        effect = (state.status, was_stopped, _by_whom(state, one.act))
        assert effect == (*EFFECTS[where, one.act], who), (where, one)


async def test_who_may_hurry_hurries(stage: Stage) -> None:
    """One request after the other is tried at once, by every door, for each who may."""
    under_test = await stage.request(NEEDS_PERSON)
    heard = len(await stage.operation_heard(under_test))
    may = [one for one in TRIES if one.act is Intent.TRY_NOW and one.has_effect(NEEDS_PERSON)]

    await asyncio.gather(*(stage.carry_out(one, under_test) for one in may))

    people = {one.role for one in may}

    async def are_heard() -> bool:
        # Who says the same at two doors at once has said it once.
        more = len(await stage.operation_heard(under_test)) - heard
        return len(people) <= more <= len(may)

    await eventually(are_heard, within=60)
    await _end(stage, (under_test, NEEDS_PERSON))


def _by_whom(state: RequestState, act: Act) -> str:
    """Say by whom it was done, as the request knows it."""
    match act:
        case Choice():
            return next(d.approver_id for d in state.decisions if d.choice is act)
        case Intent.CANCEL:
            return state.cancel_requested_by
    return state.stop_trying_by


def _what_counts(state: RequestState) -> tuple[object, ...]:
    """Give what nobody may change who may not; tries go on by themselves."""
    return (
        *(state.status, state.decisions, state.closed),
        *(state.cancel_requested_by, state.stop_trying_by),
    )


async def _is_cancelling(under_test: RequestUnderTest) -> bool:
    return bool((await under_test.state()).cancel_requested_by)


async def _end(stage: Stage, *tried: tuple[RequestUnderTest, str]) -> None:
    """Leave nothing behind that goes on for ever."""
    for under_test, where in tried:
        act = Intent.STOP_TRYING if where == NEEDS_PERSON else Intent.CANCEL
        await stage.carry_out(Try(role=Role.REQUESTER, door=Door.TERMINAL, act=act), under_test)
    stage.docker.gates["ensure_stopped"].set()
    for under_test, _ in tried:
        await under_test.result()
