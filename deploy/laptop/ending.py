"""How does a run of the laptop, or of the installation, end when it is told to?

Once, and to its end: a second Ctrl-C does not hold up the clean-up that the first one began.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Coroutine
from contextlib import suppress

from deploy.laptop.console import is_terminal, say

#: What a shell reports for a program that was ended by Ctrl-C.
_INTERRUPTED = 130


async def until_signalled(run: Coroutine[None, None, int]) -> int:
    """Run until the end or a signal; the clean-up that follows is not interrupted by another."""
    task = asyncio.create_task(run)
    signalled = False

    def stop() -> None:
        nonlocal signalled
        say("already stopping" if signalled else "stopping, in a few seconds")
        if not signalled:
            signalled = True
            task.cancel()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, stop)
    try:
        return await task
    except asyncio.CancelledError:
        return _INTERRUPTED


async def stay_up(invite: Callable[[], None]) -> None:
    """On a terminal, say what can be tried, and stay until somebody ends it."""
    if is_terminal():
        invite()
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()


async def uninterrupted(work: Coroutine[None, None, None]) -> None:
    """Clean up to the end, also when a signal comes meanwhile."""
    task = asyncio.create_task(work)
    while not task.done():
        with suppress(asyncio.CancelledError):
            await asyncio.shield(task)
    task.result()
