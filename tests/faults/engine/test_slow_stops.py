"""Does slow work hold up quick work? Forty stops with a grace of five minutes, on one host."""

from __future__ import annotations

import asyncio
from statistics import median

import pytest
from temporalio.api.enums.v1 import PendingActivityState
from temporalio.client import Client
from temporalio.service import RPCError

from tests.rigs.dockerd import IGNORES_TERM
from tests.rigs.request_driver import Request, RequestDriver
from tests.rigs.waiting import eventually
from workflows.model.names import operation_workflow_id
from workflows.model.state import RequestStatus

_SLOW = 40
_TIMES = 3

pytestmark = [pytest.mark.timeout(300), pytest.mark.alone]


async def test_forty_slow_stops_hold_nobody_up(driver: RequestDriver) -> None:
    """A new request is carded; its container is down at most twice as long as alone."""
    engine, names = driver.engine, [f"slow-{number}" for number in range(_SLOW)]
    engine.run(name="quick")
    alone = [await _down_seconds(driver) for _ in range(_TIMES)]
    for name in names:
        engine.run(IGNORES_TERM, name=name)
    slow: list[Request] = []
    for by, half in (("alice", names[: _SLOW // 2]), ("carol", names[_SLOW // 2 :])):
        slow += await driver.ask(*half, command="stop {} grace=5m", by=by)
    await driver.approve(*slow)
    await eventually(lambda: _are_stopping(driver.client, slow), within=60)

    beside = [await _down_seconds(driver) for _ in range(_TIMES)]

    assert await _are_stopping(driver.client, slow)
    assert median(beside) <= 2 * median(alone), (alone, beside)
    await asyncio.to_thread(engine.remove_containers)
    await asyncio.gather(*(request.outcome() for request in slow))


async def _down_seconds(driver: RequestDriver) -> float:
    request = await driver.start("quick", "snapshot {}")
    state = await request.outcome(seconds=60)
    assert state.status is RequestStatus.SUCCEEDED
    assert state.down_seconds is not None
    return state.down_seconds


async def _are_stopping(client: Client, requests: list[Request]) -> bool:
    """Tell whether a worker is at work on each of the stops, and none waits for its turn."""
    at_work = PendingActivityState.PENDING_ACTIVITY_STATE_STARTED
    for request in requests:
        operation = operation_workflow_id("local", request.container)
        try:
            described = await client.get_workflow_handle(operation).describe()
        except RPCError:
            return False
        pending = described.raw_description.pending_activities
        if [(step.activity_type.name, step.state) for step in pending] != [
            ("ensure_stopped", at_work)
        ]:
            return False
    return True
