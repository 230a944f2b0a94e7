"""What can go wrong in the bot, by name, and what is known of a request without its workflow?

The words that people read about these are in ``bot/slack/replies.py``. The summary of a request
stands here because a decision that comes too late is answered with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from workflows.model.state import RequestState, RequestStatus

#: The status of a request whose workflow ended without a last word of its own.
ENDED = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestSummary:
    """One line about a request.

    ``status`` is a :class:`~workflows.model.state.RequestStatus`, or ``ended`` for a request whose
    workflow was ended by somebody in Temporal while it was open. ``open`` tells whether the
    workflow still runs. ``operation`` is in words, and empty for a request of an earlier release.
    """

    request_id: str
    status: str
    host: str
    container: str
    requester: str
    workflow_id: str
    run_id: str
    started_at: datetime
    open: bool
    operation: str = ""
    permalink: str = ""


class TemporalCall(StrEnum):
    """What somebody wanted of Temporal."""

    START = "start"
    DECIDE = "decide"
    CANCEL = "cancel"
    STOP_TRYING = "stop trying"
    TRY_NOW = "try now"
    READ = "read"


class BotError(Exception):
    """Something that the person who asked is told in words."""


class TemporalUnavailableError(BotError):
    """Temporal did not accept a call.

    ``maybe_done`` is true when no answer came in time: the call may have arrived all the same.
    """

    def __init__(self, call: TemporalCall, *, maybe_done: bool) -> None:
        super().__init__(f"Temporal did not accept: {call}")
        self.call = call
        self.maybe_done = maybe_done


class Silent(StrEnum):
    """Which part has not answered a look in time, as far as Temporal knows."""

    WORKER = "no worker of requests is there"
    BUSY = "the worker of requests is busy, or has just ended"
    HOST = "no worker of the host is there"
    BUSY_HOST = "the worker of the host is busy, or has just ended"
    ENGINE = "the engine of the host"


class LookUnansweredError(BotError):
    """Temporal is there, but a look was not answered in time.

    ``near`` is the host that may have been meant instead; empty when none is like it.
    """

    def __init__(self, host: str, silent: Silent, near: str = "") -> None:
        super().__init__(f"a look at {host} was not answered: {silent}")
        self.host = host
        self.silent = silent
        self.near = near


class TemporalMisconfiguredError(BotError):
    """Temporal refuses the call for good: an administrator has to act."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class RequestStuckError(BotError):
    """The workers fail at a workflow again and again: a fault of ours, or an upgrade gone wrong."""

    def __init__(self, workflow_id: str) -> None:
        super().__init__(f"workflow {workflow_id} is stuck")
        self.workflow_id = workflow_id


class AlreadyOpenError(BotError):
    """Another request for the same container is open; ``waits`` says that nobody decided yet.

    ``state`` is where it stands, where a worker could tell it.
    """

    def __init__(self, summary: RequestSummary, state: RequestState | None = None) -> None:
        super().__init__(f"request {summary.request_id} is open")
        self.summary = summary
        self.state = state
        self.request_id = summary.request_id
        status = summary.status if state is None else state.status
        self.waits = status == RequestStatus.WAITING


class RequestUnknownError(BotError):
    """No request has this id."""

    def __init__(self, request_id: str) -> None:
        super().__init__(f"no request {request_id}")
        self.request_id = request_id


class NothingAskedError(BotError):
    """No request about this container is open, and none is kept that was."""

    def __init__(self, *, container: str, host: str) -> None:
        super().__init__(f"no request about {container} on {host}")
        self.container = container
        self.host = host


class PlanUnreadError(BotError):
    """Nobody can say now what a request would do, so nobody can approve it by its id alone."""

    def __init__(self, request_id: str) -> None:
        super().__init__(f"the plan of request {request_id} cannot be read")
        self.request_id = request_id


class RequestEndedError(BotError):
    """The request is over: a decision or a cancel comes too late.

    ``state`` is the last one, where a worker could tell it.
    """

    def __init__(self, summary: RequestSummary, state: RequestState | None = None) -> None:
        super().__init__(f"request {summary.request_id} is over")
        self.summary = summary
        self.state = state
