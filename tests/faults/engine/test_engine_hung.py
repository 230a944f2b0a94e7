"""What becomes of a request whose engine hangs, longer than the calls to it may take?

What was sent to a hung engine is done when it wakes up, after the client has given up.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Final

import pytest

from tests.faults.engine.points import Call, Point, Struck, When, outcomes, strike
from tests.rigs.docker_proxy import DockerProxy
from tests.rigs.request_driver import RequestDriver
from tests.rigs.waiting import wait_until

_POINTS: Final = tuple(Point(call=call, when=When.BEFORE, grace=1) for call in Call)


@pytest.fixture(scope="module")
async def struck(shared_proxy: DockerProxy, module_driver: RequestDriver) -> dict[Point, Struck]:
    """Hang the engine under all points until the stop and the tag have timed out."""
    found = await strike(_POINTS, module_driver, shared_proxy, module_driver.engine.freeze)
    for call in ("/stop", "/tag"):
        await asyncio.to_thread(
            wait_until, partial(_is_given_up, shared_proxy, call), f"{call} timed out"
        )
    module_driver.engine.thaw()
    return await outcomes(found)


@pytest.mark.parametrize("point", _POINTS, ids=str)
async def test_the_request_goes_on(
    point: Point, struck: dict[Point, Struck], module_driver: RequestDriver
) -> None:
    """What the engine does late is neither done twice nor undone: the outcome is as asked for."""
    await struck[point].check(point, module_driver)


def _is_given_up(docker_proxy: DockerProxy, call: str) -> bool:
    return any(exchange.given_up for exchange in docker_proxy.passed(f"^POST .*{call}"))
