"""What if a stop that Dockwarden gave up on goes on in the engine, while the container comes back?

The container ignores TERM, so the engine is at work for the whole grace, or until a test kills it.
"""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from functools import partial

from temporalio.client import Client

from tests.rigs.docker_proxy import Answer, DockerProxy, HangUp, Moment
from tests.rigs.dockerd import IGNORES_TERM
from tests.rigs.laptop import LaptopProcess
from tests.rigs.request_driver import RequestDriver
from tests.rigs.waiting import eventually, wait_until
from tests.rigs.workers import is_tried_again
from workflows.model.errors import ErrorType
from workflows.model.names import operation_workflow_id

_COMMAND = "stop {} snapshot grace=5s"


async def test_a_failure_after_a_lost_answer(
    any_driver: RequestDriver, docker_proxy: DockerProxy
) -> None:
    """The answer is lost and the next try refused: the late stop does not win over the start."""
    driver = any_driver
    before = driver.engine.inspect(driver.engine.run(IGNORES_TERM, name="lost"))
    lost = docker_proxy.trap("^POST .*/stop", Moment.UNDERWAY, HangUp)
    refused = docker_proxy.trap("^POST .*/stop", Moment.BEFORE, lambda: Answer(403, "no"), nth=2)
    request = await driver.start("lost", _COMMAND)
    state = await request.outcome()
    assert (lost.fired, refused.fired) == (1, 1)
    assert state.cause is ErrorType.ENGINE_FORBIDDEN
    await driver.check_put_back(request, state, before)


async def test_a_cancel_while_the_engine_stops(
    driver: RequestDriver, docker_proxy: DockerProxy
) -> None:
    """A cancelled request whose stop still runs is put back after that stop has ended."""
    before = driver.engine.inspect(driver.engine.run(IGNORES_TERM, name="cancelled"))
    cancelled = threading.Event()

    def lose() -> HangUp:
        cancelled.wait(20)
        return HangUp()

    lost = docker_proxy.trap("^POST .*/stop", Moment.UNDERWAY, lose)
    request = await driver.start("cancelled", _COMMAND)
    await asyncio.to_thread(
        wait_until, lambda: bool(docker_proxy.passed("/stop")), "the stop has begun"
    )
    await driver.cancel(request)
    cancelled.set()
    state = await request.outcome()
    assert lost.fired == 1
    assert state.cause is None
    await driver.check_put_back(request, state, before)


async def test_a_worker_that_was_away(
    driver: RequestDriver, docker_proxy: DockerProxy, laptop: LaptopProcess, client: Client
) -> None:
    """No heartbeats for a while: a second attempt works beside the first, to one outcome."""
    container = driver.engine.run(IGNORES_TERM, name="away")
    operation = client.get_workflow_handle(operation_workflow_id("local", container))
    end = partial(driver.engine.api.kill, container)
    both = docker_proxy.trap("^POST .*/stop", Moment.UNDERWAY, end, nth=2)
    request = await driver.start("away", "stop {} snapshot grace=60s")
    await asyncio.to_thread(
        wait_until, lambda: bool(docker_proxy.passed("/stop")), "the stop has begun"
    )
    worker = laptop.pids["worker"]
    os.kill(worker, signal.SIGSTOP)
    try:
        await eventually(partial(is_tried_again, operation), within=30)
    finally:
        os.kill(worker, signal.SIGCONT)
    state = await request.outcome()
    assert both.fired == 1
    first, second = docker_proxy.passed("^POST .*/stop")
    assert first.ended is not None
    assert first.began < second.began < first.ended, "the attempts overlap"
    await driver.check_snapshotted(request, state)
