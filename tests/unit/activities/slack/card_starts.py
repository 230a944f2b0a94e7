"""Which states do the tests of the card draw of what is started, or stopped and started again?"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from tests.unit.activities.slack.card_parts import (
    ALICE,
    BOB,
    NEEDS_PERSON,
    OVER,
    PIN,
    RUNNING,
    SNAPSHOT,
    STALE,
    STOPPED_PIN,
    T0,
    WAITING,
    D,
    F,
    N,
    R,
    S,
    T,
    decision,
    failed,
    noted,
    steps,
)
from workflows.model.errors import ErrorType
from workflows.model.requests import Choice, ContainerState, OperationSpec
from workflows.model.state import RequestState, RequestStatus, Sighting, StepStatus

START_KIND = OperationSpec(kind="start")
RESTART_KIND = OperationSpec(kind="restart")
START = replace(
    WAITING,
    operation=START_KIND,
    pin=STOPPED_PIN,
    steps=steps(start=T),
    reference="",
    reason="the patch is in",
)
_APPROVED = replace(START, status=RequestStatus.RUNNING, decisions=RUNNING.decisions)
_BEGUN = replace(_APPROVED, started_by_us=True)
_BACK = replace(_BEGUN, status=RequestStatus.PUT_BACK, **OVER)
#: Of a restart of what was stopped, for which a snapshot is wanted too.
_WITH_SNAPSHOT = OperationSpec(kind="start", snapshot=True)
RESTART = replace(
    WAITING,
    operation=RESTART_KIND,
    steps=steps(stop=T, start=T),
    reference="",
    reason="it leaks memory",
)
_RESTARTING = replace(RESTART, status=RequestStatus.RUNNING, decisions=RUNNING.decisions)


def not_stopped(
    error: ErrorType, *, seen: ContainerState | None = ContainerState.RUNNING
) -> RequestState:
    """Let a start fail, and neither can the container be stopped again."""
    at = T0 + timedelta(minutes=2, seconds=40)
    return replace(
        NEEDS_PERSON,
        operation=START_KIND,
        pin=STOPPED_PIN,
        reference="",
        reason="the patch is in",
        started_by_us=True,
        cause=ErrorType.UNHEALTHY,
        steps=(
            *failed(ErrorType.UNHEALTHY, *steps(start=F)),
            *failed(error, *steps(put_back=F)),
        ),
        seen=Sighting(state=seen, at=at) if seen is not None else None,
    )


START_STATES: dict[str, RequestState] = {
    "start-pending": START,
    "start-pending-snapshot": replace(
        START,
        operation=_WITH_SNAPSHOT,
        steps=steps(stop=T, snapshot=T, tag=T, start=T),
        reference=WAITING.reference,
    ),
    "start-rejected": replace(
        START,
        status=RequestStatus.REJECTED,
        decisions=(decision(BOB, Choice.REJECT, "it is down for a reason"),),
        **OVER,
    ),
    "start-expired": replace(START, status=RequestStatus.EXPIRED, **OVER),
    "start-cancelled": replace(
        START, status=RequestStatus.CANCELLED, cancel_requested_by=ALICE, **OVER
    ),
    "start-stale": replace(
        START,
        status=RequestStatus.STALE,
        decisions=STALE.decisions,
        steps=failed(ErrorType.CONTAINER_CHANGED, *steps(start=F)),
        cause=ErrorType.CONTAINER_CHANGED,
        cause_text="it is running now, and was exited",
        **OVER,
    ),
    "start-stale-owner": replace(
        START,
        status=RequestStatus.STALE,
        decisions=STALE.decisions,
        steps=failed(ErrorType.OWNER_MISSING, *steps(start=F)),
        cause=ErrorType.OWNER_MISSING,
        cause_text="it uses the network of gw, which is exited",
        **OVER,
    ),
    "start-failed": replace(
        _APPROVED,
        status=RequestStatus.FAILED,
        steps=failed(ErrorType.ENGINE_UNAVAILABLE, *steps(start=F)),
        cause=ErrorType.ENGINE_UNAVAILABLE,
        **OVER,
    ),
    "start-queued": replace(_APPROVED, steps=steps(start=StepStatus.QUEUED)),
    "start-running": replace(_BEGUN, steps=steps(start=R)),
    "start-running-snapshot": replace(
        _APPROVED,
        operation=_WITH_SNAPSHOT,
        steps=steps(stop=S, snapshot=R, tag=T, start=T),
        reference=WAITING.reference,
    ),
    "start-cancelling": replace(_BEGUN, steps=steps(start=R), cancel_requested_by=ALICE),
    "start-putting-back": replace(
        _BEGUN,
        steps=failed(ErrorType.NOT_RUNNING, *steps(start=F, put_back=R)),
        cause=ErrorType.NOT_RUNNING,
        cause_text="it ended with exit code 7",
    ),
    "start-succeeded": replace(
        _BEGUN, status=RequestStatus.SUCCEEDED, steps=steps(start=D), **OVER
    ),
    "start-succeeded-snapshot": replace(
        _BEGUN,
        status=RequestStatus.SUCCEEDED,
        operation=_WITH_SNAPSHOT,
        steps=steps(stop=S, snapshot=D, tag=D, start=D),
        snapshot=SNAPSHOT,
        **OVER,
    ),
    "start-succeeded-health-unknown": replace(
        _BEGUN,
        status=RequestStatus.SUCCEEDED,
        steps=noted("up, health not known yet", *steps(start=D)),
        **OVER,
    ),
    "start-put-back": replace(
        _BACK,
        steps=noted("stopped again", *failed(ErrorType.NOT_RUNNING, *steps(start=F, put_back=D))),
        cause=ErrorType.NOT_RUNNING,
        cause_text="it ended with exit code 7",
    ),
    "start-put-back-unhealthy": replace(
        _BACK,
        steps=noted("stopped again", *failed(ErrorType.UNHEALTHY, *steps(start=F, put_back=D))),
        cause=ErrorType.UNHEALTHY,
    ),
    "start-put-back-port": replace(
        _BACK,
        steps=failed(ErrorType.PORT_BUSY, *steps(start=F, put_back=D)),
        cause=ErrorType.PORT_BUSY,
        cause_text="port 8080/tcp of the host is taken",
    ),
    "start-put-back-before-the-start": replace(
        _APPROVED,
        operation=_WITH_SNAPSHOT,
        status=RequestStatus.PUT_BACK,
        steps=noted(
            "it was still exited",
            *failed(ErrorType.REFERENCE_TAKEN, *steps(stop=S, snapshot=D, tag=F)),
            *steps(start=N, put_back=D),
        ),
        cause=ErrorType.REFERENCE_TAKEN,
        reference=WAITING.reference,
        **OVER,
    ),
    "start-stale-started-by-somebody": replace(
        _BEGUN,
        status=RequestStatus.STALE,
        steps=noted(
            "somebody has started it since",
            *failed(ErrorType.NOT_RUNNING, *steps(start=F, put_back=D)),
        ),
        cause=ErrorType.CONTAINER_CHANGED,
        cause_text="it is running now, and was exited",
        **OVER,
    ),
    "start-stale-after-the-snapshot": replace(
        _APPROVED,
        operation=_WITH_SNAPSHOT,
        status=RequestStatus.STALE,
        steps=noted(
            "somebody has started it since",
            *failed(
                ErrorType.CONTAINER_CHANGED,
                *steps(stop=S, snapshot=D, tag=D, start=F, put_back=D),
            ),
        ),
        cause=ErrorType.CONTAINER_CHANGED,
        cause_text="it is running now, and was exited",
        snapshot=SNAPSHOT,
        **OVER,
    ),
    "start-put-back-after-cancel": replace(
        _BACK,
        cancel_requested_by=ALICE,
        steps=noted("stopped again", *steps(start=D, put_back=D)),
    ),
    "start-needs-person": not_stopped(ErrorType.ENGINE_ERROR),
    "start-needs-person-restarts": not_stopped(
        ErrorType.NOT_STOPPED, seen=ContainerState.RESTARTING
    ),
    "start-needs-person-engine-away": not_stopped(ErrorType.ENGINE_UNAVAILABLE, seen=None),
    "start-needs-person-worker-away": not_stopped(ErrorType.WORKER_UNAVAILABLE, seen=None),
    "start-needs-person-gone": replace(
        not_stopped(ErrorType.CONTAINER_GONE, seen=None), attempts=1, **OVER
    ),
    "start-needs-person-given-up": replace(
        not_stopped(ErrorType.ENGINE_FORBIDDEN), attempts=12, stop_trying_by=BOB, **OVER
    ),
    "start-needs-person-down-after-all": not_stopped(
        ErrorType.ENGINE_ERROR, seen=ContainerState.EXITED
    ),
    "restart-pending": RESTART,
    "restart-pending-paused": replace(RESTART, pin=replace(PIN, state=ContainerState.PAUSED)),
    "restart-pending-crash-looping": replace(
        RESTART, pin=replace(PIN, state=ContainerState.RESTARTING)
    ),
    "restart-running": replace(_RESTARTING, steps=steps(stop=D, start=R)),
    "restart-putting-back": replace(
        _RESTARTING,
        steps=failed(ErrorType.PORT_BUSY, *steps(stop=D, start=F, put_back=R)),
        cause=ErrorType.PORT_BUSY,
    ),
    "restart-succeeded": replace(
        _RESTARTING,
        status=RequestStatus.SUCCEEDED,
        steps=steps(stop=D, start=D),
        down_seconds=4.2,
        **OVER,
    ),
    "restart-succeeded-crash-looping": replace(
        _RESTARTING,
        status=RequestStatus.SUCCEEDED,
        pin=replace(PIN, state=ContainerState.RESTARTING),
        steps=steps(stop=D, start=D),
        **OVER,
    ),
    "restart-put-back-crash-looping": replace(
        _RESTARTING,
        status=RequestStatus.PUT_BACK,
        pin=replace(PIN, state=ContainerState.RESTARTING),
        cancel_requested_by=ALICE,
        steps=steps(stop=D, start=N, put_back=D),
        **OVER,
    ),
    "restart-succeeded-snapshot": replace(
        _RESTARTING,
        status=RequestStatus.SUCCEEDED,
        operation=replace(RESTART_KIND, snapshot=True),
        steps=steps(stop=D, snapshot=D, tag=D, start=D),
        snapshot=SNAPSHOT,
        reference=WAITING.reference,
        down_seconds=6.5,
        **OVER,
    ),
    "restart-succeeded-late": replace(
        _RESTARTING,
        status=RequestStatus.SUCCEEDED,
        steps=failed(ErrorType.PORT_BUSY, *steps(stop=D, start=F, put_back=D)),
        down_seconds=67,
        **OVER,
    ),
    "restart-put-back-after-cancel": replace(
        _RESTARTING,
        status=RequestStatus.PUT_BACK,
        cancel_requested_by=ALICE,
        steps=noted("started again", *steps(stop=D, start=N, put_back=D)),
        down_seconds=3.4,
        **OVER,
    ),
    "restart-needs-person": replace(
        NEEDS_PERSON,
        operation=RESTART_KIND,
        reference="",
        cause=ErrorType.PORT_BUSY,
        steps=failed(ErrorType.PORT_BUSY, *steps(stop=D, start=F, put_back=F)),
    ),
}
