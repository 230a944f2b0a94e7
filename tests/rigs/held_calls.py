"""How does a test keep a call to an engine from being answered until it has done something?"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tests.rigs.docker_proxy import DockerProxy, Moment
from tests.rigs.waiting import wait_until

_HOLD_SECONDS = 20


@contextmanager
def held(
    docker_proxy: DockerProxy, pattern: str, moment: Moment = Moment.BEFORE
) -> Iterator[threading.Event]:
    """Hold one call; the event says that it has come. That it was held so long is asserted.

    The product gives a tag up after ten seconds, and a stop fifteen after its grace.
    """
    come, go = threading.Event(), threading.Event()
    in_time: list[bool] = []

    def hold() -> None:
        come.set()
        in_time.append(go.wait(_HOLD_SECONDS))

    trap = docker_proxy.trap(pattern, moment, hold)
    try:
        yield come
    finally:
        go.set()
    wait_until(lambda: trap.fired == 1, "the call was held")
    assert in_time == [True], "the call went on before the test was ready"


async def until_held(come: threading.Event) -> None:
    """Wait until the call that is held has come."""
    assert await asyncio.to_thread(come.wait, 30), "the call never came"
