"""Which states do the tests of the card draw: one of each kind, and the worst of each?"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from activities.slack.card import Links
from workflows.model.errors import ErrorType
from workflows.model.requests import (
    Choice,
    ContainerPin,
    ContainerRef,
    ContainerState,
    Mount,
    OperationKind,
    OperationSpec,
    Policy,
    RecordedDecision,
)
from workflows.model.state import (
    Caution,
    CautionCode,
    RequestState,
    RequestStatus,
    Sighting,
    SnapshotResult,
    StepName,
    StepState,
    StepStatus,
)

T0 = datetime(2026, 3, 5, 13, 50, tzinfo=UTC)
NOW = T0 + timedelta(minutes=1)
ALICE, BOB, CAROL = "U0ALICE01", "U0BOB0001", "U0CAROL01"
REFERENCE = "dockwarden/web-1:req-0a1b2c3d4e5f"
LINKS = Links(temporal_ui="http://127.0.0.1:8233", namespace="default")

PIN = ContainerPin(
    container_id="3f4e5d6c7b8a" + "0" * 52,
    name="web-1",
    image="registry.example.com:5000/team/web:2.4.1",
    image_id="sha256:" + "ab12" * 16,
    state=ContainerState.RUNNING,
    started_at="2026-03-05T09:00:00Z",
    restart_policy="unless-stopped",
    auto_remove=False,
    engine_id="engine-1",
    mounts=(
        Mount(type="volume", destination="/var/lib/data"),
        Mount(type="bind", destination="/etc/web"),
    ),
)
POLICY = Policy(name="production", labels={}, approvers=(ALICE, BOB, CAROL), required_approvals=1)
SNAPSHOT = SnapshotResult(
    image_id="sha256:" + "cd34" * 16, reference=REFERENCE, size_bytes=187_400_000
)


def steps(**statuses: StepStatus) -> tuple[StepState, ...]:
    """Build steps with plausible times; a keyword names each step and its status."""
    built, at = [], T0 + timedelta(minutes=2)
    for name, status in statuses.items():
        over = status in (StepStatus.DONE, StepStatus.FAILED, StepStatus.SKIPPED)
        begun = over or status is StepStatus.RUNNING
        end = at + timedelta(seconds=0.1 if name == "stop" else 1.9)
        built.append(
            StepState(
                name=StepName(name),
                status=status,
                started_at=at if begun else None,
                finished_at=end if over else None,
                note="exit code 0" if name == "stop" and status is StepStatus.DONE else "",
            )
        )
        at = end
    return tuple(built)


PLAN = steps(stop=StepStatus.TODO, snapshot=StepStatus.TODO, tag=StepStatus.TODO)


def decision(user: str, choice: Choice = Choice.APPROVE, comment: str = "") -> RecordedDecision:
    """Build a decision that counted."""
    return RecordedDecision(
        decision_id=f"d-{user}",
        approver_id=user,
        choice=choice,
        comment=comment,
        source="card:C0OPS0001:1.1",
        decided_at=T0 + timedelta(minutes=2),
    )


WAITING = RequestState(
    request_id="0a1b2c3d4e5f",
    status=RequestStatus.WAITING,
    operation=OperationSpec(kind=OperationKind.STOP, snapshot=True),
    container=ContainerRef(host="edge", name="web-1"),
    requester=ALICE,
    team_id="T0LAPTOP1",
    channel_id="C0OPS0001",
    reason="CVE-2026-1 & friends: <patch> it `now`",
    requested_at=T0,
    workflow_id="request/edge/web-1",
    run_id="7d1c",
    revision=3,
    pin=PIN,
    policy=POLICY,
    reference=REFERENCE,
    expires_at=T0 + timedelta(minutes=15),
    steps=PLAN,
)
APPROVED = (decision(BOB),)
OVER: dict[str, Any] = {"finished_at": T0 + timedelta(minutes=3), "closed": True}
D, F, N, R, S, T = (
    StepStatus.DONE,
    StepStatus.FAILED,
    StepStatus.NOT_RUN,
    StepStatus.RUNNING,
    StepStatus.SKIPPED,
    StepStatus.TODO,
)


def _failed(error: ErrorType, *begun: StepState) -> tuple[StepState, ...]:
    return tuple(replace(s, error=error) if s.status is F else s for s in begun)


def _stuck(error: ErrorType, *begun: StepState) -> tuple[StepState, ...]:
    """Let the steps fail for one reason, and the putting back for another."""
    failed = _failed(ErrorType.REFERENCE_TAKEN, *begun)
    return (*failed[:-1], replace(failed[-1], error=error))


_MOUNT = "its bind mount /etc/web is missing on the host"
_SNAPSHOT_KIND = OperationSpec(kind=OperationKind.SNAPSHOT, snapshot=True)
_RUNNING = replace(WAITING, status=RequestStatus.RUNNING, decisions=APPROVED)
_STOPPED_PIN = replace(PIN, state=ContainerState.EXITED, mounts=())
_NEEDS_PERSON = replace(
    _RUNNING,
    status=RequestStatus.NEEDS_PERSON,
    cause=ErrorType.REFERENCE_TAKEN,
    attempts=3,
    steps=_stuck(ErrorType.PORT_BUSY, *steps(stop=D, snapshot=D, tag=F, put_back=F)),
    paged=True,
    tried_at=T0 + timedelta(minutes=2, seconds=40),
    next_try_at=T0 + timedelta(minutes=3, seconds=10),
    seen=Sighting(
        state=ContainerState.EXITED,
        at=T0 + timedelta(minutes=2, seconds=40),
        since=T0 + timedelta(minutes=2, seconds=5),
    ),
)


def _not_started(
    error: ErrorType, detail: str = "", *, seen: ContainerState | None = ContainerState.EXITED
) -> RequestState:
    """Let a snapshot be taken, and neither the start after it nor the putting back succeed."""
    assert _NEEDS_PERSON.seen is not None
    down = seen is ContainerState.EXITED
    sighting = replace(
        _NEEDS_PERSON.seen,
        state=seen or ContainerState.UNKNOWN,
        since=_NEEDS_PERSON.seen.since if down else None,
    )
    return replace(
        _NEEDS_PERSON,
        operation=_SNAPSHOT_KIND,
        cause=error,
        cause_text=detail,
        snapshot=SNAPSHOT,
        steps=_failed(error, *steps(stop=D, snapshot=D, tag=D, start=F, put_back=F)),
        seen=sighting if seen else None,
    )


_STALE = replace(WAITING, status=RequestStatus.STALE, decisions=APPROVED, **OVER)

STATES: dict[str, RequestState] = {
    "pending": WAITING,
    "pending-stuck": replace(WAITING, paged=True),
    "pending-two-of-two": replace(WAITING, policy=replace(POLICY, required_approvals=2)),
    "pending-one-more": replace(
        WAITING, policy=replace(POLICY, required_approvals=2), decisions=APPROVED
    ),
    "pending-stop-only": replace(
        WAITING,
        operation=OperationSpec(kind=OperationKind.STOP),
        steps=steps(stop=T),
        reference="",
        reason="",
        grace_seconds=90,
    ),
    "pending-snapshot": replace(
        WAITING, operation=_SNAPSHOT_KIND, steps=steps(stop=T, snapshot=T, tag=T, start=T)
    ),
    "pending-paused": replace(
        WAITING,
        operation=_SNAPSHOT_KIND,
        pin=replace(PIN, state=ContainerState.PAUSED),
        steps=steps(stop=T, snapshot=T, tag=T, start=T),
    ),
    "needs-person-cannot-run": _not_started(
        ErrorType.CANNOT_RUN, "its log driver is missing on the host, or fails"
    ),
    "pending-already-stopped": replace(WAITING, operation=_SNAPSHOT_KIND, pin=_STOPPED_PIN),
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
        operation=_SNAPSHOT_KIND,
        steps=steps(stop=T, snapshot=T, tag=T, start=T),
        cautions=(
            Caution(code=CautionCode.HEALTH_UNKNOWN, detail="its first comes 600 s after a start"),
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
        _STALE,
        steps=steps(stop=N, snapshot=N, tag=N),
        cause=ErrorType.CONTAINER_CHANGED,
        cause_text="it was created anew at 13:51",
    ),
    "stale-gone": replace(
        _STALE,
        steps=_failed(ErrorType.CONTAINER_GONE, *steps(stop=F, snapshot=N, tag=N)),
        cause=ErrorType.CONTAINER_GONE,
    ),
    "stale-no-room": replace(
        _STALE,
        steps=_failed(ErrorType.SNAPSHOT_QUOTA, *steps(stop=F, snapshot=N, tag=N)),
        cause=ErrorType.SNAPSHOT_QUOTA,
        cause_text="20 are there, and at most 20 are kept",
    ),
    "stale-no-image": replace(
        _STALE,
        steps=_failed(ErrorType.IMAGE_MISSING, *steps(stop=F, snapshot=N, tag=N)),
        cause=ErrorType.IMAGE_MISSING,
    ),
    "failed": replace(
        _RUNNING,
        status=RequestStatus.FAILED,
        steps=_failed(ErrorType.WORKER_UNAVAILABLE, *steps(stop=F, snapshot=N, tag=N)),
        cause=ErrorType.WORKER_UNAVAILABLE,
        **OVER,
    ),
    "queued": replace(_RUNNING, steps=steps(stop=StepStatus.QUEUED, snapshot=T, tag=T)),
    "running-commit-queued": replace(
        _RUNNING, steps=steps(stop=D, snapshot=StepStatus.QUEUED, tag=T)
    ),
    "running": replace(_RUNNING, steps=steps(stop=D, snapshot=R, tag=T)),
    "running-restarted": replace(
        _RUNNING, steps=steps(stop=D, snapshot=R, tag=T), restarted_since=True
    ),
    "cancelling": replace(
        _RUNNING, steps=steps(stop=D, snapshot=R, tag=T), cancel_requested_by=ALICE
    ),
    "putting-back": replace(
        _RUNNING,
        steps=_failed(ErrorType.DISK_FULL, *steps(stop=D, snapshot=F, tag=N, put_back=R)),
        cause=ErrorType.DISK_FULL,
    ),
    "succeeded": replace(
        _RUNNING,
        status=RequestStatus.SUCCEEDED,
        steps=steps(stop=D, snapshot=D, tag=D),
        snapshot=SNAPSHOT,
        **OVER,
    ),
    "succeeded-snapshot": replace(
        _RUNNING,
        status=RequestStatus.SUCCEEDED,
        operation=_SNAPSHOT_KIND,
        steps=steps(stop=D, snapshot=D, tag=D, start=D),
        snapshot=SNAPSHOT,
        down_seconds=4.2,
        **OVER,
    ),
    "succeeded-late": replace(
        _not_started(ErrorType.MOUNT_MISSING, _MOUNT),
        status=RequestStatus.SUCCEEDED,
        steps=_failed(
            ErrorType.MOUNT_MISSING, *steps(stop=D, snapshot=D, tag=D, start=F, put_back=D)
        ),
        down_seconds=67,
        **OVER,
    ),
    "succeeded-paused": replace(
        _RUNNING,
        status=RequestStatus.SUCCEEDED,
        operation=_SNAPSHOT_KIND,
        pin=replace(PIN, state=ContainerState.PAUSED),
        steps=steps(stop=D, snapshot=D, tag=D, start=D),
        snapshot=SNAPSHOT,
        **OVER,
    ),
    "succeeded-already-stopped": replace(
        _RUNNING,
        status=RequestStatus.SUCCEEDED,
        pin=_STOPPED_PIN,
        steps=steps(stop=S, snapshot=D, tag=D),
        snapshot=SNAPSHOT,
        **OVER,
    ),
    "put-back": replace(
        _RUNNING,
        status=RequestStatus.PUT_BACK,
        steps=_failed(ErrorType.REFERENCE_TAKEN, *steps(stop=D, snapshot=D, tag=F, put_back=D)),
        cause=ErrorType.REFERENCE_TAKEN,
        down_seconds=3.4,
        **OVER,
    ),
    "put-back-snapshot-kept": replace(
        _not_started(ErrorType.PORT_BUSY),
        status=RequestStatus.PUT_BACK,
        steps=_failed(ErrorType.PORT_BUSY, *steps(stop=D, snapshot=D, tag=D, start=F, put_back=D)),
        down_seconds=67,
        **OVER,
    ),
    "put-back-after-cancel": replace(
        _RUNNING,
        status=RequestStatus.PUT_BACK,
        cancel_requested_by=ALICE,
        steps=steps(stop=D, snapshot=D, tag=D, put_back=D),
        snapshot=SNAPSHOT,
        **OVER,
    ),
    "needs-person": _NEEDS_PERSON,
    "needs-person-trying": replace(
        _NEEDS_PERSON,
        attempts=6,
        steps=_stuck(ErrorType.PORT_BUSY, *steps(stop=D, snapshot=D, tag=F, put_back=R)),
    ),
    "needs-person-gone": replace(
        _NEEDS_PERSON,
        cause=ErrorType.CONTAINER_GONE,
        steps=_failed(ErrorType.CONTAINER_GONE, *steps(stop=D, snapshot=F, tag=N, put_back=F)),
        attempts=1,
        seen=None,
        **OVER,
    ),
    "needs-person-given-up": replace(_NEEDS_PERSON, attempts=12, **OVER),
    "needs-person-given-up-not-known": replace(
        _not_started(ErrorType.ENGINE_UNAVAILABLE, seen=None), **OVER
    ),
    "needs-person-mount": _not_started(
        ErrorType.MOUNT_MISSING, "its bind mount /etc/web is missing on the host"
    ),
    "needs-person-owner": _not_started(
        ErrorType.OWNER_MISSING, "it uses the network of gw, which is exited"
    ),
    "needs-person-network": _not_started(ErrorType.NETWORK_MISSING),
    "needs-person-reason-unknown": _not_started(ErrorType.BAD_ENGINE_REQUEST),
    "needs-person-ends-by-itself": _not_started(ErrorType.NOT_RUNNING, "it ended with exit code 7"),
    "needs-person-restarts": _not_started(ErrorType.NOT_RUNNING, seen=ContainerState.RESTARTING),
    "needs-person-unhealthy": _not_started(ErrorType.UNHEALTHY, seen=ContainerState.RUNNING),
    "needs-person-paused": _not_started(ErrorType.STATE_CONFLICT, seen=ContainerState.PAUSED),
    "needs-person-engine-away": _not_started(ErrorType.ENGINE_UNAVAILABLE, seen=None),
    "needs-person-worker-away": _not_started(ErrorType.WORKER_UNAVAILABLE, seen=None),
    "needs-person-stopped-by-person": replace(
        _not_started(ErrorType.STOPPED_BY_PERSON), attempts=1, **OVER
    ),
    "needs-person-changed": replace(
        _not_started(ErrorType.CONTAINER_CHANGED, "its image is another one"), **OVER
    ),
}
