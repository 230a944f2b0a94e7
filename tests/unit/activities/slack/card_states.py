"""Which states do the tests of the card draw: one of each kind, and the worst of each?"""

from __future__ import annotations

from dataclasses import replace

from tests.unit.activities.slack.card_neighbours import NEIGHBOUR_STATES
from tests.unit.activities.slack.card_parts import (
    ALICE,
    ALWAYS_PIN,
    APPROVED,
    BOB,
    DENIED,
    MOUNT,
    MOVED_PORTS,
    NEEDS_PERSON,
    OVER,
    PIN,
    POLICY,
    RUNNING,
    SNAPSHOT,
    SNAPSHOT_KIND,
    STALE,
    STOPPED_PIN,
    TOLD_PIN,
    WAITING,
    D,
    F,
    N,
    R,
    S,
    T,
    decision,
    failed,
    not_started,
    noted,
    steps,
    stuck,
)
from tests.unit.activities.slack.card_starts import START_STATES
from workflows.model.errors import ErrorType
from workflows.model.requests import (
    Choice,
    ContainerState,
    OperationSpec,
)
from workflows.model.state import (
    Caution,
    CautionCode,
    RequestState,
    RequestStatus,
    StepStatus,
)

_OWNER_GONE = "it uses the network of container 4f5e6d7c8b9a, which was removed"

STATES: dict[str, RequestState] = {
    **NEIGHBOUR_STATES,
    **START_STATES,
    "pending": replace(WAITING, pin=TOLD_PIN, earlier=2),
    "pending-told-by-an-earlier-release": WAITING,
    "pending-in-a-flood": replace(WAITING, pin=TOLD_PIN, beside=14),
    "pending-stuck": replace(WAITING, paged=True),
    "pending-two-of-two": replace(WAITING, policy=replace(POLICY, required_approvals=2)),
    "pending-one-more": replace(
        WAITING, pin=TOLD_PIN, policy=replace(POLICY, required_approvals=2), decisions=APPROVED
    ),
    "pending-stop-only": replace(
        WAITING,
        operation=OperationSpec(kind="stop"),
        steps=steps(stop=T),
        reference="",
        reason="",
        grace_seconds=90,
    ),
    "pending-snapshot": replace(
        WAITING,
        pin=TOLD_PIN,
        operation=SNAPSHOT_KIND,
        steps=steps(stop=T, snapshot=T, tag=T, start=T),
    ),
    "pending-paused": replace(
        WAITING,
        operation=SNAPSHOT_KIND,
        pin=replace(PIN, state=ContainerState.PAUSED),
        steps=steps(stop=T, snapshot=T, tag=T, start=T),
    ),
    "needs-person-cannot-run": not_started(
        ErrorType.CANNOT_RUN, "its log driver is missing on the host, or fails"
    ),
    "pending-already-stopped": replace(WAITING, operation=SNAPSHOT_KIND, pin=STOPPED_PIN),
    "pending-restarted-by-the-engine": replace(WAITING, pin=ALWAYS_PIN),
    "pending-groups": replace(
        WAITING, policy=replace(POLICY, approvers=(), approver_groups=("S0OPSLEAD",))
    ),
    "pending-no-limit-of-its-own": replace(
        WAITING, pin=replace(PIN, stop_timeout_seconds=-1), grace_seconds=600
    ),
    "pending-killed-at-once": replace(
        WAITING, pin=replace(PIN, stop_timeout_seconds=0), grace_seconds=1
    ),
    "pending-limit-too-long": replace(
        WAITING, pin=replace(PIN, stop_timeout_seconds=1800), grace_seconds=600
    ),
    "pending-cautions": replace(
        WAITING,
        operation=SNAPSHOT_KIND,
        steps=steps(stop=T, snapshot=T, tag=T, start=T),
        cautions=(
            Caution(
                code=CautionCode.HEALTH_UNKNOWN,
                detail="its first health check comes 600 s after a start",
            ),
            Caution(
                code=CautionCode.PORTS_CHANGE,
                detail="80/tcp is at 32768 now, 443/tcp is at 32769 now and 3 more",
            ),
            Caution(code=CautionCode.MEMORY_LOST, detail="tmpfs /data"),
        ),
    ),
    "rejected": replace(
        WAITING,
        status=RequestStatus.REJECTED,
        decisions=(decision(BOB, Choice.REJECT, "not during <!channel> sale"),),
        **OVER,
    ),
    "expired": replace(WAITING, status=RequestStatus.EXPIRED, **OVER),
    "cancelled": replace(
        WAITING, status=RequestStatus.CANCELLED, cancel_requested_by=ALICE, **OVER
    ),
    "stale": replace(
        STALE,
        steps=steps(stop=N, snapshot=N, tag=N),
        cause=ErrorType.CONTAINER_CHANGED,
        cause_text="it was created anew at 13:51",
    ),
    "stale-gone": replace(
        STALE,
        steps=failed(ErrorType.CONTAINER_GONE, *steps(stop=F, snapshot=N, tag=N)),
        cause=ErrorType.CONTAINER_GONE,
        cause_text="it was removed",
    ),
    "stale-recreated": replace(
        STALE,
        steps=failed(ErrorType.CONTAINER_GONE, *steps(stop=F, snapshot=N, tag=N)),
        cause=ErrorType.CONTAINER_GONE,
        cause_text="it was recreated, as 0f915e950f91",
    ),
    "stale-no-room": replace(
        STALE,
        steps=failed(ErrorType.SNAPSHOT_QUOTA, *steps(stop=F, snapshot=N, tag=N)),
        cause=ErrorType.SNAPSHOT_QUOTA,
        cause_text="20 are there, and at most 20 are kept",
    ),
    "stale-owner-gone": replace(
        STALE,
        steps=failed(ErrorType.OWNER_GONE, *steps(stop=F, snapshot=N, tag=N)),
        cause=ErrorType.OWNER_GONE,
        cause_text=_OWNER_GONE,
    ),
    "stale-orchestrated": replace(
        STALE,
        steps=failed(ErrorType.ORCHESTRATED, *steps(stop=F, snapshot=N, tag=N)),
        cause=ErrorType.ORCHESTRATED,
        cause_text="Docker Swarm runs it for its service web: `docker service scale web=0` stops "
        "it",
    ),
    "stale-no-image": replace(
        STALE,
        steps=failed(ErrorType.IMAGE_MISSING, *steps(stop=F, snapshot=N, tag=N)),
        cause=ErrorType.IMAGE_MISSING,
    ),
    "failed": replace(
        RUNNING,
        status=RequestStatus.FAILED,
        steps=failed(ErrorType.WORKER_UNAVAILABLE, *steps(stop=F, snapshot=N, tag=N)),
        cause=ErrorType.WORKER_UNAVAILABLE,
        **OVER,
    ),
    "failed-engine-silent": replace(
        RUNNING,
        status=RequestStatus.FAILED,
        steps=failed(ErrorType.ENGINE_AMBIGUOUS, *steps(stop=F, snapshot=N, tag=N)),
        cause=ErrorType.ENGINE_AMBIGUOUS,
        **OVER,
    ),
    "queued": replace(RUNNING, steps=steps(stop=StepStatus.QUEUED, snapshot=T, tag=T)),
    "running-commit-queued": replace(
        RUNNING, steps=steps(stop=D, snapshot=StepStatus.QUEUED, tag=T)
    ),
    "running": replace(RUNNING, steps=steps(stop=D, snapshot=R, tag=T)),
    "running-restarted": replace(
        RUNNING, steps=steps(stop=D, snapshot=R, tag=T), restarted_since=True
    ),
    "cancelling": replace(
        RUNNING, steps=steps(stop=D, snapshot=R, tag=T), cancel_requested_by=ALICE
    ),
    "putting-back": replace(
        RUNNING,
        steps=failed(ErrorType.DISK_FULL, *steps(stop=D, snapshot=F, tag=N, put_back=R)),
        cause=ErrorType.DISK_FULL,
    ),
    "succeeded": replace(
        RUNNING,
        status=RequestStatus.SUCCEEDED,
        steps=steps(stop=D, snapshot=D, tag=D),
        snapshot=SNAPSHOT,
        **OVER,
    ),
    "succeeded-restarted-by-the-engine": replace(
        RUNNING,
        status=RequestStatus.SUCCEEDED,
        operation=OperationSpec(kind="stop"),
        pin=ALWAYS_PIN,
        steps=steps(stop=D),
        **OVER,
    ),
    "succeeded-other-ports": replace(
        RUNNING,
        status=RequestStatus.SUCCEEDED,
        operation=SNAPSHOT_KIND,
        steps=steps(stop=D, snapshot=D, tag=D, start=D),
        snapshot=SNAPSHOT,
        down_seconds=4.2,
        moved_ports=MOVED_PORTS,
        **OVER,
    ),
    "succeeded-snapshot": replace(
        RUNNING,
        status=RequestStatus.SUCCEEDED,
        operation=SNAPSHOT_KIND,
        steps=steps(stop=D, snapshot=D, tag=D, start=D),
        snapshot=SNAPSHOT,
        down_seconds=4.2,
        **OVER,
    ),
    "succeeded-health-unknown": replace(
        RUNNING,
        status=RequestStatus.SUCCEEDED,
        operation=SNAPSHOT_KIND,
        steps=noted("up, health not known yet", *steps(stop=D, snapshot=D, tag=D, start=D)),
        snapshot=SNAPSHOT,
        down_seconds=4.2,
        **OVER,
    ),
    "succeeded-late-health-unknown": replace(
        not_started(ErrorType.OWNER_MISSING),
        status=RequestStatus.SUCCEEDED,
        cause=None,
        steps=noted(
            "started again, health not known yet",
            *failed(
                ErrorType.OWNER_MISSING, *steps(stop=D, snapshot=D, tag=D, start=F, put_back=D)
            ),
        ),
        down_seconds=67,
        **OVER,
    ),
    "succeeded-late": replace(
        not_started(ErrorType.MOUNT_MISSING, MOUNT),
        status=RequestStatus.SUCCEEDED,
        steps=failed(
            ErrorType.MOUNT_MISSING, *steps(stop=D, snapshot=D, tag=D, start=F, put_back=D)
        ),
        down_seconds=67,
        **OVER,
    ),
    "succeeded-paused": replace(
        RUNNING,
        status=RequestStatus.SUCCEEDED,
        operation=SNAPSHOT_KIND,
        pin=replace(PIN, state=ContainerState.PAUSED),
        steps=steps(stop=D, snapshot=D, tag=D, start=D),
        snapshot=SNAPSHOT,
        **OVER,
    ),
    "succeeded-already-stopped": replace(
        RUNNING,
        status=RequestStatus.SUCCEEDED,
        pin=STOPPED_PIN,
        steps=steps(stop=S, snapshot=D, tag=D),
        snapshot=SNAPSHOT,
        **OVER,
    ),
    # Above, and below, the tag is a step of its own, as in requests of an earlier release.
    "tagged-with-it-pending": replace(WAITING, steps=steps(stop=T, snapshot=T)),
    "tagged-with-it-running": replace(RUNNING, steps=steps(stop=D, snapshot=R)),
    "tagged-with-it-succeeded": replace(
        RUNNING,
        status=RequestStatus.SUCCEEDED,
        steps=steps(stop=D, snapshot=D),
        snapshot=SNAPSHOT,
        **OVER,
    ),
    "tagged-with-it-put-back": replace(
        RUNNING,
        status=RequestStatus.PUT_BACK,
        steps=failed(ErrorType.REFERENCE_TAKEN, *steps(stop=D, snapshot=F, put_back=D)),
        cause=ErrorType.REFERENCE_TAKEN,
        down_seconds=3.4,
        **OVER,
    ),
    "put-back": replace(
        RUNNING,
        status=RequestStatus.PUT_BACK,
        steps=failed(ErrorType.REFERENCE_TAKEN, *steps(stop=D, snapshot=D, tag=F, put_back=D)),
        cause=ErrorType.REFERENCE_TAKEN,
        down_seconds=3.4,
        **OVER,
    ),
    "put-back-other-ports": replace(
        RUNNING,
        status=RequestStatus.PUT_BACK,
        steps=failed(ErrorType.REFERENCE_TAKEN, *steps(stop=D, snapshot=D, tag=F, put_back=D)),
        cause=ErrorType.REFERENCE_TAKEN,
        down_seconds=3.4,
        moved_ports=MOVED_PORTS,
        **OVER,
    ),
    "put-back-snapshot-kept": replace(
        not_started(ErrorType.PORT_BUSY),
        status=RequestStatus.PUT_BACK,
        steps=failed(ErrorType.PORT_BUSY, *steps(stop=D, snapshot=D, tag=D, start=F, put_back=D)),
        down_seconds=67,
        **OVER,
    ),
    "put-back-after-cancel": replace(
        RUNNING,
        status=RequestStatus.PUT_BACK,
        cancel_requested_by=ALICE,
        steps=steps(stop=D, snapshot=D, tag=D, put_back=D),
        snapshot=SNAPSHOT,
        **OVER,
    ),
    "put-back-paused": replace(
        RUNNING,
        status=RequestStatus.PUT_BACK,
        pin=replace(PIN, state=ContainerState.PAUSED),
        steps=noted(
            "started again and paused",
            *failed(ErrorType.REFERENCE_TAKEN, *steps(stop=D, snapshot=D, tag=F, put_back=D)),
        ),
        cause=ErrorType.REFERENCE_TAKEN,
        down_seconds=3.4,
        **OVER,
    ),
    "needs-person": NEEDS_PERSON,
    "needs-person-was-paused": replace(NEEDS_PERSON, pin=replace(PIN, state=ContainerState.PAUSED)),
    "needs-person-not-paused-again": replace(
        not_started(ErrorType.ENGINE_FORBIDDEN, DENIED, seen=ContainerState.RUNNING),
        pin=replace(PIN, state=ContainerState.PAUSED),
    ),
    "needs-person-trying": replace(
        NEEDS_PERSON,
        attempts=6,
        steps=stuck(ErrorType.PORT_BUSY, *steps(stop=D, snapshot=D, tag=F, put_back=R)),
    ),
    "needs-person-gone": replace(
        NEEDS_PERSON,
        cause=ErrorType.CONTAINER_GONE,
        steps=failed(ErrorType.CONTAINER_GONE, *steps(stop=D, snapshot=F, tag=N, put_back=F)),
        attempts=1,
        seen=None,
        **OVER,
    ),
    "needs-person-gone-called": replace(
        not_started(ErrorType.CONTAINER_GONE, seen=None), attempts=1, next_try_at=None
    ),
    "needs-person-gone-after-tries": replace(
        not_started(ErrorType.CONTAINER_GONE, seen=None), attempts=4, **OVER
    ),
    "needs-person-owner-gone": replace(
        not_started(ErrorType.OWNER_GONE, _OWNER_GONE), attempts=1, next_try_at=None
    ),
    "needs-person-given-up": replace(NEEDS_PERSON, attempts=12, stop_trying_by=BOB, **OVER),
    "needs-person-given-up-not-known": replace(
        not_started(ErrorType.ENGINE_UNAVAILABLE, seen=None), stop_trying_by=BOB, **OVER
    ),
    "needs-person-mount": not_started(
        ErrorType.MOUNT_MISSING, "its bind mount /etc/web is missing on the host"
    ),
    "needs-person-owner": not_started(
        ErrorType.OWNER_MISSING, "it uses the network of gw, which is exited"
    ),
    "needs-person-network": not_started(ErrorType.NETWORK_MISSING),
    "needs-person-reason-unknown": not_started(ErrorType.BAD_ENGINE_REQUEST),
    "needs-person-ends-by-itself": not_started(ErrorType.NOT_RUNNING, "it ended with exit code 7"),
    "needs-person-restarts": not_started(ErrorType.NOT_RUNNING, seen=ContainerState.RESTARTING),
    "needs-person-unhealthy": not_started(ErrorType.UNHEALTHY, seen=ContainerState.RUNNING),
    "needs-person-paused": not_started(ErrorType.STATE_CONFLICT, seen=ContainerState.PAUSED),
    "needs-person-engine-away": not_started(ErrorType.ENGINE_UNAVAILABLE, seen=None),
    "needs-person-worker-away": not_started(ErrorType.WORKER_UNAVAILABLE, seen=None),
    "needs-person-stopped-by-person": replace(
        not_started(ErrorType.STOPPED_BY_PERSON), attempts=1, **OVER
    ),
    "needs-person-changed": replace(
        not_started(ErrorType.CONTAINER_CHANGED, "its image is another one"), **OVER
    ),
}
