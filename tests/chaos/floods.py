"""What if many messages come at once from people who may not decide, or from nobody at all?

Through the bot's doors, as signals with ids that nobody has seen before, and of shapes that no
signal of ours has. In the middle of most floods somebody who may decide approves, once.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import signal
from collections.abc import AsyncIterator, Awaitable, Iterator
from typing import Any, Final

from temporalio.client import WorkflowExecution, WorkflowHandle

from deploy.laptop.channel import request_of
from deploy.laptop.slack_server import TEAM_ID, USERS
from tests.chaos.event_log import Action
from tests.chaos.meddling import find_button, open_runs, pick, second_pick
from tests.chaos.plan import Move, Planned
from tests.chaos.system import System
from tests.rigs.waiting import eventually
from workflows.model.names import (
    CANCEL_SIGNAL,
    DECIDE_SIGNAL,
    OPERATION_WORKFLOW,
    REPLACE_SIGNAL,
    REQUEST_ID,
    REQUEST_WORKFLOW,
    REQUESTER,
    STATUS,
    ActionId,
)
from workflows.model.requests import Choice, Decision, Instruction, Intent
from workflows.model.state import RequestStatus

#: So often somebody approves in the middle of a flood.
_APPROVED: Final = 0.7
#: So many strangers send signals; who they are is made up.
_CROWD: Final = 400
_PATIENCE: Final = 8.0
_GARBAGE: Final = (
    *("[]", "[null]", "[1]", '["x"]', "[[]]", "[{}]", "[{}, {}]", '[{"request_id": {}}]'),
    *('[{"decision_id": "d", "approver_id": null}]', '[{"decision": {}, "request": {}}]'),
    *('["' + "x" * 20_000 + '"]', '[{"sent_at": "never", "choice": "approve"}]'),
)
_NAMES: Final = (
    *(DECIDE_SIGNAL, REPLACE_SIGNAL, *Intent),
    *("operation_progress", "give_up", "nothing_of_ours"),
)


async def flood(system: System, planned: Planned, action: Action) -> bool:
    """Send so many messages at once about one open request."""
    cards: dict[str, dict[str, Any]] = {}
    shown: list[WorkflowExecution] = []

    async def has_card() -> bool:
        running = await open_runs(system.client, REQUEST_WORKFLOW)
        messages = await system.messages()
        cards.update({request_of(m): m for m in messages if find_button(m, ActionId.CANCEL)})
        shown[:] = [run for run in running if run.typed_search_attributes[REQUEST_ID] in cards]
        return bool(shown)

    # Nobody may have asked for anything by then.
    with contextlib.suppress(AssertionError):
        await eventually(has_card, within=_PATIENCE)
    waiting = [r for r in shown if r.typed_search_attributes.get(STATUS) == RequestStatus.WAITING]
    to_decide = planned.move in (Move.FLOOD_CLICKS, Move.FLOOD_DECISIONS)
    found = pick(planned, waiting if to_decide else waiting or shown)
    if found is None:
        return False
    request_id = found.typed_search_attributes[REQUEST_ID]
    action.request_id = request_id
    card = cards[request_id]
    sends = list(_sends(system, planned, found, card))
    approver = _approver(planned, found) if find_button(card, ActionId.APPROVE) else ""
    if approver:
        press = _press(system, approver, card, ActionId.APPROVE)
        sends.insert(len(sends) // 2, press)
    async with _frozen(system, planned):
        ends = await asyncio.gather(*sends, return_exceptions=True)
    lost = [end for end in ends if isinstance(end, BaseException)]
    if approver and not isinstance(ends[(len(ends) - 1) // 2], BaseException):
        action.user = approver
    frozen = ", while the worker was frozen" if planned.seconds else ""
    action.note = f"{len(ends)} to {found.id}, {len(lost)} of them lost{frozen}"
    return len(lost) < len(ends)


@contextlib.asynccontextmanager
async def _frozen(system: System, planned: Planned) -> AsyncIterator[None]:
    """Let all of it come to a worker that finds it later, if the plan says so."""
    pid = system.signal("worker", signal.SIGSTOP) if planned.seconds else None
    try:
        yield
        await asyncio.sleep(planned.seconds)
    finally:
        if pid is not None and system.pid("worker") == pid:
            system.signal("worker", signal.SIGCONT)


def _approver(planned: Planned, found: WorkflowExecution) -> str:
    """Choose who approves in the middle; ``""`` when nobody does."""
    if second_pick(planned, 2) > _APPROVED:
        return ""
    requester = found.typed_search_attributes[REQUESTER]
    allowed = [name for name in ("bob", "carol") if USERS[name] != requester]
    return pick(planned, allowed) or ""


def _sends(
    system: System, planned: Planned, found: WorkflowExecution, card: dict[str, Any]
) -> Iterator[Awaitable[object]]:
    chance = random.Random(planned.pick)  # noqa: S311 - a plan, not a secret
    handle = system.client.get_workflow_handle(found.id)
    request_id = found.typed_search_attributes[REQUEST_ID]
    strangers = [USERS["dave"], found.typed_search_attributes[REQUESTER]]
    strangers += [f"U0FLOOD{number:03d}" for number in range(_CROWD)]
    for _ in range(int(planned.text)):
        match planned.move:
            case Move.FLOOD_CLICKS:
                yield _press(system, "dave", card, ActionId.APPROVE)
            case Move.FLOOD_CANCELS if chance.random() < 0.5:
                yield _press(system, "dave", card, ActionId.CANCEL)
            case Move.FLOOD_DECISIONS:
                who = chance.choice(strangers if chance.random() > 0.5 else strangers[:2])
                yield handle.signal(DECIDE_SIGNAL, _decision(chance, request_id, who))
            case Move.FLOOD_CANCELS:
                # Whoever asked may cancel, so that it is not among the strangers here.
                who = chance.choice([strangers[0], *strangers[2:]])
                if who != strangers[1]:
                    yield handle.signal(CANCEL_SIGNAL, _cancel(chance, request_id, who))
            case _:
                yield _garbage(system, chance, handle)


def _press(
    system: System, user: str, card: dict[str, Any], action_id: ActionId
) -> Awaitable[object]:
    button = find_button(card, action_id)
    assert button is not None
    return system.slack("interact", user, messageTs=card["ts"], action=button)


def _decision(chance: random.Random, request_id: str, who: str) -> Decision:
    return Decision(
        decision_id=f"{chance.getrandbits(128):032x}",
        request_id=request_id,
        approver_id=who,
        team_id=TEAM_ID,
        # Whoever asked may not decide, either way.
        choice=chance.choice((Choice.APPROVE, Choice.REJECT)),
        source="command",
    )


def _cancel(chance: random.Random, request_id: str, who: str) -> Instruction:
    return Instruction(
        request_id=request_id,
        user_id=who,
        team_id=TEAM_ID,
        instruction_id=f"{chance.getrandbits(128):032x}",
    )


async def _garbage(system: System, chance: random.Random, handle: WorkflowHandle[Any, Any]) -> None:
    shape = chance.choice(_GARBAGE)
    target = handle
    if chance.random() < 0.3:
        operations = await open_runs(system.client, OPERATION_WORKFLOW)
        if operations:
            target = system.client.get_workflow_handle(chance.choice(operations).id)
    await target.signal(chance.choice(_NAMES), args=json.loads(shape))
