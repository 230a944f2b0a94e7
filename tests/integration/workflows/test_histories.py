"""Requests that were begun by an earlier release go on: their histories replay."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio import workflow
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer

from tests.histories.scenarios import FOLDER, OPERATED, SCENARIOS
from tests.rigs.workers import Workers
from workflows.execution.workflow import OperateInput, OperationWorkflow
from workflows.model.names import CANCEL_SIGNAL, DECIDE_SIGNAL, OPERATION_WORKFLOW
from workflows.model.ports import SnapshotInput, SnapshotsPort
from workflows.model.state import RequestState
from workflows.request.workflow import ContainerLifecycleWorkflow
from workflows.sandbox import workflow_runner

RECORDED = sorted(FOLDER.glob("*.json"))
#: Of requests that an earlier release has begun: they go on over the upgrade.
EARLIER = sorted((FOLDER / "earlier").glob("*.json"))


def _history(path: Path) -> WorkflowHistory:
    text = path.read_text()
    started = json.loads(text)["events"][0]["workflowExecutionStartedEventAttributes"]
    return WorkflowHistory.from_json(started.get("workflowId", path.stem), text)


def test_every_scenario_is_recorded() -> None:
    """No scenario is without its history, and no history without its scenario."""
    wanted = {f"{name}.request.json" for name in SCENARIOS}
    wanted |= {f"{name}.operation.json" for name in OPERATED}
    assert {path.name for path in RECORDED} == wanted


@pytest.mark.parametrize(
    "path", [*RECORDED, *EARLIER], ids=lambda path: f"{path.parent.name}/{path.stem}"
)
async def test_recorded_history_replays(path: Path) -> None:
    """A recorded history leads today's code to the same commands."""
    replayer = Replayer(
        workflows=[ContainerLifecycleWorkflow, OperationWorkflow],
        workflow_runner=workflow_runner(),
    )

    await replayer.replay_workflow(_history(path))


def _typed(path: Path) -> WorkflowHistory:
    """Give a history whose decisions and instructions came from a terminal as one could then."""
    history = json.loads(path.read_text())
    for event in history["events"]:
        signal = event.get("workflowExecutionSignaledEventAttributes", {})
        for payload in signal.get("input", {}).get("payloads", ()):
            told = json.loads(base64.b64decode(payload["data"]))
            if signal["signalName"] in (DECIDE_SIGNAL, CANCEL_SIGNAL):
                data = json.dumps({**told, "source": "terminal"}).encode()
                payload["data"] = base64.b64encode(data).decode()
    started = history["events"][0]["workflowExecutionStartedEventAttributes"]
    return WorkflowHistory.from_json(started.get("workflowId", path.stem), json.dumps(history))


@pytest.mark.parametrize(
    "path", [path for path in EARLIER if ".request" in path.name], ids=lambda path: path.stem
)
async def test_what_counted_from_a_terminal_before_counts_in_replay(path: Path) -> None:
    """A decision with this word for its source was like any other, as the guide then said."""
    replayer = Replayer(
        workflows=[ContainerLifecycleWorkflow, OperationWorkflow],
        workflow_runner=workflow_runner(),
    )

    await replayer.replay_workflow(_typed(path))


@workflow.defn(name=OPERATION_WORKFLOW, sandboxed=False)
class MutatedWorkflow:
    """An operation that commits before it stops: what replay must notice."""

    @workflow.run
    async def run(self, operate: OperateInput) -> RequestState:
        """Do the wrong thing first."""
        assert operate.state.pin is not None
        arg = SnapshotInput(pin=operate.state.pin, request_id=operate.state.request_id)
        await workflow.execute_activity_method(
            SnapshotsPort.ensure_snapshot,
            arg,
            start_to_close_timeout=timedelta(seconds=1),
        )
        return operate.state


async def test_mutated_workflow_fails_to_replay() -> None:
    """The replay test can fail: a workflow with another order of steps does not pass it."""
    replayer = Replayer(workflows=[MutatedWorkflow])

    with pytest.raises(workflow.NondeterminismError):
        await replayer.replay_workflow(_history(FOLDER / "approve.operation.json"))


@pytest.mark.parametrize("name", SCENARIOS)
async def test_scenario_still_ends_as_recorded(workers: Workers, name: str) -> None:
    """Each recorded way through a request still has its outcome when it runs live."""
    scenario, status = SCENARIOS[name]

    under_test = await scenario(workers)

    assert (await under_test.result()).status is status
