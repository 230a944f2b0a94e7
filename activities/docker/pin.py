"""Is this still the very container that people approved?

Asked by every activity before it changes something. That is a rule of ours and not of the engine,
which only says what is there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from activities.docker.answers import ContainerInspect, ContainerListEntry, EngineFacts
from activities.docker.engine import Engine
from activities.docker.errors import failure
from activities.docker.preflight import Facts, Obstacle, Owner, change, out_of_bounds
from workflows.model.errors import ErrorType, RefusalCode
from workflows.model.requests import ContainerPin

_OTHER: Final = "this is another Docker engine than the one the container was approved on"


def verify_pin(engine: Engine, pin: ContainerPin) -> Facts:
    """Look at the container that was approved, before something of it is changed.

    Once a step: what is looked at later in it is on the same engine.

    Raises:
        ApplicationError: this is another engine, the container is gone or is not the one
            approved, or it is out of bounds now.
    """
    facts = Facts(engine=verify_engine(engine, pin), container=find_pinned(engine, pin))
    refuse(out_of_bounds(facts.container, protection(engine, facts.container)))
    return facts


def verify_untouched(
    engine: Engine, pin: ContainerPin, *, for_snapshot: bool = False, starts: bool = False
) -> Facts:
    """Look at a container that nothing of ours has touched: it must be as approved.

    Args:
        engine: the engine of its host.
        pin: the container as it was approved.
        for_snapshot: whether a snapshot follows.
        starts: whether it is to be started as it rests, and so needs all that a start needs.

    Raises:
        ApplicationError: something about it, or about what it depends on, is otherwise.
    """
    facts = Facts(engine=verify_engine(engine, pin), container=find_pinned(engine, pin))
    facts = look_around(engine, replace(facts, for_snapshot=for_snapshot, starts=starts), None)
    refuse(change(facts, pin))
    return facts


def look_around(engine: Engine, facts: Facts, found: Sequence[ContainerListEntry] | None) -> Facts:
    """Ask for what the container depends on. ``found`` are all containers, if known."""
    seen = facts.container
    needs_image = facts.for_snapshot and facts.engine.has_layer_store
    if found is None:
        found = engine.containers() if seen.owners else ()
    return replace(
        facts,
        protected=protection(engine, seen),
        image=engine.image(seen.image_id) if needs_image else None,
        owners=tuple(_owner(space, owner, found) for space, owner in seen.owners),
    )


def verify_engine(engine: Engine, pin: ContainerPin, otherwise: str = _OTHER) -> EngineFacts:
    """See that the engine is the one the container was approved on, or say ``otherwise``.

    Raises:
        ApplicationError: another one answers at its address.
    """
    facts = engine.facts()
    if facts.engine_id != pin.engine_id:
        raise failure(ErrorType.WRONG_ENGINE, otherwise)
    return facts


def find_pinned(engine: Engine, pin: ContainerPin) -> ContainerInspect:
    """Look at the pinned container, on an engine that was verified a moment ago.

    Raises:
        ApplicationError: the container is gone, or is not the one approved.
    """
    seen = engine.container(pin.container_id)
    if seen.image_id != pin.image_id:
        raise failure(ErrorType.CONTAINER_CHANGED, "the container runs another image than approved")
    return seen


def protection(engine: Engine, seen: ContainerInspect) -> RefusalCode | None:
    """Say why a container is out of bounds, or ``None``."""
    return engine.protection.refusal(
        container_id=seen.container_id, name=seen.name, labels=seen.labels
    )


def refuse(obstacle: Obstacle | None) -> None:
    """Raise what is in the way, if anything is."""
    if obstacle is not None:
        raise failure(obstacle.kind, obstacle.text)


def _owner(space: str, reference: str, found: Sequence[ContainerListEntry]) -> Owner:
    for entry in found:
        if reference in (entry.container_id, entry.name):
            return Owner(space=space, reference=reference, name=entry.name, state=entry.state)
    return Owner(space=space, reference=reference)
