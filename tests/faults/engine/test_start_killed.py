"""What becomes of a start and of a restart whose worker is killed at any moment of any call?"""

from __future__ import annotations

from functools import partial
from typing import Final

import pytest

from tests.faults.engine.points import (
    Call,
    Point,
    Struck,
    When,
    kill_worker,
    outcomes,
    strike,
)
from tests.rigs.docker_proxy import DockerProxy
from tests.rigs.laptop import LaptopProcess
from tests.rigs.request_driver import RequestDriver

#: The first test waits for all outcomes.
pytestmark = pytest.mark.timeout(300)

#: The worker takes a few commits at once, so that the starts after them come in the second batch.
_RESTART: Final = tuple(
    Point(call=call, when=when, asked="restart {} snapshot")
    for call in (Call.STOP, Call.COMMIT, Call.TAG)
    for when in When
)
_START: Final = tuple(
    Point(call=call, when=when, asked=asked)
    for call, asked in (
        (Call.START, "restart {} snapshot"),
        (Call.START, "restart {}"),
        (Call.START, "start {}"),
        # What undoes a start that fails.
        (Call.STOP, "start {}"),
    )
    for when in When
)


@pytest.fixture(scope="module")
async def struck(
    laptop: LaptopProcess, shared_proxy: DockerProxy, module_driver: RequestDriver
) -> dict[Point, Struck]:
    """Kill the worker twice, under all points, and wait for all outcomes.

    The second time hits what goes on after the first: two faults in a row.
    """
    kill = partial(kill_worker, laptop)
    restart = await strike(_RESTART, module_driver, shared_proxy, kill)
    return await outcomes({**restart, **await strike(_START, module_driver, shared_proxy, kill)})


@pytest.mark.parametrize("point", [*_RESTART, *_START], ids=str)
async def test_the_request_goes_on(
    point: Point, struck: dict[Point, Struck], module_driver: RequestDriver
) -> None:
    """It is up as was asked for, with one tagged image if one was; or stopped again."""
    await struck[point].check(point, module_driver)
