"""Which types cross from one room to another?

All are frozen, keyword-only dataclasses that Temporal's default JSON converter writes, so that
``temporal workflow show`` reads well and people can script against them. Fields are only ever
added, with defaults: histories of open requests must stay readable. Durations are whole seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from workflows.model.errors import RefusalCode
from workflows.model.terminal import Terminal

#: User texts (reasons, comments) are cut to this many characters where they come in.
MAX_TEXT_LENGTH = 2000
#: A policy book has at most so many policies, and a request waits at most so long.
MAX_POLICIES = 100
MAX_EXPIRY_SECONDS = 30 * 24 * 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationSpec:
    """The operation as the requester asked for it.

    ``kind`` is that of an operation of ``workflows/operations/catalog.py``. ``snapshot`` says
    whether an image is made; it is always true for the kind ``snapshot``.
    ``snapshot_ref`` is the image reference asked for, ``None`` for the default one.
    ``grace_seconds`` is the stop grace, ``None`` for the container's own (Docker's default: 10).
    """

    kind: str
    snapshot: bool = False
    snapshot_ref: str | None = None
    grace_seconds: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerRef:
    """A container by the name of its host and its exact own name."""

    host: str
    name: str


class ContainerState(StrEnum):
    """Docker's and Podman's container states; one that neither documents is ``unknown``."""

    CREATED = "created"
    RUNNING = "running"
    PAUSED = "paused"
    RESTARTING = "restarting"
    REMOVING = "removing"
    STOPPING = "stopping"
    EXITED = "exited"
    DEAD = "dead"
    UNKNOWN = "unknown"

    @property
    def is_up(self) -> bool:
        """Whether the container's process is meant to run: it runs, or is between two crashes."""
        return self in (ContainerState.RUNNING, ContainerState.RESTARTING)

    @property
    def is_down(self) -> bool:
        """Whether the container rests: it can be committed and started."""
        return self in (ContainerState.CREATED, ContainerState.EXITED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """A mount, which ``docker commit`` leaves out. Its source stays on the host: it may tell."""

    type: str
    destination: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedPort:
    """A port of a container, like ``80/tcp``, and the ports of its host that lead to it."""

    port: str
    host_ports: tuple[int, ...]


class FactPlace(StrEnum):
    """Where people read a fact.

    ``seen`` and ``itself`` are on the card and at a look; ``itself`` says what the container is:
    the project it belongs to, since when it runs, its health, its ports and networks.
    ``afterwards`` says what comes of it when it is stopped: whether it comes back by itself.
    ``snapshot`` says how large one will be and what room there is, ``not_in_snapshot`` what of the
    container it leaves out. ``look`` is at a look and among the details of a card, ``details``
    among the details alone.
    """

    SEEN = "seen"
    ITSELF = "itself"
    AFTERWARDS = "afterwards"
    SNAPSHOT = "snapshot"
    NOT_IN_SNAPSHOT = "not_in_snapshot"
    LOOK = "look"
    DETAILS = "details"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """What a provider tells people of a container, in its own words.

    Printed as it comes, with ``value`` behind ``label``, as code. ``at`` is a moment that belongs
    behind it, like the start of "up since": each door writes it as it writes times.
    """

    label: str
    value: str = ""
    place: FactPlace = FactPlace.SEEN
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One command, whole; ``name`` is what it is for, of ``workflows/model/advice.py``."""

    name: str
    line: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerPin:
    """The exact container that people decide about. Never its environment or command line.

    ``facts`` are what people read of it, and ``commands`` what they can run for it; both in its
    provider's words, and no workflow asks about them.
    ``unhealthy`` says that its health check failed already: then putting it back asks no more.
    ``chosen_ports`` are those that the engine chooses anew at each start, the first twenty.
    """

    container_id: str
    name: str
    image: str
    image_id: str
    state: ContainerState
    started_at: str
    restart_policy: str
    auto_remove: bool
    engine_id: str
    mounts: tuple[Mount, ...] = ()
    has_healthcheck: bool = False
    stop_timeout_seconds: int | None = None
    unhealthy: bool = False
    chosen_ports: tuple[PublishedPort, ...] = ()
    facts: tuple[Fact, ...] = ()
    commands: tuple[Command, ...] = ()

    @property
    def was_started(self) -> bool:
        """Whether it ever ran; engines write "never" as the first moment of year 1."""
        return not self.started_at.startswith("0001-")

    def told(self, *places: FactPlace) -> tuple[Fact, ...]:
        """Give the facts for these places, in the provider's order.

        A worker of an earlier release told no facts: what cards showed of such a pin stands in
        fields of their own.
        """
        return tuple(fact for fact in self.facts or self._told_in_fields() if fact.place in places)

    def _told_in_fields(self) -> tuple[Fact, ...]:
        return (
            *([Fact(label="unhealthy")] if self.unhealthy else ()),
            Fact(label="restart policy", value=self.restart_policy or "no"),
            *(
                Fact(label=mount.type, value=mount.destination, place=FactPlace.NOT_IN_SNAPSHOT)
                for mount in self.mounts
            ),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Who asks for and decides about what.

    Empty ``hosts``, ``containers`` and ``labels`` mean all, empty ``operations`` stop and
    snapshot; empty ``requesters`` and ``requester_groups`` every full member. ``references`` are
    patterns of the names that a requester may give a snapshot; empty, any. ``terminal_decides``
    lets decisions count that were typed at a terminal, which proves no person.
    """

    name: str
    operations: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    containers: tuple[str, ...] = ()
    labels: dict[str, str]
    approvers: tuple[str, ...] = ()
    approver_groups: tuple[str, ...] = ()
    required_approvals: int = 1
    expires_after_seconds: int = 900
    reason_required: bool = False
    requesters: tuple[str, ...] = ()
    requester_groups: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    terminal_decides: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LifecycleRequest:
    """The start input of a request: what is wanted, and nothing of who may decide about it.

    ``policies`` came along with a request of an earlier release, and are looked at in no other.
    ``sealed_at`` is when it was asked for, and ``seal`` that of ``workflows/model/seal.py``.
    ``delivery_id`` says by which act of a person, at which door, it was asked for. Nothing reads
    it but people who look into a history; a repeated act is known by ``request_id``. ``terminal``
    is where it was typed, if not in Slack: then the requester is a claim.
    """

    request_id: str
    operation: OperationSpec
    container: ContainerRef
    requester: str
    team_id: str
    channel_id: str
    policies: tuple[Policy, ...] = ()
    delivery_id: str
    reason: str = ""
    terminal: Terminal | None = None
    sealed_at: datetime | None = None
    seal: str = ""


class Choice(StrEnum):
    """What one person decides."""

    APPROVE = "approve"
    REJECT = "reject"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The payload of the signal ``decide``: one person's choice, by whatever door it came.

    ``source`` is ``card:CHANNEL:TS``, ``form:CHANNEL:TS``, ``command``, ``terminal:KEY`` or a free
    word. What names a ``terminal``, or says by its source that it came from one, is judged so.
    ``sent_at`` rescues a click that was made in time while no worker was running. ``plan_hash``
    is of the plan that the person saw, and ``seal`` that of ``workflows/model/seal.py``.
    """

    decision_id: str
    request_id: str
    approver_id: str
    team_id: str
    choice: Choice
    comment: str = ""
    source: str = ""
    sent_at: datetime | None = None
    terminal: Terminal | None = None
    plan_hash: str = ""
    seal: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replacement:
    """The payload of the signal ``replace``: an approver's own request in place of a waiting one.

    ``decision`` rejects the one that waits; only when that counts is ``request`` begun, at once.
    """

    decision: Decision
    request: LifecycleRequest


class Intent(StrEnum):
    """What one person wants of a request besides deciding. Each is the name of a signal."""

    CANCEL = "cancel_request"
    STOP_TRYING = "stop_trying"
    TRY_NOW = "try_now"


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruction:
    """The payload of the signals ``cancel_request``, ``stop_trying`` and ``try_now``.

    ``intent`` is what the signal's name says; a payload never changes it. ``source`` says by
    which door it came, for people who look into a history. ``instruction_id`` is unique for each
    act of a person, so that a door can ask whether it was heard. ``seal`` is that of
    ``workflows/model/seal.py``.
    """

    request_id: str
    user_id: str
    team_id: str
    source: str = ""
    intent: Intent = Intent.CANCEL
    instruction_id: str = ""
    terminal: Terminal | None = None
    sent_at: datetime | None = None
    seal: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who a Slack user is at this moment.

    ``groups`` are those of the groups asked about to which the user belongs;
    ``groups_known`` is false when the look-up failed, and then nobody counts through a group.
    ``refused`` says why what this person is said to have sent must not be acted upon, whoever it
    is: its seal is wrong. ``vote`` and ``permit`` are seals for a decision that may count, as
    ``workflows/model/plan.py`` explains. ``took_ms`` is how long a look-up within the workflow's
    own task took, during which the workflow was told of nothing.
    """

    user_id: str
    team_id: str
    is_guest: bool = False
    is_bot: bool = False
    deleted: bool = False
    found: bool = True
    groups: tuple[str, ...] = ()
    groups_known: bool = True
    refused: RefusalCode | None = None
    vote: str = ""
    permit: str = ""
    took_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedDecision:
    """A decision that counted; ``vote`` is the seal that says so to whoever has the key."""

    decision_id: str
    approver_id: str
    choice: Choice
    comment: str
    source: str
    decided_at: datetime
    terminal: Terminal | None = None
    vote: str = ""
