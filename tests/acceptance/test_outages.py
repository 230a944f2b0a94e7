"""Does a waiting request live through the death of any part, and do its buttons still work?"""

from __future__ import annotations

import os
import signal

import pytest

from tests.rigs.dockerd import IGNORES_TERM
from tests.rigs.laptop import LaptopRig
from tests.rigs.people import People
from workflows.names import ActionId
from workflows.state import RequestStatus, StepStatus


@pytest.mark.parametrize("part", ["bot", "temporal"])
async def test_a_part_is_killed_while_a_request_waits(
    people: People, laptop: LaptopRig, part: str
) -> None:
    """After kill -9 and the restart, the button that was there before carries the request on."""
    container = people.rig.run(name="patient-1")
    request = await people.ask("stop patient-1 snapshot")
    laptop.await_ready(after=laptop.kill(part))
    await people.channel.press("bob", request.card, ActionId.APPROVE)
    await people.until(request, RequestStatus.SUCCEEDED)
    assert people.rig.state(container) == "exited"
    assert len(people.images(request)) == 1
    await people.until_card(request, "✅ *Stopped and snapshotted*")


async def test_a_click_right_after_the_worker_was_killed(people: People, laptop: LaptopRig) -> None:
    """A click that comes while no worker lives is kept, and counts when there is one again."""
    container = people.rig.run(name="patient-1")
    request = await people.ask("stop patient-1 snapshot")
    before = laptop.kill("worker")
    await people.channel.press("bob", request.card, ActionId.APPROVE)
    assert people.rig.state(container) == "running"
    laptop.await_ready(after=before)
    await people.until(request, RequestStatus.SUCCEEDED)
    assert people.rig.state(container) == "exited"
    assert len(people.images(request)) == 1


async def test_a_click_while_the_worker_is_frozen(people: People, laptop: LaptopRig) -> None:
    """A worker that hangs delays a click, and neither loses nor doubles it."""
    container = people.rig.run(name="patient-1")
    request = await people.ask("stop patient-1 snapshot")
    os.kill(laptop.pids["worker"], signal.SIGSTOP)
    try:
        await people.channel.press("bob", request.card, ActionId.APPROVE)
        await people.channel.press("bob", request.card, ActionId.APPROVE)
        assert people.rig.state(container) == "running"
        assert people.images(request) == []
    finally:
        os.kill(laptop.pids["worker"], signal.SIGCONT)
    state = await people.until(request, RequestStatus.SUCCEEDED)
    assert len(state.decisions) == 1
    assert people.rig.state(container) == "exited"
    assert len(people.images(request)) == 1


async def test_a_running_stop_is_finished_at_sigterm(people: People, laptop: LaptopRig) -> None:
    """A worker that is asked to end finishes its stop first; the next one does the rest."""
    container = people.rig.run(IGNORES_TERM, name="slow-1")
    request = await people.ask("stop slow-1 snapshot grace=2s")
    await people.approve(request)
    await people.until_card(request, "🚧 *Working*")
    before = laptop.ready
    os.kill(before["pids"]["worker"], signal.SIGTERM)
    assert people.rig.state(container) == "running"
    laptop.await_ready(after=before)
    assert people.rig.state(container) == "exited"
    state = await people.until(request, RequestStatus.SUCCEEDED)
    assert all(step.status is StepStatus.DONE for step in state.steps)
    assert len(people.images(request)) == 1
