"""A Docker host of as many containers as are asked about, for tests of many requests at once.

The name of a container says how it behaves: one whose name begins with ``held`` is not stopped
until the gate of ``ensure_stopped`` opens, and ``sick`` has no room for a snapshot and can never
be started again.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace

from temporalio import activity

from tests.fakes.fake_docker import FakeDocker, failure
from workflows.model.errors import ErrorType
from workflows.model.ports import (
    InspectInput,
    Inspection,
    SnapshotInput,
    StopInput,
)
from workflows.model.start_ports import RestoreInput, RestoreResult
from workflows.model.state import SnapshotResult, StopResult

HELD, SICK = "held", "sick"


class ManyContainers(FakeDocker):
    """``stopped`` are the names of those that were stopped, in their order."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.stopped: list[str] = []

    @activity.defn(name="inspect_container")
    def inspect_container(self, arg: InspectInput) -> Inspection:
        """Pin a container of this name; there is one of each."""
        name = arg.container.name
        pin = replace(self.pin, name=name, container_id=hashlib.sha256(name.encode()).hexdigest())
        met = tuple(not selector for selector in arg.label_selectors)
        return Inspection(pin=pin, selectors_met=met, three_queues=True, starts=True)

    @activity.defn(name="ensure_stopped", no_thread_cancel_exception=True)
    def ensure_stopped(self, arg: StopInput) -> StopResult:
        """Stop a container, if need be once the gate opens."""
        self.stopped.append(arg.pin.name)
        if arg.pin.name.startswith(HELD) and not self.gates["ensure_stopped"].wait(120):
            raise TimeoutError(arg.pin.name)
        return StopResult(was_running=True, exit_code=0)

    @activity.defn(name="ensure_snapshot", no_thread_cancel_exception=True)
    def ensure_snapshot(self, arg: SnapshotInput) -> SnapshotResult:
        """Commit a container that is not sick."""
        if arg.pin.name.startswith(SICK):
            raise failure(ErrorType.DISK_FULL)
        return SnapshotResult(image_id=f"sha256:{arg.request_id:0<64}", size_bytes=1)

    @activity.defn(name="ensure_running", no_thread_cancel_exception=True)
    def ensure_running(self, arg: RestoreInput) -> RestoreResult:
        """Start a container again that is not sick."""
        if arg.pin.name.startswith(SICK):
            raise failure(ErrorType.PORT_BUSY, {"touched": True, "state": "exited"})
        return RestoreResult(state=arg.pin.state, started=True)
