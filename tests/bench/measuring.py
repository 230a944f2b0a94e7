"""How does one measurement go, from an engine that is up to its figures?

The three sides take turns in one run on one engine, so that whatever else the machine does hits
them alike, and each round gives one pair to compare.
"""

from __future__ import annotations

import asyncio
import os
import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from statistics import median
from typing import Final

from temporalio.client import Client

from tests.bench import naive_bot
from tests.bench.figures import NAIVE, OURS, Figures, Machine, Round
from tests.bench.processes import Reading, read, usage
from tests.bench.sides import bare
from tests.bench.stack import Stack, running
from workflows.model.names import request_workflow_id

#: The first ones open connections and fill caches; they are not counted.
_WARM_UP: Final = 2
_IDLE_SECONDS: Final = 5.0
_SETTLES: Final = 0.3
_HOST: Final = "local"


async def measure(rounds: int, directory: Path, tell: Callable[[str], None]) -> Figures:
    """Start everything, measure, and end it.

    Raises:
        UnfitEngineError: the engine is none to measure on.
    """
    load = os.getloadavg()[0]
    tell("starting an engine, Dockwarden, and the naive bot with servers of its own")
    async with running(directory) as stack:
        info = stack.engine.api.info()
        machine = Machine(
            processors=os.cpu_count() or 1,
            load=round(load, 2),
            engine=str(info["ServerVersion"]),
            storage=str(info["Driver"]),
        )
        for _ in range(_WARM_UP):
            await _one_round(stack)
        idle = await _while_idle(stack)
        tell(f"measuring {rounds} rounds")
        busy_from, done, names = _reading(stack), [], []
        for _ in range(rounds):
            taken, name = await _one_round(stack)
            done.append(taken)
            names.append(name)
        await asyncio.sleep(1)
        busy = (busy_from, _reading(stack))
        return Figures(
            at=datetime.now(UTC),
            version=metadata.version("dockwarden"),
            is_sealed=is_sealed(stack),
            machine=machine,
            rounds=done,
            events=_medians([await _events(stack, name) for name in names]),
            usage=usage(stack.pids, idle=idle, busy=busy, n=rounds),
        )


def is_sealed(stack: Stack) -> bool:
    """Tell whether the laptop's worker has a key to seal with, by its own environment."""
    environment = Path(f"/proc/{stack.pids['worker']}/environ").read_bytes()
    return b"DOCKWARDEN_SEAL_KEY" in environment


async def _one_round(stack: Stack) -> tuple[Round, str]:
    """Let each side stop and commit a container of its own; give what their names begin with."""
    name = f"bench-{uuid.uuid4().hex[:8]}"
    async with _container(stack, f"{name}-bare") as container:
        by_hand = await asyncio.to_thread(bare, stack.engine.api, container)
    async with _container(stack, f"{name}-naive") as container:
        by_naive = await stack.naive.click_to_done(container)
    async with _container(stack, f"{name}-ours") as container:
        by_us = await stack.ours.click_to_done(container)
    return Round(bare=by_hand, naive=by_naive, ours=by_us), name


@asynccontextmanager
async def _container(stack: Stack, name: str) -> AsyncIterator[str]:
    await asyncio.to_thread(stack.make, name)
    await asyncio.sleep(_SETTLES)
    yield name
    await asyncio.to_thread(stack.remove, name)


async def _while_idle(stack: Stack) -> tuple[Reading, Reading]:
    """Read what all of it uses while nobody asks for anything."""
    await asyncio.sleep(1)
    before = _reading(stack)
    await asyncio.sleep(_IDLE_SECONDS)
    return before, _reading(stack)


def _reading(stack: Stack) -> Reading:
    return read(stack.pids, time.monotonic())


async def _events(stack: Stack, name: str) -> dict[str, int]:
    """Count the events of the histories of a round."""
    naive = naive_bot.workflow_id(f"{name}-naive")
    request = request_workflow_id(_HOST, f"{name}-ours")
    counted, operation = await _history(stack.our_temporal, request)
    carried_out, _ = await _history(stack.our_temporal, operation)
    return {
        NAIVE: (await _history(stack.naive_temporal, naive))[0],
        f"{OURS}, request": counted,
        f"{OURS}, operation": carried_out,
    }


def _medians(counted: list[dict[str, int]]) -> dict[str, int]:
    """Give for each what is usual: on a slow moment a card is drawn once more."""
    return {name: round(median(one[name] for one in counted)) for name in counted[0]}


async def _history(client: Client, workflow_id: str) -> tuple[int, str]:
    """Count the events of a history, and find the workflow that it started."""
    child, number = "", 0
    async for event in client.get_workflow_handle(workflow_id).fetch_history_events():
        number += 1
        started = event.child_workflow_execution_started_event_attributes
        child = started.workflow_execution.workflow_id or child
    return number, child
