"""How is a container restarted, with a snapshot of it in between if one is wanted?"""

from __future__ import annotations

from typing import Final

from workflows.model.requests import ContainerPin, OperationSpec
from workflows.model.state import RequestState
from workflows.operations import steps
from workflows.operations.facts import started_late, unless_healthy, was_late, was_paused
from workflows.operations.operation import Operation, Option, Step
from workflows.operations.start import START


def _steps(spec: OperationSpec, pin: ContainerPin) -> tuple[Step, ...]:
    made = (steps.SNAPSHOT,) if spec.snapshot else ()
    return (steps.stop(pin), *made, steps.start_again(pin))


def _asks_as(spec: OperationSpec, pin: ContainerPin) -> str:
    return START.kind if pin.state.is_down else spec.kind


def _outcome(state: RequestState) -> str:
    done = "Snapshotted and restarted" if state.operation.snapshot else "Restarted"
    if was_late(state):
        done = "Snapshotted" if state.operation.snapshot else "Stopped"
        return f"{done}, and {started_late(state)}{unless_healthy(state)}"
    paused = ", and paused again as it was" if was_paused(state) else ""
    return f"{done}{paused}{unless_healthy(state)}"


RESTART: Final = Operation(
    kind="restart",
    summary="Asks to stop a container and start it again, with a snapshot in between if you want "
    "one; what is stopped already is started.",
    example='restart web-1 reason="it leaks memory"',
    options=(Option.HOST, Option.SNAPSHOT, Option.GRACE, Option.REASON, Option.REPLACE),
    steps=_steps,
    outcome=_outcome,
    asks_as=_asks_as,
    may_ask_as=(START.kind,),
    with_snapshot="snapshot and restart",
)
