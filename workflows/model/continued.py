"""What does a request take along when it goes on in a new run, with an empty history?

Only Temporal can say that a run continues another one: what somebody else puts here into a start
input is not looked at.
"""

from __future__ import annotations

from dataclasses import dataclass

from temporalio import workflow

from workflows.model.requests import LifecycleRequest
from workflows.model.state import JudgedAct, RequestState


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """What the run before knew.

    ``told`` is how many private notices it has sent, ``dropped`` how many messages found no room,
    and ``reminded`` says that the approvers were reminded; ``judged`` is as in the state.
    """

    state: RequestState
    heard: tuple[str, ...] = ()
    told: int = 0
    dropped: int = 0
    reminded: bool = False
    judged: tuple[JudgedAct, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ContinuedRequest(LifecycleRequest):
    """The start input of a request, or of a run that continues one."""

    carried: Carried | None = None


def is_continuation() -> bool:
    """Tell whether the run before has begun this one.

    Temporal says so of a run of a cron schedule and of a retry too, which begin with what somebody
    wrote.
    """
    info = workflow.info()
    return (
        info.continued_run_id is not None
        and info.cron_schedule is None
        and info.retry_policy is None
    )
