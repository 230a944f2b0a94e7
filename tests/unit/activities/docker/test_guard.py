"""Which permits let a container be changed, and which of them are for something else?"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.docker.guard import Change, Guard
from tests.unit.activities.slack.card_parts import PIN
from workflows.model.errors import ErrorType
from workflows.model.names import OPERATION_WORKFLOW, RECONCILE_WORKFLOW, operation_workflow_id
from workflows.model.plan import PERMIT_SEAL, VOTE_SEAL, Permit, permit_parts, pin_digest
from workflows.model.ports import SnapshotInput, StopInput, SweepInput, TagInput
from workflows.model.requests import OperationSpec
from workflows.model.seal import NO_KEYS, SealKeys
from workflows.model.start_ports import RestoreInput, StartInput

_HOST, _REQUEST, _OTHER_REQUEST = "edge", "0123456789ab", "ba9876543210"
_KEYS, _OTHER_KEYS = SealKeys(("k" * 32,)), SealKeys(("o" * 32,))
_PERMIT = Permit(
    request_id=_REQUEST,
    host=_HOST,
    plan_hash="p" * 64,
    container_id=PIN.container_id,
    operation=OperationSpec(kind="restart", snapshot=True),
    pin_digest=pin_digest(PIN),
    reference="a:b",
    grace_seconds=5,
)


def _sealed(permit: Permit, keys: SealKeys = _KEYS, kind: str = PERMIT_SEAL) -> Permit:
    return replace(permit, seal=keys.seal(kind, *permit_parts(permit)))


_GOOD = _sealed(_PERMIT)
_STOP = StopInput(pin=PIN, grace_seconds=5)
_SWEEP = SweepInput(pin=PIN, request_id=_REQUEST, reference="a:b")
_CHANGES: dict[str, Change] = {
    "stop": _STOP,
    "start": StartInput(pin=PIN),
    "put back": RestoreInput(pin=PIN, settle_seconds=0),
    "look whether it is back": RestoreInput(pin=PIN, settle_seconds=0, look_only=True),
    "commit": SnapshotInput(pin=PIN, request_id=_REQUEST),
    "tag": TagInput(pin=PIN, request_id=_REQUEST, image_id="sha256:a", reference="a:b"),
    "sweep": _SWEEP,
}
_OF_AN_IMAGE = [name for name, arg in _CHANGES.items() if hasattr(arg, "request_id")]


def _refusal(
    arg: Change,
    *,
    keys: SealKeys = _KEYS,
    workflow_type: str | None = OPERATION_WORKFLOW,
    workflow_id: str | None = operation_workflow_id(_HOST, PIN.container_id),
) -> str:
    """Say why it is refused; ``""``: it is not."""
    environment = ActivityEnvironment()
    environment.info = replace(
        environment.info, workflow_type=workflow_type, workflow_id=workflow_id
    )
    try:
        environment.run(Guard(_HOST, keys).admit, arg)
    except ApplicationError as error:
        refused = error
    else:
        return ""
    assert (refused.type, refused.non_retryable) == (ErrorType.NOT_PERMITTED, True)
    return refused.message


@pytest.mark.parametrize("arg", _CHANGES.values(), ids=_CHANGES)
def test_its_permit_lets_it_be_changed(arg: Change) -> None:
    """By any key of this worker; and where there is no key, its workflow alone is asked for."""
    assert _refusal(replace(arg, permit=_GOOD)) == ""
    rotating = SealKeys((*_OTHER_KEYS.keys, *_KEYS.keys))
    assert _refusal(replace(arg, permit=_GOOD), keys=rotating) == ""
    assert _refusal(arg, keys=NO_KEYS) == ""


@pytest.mark.parametrize("arg", _CHANGES.values(), ids=_CHANGES)
@pytest.mark.parametrize(
    "permit",
    [
        None,
        _PERMIT,
        _sealed(_PERMIT, _OTHER_KEYS),
        _sealed(_PERMIT, kind=VOTE_SEAL),
        replace(_GOOD, plan_hash="q" * 64),
        _sealed(replace(_PERMIT, host="local")),
        _sealed(replace(_PERMIT, container_id="c" * 64)),
        replace(_sealed(replace(_PERMIT, container_id="c" * 64)), container_id=PIN.container_id),
    ],
    ids=["none", "no seal", "other key", "vote", "altered", "host", "container", "relabelled"],
)
def test_no_other_permit_does(arg: Change, permit: Permit | None) -> None:
    """Not a forged one, nor one that was made for something else."""
    assert _refusal(replace(arg, permit=permit))


_BEYOND: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "another grace": ("stop", {"grace_seconds": 6}, {}),
    "another name": ("tag", {"reference": "a:c"}, {}),
    "a name that has another image": ("sweep", {"reference": "a:c"}, {}),
    "the same container as it is by now": ("stop", {"pin": replace(PIN, started_at="2027")}, {}),
    "a stop for a start": ("stop", {}, {"operation": OperationSpec(kind="start")}),
    "a commit for a mere stop": ("commit", {}, {"operation": OperationSpec(kind="stop")}),
    "a start for a mere stop": ("start", {}, {"operation": OperationSpec(kind="stop")}),
    "what this release does not know": ("put back", {}, {"operation": OperationSpec(kind="rm")}),
}


@pytest.mark.parametrize("kind", _BEYOND)
def test_a_permit_is_for_what_was_approved(kind: str) -> None:
    """Whoever has read one can do with it what people approved, and nothing else."""
    name, asked, permitted = _BEYOND[kind]
    assert _refusal(replace(_CHANGES[name], permit=_sealed(replace(_PERMIT, **permitted)), **asked))


@pytest.mark.parametrize("name", _OF_AN_IMAGE)
def test_an_image_is_made_for_the_permitted_request_alone(name: str) -> None:
    """The image's label, by which it is found and removed, is of the request that was approved."""
    other = _sealed(replace(_PERMIT, request_id=_OTHER_REQUEST))
    assert _refusal(replace(_CHANGES[name], permit=other))
    assert len(_OF_AN_IMAGE) == 3


@pytest.mark.parametrize("keys", [NO_KEYS, _KEYS], ids=["no key", "a key"])
@pytest.mark.parametrize(
    ("workflow_type", "workflow_id"),
    [
        (None, None),
        ("Mine", operation_workflow_id(_HOST, PIN.container_id)),
        (OPERATION_WORKFLOW, "mine"),
        (OPERATION_WORKFLOW, operation_workflow_id("local", PIN.container_id)),
        (OPERATION_WORKFLOW, operation_workflow_id(_HOST, "c" * 64)),
        (RECONCILE_WORKFLOW, "reconcile"),
    ],
)
def test_the_lock_on_the_container_is_held(
    keys: SealKeys, workflow_type: str | None, workflow_id: str | None
) -> None:
    """Whatever permit there is: without its operation's workflow two could work on one."""
    stop = replace(_STOP, permit=_GOOD)
    asks = {"workflow_type": workflow_type, "workflow_id": workflow_id}
    assert _refusal(stop, keys=keys, **asks)


def test_the_reconciler_tidies_images() -> None:
    """Of a request whose container another operation holds by now; with the permit all the same."""
    asks = {"workflow_type": RECONCILE_WORKFLOW, "workflow_id": "reconcile-2026"}
    assert _refusal(replace(_SWEEP, permit=_GOOD), **asks) == ""
    assert _refusal(_SWEEP, keys=NO_KEYS, **asks) == ""
    assert _refusal(_SWEEP, **asks)
