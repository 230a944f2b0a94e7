"""What if a container gets another name while people decide about it, or while it is operated on?

Half of the renames wait for an operation; with some, another container takes the old name, as a
deployment does that keeps the old container beside the new one.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import Final

from tests.chaos.event_log import Action, Newcomer
from tests.chaos.meddling import open_runs, pick, second_pick
from tests.chaos.plan import Move, Planned
from tests.chaos.system import System
from tests.rigs.waiting import eventually
from workflows.model.names import CONTAINER, OPERATION_WORKFLOW, REQUEST_WORKFLOW, STATUS
from workflows.model.state import RequestStatus

_PATIENCE: Final = 6.0
#: So often it is to be a container that is being operated on.
_AT_WORK: Final = 0.6


async def rename(system: System, planned: Planned, action: Action) -> bool:
    """Rename a container, by its id; with ``RENAME_AND_RUN`` another one takes its name."""
    container_id = ""
    if second_pick(planned) < _AT_WORK:
        container_id = await _operated_on(system, planned)
    name = planned.text
    if not container_id:
        name = await _waited_for(system, planned) or name
        found = await asyncio.to_thread(system.find, name)
        container_id = str(found["Id"]) if found else ""
    if not container_id:
        return False
    seen = await asyncio.to_thread(system.api.inspect_container, container_id)
    name = str(seen["Name"]).removeprefix("/")
    # One that was renamed before gets its next name, and never one upon the other.
    new_name = f"{name.partition('-was-')[0]}-was-{int(time.time() * 1000) % 10**7}"
    action.container_id, action.note = container_id, f"{name} -> {new_name}"
    await asyncio.to_thread(system.api.rename, container_id, new_name)
    action.renamed = new_name
    if planned.move is Move.RENAME_AND_RUN and "-was-" not in name:
        made = await asyncio.to_thread(system.make, name)
        action.newcomer = Newcomer(container_id=made, name=name, since=time.time())
        await asyncio.to_thread(system.api.start, made)
    return True


async def _operated_on(system: System, planned: Planned) -> str:
    """Give the id of a container that is being operated on, as soon as there is one."""
    found: list[str] = []

    async def has_begun() -> bool:
        running = await open_runs(system.client, OPERATION_WORKFLOW)
        found[:] = [run.id.rpartition("/")[2] for run in running]
        return bool(found)

    with contextlib.suppress(AssertionError):
        await eventually(has_begun, within=_PATIENCE)
    return pick(planned, found) or ""


async def _waited_for(system: System, planned: Planned) -> str:
    """Give the name of a container about which people still decide."""
    running = await open_runs(system.client, REQUEST_WORKFLOW)
    attributes = [run.typed_search_attributes for run in running]
    waiting = [found[CONTAINER] for found in attributes if found[STATUS] == RequestStatus.WAITING]
    return pick(planned, waiting) or ""
