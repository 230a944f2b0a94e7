"""How does one campaign go, from the seed to the verdict?"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.chaos import invariants, plan
from tests.chaos.event_log import Journal, Watch
from tests.chaos.faults import Faults
from tests.chaos.histories import read_stories
from tests.chaos.observations import Evidence, Violation, writes_of
from tests.chaos.people import People
from tests.chaos.plan import FAULTS, Planned
from tests.chaos.settling import NotSettled, Settling
from tests.chaos.system import BYSTANDER, CONTAINERS, World, world
from tests.chaos.timeline import tell
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
    told: dict[str, str] = field(default_factory=dict)


async def campaign(seed: int, seconds: float, directory: Path) -> Report:
    """Disturb everything for so many seconds, then see what holds."""
    planned = plan.draw(seed, seconds, tuple(CONTAINERS))
    journal = Journal()
    async with world(directory, live_restore=seed % 2 == 1) as played:
        with Watch(played.engine.base_url, journal):
            faults, people = Faults(played, journal), People(played, journal)
            await _play(planned, faults, people)
            faults.disarm()
            quiet = time.monotonic()
            unsettled = ""
            try:
                await Settling(played, _SETTLE_SECONDS).run()
            except NotSettled as error:
                unsettled = str(error)
            settled_after = time.monotonic() - quiet
            # The samples go on until one is later than the last end.
            await asyncio.sleep(1.5)
            evidence = await _gather(played, journal)
        violations = invariants.check(evidence)
        if unsettled:
            violations.append(_not_settled(unsettled))
        return Report(
            seed=seed,
            seconds=seconds,
            fired=journal.counted(effective=True),
            missed=journal.counted(effective=False),
            outcomes=Counter(story.outcome for story in evidence.stories),
            violations=violations,
            judged=evidence.judged,
            unjudged=evidence.unjudged,
            settled_after=settled_after,
            told={s.request.request_id: tell(s, evidence) for s in evidence.stories},
        )


async def _play(planned: list[Planned], faults: Faults, people: People) -> None:
    """Let each move come at its time, whether or not those before it have ended."""
    began = time.monotonic()
    async with asyncio.TaskGroup() as group:
        for move in planned:
            await asyncio.sleep(max(0.0, began + move.at - time.monotonic()))
            who = faults if move.move in FAULTS else people
            group.create_task(who.carry_out(move))


async def _gather(played: World, journal: Journal) -> Evidence:
    stories = await read_stories(played.temporal, CONTAINERS)
    images = await asyncio.to_thread(played.engine.api.images, filters={"label": REQUEST_LABEL})
    bystander = await asyncio.to_thread(played.engine.inspect, BYSTANDER)
    return Evidence(
        stories=stories,
        writes=list(writes_of(list(played.proxy.exchanges))),
        journal=journal,
        messages=await played.messages(),
        images=images,
        bystander=bystander["Id"],
    )


def _not_settled(what: str) -> Violation:
    return Violation(
        request_id="-", invariant=5, expected="everything goes on by itself", found=what
    )
