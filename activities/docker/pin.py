"""Is this still the very container that people approved?

Asked by every activity before it changes something. That is a rule of ours and not of the engine,
which only says what is there.
"""

from __future__ import annotations

from activities.docker.answers import ContainerInspect
from activities.docker.engine import Engine
from activities.docker.errors import failure
from workflows.model.errors import ErrorType
from workflows.model.requests import ContainerPin


def verify_pin(engine: Engine, pin: ContainerPin, *, restoring: bool = False) -> ContainerInspect:
    """Look at the container that was approved.

    Args:
        engine: where it is to be found.
        pin: what was approved.
        restoring: true for putting it back, which is due even when it is out of bounds by now.

    Raises:
        ApplicationError: this is another engine, the container is gone or is not the one
            approved, or it is out of bounds now.
    """
    verify_engine(
        engine, pin, "this is another Docker engine than the one the container was approved on"
    )
    seen = engine.container(pin.container_id)
    if seen.image_id != pin.image_id:
        raise failure(ErrorType.CONTAINER_CHANGED, "the container runs another image than approved")
    if not restoring:
        _refuse_out_of_bounds(engine, seen)
    return seen


def verify_engine(engine: Engine, pin: ContainerPin, otherwise: str) -> None:
    """See that the engine is the one the container was approved on, or say ``otherwise``.

    Raises:
        ApplicationError: another one answers at its address.
    """
    if engine.engine_id() != pin.engine_id:
        raise failure(ErrorType.WRONG_ENGINE, otherwise)


def _refuse_out_of_bounds(engine: Engine, seen: ContainerInspect) -> None:
    protected = engine.protection.refusal(
        container_id=seen.container_id, name=seen.name, labels=seen.labels
    )
    if protected is not None:
        raise failure(ErrorType.CONTAINER_CHANGED, "the container is protected now")
    if seen.auto_remove:
        raise failure(ErrorType.CONTAINER_CHANGED, "the container is removed when it stops")
