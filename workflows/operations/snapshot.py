"""How is a snapshot of a container made, and the container left as it was?"""

from __future__ import annotations

from typing import Final

from workflows.model.requests import ContainerPin, OperationSpec
from workflows.model.state import RequestState, StepName
from workflows.operations import steps
from workflows.operations.facts import has_step, started_late, unless_healthy, was_late, was_paused
from workflows.operations.operation import Operation, Option, Step


def _steps(_spec: OperationSpec, pin: ContainerPin) -> tuple[Step, ...]:
    made = (steps.stop(pin), steps.SNAPSHOT)
    return made if pin.state.is_down else (*made, steps.start_again(pin))


def _outcome(state: RequestState) -> str:
    if was_late(state):
        return f"Snapshotted, and {started_late(state)}{unless_healthy(state)}"
    if not has_step(state, StepName.START):
        return "Snapshotted"
    if was_paused(state):
        return "Snapshotted and paused again as it was"
    return f"Snapshotted and started again{unless_healthy(state)}"


SNAPSHOT: Final = Operation(
    kind="snapshot",
    summary="Asks to stop a container, make a snapshot and start it again if it was running.",
    example='snapshot web-1 as team/web:before-upgrade reason="before the upgrade"',
    options=(Option.HOST, Option.REFERENCE, Option.GRACE, Option.REASON, Option.REPLACE),
    steps=_steps,
    outcome=_outcome,
    always_snapshots=True,
    must_be_named=False,
)
