"""What is known about work that was ended from outside?"""

from __future__ import annotations

from dataclasses import dataclass

from workflows.model.state import RequestState


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedInput:
    """Asks for work that was ended from outside; ``known`` are the runs seen to before."""

    known: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BegunWith:
    """What the record needs of an operation's input."""

    state: RequestState
    recover: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedRun:
    """A run that was terminated or lost, with the last state that its workflow knew.

    ``superseded`` says that another request has operated on the container since.
    """

    workflow_id: str
    run_id: str
    is_operation: bool
    state: RequestState
    superseded: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedRuns:
    """What was ended from outside and is nobody's any more; ``seen`` are all runs looked at."""

    runs: tuple[EndedRun, ...] = ()
    seen: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LastStateInput:
    """Asks for the last state of one run."""

    workflow_id: str
    run_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LastState:
    """``None`` when the run cannot tell any more."""

    state: RequestState | None = None
