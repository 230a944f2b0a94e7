"""What can somebody do who reaches Temporal with its own command line?"""

from __future__ import annotations

import asyncio
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from temporalio.client import Client, ScheduleActionExecutionStartWorkflow, WorkflowHandle

from tests.rigs.dev_server import server_path
from tests.rigs.waiting import eventually
from workflows.model.names import DECIDE_SIGNAL, RECONCILE_SCHEDULE
from workflows.reconcile import ReconcileResult


@dataclass(frozen=True, slots=True)
class Terminal:
    """The real ``temporal`` command on one server."""

    address: str

    async def run(self, *arguments: str) -> str:
        """Run one command and give what it printed.

        Raises:
            RuntimeError: it failed.
        """
        return await _printed(server_path(), *arguments, "--address", self.address)

    async def script(self, file: Path, **settings: str) -> str:
        """Run a script that calls the command, with the shell of small images.

        Raises:
            RuntimeError: it failed.
        """
        path = f"{Path(server_path()).parent}:{os.defpath}"
        settings = {"PATH": path, "TEMPORAL_ADDRESS": self.address, **settings}
        return await _printed("busybox", "sh", str(file), env=settings)

    async def start(self, workflow_type: str, workflow_id: str, argument: Any) -> str:
        """Start a workflow on the control queue; give its run id."""
        options = ("--type", workflow_type, "--workflow-id", workflow_id, "--task-queue", "control")
        given = ("--input", json.dumps(argument), "--output", "json")
        printed = await self.run("workflow", "start", *options, *given)
        return str(json.loads(printed)["runId"])

    async def signal(self, workflow_id: str, argument: Any, name: str = DECIDE_SIGNAL) -> None:
        """Signal a workflow."""
        options = ("--workflow-id", workflow_id, "--name", name)
        await self.run("workflow", "signal", *options, "--input", json.dumps(argument))

    async def terminate(self, workflow_id: str) -> None:
        """Terminate a workflow."""
        await self.run("workflow", "terminate", "--workflow-id", workflow_id, "--reason", "a test")

    async def reset(self, workflow_id: str) -> None:
        """Reset a workflow to its last task."""
        options = ("--workflow-id", workflow_id, "--type", "LastWorkflowTask")
        await self.run("workflow", "reset", *options, "--reason", "a test")

    async def cancel(self, workflow_id: str) -> None:
        """Cancel a workflow."""
        await self.run("workflow", "cancel", "--workflow-id", workflow_id)

    async def reconcile(self) -> None:
        """Let the schedule look now."""
        await self.run("schedule", "trigger", "--schedule-id", RECONCILE_SCHEDULE)

    async def seen_by_a_look(self, client: Client) -> tuple[str, ...]:
        """Let the schedule look, and give the ended runs that need no further look."""
        handle = client.get_schedule_handle(RECONCILE_SCHEDULE)
        before = (await handle.describe()).info.num_actions
        await self.reconcile()

        async def has_looked() -> bool:
            info = (await handle.describe()).info
            return info.num_actions > before and not info.running_actions

        await eventually(has_looked, within=30)
        action = (await handle.describe()).info.recent_actions[-1].action
        assert isinstance(action, ScheduleActionExecutionStartWorkflow)
        look = client.get_workflow_handle(action.workflow_id, result_type=ReconcileResult)
        return (await look.result()).seen

    async def reconcile_until_taken_up(
        self, operation: WorkflowHandle[Any, Any], run_id: str
    ) -> None:
        """Let the schedule look until there is another run of an operation than this."""

        async def is_taken_up() -> bool:
            await self.reconcile()
            await asyncio.sleep(0.5)
            return (await operation.describe()).run_id != run_id

        await eventually(is_taken_up, within=30)


async def _printed(*words: str, env: dict[str, str] | None = None) -> str:
    process = await asyncio.create_subprocess_exec(
        *words,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=env,
    )
    printed, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError(printed.decode())
    return printed.decode()
