"""What if a request is cancelled or terminated in its last steps, the tag and the start?

They are too quick to be hit from outside, so the call to the engine is held until it happened.
"""

from __future__ import annotations

import asyncio

import pytest

from tests.rigs.docker_proxy import DockerProxy
from tests.rigs.held_calls import held, until_held
from tests.rigs.laptop import LaptopProcess
from tests.rigs.request_driver import Request, RequestDriver
from tests.rigs.terminal import Terminal
from workflows.model.names import operation_workflow_id
from workflows.model.state import RequestState, RequestStatus

_TAG, _START = "^POST .*/tag", "^POST .*/start"


@pytest.fixture
def terminal(laptop: LaptopProcess) -> Terminal:
    """Give the command line of the laptop's Temporal."""
    return Terminal(laptop.ready["temporal"])


@pytest.mark.parametrize("way", ["the requester", "the terminal"])
async def test_a_cancel_while_the_snapshot_is_tagged(
    driver: RequestDriver, docker_proxy: DockerProxy, terminal: Terminal, way: str
) -> None:
    """The snapshot is complete, so it is kept under its name; the container runs again."""
    began = driver.engine.inspect(driver.engine.run(name="tagging"))["State"]["StartedAt"]
    with held(docker_proxy, _TAG) as come:
        request = await driver.start("tagging")
        await until_held(come)
        await _cancel(driver, terminal, request, way)
    state = await request.last_state()
    await driver.check(request, state, RequestStatus.PUT_BACK)
    assert state.cause is None
    after = driver.engine.inspect(request.container)["State"]
    assert (after["Status"], after["StartedAt"] != began) == ("running", True)
    (image,) = driver.images(request)
    assert image["RepoTags"] == [state.reference]
    assert state.reference in str(await driver.card(request))


@pytest.mark.parametrize("way", ["the requester", "the terminal"])
async def test_a_cancel_while_it_is_started_again(
    driver: RequestDriver, docker_proxy: DockerProxy, terminal: Terminal, way: str
) -> None:
    """Nothing is left to be cancelled: all that was asked for is done, and told as done."""
    driver.engine.run(name="starting")
    with held(docker_proxy, _START) as come:
        request = await driver.start("starting", "snapshot {}")
        await until_held(come)
        await _cancel(driver, terminal, request, way)
    await driver.check_snapshotted(request, await request.last_state(), runs=True)


@pytest.mark.parametrize(
    ("pattern", "which"),
    [(_TAG, "operation"), (_TAG, "both"), (_START, "operation"), (_START, "both")],
    ids=["tag-operation", "tag-both", "start-operation", "start-both"],
)
async def test_a_terminate_in_the_last_steps(
    driver: RequestDriver, docker_proxy: DockerProxy, terminal: Terminal, pattern: str, which: str
) -> None:
    """What nobody finished any more is found and put back, with no image left half done."""
    began = driver.engine.inspect(driver.engine.run(name="ended"))["State"]["StartedAt"]
    with held(docker_proxy, pattern) as come:
        request = await driver.start("ended", "snapshot {}")
        await until_held(come)
        operation = operation_workflow_id("local", request.container)
        handle = driver.client.get_workflow_handle(operation, result_type=RequestState)
        run_id = (await handle.describe()).run_id
        if which == "both":
            await terminal.terminate(request.handle.id)
        await terminal.terminate(operation)

    if which == "both":
        await terminal.reconcile_until_taken_up(handle, run_id)
        state = await asyncio.wait_for(handle.result(), 60)
    else:
        state = await request.outcome()
    # All that was asked for is there when only the start was cut off, and made good.
    is_done = pattern == _START
    await driver.check(
        request, state, RequestStatus.SUCCEEDED if is_done else RequestStatus.PUT_BACK
    )
    after = driver.engine.inspect(request.container)["State"]
    assert (after["Status"], after["StartedAt"] != began) == ("running", True)
    # A snapshot that had its tag already is complete, and the card goes on naming it.
    kept = [image["RepoTags"] for image in driver.images(request)]
    assert kept == ([[state.reference]] if is_done else [])
    assert (state.reference in str(await driver.card(request))) == is_done


async def _cancel(driver: RequestDriver, terminal: Terminal, request: Request, way: str) -> None:
    """Cancel, and wait until the operation has it in its history, before its step goes on."""
    if way == "the requester":
        await driver.cancel(request)
    else:
        await terminal.cancel(request.handle.id)
    await driver.until_told(request)
