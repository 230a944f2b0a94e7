"""What becomes of a request whose engine is killed at one of its calls, and started again?

With and without live-restore, and with restart policies that bring a container up by themselves.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

import pytest
from temporalio.client import Client

from tests.faults.engine.points import Call, Point, Struck, When, outcomes, strike
from tests.rigs.docker_proxy import DockerProxy
from tests.rigs.dockerd import DockerEngine
from tests.rigs.laptop import LaptopProcess
from tests.rigs.request_driver import RequestDriver
from tests.rigs.waiting import wait_until

_POINTS: Final = tuple(
    Point(call=call, when=when, policy=policy, written=written)
    for policy in ("no", "always", "unless-stopped")
    for call, when, written in (
        (Call.STOP, When.BEFORE, 0),
        (Call.STOP, When.UNDERWAY, 0),
        (Call.COMMIT, When.UNDERWAY, 300 if policy == "no" else 60),
        (Call.TAG, When.BEFORE, 0),
        (Call.PUT_BACK, When.UNDERWAY, 0),
    )
)


@pytest.fixture(scope="module", params=[False, True], ids=["plain", "live-restore"])
async def driver(
    request: pytest.FixtureRequest, laptop: LaptopProcess, client: Client, shared_proxy: DockerProxy
) -> AsyncIterator[RequestDriver]:
    """Serve requests on an engine that is killed."""
    engine = DockerEngine(live_restore=request.param)
    try:
        shared_proxy.lead_to(engine.start().base_url)
        yield RequestDriver(laptop, client, engine)
    finally:
        engine.close()


@pytest.fixture(scope="module")
async def struck(shared_proxy: DockerProxy, driver: RequestDriver) -> dict[Point, Struck]:
    """Kill the engine under all points, start it again, and wait for all outcomes."""

    def kill() -> None:
        wait_until(driver.engine.is_committing, "a commit has begun to write")
        driver.engine.kill()
        shared_proxy.down()

    found = await strike(_POINTS, driver, shared_proxy, kill)
    driver.engine.start()
    shared_proxy.up()
    return await outcomes(found)


@pytest.mark.parametrize("point", _POINTS, ids=str)
async def test_the_request_goes_on(
    point: Point, struck: dict[Point, Struck], driver: RequestDriver
) -> None:
    """The container rests with exactly one tagged image; after a failure it runs, with none."""
    await struck[point].check(point, driver)
