"""How is undone what was begun, whatever else happens meanwhile?

A compensation is registered right before its step, for one that is reported as failed may have
happened. They run in reverse order, those that can wait after all others, each on its own, and
none is interrupted by a cancel.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import TypeVar

from temporalio.workflow import ActivityHandle

from workflows.failures import ends_workflow
from workflows.model import releases

T = TypeVar("T")
#: So many turns of the loop take a result that has come from the server to who awaits it; with
#: fewer than it needs, ``test_a_cancel_that_comes_with_a_result`` loses what the step found.
_TURNS = 5
Compensation = Callable[[], Awaitable[None]]


class Saga:
    """The compensations of one operation."""

    def __init__(self) -> None:
        self._compensations: list[Compensation] = []
        self._waiting: list[Compensation] = []

    def register(self, compensation: Compensation, *, can_wait: bool = False) -> None:
        """Remember how to undo what comes next; once, however often it is said."""
        known = self._waiting if can_wait else self._compensations
        if compensation not in known:
            known.append(compensation)

    async def compensate(self) -> list[BaseException]:
        """Undo all steps, newest first, and at the end what can wait.

        A failing one never keeps the others from running.

        Returns:
            The failures, in the order in which they came.
        """
        failures: list[BaseException] = []
        while self._compensations or self._waiting:
            compensation = (self._compensations or self._waiting).pop()
            try:
                await compensation()
            except BaseException as error:
                if not ends_workflow(error):
                    raise
                failures.append(error)
        return failures


def undone_by_step() -> bool:
    """Say whether an undo is registered right before its step, and a start is a step of its own.

    In the history of an operation of an earlier release all are registered before the first step,
    and what starts again is what puts back.
    """
    return releases.knows("start-is-a-step")


async def shielded(
    work: Coroutine[object, object, T], *, on_cancel: Callable[[], None] | None = None
) -> T:
    """Finish ``work`` even if the workflow is cancelled meanwhile; then call ``on_cancel``.

    One ``asyncio.shield`` is not enough: the cancel ends the await, and with it the workflow,
    while the work is half done. So the await is taken up again until the work is done.
    """
    task = asyncio.create_task(work)
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            if task.cancelled():
                raise
            if on_cancel is not None:
                on_cancel()
        except BaseException:
            # What the task itself raised is raised below; anything else ends this await.
            if not task.done():
                raise
    return task.result()


async def heard_out(step: ActivityHandle[T]) -> T:
    """Await an activity, which a cancel of the workflow cancels, but never lose its result.

    A cancel that comes in the same workflow task as the result would be raised instead of it
    (temporalio 1.35, ``_await_temporal_operation``): then nobody would know what was done.
    """
    while True:
        try:
            return await asyncio.shield(step)
        except asyncio.CancelledError:
            if step.cancelled():
                raise
            for _ in range(_TURNS):
                await asyncio.sleep(0)
            if not step.done():
                step.cancel()
