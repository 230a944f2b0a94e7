"""Does the preflight refuse what cannot be done or undone, and only that?"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

import pytest

from activities.docker.answers import (
    ContainerInspect,
    EngineFacts,
    HealthCheck,
    ImageInspect,
    container_inspect,
)
from activities.docker.preflight import (
    MAX_LAYERS,
    Facts,
    Obstacle,
    Owner,
    cautions,
    change,
    nothing_to_stop,
    refusal,
)
from workflows.model.errors import ErrorType, RefusalCode
from workflows.model.requests import ContainerState

_ENGINE: Final = EngineFacts(
    engine_id="E", version="20.10.24", api_version="1.41", storage_driver="overlay2"
)
_PODMAN: Final = replace(_ENGINE, engine_id="podman:host", version="4.3.1", has_layer_store=False)
_RUNNING: Final = container_inspect(
    {
        "Id": "c1" * 32,
        "Name": "/web-1",
        "Image": "sha256:" + "a" * 64,
        "State": {"Status": "running", "StartedAt": "2026-01-01T00:00:00Z"},
        "Config": {},
    }
)
_IMAGE: Final = ImageInspect(
    image_id=_RUNNING.image_id,
    created=datetime(2026, 1, 1, tzinfo=UTC),
    size_bytes=1,
    layers=MAX_LAYERS - 1,
    tags=(),
    labels={},
)
_SHORTAGE: Final = Obstacle(ErrorType.DISK_FULL, "full")


def _facts(**changes: Any) -> Facts:
    facts = Facts(engine=_ENGINE, container=_RUNNING, for_snapshot=True, image=_IMAGE)
    return replace(facts, **changes)


def _owner(state: ContainerState | None) -> tuple[Owner, ...]:
    return (Owner(space="network", reference="d2" * 32, name="gw" if state else "", state=state),)


_RESTING: Final = replace(_RUNNING, state=ContainerState.EXITED)
_LACKS: Final = [
    (_facts(), None),
    (_facts(image=None), ErrorType.IMAGE_MISSING),
    (_facts(image=None, for_snapshot=False), None),
    (_facts(image=None, engine=_PODMAN), None),
    (_facts(image=replace(_IMAGE, layers=MAX_LAYERS)), ErrorType.TOO_MANY_LAYERS),
    (_facts(image=replace(_IMAGE, layers=MAX_LAYERS), for_snapshot=False), None),
    (_facts(owners=_owner(ContainerState.RUNNING)), None),
    (_facts(owners=_owner(ContainerState.PAUSED)), None),
    (_facts(owners=_owner(ContainerState.RESTARTING)), ErrorType.OWNER_MISSING),
    (_facts(owners=_owner(ContainerState.EXITED)), ErrorType.OWNER_MISSING),
    (_facts(owners=_owner(None), for_snapshot=False), ErrorType.OWNER_GONE),
    (_facts(owners=_owner(None), engine=_PODMAN), None),
    (_facts(owners=_owner(None), container=_RESTING), None),
    # What rests and is to be started needs its owner; what is up and is not stopped does not.
    (_facts(owners=_owner(None), container=_RESTING, starts=True), ErrorType.OWNER_GONE),
    (_facts(owners=_owner(ContainerState.EXITED), starts=True), ErrorType.OWNER_MISSING),
    (_facts(owners=_owner(None), stops=False, starts=True), None),
    (_facts(shortage=_SHORTAGE), ErrorType.DISK_FULL),
]


@pytest.mark.parametrize(("facts", "kind"), _LACKS)
def test_what_is_lacking_is_found_at_the_request_and_before_the_stop(
    facts: Facts, kind: ErrorType | None
) -> None:
    """Under one name, of a refusal and of an error alike."""
    pin = facts.container.pin("E")
    for found in (refusal(facts), change(facts, pin)):
        assert (found.kind if found else None) == kind


@pytest.mark.parametrize(
    ("container", "kind"),
    [
        (_RUNNING, None),
        (replace(_RUNNING, state=ContainerState.RESTARTING), None),
        (replace(_RUNNING, name="web-2"), ErrorType.CONTAINER_CHANGED),
        (replace(_RUNNING, auto_remove=True), ErrorType.CONTAINER_CHANGED),
        (replace(_RUNNING, state=ContainerState.PAUSED), ErrorType.CONTAINER_CHANGED),
        (_RESTING, ErrorType.CONTAINER_CHANGED),
    ],
)
def test_what_changed_since_the_card_ends_the_request(
    container: ContainerInspect, kind: ErrorType | None
) -> None:
    """A restart alone is no change that matters."""
    found = change(_facts(container=container), _RUNNING.pin("E"))
    assert (found.kind if found else None) == kind


def test_what_is_out_of_bounds_is_refused_before_all_else() -> None:
    """No word about the disk to somebody who may not touch it anyway."""
    facts = _facts(protected=RefusalCode.PROTECTED, shortage=_SHORTAGE)
    found = refusal(facts)
    assert found is not None
    assert found.kind is RefusalCode.PROTECTED


@pytest.mark.parametrize(
    ("facts", "kind"),
    [
        (_facts(container=_RESTING, for_snapshot=False), RefusalCode.ALREADY_STOPPED),
        (_facts(container=_RESTING), None),
        (_facts(for_snapshot=False), None),
    ],
)
def test_what_is_down_already_is_told_to_an_older_control_worker(
    facts: Facts, kind: RefusalCode | None
) -> None:
    """It does not judge that itself; the request of a newer one does."""
    found = nothing_to_stop(facts)
    assert (found.kind if found else None) == kind
    assert refusal(facts) is None


def _checked(**check: float) -> ContainerInspect:
    return replace(
        _RUNNING,
        has_healthcheck=True,
        health="healthy",
        health_check=HealthCheck(**check),  # type: ignore[arg-type] # retries are not given here
    )


_NEWER: Final = replace(_ENGINE, version="25.0.3")


@pytest.mark.parametrize(
    ("engine", "container", "said"),
    [
        (_ENGINE, _RUNNING, ""),
        (_ENGINE, _checked(), ""),
        (_ENGINE, _checked(interval=600), "its first health check comes 600 s after a start"),
        (_ENGINE, _checked(interval=600, start_period=60), "its first health check comes 600 s"),
        # Since 25.0 it is checked more often while it starts.
        (_NEWER, _checked(interval=600, start_period=60), ""),
        (_NEWER, _checked(interval=600), "its first health check comes 600 s after a start"),
        (_NEWER, _checked(interval=600, start_period=60, start_interval=300), "300 s"),
        (_ENGINE, _checked(interval=5, start_period=180), "does not count in the first 180 s"),
        (_ENGINE, replace(_checked(interval=600), health="unhealthy"), ""),
        (_ENGINE, replace(_checked(interval=600), state=ContainerState.EXITED), ""),
    ],
)
def test_a_health_check_that_speaks_too_late_is_a_caution(
    engine: EngineFacts, container: ContainerInspect, said: str
) -> None:
    """It hinders nothing, and people know before they approve."""
    facts = _facts(engine=engine, container=container)
    assert refusal(facts) is None
    found = cautions(facts, 120)
    assert (len(found) == 1) is bool(said)
    assert said in "".join(caution.detail for caution in found)


def test_what_rests_and_is_to_be_started_has_the_caution_too() -> None:
    """Its health is a matter of the start, whatever was before."""
    resting = replace(_checked(interval=600), state=ContainerState.EXITED, health="")
    facts = _facts(container=resting, starts=True)
    assert [caution.detail for caution in cautions(facts, 120)] == [
        "its first health check comes 600 s after a start"
    ]
    assert cautions(_facts(container=_checked(interval=600), stops=False, starts=True), 120) == ()
