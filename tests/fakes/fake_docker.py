"""A Docker host that fails and blocks on demand, for the workflows' tests.

It keeps one container and its images in memory. The real engine is tested elsewhere; here the
order of steps, compensation and cancellation is.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from dataclasses import replace
from datetime import datetime

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.docker.guard import Guard
from workflows.model.dependent_ports import DependentsInput, DependentsPort
from workflows.model.dependents import (
    NO_DEPENDENTS,
    Dependent,
    Dependents,
    Fate,
)
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
from workflows.model.requests import ContainerPin, ContainerState
from workflows.model.seal import NO_KEYS, SealKeys
from workflows.model.start_ports import RestoreInput, RestoreResult, StartInput, StartPort
from workflows.model.state import PortMove, SnapshotResult, StopResult


def failure(
    kind: ErrorType | RefusalCode, *details: object, retry: bool = False
) -> ApplicationError:
    """Make an error as an activity raises it."""
    return ApplicationError(f"made {kind}", *details, type=kind, non_retryable=not retry)


class FakeDocker(ContainersPort, StartPort, SnapshotsPort, DependentsPort):
    """One host. ``faults[activity]`` are raised in turn; ``gates[activity]`` block it.

    ``others`` are names of containers that can only be looked at.
    """

    def __init__(self, name: str, keys: SealKeys = NO_KEYS) -> None:
        self.name = name
        self.keys = keys
        self.pin = ContainerPin(
            container_id="c" * 64,
            name="web-1",
            image="demo/web:1",
            image_id="sha256:" + "a" * 64,
            state=ContainerState.RUNNING,
            started_at="2026-01-01T00:00:00Z",
            restart_policy="no",
            auto_remove=False,
            engine_id="ENGINE",
            stop_timeout_seconds=1,
        )
        self.state = ContainerState.RUNNING
        self.others: set[str] = set()
        self.images: dict[str, str] = {}
        self.taken: set[str] = set()
        self.labels: dict[str, str] = {}
        self.restarted_since = False
        self.is_of_earlier_release = False
        self.knows_starts = True
        self.only_commits = False
        self.name_now = ""
        self.dependents = NO_DEPENDENTS
        self.newcomers: tuple[Dependent, ...] = ()
        self.running_since: datetime | None = None
        self.stopped_at: datetime | None = None
        self.moved_ports: tuple[PortMove, ...] = ()
        self.put_back: list[RestoreInput] = []
        self.started: list[StartInput] = []
        self.settled = 0
        self.calls: list[str] = []
        self.faults: dict[str, list[ApplicationError]] = defaultdict(list)
        self.fired: list[str] = []
        self.gates: dict[str, threading.Event] = {}
        self.entered: dict[str, threading.Event] = defaultdict(threading.Event)

    def _enter(self, name: str) -> None:
        self.calls.append(name)
        self.entered[name].set()
        gate = self.gates.get(name)
        if gate is not None and not gate.wait(30):
            raise TimeoutError(name)
        if self.faults[name]:
            self.fired.append(name)
            raise self.faults[name].pop(0)

    @activity.defn(name="inspect_container")
    def inspect_container(self, arg: InspectInput) -> Inspection:
        """Pin the one container."""
        self._enter("inspect_container")
        if arg.container.name not in {self.pin.name, *self.others}:
            raise failure(RefusalCode.UNKNOWN_CONTAINER)
        met = tuple(s.items() <= self.labels.items() for s in arg.label_selectors)
        seen = Inspection(
            pin=replace(self.pin, state=self.state, name=arg.container.name),
            selectors_met=met,
            reference_taken=arg.reference in self.taken,
            three_queues=not self.is_of_earlier_release,
            starts=self.knows_starts,
            dependents=self.dependents,
        )
        return Guard(self.name, self.keys).sealed(arg, seen)

    @activity.defn(name="list_containers")
    def list_containers(self, arg: ListInput) -> ContainerList:
        """List the one container."""
        self._enter("list_containers")
        assert arg.host == self.name
        one = ContainerSummary(name=self.pin.name, image=self.pin.image, state=self.state)
        found = (one,) if arg.wanted.matches(one.name, one.state, one.health) else ()
        return ContainerList(containers=found, total=len(found), of=1)

    @activity.defn(name="ensure_stopped", no_thread_cancel_exception=True)
    def ensure_stopped(self, arg: StopInput) -> StopResult:
        """Stop the container."""
        self._enter("ensure_stopped")
        self.state = ContainerState.EXITED
        up = not arg.pin.state.is_down
        return StopResult(
            was_running=up,
            exit_code=0 if up else None,
            restarted_since=self.restarted_since,
            stopped_at=self.stopped_at,
            name=self.name_now,
        )

    @activity.defn(name="ensure_running", no_thread_cancel_exception=True)
    def ensure_running(self, arg: RestoreInput) -> RestoreResult:
        """Bring the container back to its pinned state."""
        self.put_back.append(arg)
        self._enter("ensure_running")
        if arg.pin.state.is_down:
            stopped = arg.started_by_us and not self.state.is_down
            if stopped and arg.look_only:
                details = {"touched": False, "state": self.state.value}
                raise failure(ErrorType.NOT_STOPPED, details)
            if stopped:
                self.state = ContainerState.EXITED
            return RestoreResult(state=self.state, started=False, stopped=stopped)
        started = self.state is not arg.pin.state
        if started and arg.look_only:
            raise failure(ErrorType.NOT_RUNNING, {"touched": False, "state": self.state.value})
        self.state = arg.pin.state
        return RestoreResult(
            state=self.state,
            started=started,
            started_at=self.running_since,
            name=self.name_now,
            users=self.newcomers,
            moved_ports=self.moved_ports,
        )

    @activity.defn(name="ensure_started", no_thread_cancel_exception=True)
    def ensure_started(self, arg: StartInput) -> RestoreResult:
        """Start the container, as it was if it was up when it was pinned."""
        self.started.append(arg)
        self._enter("ensure_started")
        self.state = ContainerState.RUNNING if arg.pin.state.is_down else arg.pin.state
        return RestoreResult(
            state=self.state,
            started=True,
            started_at=self.running_since,
            name=self.name_now,
            users=self.newcomers,
            moved_ports=self.moved_ports,
        )

    @activity.defn(name="look_at_dependents", no_thread_cancel_exception=True)
    def look_at_dependents(self, arg: DependentsInput) -> Dependents:
        """Find all of them cut off."""
        self._enter("look_at_dependents")
        found = tuple(replace(one, fate=Fate.CUT_OFF) for one in arg.known.found)
        return replace(arg.known, found=found)

    @activity.defn(name="ensure_snapshot", no_thread_cancel_exception=True)
    def ensure_snapshot(self, arg: SnapshotInput) -> SnapshotResult:
        """Commit the container, and tag the image, unless this is a worker that only commits."""
        self._enter("ensure_snapshot")
        if not self.state.is_down:
            raise failure(ErrorType.NOT_STOPPED)
        image_id = "sha256:" + arg.request_id.ljust(64, "0")
        self.images.setdefault(image_id, "")
        reference = "" if self.only_commits else arg.reference
        if reference:
            self._tag(image_id, reference)
        return SnapshotResult(image_id=image_id, reference=reference, size_bytes=1_234_567)

    def _tag(self, image_id: str, reference: str) -> None:
        """Tag it within the same activity; ``faults["tag"]`` come after the commit."""
        try:
            self._enter("tag")
        except ApplicationError as error:
            told = {"image_id": image_id}
            raise ApplicationError(
                error.message, told, type=error.type, non_retryable=error.non_retryable
            ) from None
        if reference in self.taken:
            raise failure(ErrorType.REFERENCE_TAKEN, {"image_id": image_id})
        self.images[image_id] = reference

    @activity.defn(name="ensure_tag", no_thread_cancel_exception=True)
    def ensure_tag(self, arg: TagInput) -> SnapshotResult:
        """Tag the image."""
        self._enter("ensure_tag")
        if arg.while_resting and not self.state.is_down:
            raise failure(ErrorType.NOT_STOPPED)
        if arg.reference in self.taken:
            raise failure(ErrorType.REFERENCE_TAKEN)
        self.images[arg.image_id] = arg.reference
        return SnapshotResult(image_id=arg.image_id, reference=arg.reference, size_bytes=1_234_567)

    @activity.defn(name="sweep_snapshots", no_thread_cancel_exception=True)
    def sweep_snapshots(self, arg: SweepInput) -> int:
        """Remove untagged images, and one that failed with its tag."""
        self._enter("sweep_snapshots")
        self.settled = arg.settle_seconds
        untagged = [
            i
            for i, ref in self.images.items()
            if (not ref and i != arg.image_id)
            or (ref == arg.reference and (arg.any_image or i == arg.failed_image_id))
        ]
        for image_id in untagged:
            del self.images[image_id]
        return len(untagged)

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


class IsUp(threading.Event):
    """A gate that stands open, and behind which the container is up by whatever came before."""

    def __init__(self, docker: FakeDocker) -> None:
        super().__init__()
        self._docker = docker
        self.set()

    def wait(self, timeout: float | None = None) -> bool:
        """Have it up."""
        self._docker.state = ContainerState.RUNNING
        return super().wait(timeout)
