"""Does a request go on by itself, with the same buttons, when a process dies under it?

The bot, the Temporal server and the local Slack are killed at each phase, with no warning, and
others are started in their place.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest
from temporalio.api.enums.v1 import EventType

from deploy.laptop.channel import request_of
from deploy.laptop.slack_server import USERS
from tests.faults.people.phases import Phase, bring_to, carry_on
from tests.rigs.deliveries import Door
from tests.rigs.installation import Town
from tests.rigs.request_driver import Request
from tests.rigs.slack_users import Counter
from tests.rigs.slow_wire import SlowWire
from tests.rigs.waiting import eventually
from workflows.model.names import request_workflow_id

ALICE, BOB = USERS["alice"], USERS["bob"]


@pytest.mark.parametrize("phase", Phase)
@pytest.mark.parametrize("part", ["bot", "temporal", "slack"])
async def test_a_request_outlives_a_process(
    counter: Counter, town: Town, part: str, phase: Phase
) -> None:
    """After the kill the request goes on; a Slack that forgot the card gets it anew.

    A card that is forgotten has no buttons, so then the decision comes by the command.
    """
    request = await bring_to(counter, phase, f"outlives-{part}")
    killed = town.supervisor.pids()[part]
    await town.replace(part)
    assert town.supervisor.pids()[part] != killed
    await carry_on(counter, phase, request, by_command=part == "slack")


async def test_bot_and_temporal_and_slack_at_once(counter: Counter, town: Town) -> None:
    """All three die together while the container is being stopped: the request still succeeds."""
    request = await bring_to(counter, Phase.RUNNING, "all")
    await town.replace("slack", "temporal", "bot")
    await carry_on(counter, Phase.RUNNING, request)


@pytest.fixture
async def wired(town: Town) -> AsyncIterator[tuple[Door, SlowWire]]:
    """Run one more bot, whose way to Temporal can be made to lose answers."""
    async with SlowWire(town.temporal) as wire:
        door = await town.add_door("wired", TEMPORAL_ADDRESS=wire.address)
        yield door, wire
        if "wired" in town.supervisor.pids():
            await town.stop("wired")


async def test_a_bot_killed_between_the_start_and_the_answer(
    counter: Counter, town: Town, wired: tuple[Door, SlowWire]
) -> None:
    """The person sees an error, the request is there all the same, and asking again shows it."""
    door, wire = wired
    counter.rig.run(name="unsaid-1")
    # The bot asks what there is, then starts.
    wire.hold_answers(after=1)
    asking = asyncio.create_task(door.command(ALICE, "stop unsaid-1"))
    handle = town.client.get_workflow_handle(request_workflow_id(town.host, "unsaid-1"))
    await eventually(lambda: _exists(handle))
    await eventually(lambda: wire.held > 0)
    await town.kill("wired")
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await asking
    await town.channel.ask("alice", "stop unsaid-1")
    said = str(await counter.refusal(ALICE, "is still open", "unsaid-1"))
    card = await town.channel.wait_for(
        "its card", lambda m: request_of(m) in said and bool(request_of(m))
    )
    assert counter.rig.state("unsaid-1") == "running"
    await town.channel.press("alice", card, "request.cancel")
    await handle.result()


async def test_a_bot_killed_between_the_signal_and_the_answer(
    counter: Counter, town: Town, wired: tuple[Door, SlowWire]
) -> None:
    """The decision that Temporal has counts, and counts once although the person clicks again."""
    door, wire = wired
    request = await counter.run_and_ask("clicked", "stop {} snapshot")
    wire.hold_answers()
    clicking = asyncio.create_task(door.click(BOB, dict(request.card)))
    await eventually(lambda: _is_signalled(request))
    await eventually(lambda: wire.held > 0)
    await town.kill("wired")
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await clicking
    await counter.approve(request)
    state = await request.outcome()
    await counter.check_snapshotted(request, state)
    assert len(state.decisions) == 1


async def _is_signalled(request: Request) -> bool:
    events = [event.event_type async for event in request.handle.fetch_history_events()]
    return EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED in events


async def _exists(handle: object) -> bool:
    try:
        await handle.describe()  # type: ignore[attr-defined]
    except Exception:  # noqa: BLE001 - not there yet
        return False
    return True
