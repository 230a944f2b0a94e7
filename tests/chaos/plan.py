"""Which disturbances come when? All of it is settled by the seed, before anything happens.

A move that acts on "some card" or "some container" carries a number between 0 and 1 that picks it
among those that there are by then, so that the plan never depends on how fast the machine is.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

#: Long enough to miss the worker's heartbeats; others need to be hung for a few seconds only.
_LONGEST_FREEZE: Final = {"worker": 13.0, "engine": 8.0}
_RECOVERS_WITHIN: Final = 5.0


class Move(StrEnum):
    """What can happen."""

    # To the processes
    KILL_WORKER = "kill worker"
    KILL_BOT = "kill bot"
    KILL_TEMPORAL = "kill temporal"
    KILL_SLACK = "kill slack"
    KILL_ENGINE = "kill engine"
    FREEZE_WORKER = "freeze worker"
    FREEZE_BOT = "freeze bot"
    FREEZE_TEMPORAL = "freeze temporal"
    FREEZE_SLACK = "freeze slack"
    FREEZE_ENGINE = "freeze engine"
    # On the way to the engine
    HANG_UP = "hang up on all"
    REFUSE = "refuse connections"
    LOSE_REQUEST = "lose a request"
    LOSE_ANSWER = "lose an answer"
    LEAVE_AT_WORK = "hang up while at work"
    ANSWER_500 = "answer 500"
    DELAY = "delay"
    # On the way to Slack
    REFUSE_TOKENS = "refuse all tokens"
    # By people in Slack
    ASK = "ask"
    APPROVE = "approve"
    APPROVE_TWICE = "approve twice"
    APPROVE_WRONGLY = "approve though not allowed"
    REJECT = "reject"
    CANCEL = "cancel"
    CANCEL_WRONGLY = "cancel another's"
    CANCEL_AGAIN = "cancel again and again"
    STOP_TRYING = "stop trying"
    TRY_NOW = "try now"
    # By people elsewhere
    REVIVE = "start what is down"
    RESTART = "docker restart"
    STOP_AND_START = "docker stop and start"
    RECREATE = "docker rm and run"
    RECREATE_OWNER = "docker rm and run of the network's owner"
    TAKE_TAG = "take the tag"
    SIGNAL_ODDLY = "signal of an odd shape"
    CANCEL_WORKFLOW = "workflow cancel"
    TERMINATE_REQUEST = "terminate request"
    TERMINATE_OPERATION = "terminate operation"
    TERMINATE_BOTH = "terminate both"
    FLOOD_CLICKS = "flood of refused clicks"
    FLOOD_DECISIONS = "flood of refused decisions"
    FLOOD_CANCELS = "flood of cancels by strangers"
    FLOOD_GARBAGE = "flood of garbage"
    REPLACE = "replace as an approver"
    REPLACE_WRONGLY = "replace as a stranger"
    RENAME = "docker rename"
    RENAME_AND_RUN = "docker rename and run"
    SECOND_HOST = "worker with another host name"
    # By whoever can write to Temporal
    FORGE_DECISION = "forge an approval"
    FORGE_REPLAY = "replay another request's approval"
    FORGE_ACTIVITY = "schedule a bare activity"


_PROCESSES: Final = {
    Move.KILL_WORKER: 5,
    Move.FREEZE_WORKER: 3,
    Move.KILL_BOT: 3,
    Move.FREEZE_BOT: 1,
    Move.KILL_TEMPORAL: 3,
    Move.FREEZE_TEMPORAL: 2,
    Move.KILL_SLACK: 1,
    Move.FREEZE_SLACK: 2,
    Move.KILL_ENGINE: 3,
    Move.FREEZE_ENGINE: 3,
}
_WAY: Final = {
    Move.HANG_UP: 2,
    Move.REFUSE: 2,
    Move.LOSE_REQUEST: 3,
    Move.LOSE_ANSWER: 4,
    Move.LEAVE_AT_WORK: 4,
    Move.ANSWER_500: 3,
    Move.DELAY: 3,
}
_PEOPLE: Final = {
    Move.ASK: 30,
    Move.APPROVE: 32,
    Move.APPROVE_TWICE: 6,
    Move.APPROVE_WRONGLY: 6,
    Move.REJECT: 3,
    Move.CANCEL: 6,
    Move.CANCEL_WRONGLY: 2,
    Move.CANCEL_AGAIN: 8,
    Move.STOP_TRYING: 1,
    Move.TRY_NOW: 3,
    Move.REVIVE: 24,
    Move.RESTART: 3,
    Move.STOP_AND_START: 2,
    Move.RECREATE: 2,
    Move.RECREATE_OWNER: 5,
    Move.TAKE_TAG: 3,
    Move.SIGNAL_ODDLY: 8,
    Move.CANCEL_WORKFLOW: 2,
    Move.TERMINATE_REQUEST: 2,
    Move.TERMINATE_OPERATION: 2,
    Move.TERMINATE_BOTH: 2,
}
FLOODS: Final = {
    Move.FLOOD_CLICKS: 3,
    Move.FLOOD_DECISIONS: 3,
    Move.FLOOD_CANCELS: 3,
    Move.FLOOD_GARBAGE: 2,
}
RENAMES: Final = {Move.RENAME: 3, Move.RENAME_AND_RUN: 2}
REPLACEMENTS: Final = {Move.REPLACE: 2, Move.REPLACE_WRONGLY: 1}
FORGED_DECISIONS: Final = (Move.FORGE_DECISION, Move.FORGE_REPLAY)
FORGERIES: Final = {Move.FORGE_DECISION: 2, Move.FORGE_REPLAY: 2, Move.FORGE_ACTIVITY: 1}
#: So often the worker is frozen while a flood comes, and for how long at most.
_FROZEN: Final = 0.4
_FROZEN_FOR: Final = 6.0
_FLOOD: Final = (50, 300)
FAULTS: Final = frozenset({*_PROCESSES, *_WAY, Move.REFUSE_TOKENS})
#: The calls that a fault on the way can wait for.
_CALLS: Final = (
    "^POST .*/stop",
    "^POST .*/commit",
    "^POST .*/tag",
    "^POST .*/start",
    "^GET .*/containers/[^/]+/json",
    "^GET .*/images/",
    "^(POST|DELETE) ",
)
#: How Slack names a token that it does not take, be it for a while.
_REFUSALS: Final = ("token_revoked", "invalid_auth", "missing_scope")
_SIGNALS: Final = (
    *("decide", "cancel_request", "stop_trying", "try_now"),
    *("operation_progress", "give_up", "give_up"),
)
#: What such a signal carries, in JSON; with ``CLI`` it carries nothing, and Temporal's own
#: command sends it.
CLI: Final = "by the CLI"
_SHAPES: Final = ("[]", '["x"]', "[{}, {}]", CLI)
_COMMANDS: Final = (
    *("stop {}", "stop {} snapshot", "stop {} snapshot", "snapshot {}", "{own}"),
    *("start {}", "restart {}", "restart {} snapshot"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One move: when it comes, on what, by whom, for how long."""

    at: float
    move: Move
    pick: float
    seconds: float = 0.0
    who: str = ""
    text: str = ""


def draw(
    seed: int,
    seconds: float,
    containers: tuple[str, ...],
    own_commands: Mapping[str, str] | None = None,
) -> list[Planned]:
    """Draw up the plan of a campaign: the same for the same arguments.

    ``own_commands`` is what people ask for about some of the containers, and nothing else.
    """
    chance, own = random.Random(seed), own_commands or {}  # noqa: S311 - a plan, not a secret
    moves = [
        *(_people(chance, at, containers, own) for at in _times(chance, seconds, 0.2, 0.9)),
        *_processes(chance, seconds),
        *(_on_the_way(chance, at) for at in _times(chance, seconds, 1.5, 5)),
        *(_refused_tokens(chance, at) for at in _times(chance, seconds, 5, 40)),
        *_floods(chance, seconds),
        *_renames(chance, seconds, containers),
        *_replacements(chance, seconds),
        *_second_hosts(chance, seconds),
        *_forgeries(chance, seconds, containers),
    ]
    return sorted(moves, key=lambda move: move.at)


def _times(chance: random.Random, until: float, least: float, most: float) -> Iterator[float]:
    at = 0.0
    while (at := at + chance.uniform(least, most)) < until:
        yield at


def _one_of(chance: random.Random, moves: Mapping[Move, int]) -> Move:
    return chance.choices(list(moves), list(moves.values()))[0]


def _processes(chance: random.Random, seconds: float) -> Iterator[Planned]:
    """Leave a part time to come back before it is hit again."""
    free_at: dict[str, float] = {}
    for at in _times(chance, seconds, 2.0, 6.0):
        move = _one_of(chance, _PROCESSES)
        part = move.split()[1]
        lasts = chance.uniform(1.0, 4.0)
        if move.startswith("freeze"):
            lasts = chance.uniform(1.0, _LONGEST_FREEZE.get(part, 4.0))
        if free_at.get(part, 0.0) <= at:
            free_at[part] = at + lasts + _RECOVERS_WITHIN
            yield Planned(at=at, move=move, pick=chance.random(), seconds=lasts)


def _on_the_way(chance: random.Random, at: float) -> Planned:
    return Planned(
        at=at,
        move=_one_of(chance, _WAY),
        pick=chance.random(),
        seconds=chance.uniform(0.5, 4.0),
        text=chance.choice(_CALLS),
    )


def _refused_tokens(chance: random.Random, at: float) -> Planned:
    return Planned(
        at=at,
        move=Move.REFUSE_TOKENS,
        pick=chance.random(),
        seconds=chance.uniform(3.0, 8.0),
        text=chance.choice(_REFUSALS),
    )


def _floods(chance: random.Random, seconds: float) -> Iterator[Planned]:
    """Let many messages come at once, at times to a worker that is frozen until they all came."""
    for at in _times(chance, seconds, 10, 28):
        yield Planned(
            at=at,
            move=_one_of(chance, FLOODS),
            pick=chance.random(),
            seconds=chance.uniform(1.0, _FROZEN_FOR) if chance.random() < _FROZEN else 0.0,
            text=str(chance.randint(*_FLOOD)),
        )


def _renames(
    chance: random.Random, seconds: float, containers: tuple[str, ...]
) -> Iterator[Planned]:
    for at in _times(chance, seconds, 7, 16):
        move, name = _one_of(chance, RENAMES), chance.choice(containers)
        yield Planned(at=at, move=move, pick=chance.random(), text=name)


def _replacements(chance: random.Random, seconds: float) -> Iterator[Planned]:
    for at in _times(chance, seconds, 8, 20):
        yield Planned(at=at, move=_one_of(chance, REPLACEMENTS), pick=chance.random())


def _second_hosts(chance: random.Random, seconds: float) -> Iterator[Planned]:
    for at in _times(chance, seconds, 30, 80):
        lasts = chance.uniform(6.0, 14.0)
        yield Planned(at=at, move=Move.SECOND_HOST, pick=chance.random(), seconds=lasts)


def _forgeries(
    chance: random.Random, seconds: float, containers: tuple[str, ...]
) -> Iterator[Planned]:
    for at in _times(chance, seconds, 2, 8):
        move, name = _one_of(chance, FORGERIES), chance.choice(containers)
        yield Planned(at=at, move=move, pick=chance.random(), text=name)


def _people(
    chance: random.Random, at: float, containers: tuple[str, ...], own_commands: Mapping[str, str]
) -> Planned:
    move = _one_of(chance, _PEOPLE)
    name, command = chance.choice(containers), chance.choice(_COMMANDS)
    own = f"snapshot {name} as chaos/{name}:n{int(at * 1000)}"
    text = name
    if move is Move.ASK:
        text = own_commands.get(name) or command.format(name, own=own)
    elif move is Move.SIGNAL_ODDLY:
        text = f"{chance.choice(_SIGNALS)} {chance.choice(_SHAPES)}"
    return Planned(
        at=at,
        move=move,
        pick=chance.random(),
        seconds=chance.uniform(0.0, 3.0) if move is Move.CANCEL_AGAIN else 0.0,
        who=chance.choice(("alice", "alice", "carol")),
        text=text,
    )
