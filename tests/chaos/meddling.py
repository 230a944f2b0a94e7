"""What do people do behind Dockwarden's back: odd signals, and a network taken from a container?

Both are told as done only when they took hold: the server took the signal, the engine shows the
container in the network of one that is there no more.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import Any, Final, TypeVar

from temporalio.client import Client, WorkflowExecution

from deploy.laptop.supervisor import part_environment
from deploy.laptop.temporal_server import installed_command
from tests.chaos.event_log import Action
from tests.chaos.plan import CLI, Planned
from tests.chaos.system import OWNED, OWNER, System
from tests.rigs.waiting import eventually
from workflows.model.names import CONTAINER, OPERATION_WORKFLOW, REQUEST_WORKFLOW, ActionId

T = TypeVar("T")
_PATIENCE: Final = 8.0


async def open_runs(client: Client, kind: str, name: str = "") -> list[WorkflowExecution]:
    """List the requests or operations that run, about one container or all."""
    query = f"WorkflowType = '{kind}' AND ExecutionStatus = 'Running'"
    if name:
        query += f" AND {CONTAINER.name} = '{name}'"
    listed = [found async for found in client.list_workflows(query)]
    return sorted(listed, key=lambda found: found.id)


def pick(planned: Planned, candidates: list[T]) -> T | None:
    """Pick what the plan says among what there is."""
    return candidates[int(planned.pick * len(candidates))] if candidates else None


def second_pick(planned: Planned, digit: int = 1) -> float:
    """Give another number between 0 and 1 out of the one that was drawn."""
    return float(planned.pick * 10**digit % 1)


async def signal_oddly(system: System, planned: Planned, action: Action) -> bool:
    """Send a signal that carries nothing, or what no signal of ours does."""
    kinds = (REQUEST_WORKFLOW, OPERATION_WORKFLOW)
    running = [run for kind in kinds for run in await open_runs(system.client, kind)]
    found = pick(planned, running)
    if found is None:
        return False
    action.note = f"to {found.id} ({found.typed_search_attributes.get(CONTAINER)})"
    name, _, shape = planned.text.partition(" ")
    if shape == CLI:
        return await _signal_by_command(system, found.id, name)
    handle = system.client.get_workflow_handle(found.id, run_id=found.run_id)
    await handle.signal(name, args=json.loads(shape))
    return True


async def _signal_by_command(system: System, workflow_id: str, name: str) -> bool:
    process = await asyncio.create_subprocess_exec(
        installed_command("temporal"),
        *("workflow", "signal", "--name", name, "--workflow-id", workflow_id),
        *("--address", system.stack.temporal),
        env=part_environment(),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    return await process.wait() == 0


async def recreate_owner(system: System, planned: Planned, action: Action) -> bool:
    """Take away the network that a container lives in, as an update of its owner does.

    Half the time it waits for a request about that container, or for its operation.
    """
    if second_pick(planned) > 0.5:
        kind = OPERATION_WORKFLOW if second_pick(planned, 2) > 0.4 else REQUEST_WORKFLOW

        async def has_begun() -> bool:
            return bool(await open_runs(system.client, kind, OWNED))

        # Nobody may ask for it by then.
        with contextlib.suppress(AssertionError):
            await eventually(has_begun, within=_PATIENCE)
    found = await asyncio.to_thread(system.find, OWNER)
    if found is not None:
        action.container_id = found["Id"]
        await asyncio.to_thread(system.api.remove_container, found["Id"], force=True)
    made = await asyncio.to_thread(system.make, OWNER)
    if second_pick(planned, 3) > 0.3:
        await asyncio.to_thread(system.api.start, made)
    return await asyncio.to_thread(system.is_orphaned, OWNED)


def find_button(card: dict[str, Any], action_id: ActionId) -> dict[str, str] | None:
    """Find a button of a card, as Slack sends it when it is pressed."""
    for block in card.get("blocks", []):
        for element in block.get("elements", []):
            if element.get("action_id") == action_id:
                found = {key: element[key] for key in ("type", "action_id", "value")}
                return found | {"block_id": block["block_id"]}
    return None
