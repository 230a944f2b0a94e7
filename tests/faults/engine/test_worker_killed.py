"""What becomes of a request whose worker is killed at any moment of any of its calls?"""

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

_FORWARD: Final = tuple(
    Point(call=call, when=when) for call in (Call.STOP, Call.COMMIT, Call.TAG) for when in When
)
_START: Final = tuple(
    Point(call=call, when=when) for call in (Call.PUT_BACK, Call.START) for when in When
)


@pytest.fixture(scope="module")
async def struck(
    laptop: LaptopProcess, shared_proxy: DockerProxy, module_driver: RequestDriver
) -> dict[Point, Struck]:
    """Kill the worker twice, under all points, and wait for all outcomes.

    The second time hits what goes on after the first: two faults in a row.
    """
    kill = partial(kill_worker, laptop)
    forward = await strike(_FORWARD, module_driver, shared_proxy, kill)
    return await outcomes({**forward, **await strike(_START, module_driver, shared_proxy, kill)})


@pytest.mark.parametrize("point", [*_FORWARD, *_START], ids=str)
async def test_the_request_goes_on(
    point: Point, struck: dict[Point, Struck], module_driver: RequestDriver
) -> None:
    """Rests with one tagged image; runs with one (``start``), without one (``put-back``)."""
    await struck[point].check(point, module_driver)
