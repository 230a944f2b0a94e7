"""How does a test keep a call to an engine from being answered until it has done something?"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tests.rigs.docker_proxy import DockerProxy, Moment
from tests.rigs.waiting import wait_until

#: Shorter than what any call to the engine may take.
_HOLD_SECONDS = 20


@contextmanager
def held(
    proxy: DockerProxy, pattern: str, moment: Moment = Moment.BEFORE
) -> Iterator[threading.Event]:
    """Hold one call; the event says that it has come. That it was held is asserted."""
    come, go = threading.Event(), threading.Event()

    def hold() -> None:
        come.set()
        go.wait(_HOLD_SECONDS)

    trap = proxy.trap(pattern, moment, hold)
    try:
        yield come
    finally:
        go.set()
    wait_until(lambda: trap.fired == 1, "the call was held")


async def until_held(come: threading.Event) -> None:
    """Wait until the call that is held has come."""
    assert await asyncio.to_thread(come.wait, 30), "the call never came"
