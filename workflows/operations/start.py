"""How is a stopped container started?"""

from __future__ import annotations

from typing import Final

from workflows.model.errors import RefusalCode
from workflows.model.requests import ContainerPin, OperationSpec
from workflows.model.state import RequestState
from workflows.operations import steps
from workflows.operations.facts import unless_healthy
from workflows.operations.operation import Operation, Option, Step


def _steps(spec: OperationSpec, pin: ContainerPin) -> tuple[Step, ...]:
    # To restart what is stopped is asked as a start, and a snapshot may be wanted with it.
    made = (steps.stop(pin), steps.SNAPSHOT) if spec.snapshot else ()
    return (*made, steps.START)


def _refusal(_spec: OperationSpec, pin: ContainerPin) -> RefusalCode | None:
    if pin.state.is_down:
        return None
    return RefusalCode.ALREADY_RUNNING if pin.state.is_up else RefusalCode.UNUSABLE_STATE


def _outcome(state: RequestState) -> str:
    started = f"tarted{unless_healthy(state)}"
    return f"Snapshotted and s{started}" if state.operation.snapshot else f"S{started}"


START: Final = Operation(
    kind="start",
    summary="Asks to start a stopped container, and proves that it stays up.",
    example='start web-1 reason="the patch is in"',
    options=(Option.HOST, Option.REASON, Option.REPLACE),
    steps=_steps,
    outcome=_outcome,
    refusal=_refusal,
    with_snapshot="snapshot and start",
    wakes=True,
    stays_done="What it does while it is up stays done, even if it is stopped again",
)
