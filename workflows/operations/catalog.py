"""Which operations are there, and which rules cover one?

A tuple, and no plug-in loader: what Dockwarden can do to a container stands here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from workflows.model.requests import ContainerPin, OperationSpec, Policy
from workflows.model.state import StepName, StepState, find_step
from workflows.operations import steps
from workflows.operations.operation import Operation, Step
from workflows.operations.restart import RESTART
from workflows.operations.snapshot import SNAPSHOT
from workflows.operations.start import START
from workflows.operations.stop import STOP

#: In the order in which the help and the policy book name them.
OPERATIONS: Final[tuple[Operation, ...]] = (
    STOP,
    SNAPSHOT,
    START,
    RESTART,
)
#: What a policy writes that covers every operation, those of later releases too.
EVERY: Final = "*"


def find(kind: str) -> Operation | None:
    """Look an operation up; ``None`` for one that this release does not know."""
    return next((operation for operation in OPERATIONS if operation.kind == kind), None)


def operation_of(spec: OperationSpec) -> Operation:
    """Give the operation that was asked for.

    Raises:
        LookupError: there is none of this kind; a request with such a one is not let in.
    """
    operation = find(spec.kind)
    if operation is None:
        message = f"there is no operation {spec.kind}"
        raise LookupError(message)
    return operation


def words_of(spec: OperationSpec) -> str:
    """Name for people what was asked for: ``stop``, ``stop and snapshot``, ``snapshot``."""
    operation = find(spec.kind)
    if operation is None or not spec.snapshot:
        return spec.kind
    return operation.with_snapshot or spec.kind


def way_back(spec: OperationSpec) -> OperationSpec | None:
    """Give what people can ask for to have a container up again that was left down."""
    return OperationSpec(kind=START.kind) if leaves_down(spec) else None


def without_snapshot(spec: OperationSpec) -> OperationSpec:
    """Give what comes next to it, and makes no snapshot: where none can be made."""
    operation = find(spec.kind)
    is_bare = operation is not None and not operation.always_snapshots
    return OperationSpec(kind=spec.kind if is_bare else STOP.kind)


def stays_done(spec: OperationSpec) -> str:
    """Say what no way leads back from, as a sentence without its end; ``""`` for nothing."""
    operation = find(spec.kind)
    return operation.stays_done if operation is not None else ""


def must_be_named(spec: OperationSpec) -> str:
    """Say that only a policy which names it covers it; ``""`` where that is not so.

    ``{kind}`` and ``{operations}`` are for the door to mark up.
    """
    operation = find(spec.kind)
    if operation is None or not operation.must_be_named:
        return ""
    return "A policy is about {kind} only if it names it under {operations}."


def wakes(spec: OperationSpec) -> bool:
    """Say whether it starts what is stopped."""
    operation = find(spec.kind)
    return operation is not None and operation.wakes


def leaves_down(spec: OperationSpec) -> bool:
    """Say whether the container is down when it was done."""
    operation = find(spec.kind)
    return operation is not None and operation.leaves_down


def steps_of(spec: OperationSpec, pin: ContainerPin) -> tuple[Step, ...]:
    """Say what is done to this container, in order."""
    return operation_of(spec).steps(spec, pin)


def steps_planned(
    planned: Sequence[StepState], spec: OperationSpec, pin: ContainerPin
) -> tuple[Step, ...]:
    """Say what is done to this container by a request that was planned so.

    One of an earlier release has its snapshot tagged by a step of its own.
    """
    own = steps_of(spec, pin)
    if find_step(planned, StepName.TAG) is None:
        return own
    earlier = (steps.COMMIT, steps.TAG)
    parts = [earlier if step.name is StepName.SNAPSHOT else (step,) for step in own]
    return tuple(step for part in parts for step in part)


def has_step(name: StepName, spec: OperationSpec, pin: ContainerPin) -> bool:
    """Say whether a step is part of what is done to this container."""
    return any(step.name is name for step in steps_of(spec, pin))


def makes_image(spec: OperationSpec) -> bool:
    """Say whether an image is made, whatever the container is found to be."""
    operation = find(spec.kind)
    return spec.snapshot or (operation is not None and operation.always_snapshots)


def step_of(
    name: StepName,
    spec: OperationSpec,
    pin: ContainerPin | None,
    planned: Sequence[StepState] = (),
) -> Step:
    """Give a step of an operation by its name, or what stands for it where it is none of its own.

    A request of an earlier release, which was ``planned`` so, may have a step that its operation
    has no more.
    """
    is_known = find(spec.kind) is not None
    own = steps_planned(planned, spec, pin) if is_known and pin is not None else ()
    return next(
        (step for step in own if step.name is name),
        next(step for step in _ALL_STEPS if step.name is name),
    )


def as_judged(spec: OperationSpec, pin: ContainerPin) -> OperationSpec:
    """Say as what it is asked for, for a container that was found so.

    Raises:
        LookupError: as for :func:`operation_of`.
    """
    return replace(spec, kind=operation_of(spec).asks_as(spec, pin))


def kinds_of(kind: str) -> tuple[str, ...]:
    """List the kinds as which an operation may be asked for, its own first."""
    operation = find(kind)
    return (kind, *operation.may_ask_as) if operation is not None else ()


def covers(policy: Policy, kind: str) -> bool:
    """Say whether a policy is about an operation.

    One that names none means those that it has always meant: no release widens what a policy
    lets people do.
    """
    if not policy.operations:
        operation = find(kind)
        return operation is not None and not operation.must_be_named
    return EVERY in policy.operations or kind in policy.operations


def choose(policies: Sequence[Policy], kind: str, labels_met: Sequence[bool]) -> Policy | None:
    """Pick the first policy whose labels the container carries, and that is about an operation."""
    pairs = zip(policies, labels_met, strict=True)
    return next((policy for policy, met in pairs if met and covers(policy, kind)), None)


_ALL_STEPS: Final = (
    steps.STOP,
    steps.SNAPSHOT,
    steps.TAG,
    steps.START_AGAIN,
    steps.PUT_BACK,
)
