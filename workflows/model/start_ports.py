"""Which activities bring a container up, or back, with what in and what out?

To start is a step that people have approved; to put back is the undo of a stop, or of a start.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from temporalio import activity

from workflows.model.dependents import Dependent
from workflows.model.plan import Permit
from workflows.model.requests import ContainerPin, ContainerState
from workflows.model.state import PortMove


@dataclass(frozen=True, slots=True, kw_only=True)
class StartInput:
    """Start exactly ``pin``: what was up is as it was again, what rested runs.

    What rested must be as approved still, unless ``may_have_begun`` says that an attempt before
    may have started it. ``settle_seconds`` is how long a stop of ours may still be at work in the
    engine. ``permit`` proves that people approved it.
    """

    pin: ContainerPin
    settle_seconds: int = 0
    may_have_begun: bool = False
    permit: Permit | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreInput:
    """Bring ``pin`` back to the state it was in when it was approved.

    ``settle_seconds`` is how long what was sent, a stop or a start, may still be at work in the
    engine. ``permit`` proves that people approved what is undone. ``stopped_at`` is when the
    container ended by our stop, as the engine says, ``None`` when that is not known: a container
    that ended again since was stopped by a person, and stays so. ``look_only`` changes nothing: it
    only tells whether the container is back already. ``started_by_us`` says that a start of ours
    may have brought up what rested: then it is stopped again, with ``grace_seconds``.
    ``started_at`` is when the run began that is ours, ``None`` when that is not known: one that
    began later was begun by a person, and goes on.
    """

    pin: ContainerPin
    settle_seconds: int
    stopped_at: datetime | None = None
    look_only: bool = False
    started_by_us: bool = False
    started_at: datetime | None = None
    grace_seconds: int = 0
    permit: Permit | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreResult:
    """The verified state of a container that was started or put back.

    ``started`` says whether Dockwarden had to start it, and ``stopped`` whether it had to stop it.
    ``healthy`` is ``None`` without a health check, or while its first verdict is still to come,
    and then ``health_pending`` is true. ``ended_at`` and ``started_at`` are the engine's times of
    the last end and of the last start; the former is ``None`` for one that never ended. ``name``
    is what the engine calls it. ``users`` are those in its network, when it had to be started.
    ``moved_ports`` are reached otherwise now than when it was approved.
    """

    state: ContainerState
    started: bool
    healthy: bool | None = None
    health_pending: bool = False
    ended_at: datetime | None = None
    started_at: datetime | None = None
    name: str = ""
    users: tuple[Dependent, ...] = ()
    moved_ports: tuple[PortMove, ...] = ()
    stopped: bool = False


class StartPort:
    """How the worker of a host starts a container as people have approved it."""

    @activity.defn(name="ensure_started")
    def ensure_started(self, arg: StartInput) -> RestoreResult:
        """Verify the pin, see to it that the container runs, and prove that it stays up."""
        raise NotImplementedError
