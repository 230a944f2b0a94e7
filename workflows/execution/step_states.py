"""Which steps does an operation have, and how far has each come?

Pure functions on the tuple of steps that a request's state holds.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from workflows.model.errors import ErrorType
from workflows.model.requests import ContainerPin, OperationKind, OperationSpec
from workflows.model.state import StepName, StepState, StepStatus, StopResult

Steps = tuple[StepState, ...]


def plan(operation: OperationSpec, pin: ContainerPin) -> Steps:
    """Lay out what will happen to this container."""
    names = [StepName.STOP]
    if operation.snapshot:
        names += [StepName.SNAPSHOT, StepName.TAG]
    if operation.kind is OperationKind.SNAPSHOT and not pin.state.is_down:
        names.append(StepName.START)
    return tuple(StepState(name=name) for name in names)


def begin(steps: Steps, name: StepName, now: datetime) -> Steps:
    """Mark a step as under way; one that comes again keeps the time of its first beginning."""
    known = find(steps, name)
    if known is None:
        return (*steps, StepState(name=name, status=StepStatus.RUNNING, started_at=now))
    begun = replace(known, status=StepStatus.RUNNING, started_at=known.started_at or now)
    return _put(steps, begun)


def end(
    steps: Steps, name: StepName, status: StepStatus, now: datetime, *, note: str = ""
) -> Steps:
    """Mark a step as done, skipped or failed."""
    known = find(steps, name) or StepState(name=name)
    return _put(steps, replace(known, status=status, finished_at=now, note=note, error=None))


def fail(steps: Steps, name: StepName, error: ErrorType, now: datetime) -> Steps:
    """Mark a step as failed, with the cause."""
    known = find(steps, name) or StepState(name=name)
    failed = replace(known, status=StepStatus.FAILED, finished_at=now, error=error)
    return _put(steps, failed)


def abandon(steps: Steps) -> Steps:
    """Mark what was not begun as not run."""
    return tuple(
        replace(step, status=StepStatus.NOT_RUN) if step.status is StepStatus.TODO else step
        for step in steps
    )


def cut_off(steps: Steps) -> Steps:
    """Mark the step that was under way when its workflow was ended from outside."""
    return tuple(
        replace(step, status=StepStatus.FAILED, error=ErrorType.UNEXPECTED)
        if step.status is StepStatus.RUNNING
        else step
        for step in steps
    )


def find(steps: Steps, name: StepName) -> StepState | None:
    """Look a step up."""
    return next((step for step in steps if step.name is name), None)


def stop_note(result: StopResult) -> str:
    """Tell how a container ended: a kill may have cost it data."""
    if not result.graceful:
        return f"killed after the grace, exit code {result.exit_code}"
    return "" if result.exit_code is None else f"exit code {result.exit_code}"


def _put(steps: Steps, changed: StepState) -> Steps:
    return tuple(changed if step.name is changed.name else step for step in steps)
