"""How does a test run the activities of one host, attempt by attempt?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.docker.capacity import SnapshotCapacity
from activities.docker.containers import Containers
from activities.docker.dependents import DependentsLook
from activities.docker.engine import Engine
from activities.docker.guard import Guard
from activities.docker.protection import Protection
from activities.docker.snapshots import Snapshots
from activities.docker.underway import Underway
from workflows.model.names import OPERATION_WORKFLOW, operation_workflow_id
from workflows.model.ports import (
    InspectInput,
    SnapshotInput,
    StopInput,
    SweepInput,
    TagInput,
)
from workflows.model.requests import ContainerPin, ContainerRef
from workflows.model.start_ports import RestoreInput, StartInput
from workflows.model.timing import TIMING

HOST = "local"
REQUEST = "0123456789ab"
#: Waits cut short, so that the tests are quick; nothing depends on their length.
QUICK = replace(TIMING, verify_running=0, verify_health=8, commit_settle=2)

_In = TypeVar("_In")
_Out = TypeVar("_Out")


class DockerWorker:
    """The activities of one host, with their inputs made from little."""

    def __init__(
        self,
        base_url: str,
        *,
        protection: Protection | None = None,
        capacity: SnapshotCapacity | None = None,
        **timing: Any,
    ) -> None:
        self.engine = Engine(
            base_url=base_url,
            host=HOST,
            protection=protection or Protection(),
            timing=replace(QUICK, **timing),
        )
        guard, self.underway = Guard(HOST), Underway()
        self.containers = Containers(self.engine, guard, capacity, underway=self.underway)
        self.snapshots = Snapshots(self.engine, guard, underway=self.underway)
        self.dependents = DependentsLook(self.engine, guard)

    def pin(self, container: str) -> ContainerPin:
        """Pin a container as the inspection does."""
        return self.engine.container(container).pin(self.engine.facts().engine_id)

    def inspect(self, name: str, **fields: Any) -> InspectInput:
        """Ask for the inspection of a name."""
        return InspectInput(container=ContainerRef(host=HOST, name=name), **fields)

    def stop(self, pin: ContainerPin, *, grace: int = 5, untouched: bool = True) -> StopInput:
        """Ask for a stop."""
        return StopInput(pin=pin, grace_seconds=grace, expect_untouched=untouched)

    def commit(
        self, pin: ContainerPin, request: str = REQUEST, reference: str = ""
    ) -> SnapshotInput:
        """Ask for a snapshot, with its tag if a reference is given."""
        return SnapshotInput(pin=pin, request_id=request, reference=reference)

    def tag(self, pin: ContainerPin, image: str, reference: str = "team/web:before") -> TagInput:
        """Ask for a tag."""
        return TagInput(pin=pin, request_id=REQUEST, image_id=image, reference=reference)

    def sweep(self, pin: ContainerPin, keep: str = "", **changes: Any) -> SweepInput:
        """Make the argument of a sweep that keeps one image, or none."""
        arg = SweepInput(pin=pin, request_id=REQUEST, image_id=keep, reference="team/web:before")
        return replace(arg, **changes)

    def start(self, pin: ContainerPin, *, settle: int = 1) -> StartInput:
        """Ask for a start."""
        return StartInput(pin=pin, settle_seconds=settle)

    def put_back(self, pin: ContainerPin, *, settle: int = 1) -> RestoreInput:
        """Ask for a container to be put back."""
        return RestoreInput(pin=pin, settle_seconds=settle)


class Attempts:
    """The attempts of one activity, each told what the one before it left in its heartbeat."""

    def __init__(self) -> None:
        self.number = 0
        self.details: Sequence[Any] = ()
        self.beats: list[tuple[Any, ...]] = []

    def run(self, activity: Callable[[_In], _Out], arg: _In) -> _Out:
        """Run the next attempt."""
        environment = ActivityEnvironment()
        self.number += 1
        info = replace(environment.info, attempt=self.number, heartbeat_details=list(self.details))
        if pin := getattr(arg, "pin", None):
            # What changes a container is asked for by the operation of that container.
            operation = operation_workflow_id(HOST, pin.container_id)
            info = replace(info, workflow_type=OPERATION_WORKFLOW, workflow_id=operation)
        environment.info = info
        environment.on_heartbeat = self._beat
        return environment.run(activity, arg)

    def fail(self, activity: Callable[[_In], Any], arg: _In) -> ApplicationError:
        """Run the next attempt, which must fail, and give its error."""
        with pytest.raises(ApplicationError) as caught:
            self.run(activity, arg)
        assert caught.value.__cause__ is None
        assert caught.value.__context__ is None
        return caught.value

    def lose(self) -> None:
        """Pretend that an attempt ended with its worker: it left no word."""
        self.number += 1
        self.details = ()

    def _beat(self, *details: Any) -> None:
        self.beats.append(details)
        self.details = details


def run(activity: Callable[[_In], _Out], arg: _In) -> _Out:
    """Run an activity that succeeds at once."""
    return Attempts().run(activity, arg)


def fail(activity: Callable[[_In], Any], arg: _In) -> ApplicationError:
    """Run an activity that fails at once, and give its error."""
    return Attempts().fail(activity, arg)
