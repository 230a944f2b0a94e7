"""How do tests wait for a condition, in threads and in coroutines?"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator

_FIRST_PAUSE, _LONGEST_PAUSE = 0.02, 0.2


def pauses() -> Iterator[float]:
    """Say how long to wait before each further look, in seconds.

    Short at first, when little time may be lost; longer and longer then, for each look costs
    time that the machine needs to get there.
    """
    pause = _FIRST_PAUSE
    while True:
        yield pause
        pause = min(1.25 * pause, _LONGEST_PAUSE)


def wait_until(condition: Callable[[], bool], what: str, *, seconds: float = 60) -> None:
    """Wait for a condition.

    Raises:
        TimeoutError: it did not come about; the message says what was waited for.
    """
    deadline = time.monotonic() + seconds
    for pause in pauses():
        if condition():
            return
        if time.monotonic() >= deadline:
            message = f"waited {seconds} s in vain until {what}"
            raise TimeoutError(message)
        time.sleep(pause)


async def eventually(
    check: Callable[[], Awaitable[bool] | bool], *, within: float = 15, what: str = ""
) -> None:
    """Wait until ``check`` holds.

    Raises:
        AssertionError: it did not hold within that many seconds.
    """
    deadline = asyncio.get_running_loop().time() + within
    for pause in pauses():
        held = check()
        if await held if isinstance(held, Awaitable) else held:
            return
        if asyncio.get_running_loop().time() > deadline:
            raise AssertionError(what or f"did not come true within {within} s")
        await asyncio.sleep(pause)
