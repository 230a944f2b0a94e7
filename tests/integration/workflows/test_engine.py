"""Does the record of an engine stand, whatever it is sent, and go when somebody ends it?"""

from __future__ import annotations

from typing import Any

import pytest
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowFailureError, WorkflowHandle
from temporalio.worker import Replayer

from activities.temporal.hosts import Hosts
from tests.rigs.waiting import eventually
from tests.rigs.workers import Workers
from workflows.engine import EngineWorkflow
from workflows.model.hosts import UNKNOWN_HOST, Announcement, read_announcement
from workflows.model.names import ENGINE_WORKFLOW, engine_workflow_id
from workflows.sandbox import workflow_runner

_SIGNALS: tuple[tuple[str, list[Any]], ...] = (
    ("decide", []),
    ("give_up", ["U0X", 1, None]),
    ("anything", [{"a": 1}]),
    # As long as a server takes a name.
    ("a\nb" * 85, ["x" * 1000]),
)


async def _announced(client: Client, engine_id: str) -> WorkflowHandle[Any, Any]:
    await Hosts(client).claim(Announcement(host="one", engine_id=engine_id))
    return client.get_workflow_handle(engine_workflow_id(engine_id))


async def _events(handle: WorkflowHandle[Any, Any]) -> list[Any]:
    return [event async for event in handle.fetch_history_events()]


async def test_no_signal_harms_a_record(workers: Workers) -> None:
    """Whatever comes is dropped: no task fails, the record runs on, and its history replays."""
    handle = await _announced(workers.client, "E1")
    for name, payloads in _SIGNALS:
        await handle.signal(name, args=payloads)

    async def all_heard() -> bool:
        kinds = [event.WhichOneof("attributes") for event in await _events(handle)]
        assert not any("task_failed" in str(kind) for kind in kinds)
        told = "workflow_execution_signaled_event_attributes"
        done = "workflow_task_completed_event_attributes"
        return kinds.count(told) == len(_SIGNALS) and kinds[-1] == done

    await eventually(all_heard)
    assert (await handle.describe()).status is WorkflowExecutionStatus.RUNNING
    replayer = Replayer(workflows=[EngineWorkflow], workflow_runner=workflow_runner())
    await replayer.replay_workflow(await handle.fetch_history())
    await handle.terminate()


async def test_a_cancelled_record_gives_its_engine_free(workers: Workers) -> None:
    """The next host that asks for the engine gets it."""
    handle = await _announced(workers.client, "E2")
    await handle.cancel()
    with pytest.raises(WorkflowFailureError):
        await handle.result()
    heir = Hosts(workers.client)
    assert (await heir.claim(Announcement(host="two", engine_id="E2"))).problem == ""
    await handle.terminate()


@pytest.mark.parametrize(
    "memo", [None, "x", {"host": "one"}, {"host": "a\nb", "engine_id": "E3"}, {"host": 1}]
)
async def test_a_record_made_by_hand_is_waited_for(workers: Workers, memo: Any) -> None:
    """Nobody knows what it means, so it is in the way until it has been there for long."""
    await workers.client.start_workflow(
        ENGINE_WORKFLOW, id="engine/E3", task_queue="nowhere", memo={"announcement": memo}
    )
    claim = await Hosts(workers.client).claim(Announcement(host="two", engine_id="E3"))
    assert claim.problem == f"already served as host {UNKNOWN_HOST}"
    assert "\n" not in claim.event
    await workers.client.get_workflow_handle("engine/E3").terminate()


@pytest.mark.parametrize("workflow_id", ["engine/a b", "engine/", "engine/a\nb", "x"])
def test_what_is_called_after_no_engine_is_no_record(workflow_id: str) -> None:
    """Its id goes into logs and commands."""
    assert read_announcement(None, workflow_id=workflow_id, host="one") is None
