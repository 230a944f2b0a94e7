"""What if a start is cancelled, terminated, unheard of or refused while the engine is at it?

They are too quick to be hit from outside, so the call to the engine is held until it happened.
"""

from __future__ import annotations

import asyncio

import pytest

from tests.rigs.docker_proxy import DockerProxy, HangUp, Moment
from tests.rigs.held_calls import held, until_held
from tests.rigs.laptop import LaptopProcess
from tests.rigs.request_driver import RequestDriver, step
from tests.rigs.terminal import Terminal
from workflows.model.errors import ErrorType
from workflows.model.names import operation_workflow_id
from workflows.model.state import RequestState, RequestStatus, StepName, StepStatus

_CALL = "^POST .*/start"


@pytest.fixture
def terminal(laptop: LaptopProcess) -> Terminal:
    """Give the command line of the laptop's Temporal."""
    return Terminal(laptop.ready["temporal"])


@pytest.mark.parametrize("policy", ["no", "always"])
@pytest.mark.parametrize("way", ["the requester", "the terminal"])
async def test_a_cancel_while_it_is_started(
    driver: RequestDriver, docker_proxy: DockerProxy, terminal: Terminal, way: str, policy: str
) -> None:
    """The start comes through, and what it has brought up is stopped again."""
    driver.engine.create(name="starting", policy=policy)
    with held(docker_proxy, _CALL) as come:
        request = await driver.start("starting", "start {}")
        await until_held(come)
        if way == "the requester":
            await driver.cancel(request)
        else:
            await terminal.cancel(request.handle.id)
        await driver.until_told(request)

    state = await request.last_state()

    await driver.check(request, state, RequestStatus.PUT_BACK)
    assert state.cause is None
    assert step(state, StepName.START).status is StepStatus.DONE
    assert step(state, StepName.PUT_BACK).note == "stopped again"
    assert driver.engine.state(request.container) == "exited"


@pytest.mark.parametrize("which", ["operation", "both"])
async def test_a_terminate_while_it_is_started(
    driver: RequestDriver, docker_proxy: DockerProxy, terminal: Terminal, which: str
) -> None:
    """What nobody finished any more is found and stopped again."""
    driver.engine.create(name="ended")
    with held(docker_proxy, _CALL) as come:
        request = await driver.start("ended", "start {}")
        await until_held(come)
        operation = operation_workflow_id("local", request.container)
        handle = driver.client.get_workflow_handle(operation, result_type=RequestState)
        run_id = (await handle.describe()).run_id
        if which == "both":
            await terminal.terminate(request.handle.id)
        await terminal.terminate(operation)

    if which == "both":
        await terminal.reconcile_until_taken_up(handle, run_id)
        state = await asyncio.wait_for(handle.result(), 100)
    else:
        state = await request.outcome()

    await driver.check(request, state, RequestStatus.PUT_BACK)
    assert driver.engine.state(request.container) == "exited"


async def test_a_start_whose_answer_is_lost(
    any_driver: RequestDriver, docker_proxy: DockerProxy
) -> None:
    """It may have been done, and was: the next attempt finds it up and starts nothing."""
    driver = any_driver
    driver.engine.create(name="lost")
    lost = docker_proxy.trap(_CALL, Moment.ANSWERED, HangUp)

    request = await driver.start("lost", "start {}")
    state = await request.outcome()

    assert lost.fired == 1
    assert len(docker_proxy.passed(f"^POST .*{request.container}/start")) == 1
    await driver.check(request, state, RequestStatus.SUCCEEDED)
    assert driver.engine.state(request.container) == "running"


async def test_a_start_that_the_engine_refuses(driver: RequestDriver) -> None:
    """Nothing was changed by it: nothing is put back, nobody is paged, and the reason is told."""
    engine = driver.engine
    engine.api.create_network("lan")
    engine.create(name="late", network="lan", ports={80: 18082})
    engine.run(name="first", network="lan", ports={80: 18082})

    request = await driver.start("late", "start {}")
    state = await request.outcome()

    await driver.check(request, state, RequestStatus.FAILED)
    assert state.cause is ErrorType.PORT_BUSY
    assert [one.name for one in state.steps] == [StepName.START]
    assert "18082" in str(await driver.card(request))
    assert engine.state(request.container) == "created"
    assert engine.state("first") == "running"


async def test_one_that_does_not_stay_up(any_driver: RequestDriver) -> None:
    """It is not run again and again; it rests as it did, and how it ended is told."""
    driver = any_driver
    driver.engine.create("sleep 1; exit 7", name="dying")

    request = await driver.start("dying", "start {}")
    state = await request.outcome()

    await driver.check(request, state, RequestStatus.PUT_BACK)
    assert (state.cause, state.cause_text) == (
        ErrorType.NOT_RUNNING,
        "it ended with exit code 7",
    )
    assert driver.engine.state(request.container) == "exited"
