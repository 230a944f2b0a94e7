"""What do people want of an operation that is under way, and who says so?

Only its request judges people: it knows who may cancel, end the tries to put a container back, or
hurry them. Whoever reaches Temporal can signal the operation itself, so a signal proves nothing
and is only a hint to ask the request. However many come, one question is asked at a time, and
none sooner than two seconds after the one before.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError

from workflows import activity_options
from workflows.card_updates import RequestTracker
from workflows.model.ports import LastStateInput, VisibilityPort
from workflows.model.state import RequestState

_ASK_EVERY = timedelta(seconds=2)
#: Where nobody answers, Temporal or the request is away.
_ASK_AGAIN_WITHIN = timedelta(minutes=1)


class Wishes:
    """Asks the request what people want; ``heed`` takes its answer, which may be no news."""

    def __init__(self, tracker: RequestTracker, heed: Callable[[RequestState], None]) -> None:
        self._tracker = tracker
        self._heed = heed
        self._hinted = False
        self._asked_at: datetime | None = None
        self._pause = _ASK_EVERY
        self._under_way = False
        self._asking: asyncio.Task[None] | None = None

    @property
    def is_unheard(self) -> bool:
        """Whether something came in about which the request has not been heard yet."""
        return self._hinted or self._under_way

    def hint(self) -> None:
        """Ask the request soon; where there is none, nobody is believed."""
        if self._request is None:
            return
        self._hinted = True
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask_while_hinted())

    async def hear_out(self) -> None:
        """Ask the request now, once, unless it is known who cancelled."""
        await workflow.wait_condition(lambda: not self._under_way)
        if not self._tracker.state.cancel_requested_by and self._request is not None:
            await self._ask()

    async def ask(self) -> RequestState | None:
        """Ask the request where it stands; an operation that has none stands where it stands.

        Returns:
            Its state; ``None`` when it did not answer.
        """
        request, state = self._request, self._tracker.state
        if request is None:
            return state
        try:
            answer = await workflow.execute_activity_method(
                VisibilityPort.last_state, request, **activity_options.ask_temporal()
            )
        except ActivityError:
            return None
        told = answer.state
        return told if told is not None and told.request_id == state.request_id else state

    @property
    def _request(self) -> LastStateInput | None:
        """The request that began this operation; Temporal vouches for it."""
        parent = workflow.info().parent
        if parent is None or parent.workflow_id != self._tracker.state.workflow_id:
            return None
        return LastStateInput(workflow_id=parent.workflow_id, run_id=parent.run_id)

    async def _ask_while_hinted(self) -> None:
        while self._hinted:
            since = workflow.now() - self._asked_at if self._asked_at else self._pause
            if since < self._pause:
                await workflow.sleep(self._pause - since, summary="before the request is asked")
            self._hinted = False
            await self._ask()

    async def _ask(self) -> None:
        self._under_way, self._asked_at = True, workflow.now()
        try:
            told = await self.ask()
        finally:
            self._under_way = False
        if told is None:
            self._hinted = True
            self._pause = min(2 * self._pause, _ASK_AGAIN_WITHIN)
            return
        self._pause = _ASK_EVERY
        self._heed(told)
