"""Which activities may a workflow call, with what in and what out?

A port is a class whose methods are declared as activities and do nothing: workflows name them
(``workflow.execute_activity_method(SnapshotsPort.ensure_tag, …)``), ``activities`` subclasses
them and declares the same names. One test walks all ports. One dataclass in, one out: Temporal
drops type hints when the number of arguments differs, so fields are added, never parameters.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from temporalio import activity

from workflows.model.dependents import NO_DEPENDENTS, Dependents
from workflows.model.listing import ContainerList, ListInput
from workflows.model.plan import Ballot, Permit
from workflows.model.requests import (
    ContainerPin,
    ContainerRef,
    Instruction,
    LifecycleRequest,
    OperationSpec,
    Person,
)
from workflows.model.start_ports import RestoreInput, RestoreResult
from workflows.model.state import (
    CardRef,
    Caution,
    Refusal,
    RequestState,
    SnapshotResult,
    StepState,
    StopResult,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedInput:
    """Asks for work that was ended from outside since a time; ``known`` is seen to already."""

    known: tuple[str, ...] = ()
    since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BegunWith:
    """What is read of the input of an operation that was ended."""

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
    closed_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedRuns:
    """What was ended from outside and is nobody's any more; ``seen`` are all runs looked at.

    ``left_since`` is the end of the oldest run that is still to be looked at.
    """

    runs: tuple[EndedRun, ...] = ()
    seen: tuple[str, ...] = ()
    left_since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LastStateInput:
    """Asks for the last state of one run."""

    workflow_id: str
    run_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LastState:
    """``None`` when the run cannot tell any more."""

    state: RequestState | None = None


class ThreadKind(StrEnum):
    """What a reply in the card's thread tells."""

    APPROVED = "approved"
    REJECTED = "rejected"
    REMINDER = "reminder"
    RESTARTED = "restarted"
    STEP = "step"
    CANCELLING = "cancelling"
    GIVEN_UP = "given_up"
    STUCK = "stuck"
    PAGE = "page"
    OUTCOME = "outcome"


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadEntry:
    """One reply in the thread. ``key`` is unique within the request: a repeated post is known."""

    key: str
    kind: ThreadKind
    user_id: str = ""
    comment: str = ""
    step: StepState | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishInput:
    """Draw the card of ``state`` (post it when ``state.card`` is empty), then add the replies."""

    state: RequestState
    thread: tuple[ThreadEntry, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A private message to one person about what became of a request or a decision.

    ``detail`` is a short safe text; ``state`` lets the words say how the request stands.
    """

    notice_id: str
    user_id: str
    channel_id: str
    refusal: Refusal
    state: RequestState


@dataclass(frozen=True, slots=True, kw_only=True)
class NotifyInput:
    """Private messages to send, in order."""

    notices: tuple[Notice, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectInput:
    """``reference`` is the tag wanted, ``""`` for no snapshot; ``label_selectors`` of policies.

    ``for_request`` is false for a mere look: then protected, ``--rm`` and odd containers show too.
    ``operation`` is what is asked for; a control worker of an earlier release names none.
    ``request_id`` is of the request that is planned, ``""`` for a mere look. ``knows_places`` says
    that the facts may be for places that one of an earlier release does not know.
    """

    container: ContainerRef
    reference: str = ""
    label_selectors: tuple[dict[str, str], ...] = ()
    for_request: bool = True
    operation: OperationSpec | None = None
    request_id: str = ""
    knows_places: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """A container as it is now. ``selectors_met`` answers ``label_selectors``, in their order.

    Labels stay on the host: they may hold secrets, so only the answers travel. ``three_queues``
    says that the worker of the host takes stops and commits from queues of their own, and
    ``starts`` that it knows the step ``start``, which one of an earlier release does not. ``seal``
    is of what was seen, and ``""`` where the worker has no key.
    """

    pin: ContainerPin
    selectors_met: tuple[bool, ...] = ()
    reference_taken: bool = False
    three_queues: bool = False
    starts: bool = False
    cautions: tuple[Caution, ...] = ()
    dependents: Dependents = NO_DEPENDENTS
    seal: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StopInput:
    """Stop exactly ``pin``. ``expect_untouched`` is false once one of our stops came before.

    ``for_snapshot`` says that a snapshot follows, for which there must be room before the stop, and
    ``starts`` that it is started in the end, for which what it needs must be there. ``permit``
    proves that people approved it.
    """

    pin: ContainerPin
    grace_seconds: int
    expect_untouched: bool = True
    for_snapshot: bool = False
    starts: bool = False
    permit: Permit | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotInput:
    """Commit exactly ``pin`` for this request; and tag the image, if a ``reference`` is given.

    A docker worker of an earlier release only commits, and gives no reference back.
    """

    pin: ContainerPin
    request_id: str
    reference: str = ""
    permit: Permit | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TagInput:
    """Tag the request's snapshot; ``pin`` says which container it must be of.

    ``while_resting`` is false when the container was put back already and its snapshot is kept.
    """

    pin: ContainerPin
    request_id: str
    image_id: str
    reference: str
    while_resting: bool = True
    permit: Permit | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepInput:
    """Remove the request's untagged images but ``image_id``; with ``""`` none is kept.

    ``failed_image_id`` is the image of a failed request, which goes too if it has no tag but
    ``reference``: the request may have got its tag all the same. ``any_image`` says that nobody
    knows which one that is, for its step was cut off. ``settle_seconds`` is how long a commit whose
    answer never came may still be at work.
    """

    pin: ContainerPin
    request_id: str
    image_id: str = ""
    reference: str
    failed_image_id: str = ""
    settle_seconds: int = 0
    permit: Permit | None = None
    any_image: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LookUpInput:
    """Asks who a Slack user is now, and which of ``groups`` the user belongs to.

    One of the three that follow, if any, is what that person is said to have sent: its seal is
    verified beside the look-up.
    """

    user_id: str
    groups: tuple[str, ...] = ()
    start: LifecycleRequest | None = None
    ballot: Ballot | None = None
    instruction: Instruction | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupMembersInput:
    """Asks who belongs to these user groups now."""

    groups: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupMembers:
    """The members of all groups asked for; ``known`` is false when a look-up failed."""

    user_ids: tuple[str, ...] = ()
    known: bool = True


class ContainersPort:
    """What the worker of a host does with containers."""

    @activity.defn(name="inspect_container")
    def inspect_container(self, arg: InspectInput) -> Inspection:
        """Resolve a name to exactly one container and pin it, or refuse."""
        raise NotImplementedError

    @activity.defn(name="list_containers")
    def list_containers(self, arg: ListInput) -> ContainerList:
        """List the containers of the host, for people to read."""
        raise NotImplementedError

    @activity.defn(name="ensure_stopped")
    def ensure_stopped(self, arg: StopInput) -> StopResult:
        """Verify the pin, then see to it that the container rests."""
        raise NotImplementedError

    @activity.defn(name="ensure_running")
    def ensure_running(self, arg: RestoreInput) -> RestoreResult:
        """Wait for a stop still at work, bring the container back, and prove that it stays."""
        raise NotImplementedError


class SnapshotsPort:
    """What the worker of a host does with images."""

    @activity.defn(name="ensure_snapshot")
    def ensure_snapshot(self, arg: SnapshotInput) -> SnapshotResult:
        """See to it that exactly one image carries the request's label; without a tag."""
        raise NotImplementedError

    @activity.defn(name="ensure_tag")
    def ensure_tag(self, arg: TagInput) -> SnapshotResult:
        """Tag the snapshot, never moving an existing tag, and read it all back."""
        raise NotImplementedError

    @activity.defn(name="sweep_snapshots")
    def sweep_snapshots(self, arg: SweepInput) -> int:
        """Remove images of the request that a late commit left beside the one kept; count."""
        raise NotImplementedError


class MessagesPort:
    """What Slack is told. The only writer of cards, threads and private notices."""

    @activity.defn(name="publish")
    async def publish(self, arg: PublishInput) -> CardRef:
        """Draw the card and add the replies; safe to repeat."""
        raise NotImplementedError

    @activity.defn(name="notify")
    async def notify(self, arg: NotifyInput) -> None:
        """Tell people in private; safe to repeat."""
        raise NotImplementedError


class DirectoryPort:
    """What Slack knows about people, fresh at every question."""

    @activity.defn(name="look_up_person")
    async def look_up_person(self, arg: LookUpInput) -> Person:
        """Say who a user is now."""
        raise NotImplementedError

    @activity.defn(name="list_group_members")
    async def list_group_members(self, arg: GroupMembersInput) -> GroupMembers:
        """Say who could decide now, so that no request is opened that nobody can approve."""
        raise NotImplementedError


class VisibilityPort:
    """What Temporal's own record says about work that was ended from outside."""

    @activity.defn(name="find_ended_runs")
    async def find_ended_runs(self, arg: EndedInput) -> EndedRuns:
        """Find requests and operations that were terminated and that nobody looks after."""
        raise NotImplementedError

    @activity.defn(name="last_state")
    async def last_state(self, arg: LastStateInput) -> LastState:
        """Ask an ended run how far it had come."""
        raise NotImplementedError
