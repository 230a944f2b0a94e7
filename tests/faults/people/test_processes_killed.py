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
from tests.rigs.deliveries import HttpBot
from tests.rigs.installation import Installation
from tests.rigs.request_driver import Request
from tests.rigs.slack_users import SlackUsers
from tests.rigs.slow_wire import SlowWire
from tests.rigs.waiting import eventually
from workflows.model.names import request_workflow_id

ALICE, BOB = USERS["alice"], USERS["bob"]


@pytest.mark.parametrize("phase", Phase)
@pytest.mark.parametrize("part", ["bot", "temporal", "slack"])
async def test_a_request_outlives_a_process(
    users: SlackUsers, installation: Installation, part: str, phase: Phase
) -> None:
    """After the kill the request goes on; a Slack that forgot the card gets it anew.

    A card that is forgotten has no buttons, so then the decision comes by the command.
    """
    request = await bring_to(users, phase, f"outlives-{part}")
    killed = installation.supervisor.pids()[part]
    await installation.replace(part)
    assert installation.supervisor.pids()[part] != killed
    await carry_on(users, phase, request, by_command=part == "slack")


async def test_bot_and_temporal_and_slack_at_once(
    users: SlackUsers, installation: Installation
) -> None:
    """All three die together while the container is being stopped: the request still succeeds."""
    request = await bring_to(users, Phase.RUNNING, "all")
    killed = installation.supervisor.pids()
    await installation.replace("slack", "temporal", "bot")
    changed = {part for part, pid in installation.supervisor.pids().items() if pid != killed[part]}
    assert changed == {"slack", "temporal", "bot"}
    await carry_on(users, Phase.RUNNING, request)


@pytest.fixture
async def wired(installation: Installation) -> AsyncIterator[tuple[HttpBot, SlowWire]]:
    """Run one more bot, whose way to Temporal can be made to lose answers."""
    async with SlowWire(installation.temporal_address) as wire:
        http_bot = await installation.add_http_bot("wired", TEMPORAL_ADDRESS=wire.address)
        yield http_bot, wire
        if "wired" in installation.supervisor.pids():
            await installation.stop("wired")


async def test_a_bot_killed_between_the_start_and_the_answer(
    users: SlackUsers, installation: Installation, wired: tuple[HttpBot, SlowWire]
) -> None:
    """The person sees an error, the request is there all the same, and asking again shows it."""
    http_bot, wire = wired
    users.engine.run(name="unsaid-1")
    # The bot asks what there is, then starts.
    wire.hold_answers(after=1)
    asking = asyncio.create_task(http_bot.command(ALICE, "stop unsaid-1"))
    handle = installation.client.get_workflow_handle(
        request_workflow_id(installation.host, "unsaid-1")
    )
    await eventually(lambda: _exists(handle))
    await eventually(lambda: wire.held > 0)
    await installation.kill("wired")
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await asking
    await installation.channel.ask("alice", "stop unsaid-1")
    said = str(await users.refusal(ALICE, "not started", "unsaid-1", "Approval needed"))
    card = await installation.channel.wait_for(
        "its card", lambda m: bool(request_of(m)) and m["ts"].replace(".", "") in said
    )
    assert users.engine.state("unsaid-1") == "running"
    await installation.channel.press("alice", card, "request.cancel")
    await handle.result()


async def test_a_bot_killed_between_the_signal_and_the_answer(
    users: SlackUsers, installation: Installation, wired: tuple[HttpBot, SlowWire]
) -> None:
    """The decision that Temporal has counts, and counts once although the person clicks again."""
    http_bot, wire = wired
    request = await users.run_and_ask("clicked", "stop {} snapshot")
    wire.hold_answers()
    clicking = asyncio.create_task(http_bot.click(BOB, dict(request.card)))
    await eventually(lambda: _is_signalled(request))
    await eventually(lambda: wire.held > 0)
    await installation.kill("wired")
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await clicking
    await users.approve(request)
    state = await request.outcome()
    await users.check_snapshotted(request, state)
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
