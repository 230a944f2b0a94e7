"""Who asks for this, and did people approve it?

Whoever can write to the namespace of Temporal can schedule an activity of a docker worker with
anything in it. Temporal itself vouches for the workflow that an activity belongs to: nothing is
changed but by the operation of that very container, whose id is the lock on it. With a key the
permit is verified too, which only who judged the approvals can have made.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final, TypeAlias

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.docker.errors import failure
from workflows.model.errors import ErrorType
from workflows.model.names import OPERATION_WORKFLOW, RECONCILE_WORKFLOW, operation_workflow_id
from workflows.model.plan import (
    LOOK_SEAL,
    PERMIT_SEAL,
    Permit,
    look_parts,
    permit_parts,
    pin_digest,
)
from workflows.model.ports import (
    InspectInput,
    Inspection,
    SnapshotInput,
    StopInput,
    SweepInput,
    TagInput,
)
from workflows.model.seal import NO_KEYS, SealKeys
from workflows.model.start_ports import RestoreInput, StartInput
from workflows.model.state import StepName
from workflows.operations import catalog

#: What asks for a change.
Change: TypeAlias = StopInput | SnapshotInput | TagInput | SweepInput | StartInput | RestoreInput
_OF_A_REQUEST: Final = (SnapshotInput, TagInput, SweepInput)

_NO_WORKFLOW: Final = "no workflow asked for it"
_NOT_ITS_WORKFLOW: Final = "the operation of this container did not ask for it"
_NO_PERMIT: Final = "there is no permit, as where the control worker has no seal key"
_OTHER_KEY: Final = "the permit was made with a seal key that it does not have"
_OTHER_SUBJECT: Final = "the permit is for something else"


class Guard:
    """Lets nothing be changed on a host that people have not approved.

    Args:
        host: the host that this worker serves.
        keys: verify permits; without one nothing proves that people approved.
    """

    def __init__(self, host: str, keys: SealKeys = NO_KEYS) -> None:
        self._host = host
        self._keys = keys

    def admit_look(self) -> None:
        """Let a workflow look; who asks people is a workflow too, but of which there are several.

        Raises:
            ApplicationError: no workflow asks for it.
        """
        if not activity.info().in_workflow:
            raise _refusal(_NO_WORKFLOW)

    def sealed(self, arg: InspectInput, seen: Inspection) -> Inspection:
        """Seal what was seen, so that nobody can have people decide about something else."""
        parts = look_parts(
            arg.request_id, arg.container, seen.pin, arg.label_selectors, seen.selectors_met
        )
        return replace(seen, seal=self._keys.seal(LOOK_SEAL, *parts)) if arg.request_id else seen

    def admit(self, arg: Change) -> None:
        """Let the approved operation of a container change it; to be asked before the engine is.

        Raises:
            ApplicationError: somebody else asks for it, or nothing proves that it was approved.
        """
        self.admit_look()
        if not self._is_its_workflow(arg):
            raise _refusal(_NOT_ITS_WORKFLOW)
        if not self._keys:
            return
        permit = arg.permit
        if permit is None:
            raise _refusal(_NO_PERMIT)
        if not self._is_about(permit, arg):
            raise _refusal(_OTHER_SUBJECT)
        if not self._keys.holds(permit.seal, PERMIT_SEAL, *permit_parts(permit)):
            raise _refusal(_OTHER_KEY)

    def _is_its_workflow(self, arg: Change) -> bool:
        info = activity.info()
        if info.workflow_type == RECONCILE_WORKFLOW and isinstance(arg, SweepInput):
            # Another operation may hold the lock by now, and no container is changed by it.
            return True
        container_id = arg.pin.container_id
        return (
            info.workflow_type == OPERATION_WORKFLOW
            and info.workflow_id == operation_workflow_id(self._host, container_id)
        )

    def _is_about(self, permit: Permit, arg: Change) -> bool:
        return (
            permit.host == self._host
            and permit.container_id == arg.pin.container_id
            and permit.pin_digest == pin_digest(arg.pin)
            and _is_of_request(permit, arg)
            and _is_of_operation(permit, arg)
        )


def _is_of_request(permit: Permit, arg: Change) -> bool:
    """Say whether an image is that of the request, and bears the name that was approved."""
    if not isinstance(arg, _OF_A_REQUEST):
        return True
    # A commit of an earlier release gives no name, and a request that makes no image has none.
    return permit.request_id == arg.request_id and arg.reference in ("", permit.reference)


def _is_of_operation(permit: Permit, arg: Change) -> bool:
    """Say whether what was approved has this step at all."""
    operation = permit.operation
    if catalog.find(operation.kind) is None:
        return False
    match arg:
        case StopInput():
            allowed = catalog.has_step(StepName.STOP, operation, arg.pin)
            return allowed and arg.grace_seconds == permit.grace_seconds
        case SnapshotInput() | TagInput():
            return catalog.makes_image(operation)
        case StartInput():
            return catalog.has_step(StepName.START, operation, arg.pin)
    return True


def _refusal(text: str) -> ApplicationError:
    activity.logger.warning("refused: %s", text)
    return failure(ErrorType.NOT_PERMITTED, text)
