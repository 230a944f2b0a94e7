"""Does whoever waits at a terminal get away with Ctrl-C, whatever it comes into?"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import cast

import pytest

from bot.service import Receipt, Service
from bot.temporal.errors import TemporalCall, TemporalUnavailableError
from bot.temporal.requests import Uptake
from bot.terminal.following import until_let_in, until_over
from bot.terminal.progress import Progress
from bot.terminal.screen import Screen
from workflows.model.names import RequestAddress

_RECEIPT = Receipt(
    address=RequestAddress(request_id="3f9a1c2b4d5e", host="local", container="web-1"), act_id="a"
)


class _Hiding:
    """Temporal, where a call that is broken off ends as one that was not answered."""

    def __init__(self) -> None:
        self.called = asyncio.Event()
        self.hidden = 0

    async def standing(self, _receipt: Receipt) -> Uptake:
        """Be under way until broken off."""
        self.called.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            self.hidden += 1
            raise TemporalUnavailableError(TemporalCall.READ, maybe_done=True) from None
        return Uptake.NO_ANSWER


class _Silent(_Hiding):
    """The same, where it ends as a request that says nothing."""

    async def standing(self, receipt: Receipt) -> Uptake:
        """Be under way until broken off."""
        try:
            return await super().standing(receipt)
        except TemporalUnavailableError:
            return Uptake.NO_ANSWER


def _over(service: Service) -> Awaitable[object]:
    return until_over(service, _RECEIPT, Screen(as_json=False), Progress(), within=None)


def _let_in(service: Service) -> Awaitable[object]:
    return until_let_in(service, _RECEIPT)


@pytest.mark.parametrize(
    ("follow", "hiding"), [(_over, _Hiding), (_over, _Silent), (_let_in, _Silent)]
)
async def test_ctrl_c_within_a_call_is_heeded(
    follow: Callable[[Service], Awaitable[object]], hiding: type[_Hiding]
) -> None:
    """What is interrupted ends at once, though the call says only that nobody answered."""
    calls = hiding()
    waiting = asyncio.ensure_future(follow(cast("Service", calls)))
    await calls.called.wait()
    waiting.cancel()
    async with asyncio.timeout(5):
        await asyncio.wait([waiting])

    assert waiting.cancelled()
    assert calls.hidden == 1
