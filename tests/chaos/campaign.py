"""How does one campaign go, from the seed to the verdict?"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.chaos import invariants, plan
from tests.chaos.event_log import EngineWatch, EventLog
from tests.chaos.faults import Faults
from tests.chaos.forgery_checks import set_apart
from tests.chaos.histories import read_histories, read_task_failures
from tests.chaos.observations import Observations, Violation, turned_away, writes_of
from tests.chaos.people import PeopleMoves
from tests.chaos.plan import FAULTS, Planned
from tests.chaos.settling import NotSettled, Settling
from tests.chaos.system import (
    BYSTANDER,
    CONTAINERS,
    OWNED,
    SLOW_COMMANDS,
    System,
    running_system,
)
from tests.chaos.timeline import timeline
from workflows.model.names import REQUEST_LABEL

_SETTLE_SECONDS: Final = 300.0


@dataclass(slots=True, kw_only=True)
class Report:
    """What a campaign came to."""

    seed: int
    seconds: float
    fired: Counter[str]
    missed: Counter[str]
    outcomes: Counter[str]
    violations: list[Violation]
    judged: int
    unjudged: int
    settled_after: float
    #: What happened to each request, by its id.
    timelines: dict[str, str] = field(default_factory=dict)


async def campaign(seed: int, seconds: float, directory: Path) -> Report:
    """Disturb everything for so many seconds, then see what holds."""
    # What can lose its network is asked for more often: few of its moments are the right ones.
    planned = plan.draw(seed, seconds, (*CONTAINERS, OWNED), SLOW_COMMANDS)
    event_log = EventLog()
    async with running_system(directory, live_restore=seed % 2 == 1) as system:
        with EngineWatch(system.engine.base_url, event_log):
            faults, people = Faults(system, event_log), PeopleMoves(system, event_log)
            await _carry_out(planned, faults, people)
            faults.disarm()
            quiet = time.monotonic()
            unsettled = ""
            try:
                await Settling(system, event_log, _SETTLE_SECONDS).run()
            except NotSettled as error:
                unsettled = str(error)
            settled_after = time.monotonic() - quiet
            # The samples go on until one is later than the last end.
            await asyncio.sleep(1.5)
            observed = await _gather(system, event_log)
        violations = invariants.check(observed)
        if unsettled:
            violations.append(_not_settled(unsettled))
        return Report(
            seed=seed,
            seconds=seconds,
            fired=event_log.counted(effective=True),
            missed=event_log.counted(effective=False),
            outcomes=Counter(history.outcome for history in observed.histories),
            violations=violations,
            judged=observed.judged,
            unjudged=observed.unjudged,
            settled_after=settled_after,
            timelines={h.request.request_id: timeline(h, observed) for h in observed.histories},
        )


async def _carry_out(planned: list[Planned], faults: Faults, people: PeopleMoves) -> None:
    """Let each move come at its time, whether or not those before it have ended."""
    began = time.monotonic()
    async with asyncio.TaskGroup() as group:
        for move in planned:
            await asyncio.sleep(max(0.0, began + move.at - time.monotonic()))
            who = faults if move.move in FAULTS else people
            group.create_task(who.carry_out(move))


async def _gather(system: System, event_log: EventLog) -> Observations:
    histories = await read_histories(system.client, CONTAINERS)
    set_apart(histories, event_log)
    images = await asyncio.to_thread(system.engine.api.images, filters={"label": REQUEST_LABEL})
    bystander = await asyncio.to_thread(system.engine.inspect, BYSTANDER)
    return Observations(
        histories=histories,
        writes=list(writes_of(list(system.docker_proxy.exchanges))),
        event_log=event_log,
        messages=await system.messages(),
        images=images,
        bystander=bystander["Id"],
        task_failures=await read_task_failures(system.client),
        unfit_payloads=list(system.stack.slack_proxy.violations),
        turned_away=turned_away(system.stack.bot_log.read_text(encoding="utf-8")),
    )


def _not_settled(what: str) -> Violation:
    return Violation(
        request_id="-", invariant=5, expected="everything goes on by itself", found=what
    )
