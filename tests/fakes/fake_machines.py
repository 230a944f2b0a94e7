"""Another provider than Docker: a hypervisor of virtual machines, with a worker of its own.

What a provider is asked for has eight verbs (find, observe, list, stop, start, snapshot, snapshots,
delete). Ids are UUIDs, states and advice are the hypervisor's own, and a snapshot gets its name
when it is made. It keeps one machine in memory, and fails on demand.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final

from temporalio import activity
from temporalio.exceptions import ApplicationError

from tests.fakes.fake_docker import failure
from workflows.model.advice import CommandName
from workflows.model.dependent_ports import DependentsInput, DependentsPort
from workflows.model.dependents import NO_DEPENDENTS, Dependents
from workflows.model.errors import ErrorType, RefusalCode
from workflows.model.listing import ContainerList, ContainerSummary, ListInput
from workflows.model.ports import (
    ContainersPort,
    InspectInput,
    Inspection,
    SnapshotInput,
    SnapshotsPort,
    StopInput,
    SweepInput,
    TagInput,
)
from workflows.model.requests import Command, ContainerPin, ContainerState, Fact, FactPlace
from workflows.model.start_ports import RestoreInput, RestoreResult, StartInput, StartPort
from workflows.model.state import SnapshotResult, StopResult

#: The hypervisor's states, and what they are to Dockwarden.
STATES: Final = {
    "RUNNING": ContainerState.RUNNING,
    "PAUSED": ContainerState.PAUSED,
    "SHUTDOWN": ContainerState.STOPPING,
    "SHUTOFF": ContainerState.EXITED,
    "CRASHED": ContainerState.EXITED,
}
_DISK: Final = "9d4f0b3e-77aa-4c1e-8f6a-0c5d1e2f3a4b"


@dataclass(kw_only=True)
class Machine:
    """A virtual machine as its hypervisor keeps it."""

    name: str
    machine_id: str
    state: str = "RUNNING"
    started_at: datetime = field(default_factory=lambda: datetime(2026, 1, 1, tzinfo=UTC))
    ended_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class DiskSnapshot:
    """A snapshot, which the hypervisor finds again by the request that wanted it."""

    snapshot_id: str
    request_id: str
    name: str = ""


class Hypervisor:
    """The eight verbs. ``faults[verb]`` are raised in turn, and noted in ``fired``."""

    def __init__(self) -> None:
        self.host_id = "3c1f9a52-0d0e-4b57-9a0f-6f1f2f9f7a01"
        self.machine = Machine(name="web-1", machine_id="5f0c7d3a-91f4-4f0e-a7a5-2b7f8c1d9e60")
        self.made: dict[str, DiskSnapshot] = {}
        self.verbs: list[str] = []
        self.faults: dict[str, list[ApplicationError]] = defaultdict(list)
        self.fired: list[str] = []

    def find(self, name: str) -> Machine:
        """Find a machine by its exact name."""
        if name != self.machine.name:
            raise failure(RefusalCode.UNKNOWN_CONTAINER)
        return self.machine

    def observe(self, machine_id: str) -> Machine:
        """Look at a machine by its id."""
        if machine_id != self.machine.machine_id:
            raise failure(ErrorType.CONTAINER_GONE)
        return self.machine

    def list(self) -> list[Machine]:
        """List the machines."""
        return [self.machine]

    def stop(self, machine_id: str) -> None:
        """Shut a machine down."""
        self._note("stop")
        machine = self.observe(machine_id)
        machine.state, machine.ended_at = "SHUTOFF", datetime.now(UTC)

    def start(self, machine_id: str) -> None:
        """Start a machine."""
        self._note("start")
        machine = self.observe(machine_id)
        machine.state, machine.started_at = "RUNNING", datetime.now(UTC)

    def snapshot(self, machine_id: str, request_id: str) -> DiskSnapshot:
        """Make a snapshot of its disk, once for a request."""
        self._note("snapshot")
        self.observe(machine_id)
        found = self.snapshots(request_id)
        if found:
            return found[0]
        made = DiskSnapshot(snapshot_id=str(uuid.uuid4()), request_id=request_id)
        self.made[made.snapshot_id] = made
        return made

    def snapshots(self, request_id: str) -> list[DiskSnapshot]:
        """List the snapshots of a request."""
        return [one for one in self.made.values() if one.request_id == request_id]

    def name_snapshot(self, snapshot_id: str, name: str) -> DiskSnapshot:
        """Give a snapshot its name."""
        made = self.made[snapshot_id]
        self.made[snapshot_id] = named = DiskSnapshot(
            snapshot_id=snapshot_id, request_id=made.request_id, name=name
        )
        return named

    def delete(self, snapshot_id: str) -> None:
        """Delete a snapshot."""
        self._note("delete")
        del self.made[snapshot_id]

    def _note(self, verb: str) -> None:
        self.verbs.append(verb)
        if self.faults[verb]:
            self.fired.append(verb)
            raise self.faults[verb].pop(0)


class FakeMachines(ContainersPort, StartPort, SnapshotsPort, DependentsPort):
    """The worker of one hypervisor: the same activities, on the same queues."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.hypervisor = Hypervisor()

    def _pin(self, machine: Machine) -> ContainerPin:
        return ContainerPin(
            container_id=machine.machine_id,
            name=machine.name,
            image="debian-12.qcow2",
            image_id=_DISK,
            state=STATES[machine.state],
            started_at=machine.started_at.isoformat(),
            restart_policy="",
            auto_remove=False,
            engine_id=self.hypervisor.host_id,
            stop_timeout_seconds=1,
            facts=(
                Fact(label="2 vCPUs"),
                Fact(label="memory", value="4 GiB"),
                Fact(label="console", value="spice", place=FactPlace.LOOK),
                Fact(label="disk", value="vdb", place=FactPlace.NOT_IN_SNAPSHOT),
            ),
            commands=(
                Command(name=CommandName.LOOK, line=f"virsh domstate {machine.machine_id}"),
                Command(name=CommandName.START, line=f"virsh start {machine.machine_id}"),
            ),
        )

    def _observe(self, pin: ContainerPin) -> Machine:
        if pin.engine_id != self.hypervisor.host_id:
            raise failure(ErrorType.WRONG_ENGINE)
        return self.hypervisor.observe(pin.container_id)

    @activity.defn(name="inspect_container")
    def inspect_container(self, arg: InspectInput) -> Inspection:
        """Pin a machine."""
        machine = self.hypervisor.find(arg.container.name)
        met = tuple(not selector for selector in arg.label_selectors)
        return Inspection(pin=self._pin(machine), selectors_met=met, three_queues=True, starts=True)

    @activity.defn(name="list_containers")
    def list_containers(self, arg: ListInput) -> ContainerList:
        """List the machines."""
        assert arg.host == self.name
        found = tuple(
            ContainerSummary(name=one.name, image="debian-12.qcow2", state=STATES[one.state])
            for one in self.hypervisor.list()
        )
        return ContainerList(containers=found, total=len(found))

    @activity.defn(name="ensure_stopped", no_thread_cancel_exception=True)
    def ensure_stopped(self, arg: StopInput) -> StopResult:
        """Shut the machine down, unless it rests."""
        machine = self._observe(arg.pin)
        was_up = not STATES[machine.state].is_down
        if was_up:
            self.hypervisor.stop(machine.machine_id)
        return StopResult(was_running=was_up, stopped_at=machine.ended_at, name=machine.name)

    @activity.defn(name="ensure_running", no_thread_cancel_exception=True)
    def ensure_running(self, arg: RestoreInput) -> RestoreResult:
        """Bring the machine back, and look."""
        machine, wanted = self._observe(arg.pin), arg.pin.state
        started = STATES[machine.state] is not wanted and not wanted.is_down
        stopped = wanted.is_down and arg.started_by_us and not STATES[machine.state].is_down
        if started:
            self.hypervisor.start(machine.machine_id)
        if stopped:
            self.hypervisor.stop(machine.machine_id)
        return replace(self._running(machine, started=started), stopped=stopped)

    @activity.defn(name="ensure_started", no_thread_cancel_exception=True)
    def ensure_started(self, arg: StartInput) -> RestoreResult:
        """Start the machine, unless it runs."""
        machine = self._observe(arg.pin)
        started = STATES[machine.state].is_down
        if started:
            self.hypervisor.start(machine.machine_id)
        return self._running(machine, started=started)

    def _running(self, machine: Machine, *, started: bool) -> RestoreResult:
        return RestoreResult(
            state=STATES[machine.state],
            started=started,
            ended_at=machine.ended_at,
            started_at=machine.started_at,
            name=machine.name,
        )

    @activity.defn(name="look_at_dependents", no_thread_cancel_exception=True)
    def look_at_dependents(self, arg: DependentsInput) -> Dependents:
        """Nobody lives in a machine."""
        assert arg.known == NO_DEPENDENTS
        return arg.known

    @activity.defn(name="ensure_snapshot", no_thread_cancel_exception=True)
    def ensure_snapshot(self, arg: SnapshotInput) -> SnapshotResult:
        """Make the snapshot, or find it again."""
        machine = self._observe(arg.pin)
        if not STATES[machine.state].is_down:
            raise failure(ErrorType.NOT_STOPPED)
        made = self.hypervisor.snapshot(machine.machine_id, arg.request_id)
        return SnapshotResult(image_id=made.snapshot_id, container_name=machine.name)

    @activity.defn(name="ensure_tag", no_thread_cancel_exception=True)
    def ensure_tag(self, arg: TagInput) -> SnapshotResult:
        """Name the snapshot."""
        machine = self._observe(arg.pin)
        named = self.hypervisor.name_snapshot(arg.image_id, arg.reference)
        return SnapshotResult(
            image_id=named.snapshot_id, reference=named.name, container_name=machine.name
        )

    @activity.defn(name="sweep_snapshots", no_thread_cancel_exception=True)
    def sweep_snapshots(self, arg: SweepInput) -> int:
        """Delete what the request left without a name."""
        left = [one for one in self.hypervisor.snapshots(arg.request_id) if not one.name]
        for one in left:
            self.hypervisor.delete(one.snapshot_id)
        return len(left)

    @property
    def activities(self) -> list[object]:
        """All activities, to register with a worker."""
        return [
            self.inspect_container,
            self.list_containers,
            self.ensure_stopped,
            self.ensure_running,
            self.ensure_started,
            self.look_at_dependents,
            self.ensure_snapshot,
            self.ensure_tag,
            self.sweep_snapshots,
        ]
