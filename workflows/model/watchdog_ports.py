"""Which activities look for work that goes on in name only, with what in and what out?

A workflow whose tasks fail can neither act nor answer. Temporal's record and its history tell of
it; what is found there, and what was done about it before, crosses the rooms in these types.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from temporalio import activity

from workflows.model.requests import LifecycleRequest
from workflows.model.state import RequestState


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchLimits:
    """When a run counts as stuck, in seconds, and how much is looked at in one go.

    ``look_back`` is about runs that have ended: older ends are looked at only while they are not
    seen to.

    ``page_after`` and ``end_after`` are how long tasks have failed without one that worked;
    ``overdue_after`` is how long past its expiry a request still waits. ``at_a_time`` requests are
    looked at in one go, and a round through all of them begins every ``round_every``. Where the
    server does not report such runs, ``unreported`` requests and operations are, and their tasks
    must have failed ``attempts`` times.
    """

    look_back: float = 24 * 3600
    page_after: float = 120
    end_after: float = 600
    overdue_after: float = 600
    attempts: int = 5
    at_a_time: int = 20
    unreported: int = 100
    round_every: float = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """How far a round through the waiting requests has come: to those started before ``at``."""

    began: datetime
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StuckInput:
    """Asks for stuck runs; ``told`` are those about which people were paged before.

    ``served_since`` is since when a worker has been there without a gap: what came due while
    there was none is not overdue yet.
    """

    limits: WatchLimits
    told: tuple[str, ...] = ()
    served_since: datetime
    round: Round | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StuckRun:
    """A run that cannot go on, and what its history tells of it.

    ``state`` is how it stood as far as is known, with what the engine has answered since, or
    ``None`` when it never came so far as to show a card; then there is the ``request``, unless
    that cannot be read either. ``since`` is when its tasks began to fail, ``idle`` says that no
    activity of it is at work, ``has_worked`` that there was a task which did not fail.
    """

    workflow_id: str
    run_id: str
    is_operation: bool
    since: datetime
    told: bool = False
    idle: bool = False
    has_worked: bool = False
    is_failing: bool = True
    state: RequestState | None = None
    request: LifecycleRequest | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StuckRuns:
    """What is stuck; ``still`` are those told before that were found so again."""

    runs: tuple[StuckRun, ...] = ()
    still: tuple[str, ...] = ()
    round: Round | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EndStuckInput:
    """Asks to end exactly this run of an operation, if it is still as stuck as it was found."""

    workflow_id: str
    run_id: str
    request_workflow_id: str
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedStuck:
    """``ended`` says whether it was; ``followed`` that its request is there to take it up."""

    ended: bool = False
    followed: bool = False


class WatchdogPort:
    """What Temporal's own record says about work that goes on in name only."""

    @activity.defn(name="find_stuck_runs")
    async def find_stuck_runs(self, arg: StuckInput) -> StuckRuns:
        """Find requests and operations whose tasks keep failing, or that wait past any limit."""
        raise NotImplementedError

    @activity.defn(name="end_stuck_run")
    async def end_stuck_run(self, arg: EndStuckInput) -> EndedStuck:
        """Terminate an operation that cannot go on, so that another can put things right."""
        raise NotImplementedError
