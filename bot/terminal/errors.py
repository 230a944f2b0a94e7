"""What does somebody at a terminal read when Dockwarden could not do what was typed?"""

from __future__ import annotations

from typing import Final

from bot.temporal.errors import (
    AlreadyOpenError,
    BotError,
    LookUnansweredError,
    NothingAskedError,
    PlanUnreadError,
    RequestEndedError,
    RequestStuckError,
    RequestUnknownError,
    Silent,
    TemporalCall,
    TemporalMisconfiguredError,
    TemporalUnavailableError,
)
from bot.temporal.requests import Uptake
from bot.terminal.tables import tamed
from workflows.operations.standing import status_of

_WORKER = "whoever runs Dockwarden can see whether `dockwarden worker` runs"
_SILENT: Final = {
    Silent.WORKER: f"no worker of requests is there; {_WORKER}",
    Silent.BUSY: "the worker of requests is busy, or has just ended; try again in a minute",
    Silent.HOST: "no worker serves {host}; `dockwarden list hosts` shows those that are known",
    Silent.BUSY_HOST: "the worker of {host} is busy, or has just ended; try again in a minute",
    Silent.ENGINE: "the engine of {host} does not answer in time",
}
#: What is known of an act that Temporal has recorded, and no more.
_RECORDED: Final = {
    Uptake.NO_WORKER: f"no worker answers: {_WORKER}. It is taken up when one is back",
    Uptake.STUCK: "the request is stuck, because the worker fails at it again and again: its log "
    "says why",
    Uptake.NOT_YET: "the request has not come to it yet",
    Uptake.NO_ANSWER: "nobody has answered yet",
    Uptake.TAKEN: "the request is over, and no longer says what became of it",
}


def failure(error: BotError) -> str:
    """Put a known failure into words: what is so, and what to do now."""
    match error:
        case AlreadyOpenError(summary=other):
            instead = " --replace puts yours in its place, if you may reject it." * error.waits
            stands = tamed(other.status) if error.state is None else status_of(error.state).words
            words = (
                f"Not started: {tamed(other.requester)} asked to {tamed(other.operation)} "
                f"{tamed(other.container)} on {tamed(other.host)} before, and that is still open: "
                f"{stands}. `dockwarden status {other.request_id}` shows it.{instead}"
            )
        case RequestEndedError(summary=request):
            words = (
                f"Not recorded: request {request.request_id} for {tamed(request.container)} on "
                f"{tamed(request.host)} is over ({tamed(request.status)})."
            )
        case RequestUnknownError():
            words = (
                f"There is no request {tamed(error.request_id)}, or it is no longer kept. "
                "`dockwarden requests recent` shows the latest."
            )
        case NothingAskedError():
            words = (
                f"There is no request for {tamed(error.container)} on {tamed(error.host)}, or it "
                "is no longer kept. `dockwarden requests` shows all that are open."
            )
        case PlanUnreadError():
            words = (
                f"Not recorded: nobody says reliably now what request {tamed(error.request_id)} "
                f"would do, so it cannot be shown; {_WORKER}. The button of its card works all "
                "the same."
            )
        case TemporalUnavailableError():
            words = _unavailable(error)
        case LookUnansweredError():
            near = f" Did you mean {tamed(error.near)}?" if error.near else ""
            words = (
                f"Nothing to show: {_SILENT[error.silent].format(host=tamed(error.host))}.{near}"
            )
        case RequestStuckError():
            words = (
                f"{tamed(error.workflow_id)} is stuck: Dockwarden's worker fails at it again and "
                "again. Its log says why. See on the host whether the container runs."
            )
        case TemporalMisconfiguredError():
            words = "Not done: Temporal refuses it. `dockwarden check` says what is missing."
        case _:
            words = tamed(str(error))
    return words


def not_confirmed(uptake: Uptake, request_id: str) -> str:
    """Say of what is recorded that it is not known whether it counts."""
    return (
        f"Recorded, and not confirmed: {_RECORDED[uptake]}. You need not repeat it; "
        f"`dockwarden status {request_id}` shows what it comes to."
    )


def _unavailable(error: TemporalUnavailableError) -> str:
    if error.call is TemporalCall.READ:
        return "Temporal does not answer. TEMPORAL_ADDRESS says where it is looked for."
    if error.maybe_done:
        return (
            "Not confirmed: Temporal did not answer in time, so it may not be recorded. "
            "Repeating it does no harm."
        )
    return "Not recorded: Temporal does not answer. TEMPORAL_ADDRESS says where it is looked for."
