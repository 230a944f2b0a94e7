"""What became of what was typed a moment ago, and how is a request followed to its end?

What Temporal has recorded is not lost, whoever answers; so nothing here takes anything back.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from bot.service import Receipt, Service
from bot.temporal.errors import RequestUnknownError, TemporalUnavailableError
from bot.temporal.requests import Uptake
from bot.terminal.progress import Progress
from bot.terminal.screen import Screen
from workflows.model.state import JudgedAct, RequestState, RequestStatus

T = TypeVar("T")
#: A look-up of who decides, and a look at a container, may take so long.
JUDGED_WITHIN: Final = 15.0
LET_IN_WITHIN: Final = 45.0
#: Nobody answers, and asking again in a moment will not change it.
_NO_USE: Final = (Uptake.NO_WORKER, Uptake.STUCK, Uptake.TAKEN)
_SOON, _LATER = 0.1, 1.0
_UNANSWERED: Final = {
    Uptake.NO_WORKER: "no worker of requests answers",
    Uptake.NO_ANSWER: "nobody answers now",
    Uptake.STUCK: "the worker of requests fails at it",
}


async def until_judged(
    service: Service, receipt: Receipt, *, within: float = JUDGED_WITHIN
) -> JudgedAct | Uptake:
    """Wait until it is known whether an act counts; where it is not, say why."""
    return await _until(
        lambda: service.judgement(receipt), lambda told: isinstance(told, JudgedAct), within
    )


async def until_let_in(
    service: Service, receipt: Receipt, *, within: float = LET_IN_WITHIN
) -> RequestState | Uptake:
    """Wait until a request has its card, or was refused; where neither is known, say why."""

    async def standing() -> RequestState | Uptake:
        try:
            return await service.standing(receipt)
        except RequestUnknownError:
            # It begins in the place of another, which has not ended yet.
            return Uptake.NOT_YET

    return await _until(standing, _is_let_in, within)


async def until_over(
    service: Service,
    receipt: Receipt,
    screen: Screen,
    progress: Progress,
    *,
    within: float | None,
) -> RequestState | None:
    """Follow a request until nothing more happens by itself; ``None`` when the time was over.

    An outage is no end: Temporal and the workers come back, and the request goes on.
    """
    deadline = None if within is None else time.monotonic() + within
    unanswered = ""
    while True:
        pause = _LATER
        try:
            told = await service.standing(receipt)
        except TemporalUnavailableError:
            silent = "Temporal does not answer"
        else:
            if isinstance(told, RequestState):
                silent = ""
                screen.tell(*progress.news(told))
                if told.closed or told.status is RequestStatus.NEEDS_PERSON:
                    return told
                if told.status is RequestStatus.RUNNING:
                    pause = _SOON
            else:
                silent = _UNANSWERED.get(told, "")
        if silent and silent != unanswered:
            screen.tell(f"{silent}; still waiting")
        unanswered = silent
        if deadline is not None and time.monotonic() + pause > deadline:
            return None
        _heed_interrupt()
        await asyncio.sleep(pause)


async def _until(
    ask: Callable[[], Awaitable[T | Uptake]], is_known: Callable[[T | Uptake], bool], within: float
) -> T | Uptake:
    """Ask until the answer is known, or asking is of no use; give the last answer."""
    deadline = time.monotonic() + within
    pause = _SOON
    while True:
        told = await ask()
        if is_known(told) or told in _NO_USE or time.monotonic() + pause > deadline:
            return told
        _heed_interrupt()
        await asyncio.sleep(pause)
        pause = min(2 * pause, _LATER)


def _heed_interrupt() -> None:
    """End what waits after Ctrl-C, which the own error of a call under way may have hidden."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def _is_let_in(told: RequestState | Uptake) -> bool:
    return isinstance(told, RequestState) and (told.card is not None or told.closed)
