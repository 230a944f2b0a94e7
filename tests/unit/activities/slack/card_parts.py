"""Of which requests, people, containers and steps are the cards made that the tests draw?"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from activities.docker.advice import commands, restart
from activities.slack.mrkdwn import Links
from workflows.model.dependents import Dependent, Dependents, Fate
from workflows.model.errors import ErrorType
from workflows.model.requests import (
    Choice,
    ContainerPin,
    ContainerRef,
    ContainerState,
    Fact,
    FactPlace,
    Mount,
    OperationSpec,
    Policy,
    RecordedDecision,
)
from workflows.model.state import (
    PortMove,
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
    commands=commands("3f4e5d6c7b8a" + "0" * 52),
)
#: What a worker of an earlier release does not tell.
FACTS = (
    Fact(label="Compose service", value="shop/web", place=FactPlace.ITSELF),
    Fact(label="up since", place=FactPlace.ITSELF, at=T0 - timedelta(days=6)),
    Fact(label="healthy", place=FactPlace.ITSELF),
    Fact(label="ports", value="8080, 8443", place=FactPlace.ITSELF),
    Fact(label="networks", value="backend with shop-db, shop-worker", place=FactPlace.ITSELF),
    Fact(label="does not come back by itself, not even after a reboot", place=FactPlace.AFTERWARDS),
    Fact(label="about 1.9 MB, 74 GB free", place=FactPlace.SNAPSHOT),
    Fact(label="volume", value="/var/lib/data", place=FactPlace.NOT_IN_SNAPSHOT),
    Fact(label="bind", value="/etc/web", place=FactPlace.NOT_IN_SNAPSHOT),
)
TOLD_PIN = replace(PIN, facts=FACTS)
POLICY = Policy(name="production", labels={}, approvers=(ALICE, BOB, CAROL), required_approvals=1)
SNAPSHOT = SnapshotResult(
    image_id="sha256:" + "cd34" * 16, reference=REFERENCE, size_bytes=187_400_000
)
DENIED = "the socket proxy may not connect to the engine: permission denied"


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
    operation=OperationSpec(kind="stop", snapshot=True),
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


def failed(error: ErrorType, *begun: StepState) -> tuple[StepState, ...]:
    """Let the steps that failed have failed for this reason."""
    return tuple(replace(s, error=error) if s.status is F else s for s in begun)


def stuck(error: ErrorType, *begun: StepState) -> tuple[StepState, ...]:
    """Let the steps fail for one reason, and the putting back for another."""
    *others, last = failed(ErrorType.REFERENCE_TAKEN, *begun)
    return (*others, replace(last, error=error))


MOUNT = "its bind mount /etc/web is missing on the host"
SNAPSHOT_KIND = OperationSpec(kind="snapshot", snapshot=True)
RUNNING = replace(WAITING, status=RequestStatus.RUNNING, decisions=APPROVED)
ALWAYS_PIN = replace(PIN, restart_policy="always")
MOVED_PORTS = (
    PortMove(port="80/tcp", before=(32768,), after=(32771,)),
    PortMove(port="443/tcp", before=(32769, 40000), after=(32770, 40001)),
)
STOPPED_PIN = replace(PIN, state=ContainerState.EXITED, mounts=())
NEEDS_PERSON = replace(
    RUNNING,
    status=RequestStatus.NEEDS_PERSON,
    cause=ErrorType.REFERENCE_TAKEN,
    attempts=3,
    steps=stuck(ErrorType.PORT_BUSY, *steps(stop=D, snapshot=D, tag=F, put_back=F)),
    paged=True,
    tried_at=T0 + timedelta(minutes=2, seconds=40),
    next_try_at=T0 + timedelta(minutes=3, seconds=10),
    seen=Sighting(
        state=ContainerState.EXITED,
        at=T0 + timedelta(minutes=2, seconds=40),
        since=T0 + timedelta(minutes=2, seconds=5),
    ),
)


def not_started(
    error: ErrorType, detail: str = "", *, seen: ContainerState | None = ContainerState.EXITED
) -> RequestState:
    """Let a snapshot be taken, and neither the start after it nor the putting back succeed."""
    assert NEEDS_PERSON.seen is not None
    down = seen is ContainerState.EXITED
    sighting = replace(
        NEEDS_PERSON.seen,
        state=seen or ContainerState.UNKNOWN,
        since=NEEDS_PERSON.seen.since if down else None,
    )
    return replace(
        NEEDS_PERSON,
        operation=SNAPSHOT_KIND,
        cause=error,
        cause_text=detail,
        snapshot=SNAPSHOT,
        steps=failed(error, *steps(stop=D, snapshot=D, tag=D, start=F, put_back=F)),
        seen=sighting if seen else None,
    )


STALE = replace(WAITING, status=RequestStatus.STALE, decisions=APPROVED, **OVER)


def noted(note: str, *begun: StepState) -> tuple[StepState, ...]:
    """Let the last step have a note."""
    return (*begun[:-1], replace(begun[-1], note=note))


def dependent(name: str, container_id: str, space: str) -> Dependent:
    """Let one live in the container, as the worker of its host tells of it."""
    command = restart(container_id)
    return Dependent(name=name, container_id=container_id, space=space, restart=command)


OTHERS = Dependents(
    found=(
        dependent("side-1", "1a2b" * 16, "network"),
        dependent("top-1", "2b3c" * 16, "process space"),
        dependent("side-2", "3c4d" * 16, "network"),
        dependent("shm-1", "4d5e" * 16, "IPC space"),
    ),
)


def harmed(*fates: Fate) -> Dependents:
    """Let those that live in the container have come to this."""
    met = zip(OTHERS.found, fates, strict=False)
    return Dependents(found=tuple(replace(one, fate=fate) for one, fate in met))
