"""Where does a request stand, and what has each step come to?

Written by the workflows, drawn by the card, returned by the query. The rules of ``requests.py``
for types hold here too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from temporalio.common import SearchAttributePair, TypedSearchAttributes

from workflows.model import names
from workflows.model.dependents import NO_DEPENDENTS, Dependents
from workflows.model.errors import ErrorType, RefusalCode
from workflows.model.plan import Permit, Plan, policy_digest
from workflows.model.requests import (
    Choice,
    ContainerPin,
    ContainerRef,
    ContainerState,
    LifecycleRequest,
    OperationSpec,
    Policy,
    RecordedDecision,
)
from workflows.model.terminal import Terminal


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A refusal with its reason; ``detail`` is a short safe text of ours (names, a limit)."""

    code: RefusalCode
    detail: str = ""


class StepName(StrEnum):
    """The steps of an operation, in the order in which they can come."""

    STOP = "stop"
    SNAPSHOT = "snapshot"
    TAG = "tag"
    START = "start"
    PUT_BACK = "put_back"


class StepStatus(StrEnum):
    """How far a step has come; ``queued`` is one that no worker has taken up yet."""

    TODO = "todo"
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    SKIPPED = "skipped"
    FAILED = "failed"
    NOT_RUN = "not_run"


@dataclass(frozen=True, slots=True, kw_only=True)
class StepState:
    """One step; ``note`` is a short text of ours, ``error`` why it failed."""

    name: StepName
    status: StepStatus = StepStatus.TODO
    started_at: datetime | None = None
    finished_at: datetime | None = None
    note: str = ""
    error: ErrorType | None = None


def find_step(steps: Sequence[StepState], name: StepName) -> StepState | None:
    """Look a step up."""
    return next((step for step in steps if step.name is name), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class StopResult:
    """What a stop came to. ``graceful`` is false when the engine had to kill (exit code 137).

    ``restarted_since`` says that the container had restarted between the card and the stop,
    ``stopped_at`` when it ended, in the engine's words, and ``name`` what the engine calls it.
    """

    was_running: bool
    exit_code: int | None = None
    graceful: bool = True
    restarted_since: bool = False
    stopped_at: datetime | None = None
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotResult:
    """The image of a snapshot; ``repeated`` says that a commit may have run more than once.

    ``container_name`` is what the engine called the container while it was made.
    """

    image_id: str
    reference: str = ""
    size_bytes: int = 0
    repeated: bool = False
    container_name: str = ""


class CautionCode(StrEnum):
    """What can be done and undone, but is better known before the approval."""

    HEALTH_UNKNOWN = "HealthUnknown"
    PORTS_CHANGE = "PortsChange"
    MEMORY_LOST = "MemoryLost"
    REFERENCE_OUTSIDE = "ReferenceOutside"
    ASKED_AS_START = "AskedAsStart"


@dataclass(frozen=True, slots=True, kw_only=True)
class Caution:
    """A line on the card; ``detail`` is a short safe text of ours."""

    code: CautionCode
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PortMove:
    """A port of a container that is reached by other ports of its host than it was."""

    port: str
    before: tuple[int, ...]
    after: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """How the engine last described the container; ``since`` is when it ended, if it rests."""

    state: ContainerState
    at: datetime
    since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedAct:
    """What became of a decision or an instruction: without a ``refusal`` it counts."""

    act_id: str
    refusal: Refusal | None = None


#: So many decisions and instructions a request names as heard, and as judged.
MAX_HEARD = 20


class RequestStatus(StrEnum):
    """Where a request stands; the values are part of the contract.

    ``failed`` is a request that could not be carried out although nothing had to be put back.
    """

    WAITING = "waiting"
    REJECTED = "rejected"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    STALE = "stale"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    PUT_BACK = "put_back"
    FAILED = "failed"
    NEEDS_PERSON = "needs_person"


@dataclass(frozen=True, slots=True, kw_only=True)
class CardRef:
    """The one Slack message of a request."""

    channel_id: str
    ts: str
    permalink: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestState:
    """The one view of a request: the query returns it, the card draws it, logs write it.

    ``refusal`` is set when the rules, not a person, rejected the request; such a one has no card.
    ``attempts`` counts the tries to put the container back, ``tried_at`` and ``next_try_at`` tell
    of the last and the next of them, ``seen`` is what the engine said of the container at the
    last. ``paged`` says that people were called for help, ``stop_trying_by`` who ended the tries,
    and ``tries_asked`` counts how often people asked for the next one at once.
    ``down_seconds`` is how long the container was down, from its stop to when it ran again.
    ``cautions`` are what the requester and the approvers should know. ``heard`` are the last
    twenty decisions and instructions that came in, by id, whether they counted or not; ``dropped``
    counts those for which there was no room; ``judged`` are the last twenty about which it is
    known whether they count. ``terminal`` is where it was asked for, ``cancel_terminal`` where it
    was cancelled, and ``stop_trying_terminal`` where the tries were ended, if not in Slack.
    ``moved_ports`` are those that a start of ours has changed. ``started_by_us`` says that a start
    of what rested may have come through, ``started_at`` when that run began, if that is known.
    ``closed`` says that nothing more will happen: a request that needs a person is open as long
    as Dockwarden goes on trying. ``renamed`` is what the engine calls the container by now, if
    not what it was asked for as. ``dependents`` live in the container, and are never touched.
    ``book_hash`` identifies the policy book by which it is judged, and ``policy_seal`` says to
    whoever has the key that ``policy`` stood in it. ``plan_hash`` is of the plan that people
    decide about, ``plan_seal`` says to them that it is right, and ``permit`` proves to a docker
    worker that people approved it. ``earlier`` counts the requests of the week before that were
    carried out on a container of this name; ``None`` where that is not known. ``beside`` counts
    those of the same person that waited when it was asked for.
    """

    request_id: str
    status: RequestStatus
    operation: OperationSpec
    container: ContainerRef
    requester: str
    team_id: str
    channel_id: str
    reason: str
    requested_at: datetime
    workflow_id: str
    revision: int = 0
    pin: ContainerPin | None = None
    policy: Policy | None = None
    policy_hash: str = ""
    grace_seconds: int = 10
    reference: str = ""
    expires_at: datetime | None = None
    decisions: tuple[RecordedDecision, ...] = ()
    steps: tuple[StepState, ...] = ()
    card: CardRef | None = None
    refusal: Refusal | None = None
    operation_workflow_id: str = ""
    restarted_since: bool = False
    stopped_at: datetime | None = None
    cancel_requested_by: str = ""
    cause: ErrorType | None = None
    cause_text: str = ""
    snapshot: SnapshotResult | None = None
    attempts: int = 0
    finished_at: datetime | None = None
    closed: bool = False
    run_id: str = ""
    cautions: tuple[Caution, ...] = ()
    down_seconds: float | None = None
    paged: bool = False
    stop_trying_by: str = ""
    tried_at: datetime | None = None
    next_try_at: datetime | None = None
    seen: Sighting | None = None
    heard: tuple[str, ...] = ()
    renamed: str = ""
    dependents: Dependents = NO_DEPENDENTS

    @property
    def name_now(self) -> str:
        """What the engine calls the container, as far as is known."""
        return self.renamed or self.container.name

    dropped: int = 0
    moved_ports: tuple[PortMove, ...] = ()
    started_by_us: bool = False
    started_at: datetime | None = None
    terminal: Terminal | None = None
    judged: tuple[JudgedAct, ...] = ()
    cancel_terminal: Terminal | None = None
    stop_trying_terminal: Terminal | None = None
    book_hash: str = ""
    policy_seal: str = ""
    plan_seal: str = ""
    plan_hash: str = ""
    permit: Permit | None = None
    tries_asked: int = 0
    earlier: int | None = None
    beside: int = 0

    @property
    def approvals(self) -> tuple[RecordedDecision, ...]:
        """The approvals that counted, oldest first."""
        return tuple(d for d in self.decisions if d.choice is Choice.APPROVE)

    @property
    def plan(self) -> Plan | None:
        """What people decide about; ``None`` before it is known."""
        if self.pin is None or self.policy is None:
            return None
        return Plan(
            request_id=self.request_id,
            asked_at=self.requested_at,
            team_id=self.team_id,
            requester=self.requester,
            operation=self.operation,
            container=self.container,
            pin=self.pin,
            reference=self.reference,
            grace_seconds=self.grace_seconds,
            policy_digest=policy_digest(self.policy),
        )

    @property
    def shows_its_plan(self) -> bool:
        """Whether ``plan_hash`` is of what stands here; a request of an earlier release has none.

        Whoever can write to Temporal's namespace can make up a state, and answer with it.
        """
        plan = self.plan
        return not self.plan_hash or (plan is not None and plan.hash == self.plan_hash)

    @property
    def put_back_error(self) -> ErrorType | None:
        """What keeps the container from being put back; until that was tried, the first failure."""
        step = find_step(self.steps, StepName.PUT_BACK)
        return (step.error if step is not None else None) or self.cause

    @property
    def is_putting_back(self) -> bool:
        """Whether it is being put back: a step failed, or a cancel took effect."""
        return any(
            step.name is StepName.PUT_BACK or step.status is StepStatus.FAILED
            for step in self.steps
        )

    @property
    def waits_for_turn(self) -> bool:
        """Whether the work was not begun yet, for others are being worked on."""
        return bool(self.steps) and self.steps[0].status is StepStatus.QUEUED

    @property
    def rejection(self) -> RecordedDecision | None:
        """The decision that rejected the request, if a person did."""
        return next((d for d in self.decisions if d.choice is Choice.REJECT), None)


def waiting_attributes(request: LifecycleRequest) -> TypedSearchAttributes:
    """Say what people can look for in Temporal of a request that has just come in."""
    container = request.container
    common = names.request_attributes(
        host=container.host,
        container=container.name,
        requester=request.requester,
        request_id=request.request_id,
    )
    waiting = SearchAttributePair(names.STATUS, RequestStatus.WAITING.value)
    return TypedSearchAttributes([waiting, *common.search_attributes])
