"""Which activities ask about the task queues of hosts, with what in and what out?

A time-out tells only that nobody was quick enough; who polls a queue, and what waits in it, is
Temporal's to say.
"""

from __future__ import annotations

from dataclasses import dataclass

from temporalio import activity


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuePlaceInput:
    """Asks who takes work of a host, and whether a step of a workflow has been taken up.

    ``activity_type`` is the step's activity by name; ``""`` asks about the host alone.
    """

    host: str
    workflow_id: str = ""
    run_id: str = ""
    activity_type: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuePlace:
    """``polled`` says that a worker of the host is there, ``begun`` that it took the step up.

    Of a host that nobody serves, when no step was asked about: ``announced`` says that it is known
    all the same, and ``near`` which known host may have been meant; ``""`` when none is like it.
    """

    polled: bool
    begun: bool = False
    announced: bool = False
    near: str = ""


class QueuesPort:
    """What Temporal says about the task queues of hosts."""

    @activity.defn(name="queue_place")
    async def queue_place(self, arg: QueuePlaceInput) -> QueuePlace:
        """Say whether a worker of a host is there, and whether a step waits for its turn."""
        raise NotImplementedError
