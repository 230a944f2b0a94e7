"""Does a waiting request live through the death of any part, and do its buttons still work?"""

from __future__ import annotations

import os
import signal

import pytest
from temporalio.client import Client

from deploy.laptop.slack_server import USERS
from tests.rigs.dockerd import HEARS_TERM
from tests.rigs.laptop import LaptopProcess
from tests.rigs.people import People
from tests.rigs.waiting import eventually
from workflows.model.names import ActionId, operation_workflow_id
from workflows.model.state import RequestStatus, StepStatus

pytestmark = pytest.mark.fault


@pytest.mark.parametrize("part", ["bot", "temporal"])
async def test_a_part_is_killed_while_a_request_waits(
    people: People, laptop: LaptopProcess, part: str
) -> None:
    """After kill -9 and the restart, the button that was there before carries the request on."""
    container = people.engine.run(name="patient-1")
    request = await people.ask("stop patient-1 snapshot")
    laptop.await_ready(after=laptop.kill(part))
    await people.channel.press("bob", request.card, ActionId.APPROVE)
    await people.until(request, RequestStatus.SUCCEEDED)
    assert people.engine.state(container) == "exited"
    assert len(people.images(request)) == 1
    await people.until_card(request, "✅ *Stopped and snapshotted*")


async def test_a_click_right_after_the_worker_was_killed(
    people: People, laptop: LaptopProcess
) -> None:
    """A click that comes while no worker lives is kept, and counts when there is one again."""
    container = people.engine.run(name="patient-1")
    request = await people.ask("stop patient-1 snapshot")
    before = laptop.kill("worker")
    await people.channel.press("bob", request.card, ActionId.APPROVE)
    assert people.engine.state(container) == "running"
    laptop.await_ready(after=before)
    await people.until(request, RequestStatus.SUCCEEDED)
    assert people.engine.state(container) == "exited"
    assert len(people.images(request)) == 1


async def test_a_click_while_the_worker_is_frozen(people: People, laptop: LaptopProcess) -> None:
    """A worker that hangs delays a click, and neither loses nor doubles it.

    Who asks for something meanwhile reads so, and then where its card is.
    """
    container = people.engine.run(name="patient-1")
    people.engine.run(name="patient-2")
    request = await people.ask("stop patient-1 snapshot")
    os.kill(laptop.pids["worker"], signal.SIGSTOP)
    try:
        await people.channel.press("bob", request.card, ActionId.APPROVE)
        await people.channel.press("bob", request.card, ActionId.APPROVE)
        assert people.engine.state(container) == "running"
        assert people.images(request) == []
        await people.channel.ask("alice", "stop patient-2")
        line = await people.told("alice", "⏳ `stop patient-2`: noted")
        assert "follows if it is not here already" in line
    finally:
        os.kill(laptop.pids["worker"], signal.SIGCONT)
    await people.told("alice", "✅ `stop patient-2`: its card is up.")
    said = [m for m in await people.channel.messages() if m.get("ephemeral_to") == USERS["alice"]]
    assert sum("`stop patient-2`" in m["text"] for m in said) == 2
    state = await people.until(request, RequestStatus.SUCCEEDED)
    assert len(state.decisions) == 1
    assert people.engine.state(container) == "exited"
    assert len(people.images(request)) == 1


async def test_a_running_stop_is_finished_at_sigterm(
    people: People, laptop: LaptopProcess, client: Client
) -> None:
    """A worker that is asked to end finishes its stop first; the next one does the rest."""
    container = people.engine.run(HEARS_TERM, name="slow-1")
    request = await people.ask("stop slow-1 snapshot grace=60s")
    await people.approve(request)
    await people.until_card(request, "🔄 *Working*")
    await eventually(lambda: b"told" in people.engine.api.logs(container), what="no stop has begun")
    before, drains = laptop.ready, _drains(laptop)
    os.kill(before["pids"]["worker"], signal.SIGTERM)
    # The worker of workflows ends first, then those of the engine.
    await eventually(lambda: _drains(laptop) == drains + 1, what="the worker does not drain")
    assert people.engine.state(container) == "running"
    people.engine.api.kill(container)
    laptop.await_ready(after=before)
    assert people.engine.state(container) == "exited"
    state = await people.until(request, RequestStatus.SUCCEEDED)
    assert all(step.status is StepStatus.DONE for step in state.steps)
    assert len(people.images(request)) == 1
    assert await _attempts_to_stop(client, container) == [1]


def _drains(laptop: LaptopProcess) -> int:
    log = laptop.state / "logs" / "worker.log"
    return log.read_text(encoding="utf-8").count("taking no more work for the engine")


async def _attempts_to_stop(client: Client, container: str) -> list[int]:
    """Read which attempts to stop came to an end that Temporal heard of."""
    operation = client.get_workflow_handle(operation_workflow_id("local", container))
    events = (await operation.fetch_history()).events
    (stop,) = [
        event.event_id
        for event in events
        if event.activity_task_scheduled_event_attributes.activity_type.name == "ensure_stopped"
    ]
    started = [event.activity_task_started_event_attributes for event in events]
    return [begun.attempt for begun in started if begun.scheduled_event_id == stop]
