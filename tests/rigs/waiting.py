"""How do tests wait for a condition, in threads and in coroutines?"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable


def wait_until(condition: Callable[[], bool], what: str, *, seconds: float = 60) -> None:
    """Wait for a condition.

    Raises:
        TimeoutError: it did not come about; the message says what was waited for.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= deadline:
            message = f"waited {seconds} s in vain until {what}"
            raise TimeoutError(message)
        time.sleep(0.02)


async def eventually(
    check: Callable[[], Awaitable[bool] | bool], *, within: float = 15, what: str = ""
) -> None:
    """Wait until ``check`` holds.

    Raises:
        AssertionError: it did not hold within that many seconds.
    """
    deadline = asyncio.get_running_loop().time() + within
    while True:
        held = check()
        if await held if isinstance(held, Awaitable) else held:
            return
        if asyncio.get_running_loop().time() > deadline:
            raise AssertionError(what or f"did not come true within {within} s")
        await asyncio.sleep(0.05)
