"""Can this be done to a container, and can it be undone?

Asked when a request is planned, and again right before the first stop or start: what cannot be
started again must not be stopped, and a snapshot that must fail must cost no down time. Pure: the
engine was asked before, and what it said are the facts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from activities.docker.answers import ContainerInspect, EngineFacts, ImageInspect
from activities.docker.orchestrators import run_by
from activities.docker.protection import is_labelled
from activities.docker.refused_start import owner_error, owner_words
from activities.docker.restart_cautions import restart_cautions
from workflows.model.errors import ErrorType, RefusalCode
from workflows.model.names import PROTECTED_LABEL
from workflows.model.requests import ContainerPin, ContainerState
from workflows.model.state import Caution, CautionCode

#: Docker's own limit, whatever the storage driver: a commit on top of so many layers fails with
#: "max depth exceeded" (overlay2 and vfs alike).
MAX_LAYERS: Final = 125
_USABLE: Final = frozenset(
    {
        ContainerState.CREATED,
        ContainerState.RUNNING,
        ContainerState.PAUSED,
        ContainerState.RESTARTING,
        ContainerState.EXITED,
    }
)
_LOST: Final = frozenset({ContainerState.REMOVING, ContainerState.DEAD})
#: The states of an owner in which its namespaces can be joined, as measured.
_JOINABLE: Final = frozenset({ContainerState.RUNNING, ContainerState.PAUSED})
_OWN = "Dockwarden itself runs in this container"
_BY_LABEL = f"by its label {PROTECTED_LABEL}"
_BY_NAME = "by the settings of its host"


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why not; ``kind`` is a refusal of a request, or an error of a step that was approved."""

    kind: RefusalCode | ErrorType
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """A container without which another does not start; ``name`` is ``""`` when it was removed.

    ``space`` is what is used of it: one of its namespaces, or a link.
    """

    space: str
    reference: str
    name: str = ""
    state: ContainerState | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the engine said of a container and of all that it depends on, at one moment.

    ``protected`` is why it is out of bounds, if it is. ``image`` is the one that it was made of,
    ``None`` when that is gone; it is asked for a snapshot only. ``shortage`` is why there is no
    room for a snapshot. ``stops`` and ``starts`` say what is to be done to it: a stop of what is
    up, a start of what rests.
    """

    engine: EngineFacts
    container: ContainerInspect
    protected: RefusalCode | None = None
    for_snapshot: bool = False
    image: ImageInspect | None = None
    owners: tuple[Owner, ...] = ()
    shortage: Obstacle | None = None
    stops: bool = True
    starts: bool = False

    @property
    def is_started(self) -> bool:
        """Whether it is started in the end, be it only to put it back after a stop."""
        return self.starts if self.container.state.is_down else self.stops


def refusal(facts: Facts) -> Obstacle | None:
    """Say why a request for this container is not let in, or ``None``."""
    seen = facts.container
    if facts.protected is not None:
        return Obstacle(facts.protected, bounds_words(seen, facts.protected))
    if orchestrated := _orchestrated(seen):
        return orchestrated
    if seen.auto_remove:
        text = "it was started with --rm: stopping it would remove it"
        return Obstacle(RefusalCode.AUTO_REMOVE, text)
    if seen.state not in _USABLE:
        return Obstacle(RefusalCode.UNUSABLE_STATE, f"the container is {seen.state}")
    return _lack(facts)


def bounds_words(seen: ContainerInspect, protected: RefusalCode) -> str:
    """Say by what a container is out of bounds, whoever approves."""
    if protected is RefusalCode.OWN_CONTAINER:
        return _OWN
    return _BY_LABEL if is_labelled(seen.labels) else _BY_NAME


def nothing_to_stop(facts: Facts) -> Obstacle | None:
    """Say that a container is down already, to a control worker that does not judge it itself.

    One of an earlier release knows stops and snapshots alone, and leaves this to us.
    """
    seen = facts.container
    if seen.state.is_down and not facts.for_snapshot:
        return Obstacle(RefusalCode.ALREADY_STOPPED, f"the container is {seen.state}")
    return None


def change(facts: Facts, pin: ContainerPin) -> Obstacle | None:
    """Say what has changed since the approval, while nothing was touched, or ``None``."""
    seen = facts.container
    obstacle = out_of_bounds(seen, facts.protected) or _orchestrated(seen)
    if obstacle is None and seen.name != pin.name:
        obstacle = Obstacle(ErrorType.CONTAINER_CHANGED, f"it is named {seen.name} now")
    return obstacle or other_situation(seen, pin) or lost(seen) or _lack(facts)


def out_of_bounds(seen: ContainerInspect, protected: RefusalCode | None) -> Obstacle | None:
    """Say why a container may not be touched any more, or ``None``."""
    if protected is not None:
        return Obstacle(ErrorType.CONTAINER_CHANGED, "the container is protected now")
    if seen.auto_remove:
        return Obstacle(ErrorType.CONTAINER_CHANGED, "the container is removed when it stops")
    return None


def other_situation(seen: ContainerInspect, pin: ContainerPin) -> Obstacle | None:
    """Say that a container is not up or down as people decided about it, or ``None``."""
    if _situation(seen.state) == _situation(pin.state):
        return None
    text = f"the container is {seen.state} now, and was {pin.state} on the card"
    return Obstacle(ErrorType.CONTAINER_CHANGED, text)


def lost(seen: ContainerInspect) -> Obstacle | None:
    """Say that the engine can do no more with a container, or ``None``."""
    if seen.state not in _LOST:
        return None
    text = f"the container is {seen.state}: it can neither be committed nor started"
    return Obstacle(ErrorType.CONTAINER_GONE, text)


def cautions(facts: Facts, longest_wait: int) -> tuple[Caution, ...]:
    """Say what can be done and undone, but is better known before the approval.

    Args:
        facts: what the engine said.
        longest_wait: for how many seconds the health of a started container is waited for.
    """
    stopped = restart_cautions(facts.container) if facts.stops else ()
    return (*_health_caution(facts, longest_wait), *stopped)


def _health_caution(facts: Facts, longest_wait: int) -> tuple[Caution, ...]:
    seen = facts.container
    if not facts.is_started or not seen.has_healthcheck or seen.health == "unhealthy":
        return ()
    first = seen.health_check.first_verdict(facts.engine)
    if first > longest_wait:
        detail = f"its first health check comes {round(first)} s after a start"
    elif seen.health_check.start_period > longest_wait:
        period = round(seen.health_check.start_period)
        detail = f"a failing check does not count in the first {period} s after a start"
    else:
        return ()
    return (Caution(code=CautionCode.HEALTH_UNKNOWN, detail=detail),)


def _orchestrated(seen: ContainerInspect) -> Obstacle | None:
    words = run_by(seen.labels)
    return Obstacle(ErrorType.ORCHESTRATED, words) if words else None


def _lack(facts: Facts) -> Obstacle | None:
    """Say what a snapshot, or the start after it, would lack."""
    return _lacking_image(facts) or _lacking_owner(facts) or facts.shortage


def _lacking_image(facts: Facts) -> Obstacle | None:
    if not facts.for_snapshot or not facts.engine.has_layer_store:
        return None
    if facts.image is None:
        text = "its image was removed from the host, and a commit needs it"
        return Obstacle(ErrorType.IMAGE_MISSING, text)
    if facts.image.layers >= MAX_LAYERS:
        text = f"its image has {facts.image.layers} layers, and the engine stacks {MAX_LAYERS}"
        return Obstacle(ErrorType.TOO_MANY_LAYERS, text)
    return None


def _lacking_owner(facts: Facts) -> Obstacle | None:
    if not facts.is_started or facts.engine.starts_owners:
        return None
    for owner in facts.owners:
        if owner.state not in _JOINABLE:
            text = owner_words(owner.space, owner.reference, owner.name, owner.state or "")
            return Obstacle(owner_error(owner.space, owner.name), text)
    return None


def _situation(state: ContainerState) -> str:
    """Name what people decided about: a crash-looping container is as up as a running one."""
    if state.is_up:
        return "up"
    return "down" if state.is_down else state
