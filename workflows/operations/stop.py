"""How is a container stopped, with a snapshot of it if one is wanted?"""

from __future__ import annotations

from typing import Final

from workflows.model.errors import RefusalCode
from workflows.model.requests import ContainerPin, OperationSpec
from workflows.model.state import RequestState
from workflows.operations import steps
from workflows.operations.facts import was_stopped_already
from workflows.operations.operation import Operation, Option, Step


def _steps(spec: OperationSpec, pin: ContainerPin) -> tuple[Step, ...]:
    made = (steps.SNAPSHOT,) if spec.snapshot else ()
    return (steps.stop(pin), *made)


def _refusal(spec: OperationSpec, pin: ContainerPin) -> RefusalCode | None:
    return RefusalCode.ALREADY_STOPPED if pin.state.is_down and not spec.snapshot else None


def _outcome(state: RequestState) -> str:
    if was_stopped_already(state):
        return "Snapshotted, was stopped already" if state.operation.snapshot else "Stopped already"
    return "Stopped and snapshotted" if state.operation.snapshot else "Stopped"


STOP: Final = Operation(
    kind="stop",
    summary="Asks to stop a container, with a snapshot of it if you want one. It stays stopped.",
    example='stop web-1 snapshot reason="CVE-2026-1"',
    options=(Option.HOST, Option.SNAPSHOT, Option.GRACE, Option.REASON, Option.REPLACE),
    steps=_steps,
    outcome=_outcome,
    refusal=_refusal,
    with_snapshot="stop and snapshot",
    leaves_down=True,
    must_be_named=False,
)
