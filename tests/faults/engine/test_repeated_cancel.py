"""What if somebody presses Cancel again, and again, while a container cannot be put back?

The way back is blocked after the stop, as when a directory that is mounted is away for a while.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from deploy.laptop.slack_server import USERS
from tests.rigs.docker_proxy import Answer, DockerProxy, Moment
from tests.rigs.request_driver import Request, RequestDriver
from workflows.model.names import ActionId
from workflows.model.state import RequestStatus


@pytest.fixture
async def in_need(driver: RequestDriver, docker_proxy: DockerProxy, tmp_path: Path) -> Request:
    """Stop a container whose mount goes away meanwhile, so that it needs a person."""
    bound = tmp_path / "data"
    bound.mkdir()
    driver.engine.run(name="doomed", binds={"/srv": bound})

    def fail() -> Answer:
        bound.rename(tmp_path / "away")
        return Answer(500, "no space left on device")

    failed = docker_proxy.trap("^POST .*/commit", Moment.BEFORE, fail)
    (request,) = await driver.ask("doomed")
    await driver.approve(request)
    await request.until(RequestStatus.NEEDS_PERSON)
    assert failed.fired == 1
    return request


async def test_a_cancel_pressed_again_leaves_no_container_down(
    driver: RequestDriver, in_need: Request, tmp_path: Path
) -> None:
    """It is answered that it is being put back; and when the mount is there, it is."""
    for _ in range(3):
        await driver.type("alice", f"cancel {in_need.request_id}")
    await driver.refusal(USERS["alice"], "being put back already")
    assert not (await in_need.state()).closed

    await asyncio.to_thread((tmp_path / "away").rename, tmp_path / "data")
    await driver.until_card(in_need, "🛑")
    await driver.press("bob", in_need, ActionId.TRY_NOW)
    state = await in_need.outcome()

    assert state.status is RequestStatus.PUT_BACK
    assert driver.engine.state(in_need.container) == "running"
    assert state.down_seconds is not None


async def test_stop_trying_is_said_and_done(driver: RequestDriver, in_need: Request) -> None:
    """The container is left down, and card and thread say so, who wanted it, and what to run."""
    card = await driver.until_card(in_need, "🛑")
    assert "*is DOWN*" in card["blocks"][0]["text"]["text"]

    await driver.press("bob", in_need, ActionId.STOP_TRYING)
    state = await in_need.outcome()

    assert (state.status, state.stop_trying_by) == (RequestStatus.NEEDS_PERSON, USERS["bob"])
    assert driver.engine.state(in_need.container) == "exited"
    card = await driver.card(in_need)
    assert "*is DOWN*" in card["blocks"][0]["text"]["text"]
    said = " ".join(str(reply) for reply in await driver.thread(in_need))
    assert f"<@{USERS['bob']}>" in said
