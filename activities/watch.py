"""Does a part that a worker needs answer, what is wrong with it, and who gets to know?

An operator reads in the log what changed, once; ``/readyz`` says what is wrong now. Looking
changes nothing for requests: they are refused by what their own calls meet.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeVar

from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

_log = logging.getLogger(__name__)

#: What a call to a Temporal that is not there ends with.
AWAY = (RPCStatusCode.UNAVAILABLE, RPCStatusCode.DEADLINE_EXCEEDED)
#: Says what is wrong with a part, under its name; empty when nothing is.
Problem = Callable[[], str]
_FIRST_WAIT = 1.0
_TEMPORAL_EVERY = 10.0
_TEMPORAL_ANSWERS_WITHIN = timedelta(seconds=5)
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """How a part was found.

    ``event`` and ``facts`` are what the log says of it; ``problem`` is what is wrong with it in a
    few words, and empty when nothing is.
    """

    event: str
    problem: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)


class Watch:
    """Looks at one part again and again: soon while it is away, seldom while it is there.

    Args:
        look: looks once; ``None`` says that the part is as well known as before.
        every: how many seconds pass between two looks at a part that is there.
        until_known: what is wrong with it before the first look has an answer.
    """

    def __init__(
        self, look: Callable[[], Awaitable[Sight | None]], *, every: float, until_known: str = ""
    ) -> None:
        self._look = look
        self._every = every
        self._last: Sight | None = None
        self.problem = until_known

    async def run(self) -> None:
        """Look until cancelled."""
        wait = _FIRST_WAIT
        while True:
            sight = await self._look()
            if sight is not None:
                self._take(sight)
            if self.problem:
                await asyncio.sleep(wait)
                wait = min(2 * wait, self._every)
            else:
                await asyncio.sleep(self._every)
                wait = _FIRST_WAIT

    def _take(self, sight: Sight) -> None:
        if sight != self._last:
            level = logging.WARNING if sight.problem else logging.INFO
            _log.log(level, sight.event, extra=dict(sight.facts))
        self._last = sight
        self.problem = sight.problem


class OwnThread:
    """Makes blocking calls, one at a time, in a thread that no shutdown waits for."""

    def __init__(self, name: str) -> None:
        self._threads = ThreadPoolExecutor(1, name)

    async def call(self, blocking: Callable[[], _T]) -> _T:
        """Make one call."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, blocking)

    def leave(self) -> None:
        """Give the thread up; a call that hangs ends with the process."""
        self._threads.shutdown(wait=False, cancel_futures=True)


@asynccontextmanager
async def temporal_watched(client: Client) -> AsyncIterator[Problem]:
    """Ask Temporal meanwhile whether it is there; the SDK's workers wait for it by themselves."""
    address = client.service_client.config.target_host

    async def look() -> Sight:
        try:
            await client.service_client.check_health(timeout=_TEMPORAL_ANSWERS_WITHIN)
        except RPCError as error:
            # Whatever else it says, it is there.
            if error.status in AWAY:
                event = "Temporal does not answer; nothing is begun until it does"
                return Sight(event=event, problem="no answer", facts={"address": address})
        return Sight(event="Temporal is there", facts={"address": address})

    watch = Watch(look, every=_TEMPORAL_EVERY)
    async with running(watch):
        yield lambda: f"temporal: {watch.problem}" if watch.problem else ""


@asynccontextmanager
async def running(watch: Watch) -> AsyncIterator[None]:
    """Look meanwhile."""
    async with beside(watch.run()):
        yield


@asynccontextmanager
async def beside(work: Coroutine[None, None, None]) -> AsyncIterator[asyncio.Task[None]]:
    """Let work go on beside what follows, and end it then in an orderly way."""
    task = asyncio.create_task(work)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait((task,))


async def first(
    stop: asyncio.Event, event: asyncio.Event, working: set[asyncio.Task[None]]
) -> asyncio.Event:
    """Say which of two events came; work that fails meanwhile raises what it failed with."""
    waits = {asyncio.create_task(one.wait()) for one in (stop, event)}
    await asyncio.wait(waits | working, return_when=asyncio.FIRST_COMPLETED)
    for wait in waits:
        wait.cancel()
    for task in working:
        if task.done():
            task.result()
    return stop if stop.is_set() else event
