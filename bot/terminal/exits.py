"""With which status does a command at a terminal end?

Part of the product: scripts ask for it. ``docs/terminal.md`` says the same.
"""

from __future__ import annotations

from enum import IntEnum

from bot.temporal.errors import (
    BotError,
    LookUnansweredError,
    PlanUnreadError,
    RequestStuckError,
    TemporalMisconfiguredError,
    TemporalUnavailableError,
)
from workflows.model.state import RequestState, RequestStatus


class Exit(IntEnum):
    """How it went."""

    DONE = 0
    #: Refused, or not done; nothing is left half-way.
    NOT_DONE = 1
    #: Typed or set up wrongly.
    USAGE = 2
    #: Temporal or a worker was not reached, or did not confirm what was recorded.
    NOT_CONFIRMED = 3
    #: The time of ``--within`` is over; the request goes on.
    STILL_WAITING = 4
    #: The container could not be put back, and may be down.
    NEEDS_PERSON = 5
    #: Ctrl-C; what was recorded goes on.
    INTERRUPTED = 130


_NOT_REACHED = (
    TemporalUnavailableError,
    LookUnansweredError,
    RequestStuckError,
    PlanUnreadError,
)


def of_outcome(state: RequestState) -> Exit:
    """Tell how a request ended that somebody has waited for."""
    match state.status:
        case RequestStatus.SUCCEEDED:
            return Exit.DONE
        case RequestStatus.NEEDS_PERSON:
            return Exit.NEEDS_PERSON
    return Exit.NOT_DONE


def of_error(error: BotError) -> Exit:
    """Tell what kind of failure it was."""
    match error:
        case TemporalMisconfiguredError():
            return Exit.USAGE
        case _ if isinstance(error, _NOT_REACHED):
            return Exit.NOT_CONFIRMED
    return Exit.NOT_DONE
