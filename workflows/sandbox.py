"""Which modules does each workflow get a copy of its own of, and which do all share?

Temporal's sandbox imports what is not passed through anew for every workflow that is in memory,
and a request waits there for days. So only the modules of the workflow classes themselves, the
way in, are watched by the sandbox; everything else of this room exists once in a process. Three
things follow:

- A waiting request costs a quarter of the memory and a third of the time that it would cost
  with copies of all modules (``tests/integration/workflows/test_memory.py``).
- A class is the same inside and outside, and ``datetime`` is itself: inside the sandbox it is a
  stand-in, which the JSON converter does not know as the type of a field. A module that stays
  inside must therefore define no such field.
- Temporal asks each workflow for each of its payloads what a converter should know of where that
  goes, and enters the sandbox for it, which costs more than the workflow's own work. Ours takes no
  notice of it, so it is answered out here.
- In a shared module the sandbox forbids neither the clock nor chance, and a value that changes
  is seen by all workflows. ``tests/unit/workflows/test_determinism.py`` forbids both instead.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.converter import StorageDriverStoreContext
from temporalio.worker import WorkflowInstance, WorkflowInstanceDetails
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions
from temporalio.workflow import Info

_ROOM = Path(__file__).parent

#: The modules that define a workflow class. They stay inside, and so do the packages they are in:
#: Temporal passes all of a package through, or its modules one by one.
WORKFLOW_MODULES = (
    "workflows.engine",
    "workflows.execution.workflow",
    "workflows.host_query",
    "workflows.last_word",
    "workflows.reconcile",
    "workflows.request.workflow",
)


class _Instance(WorkflowInstance):
    """A workflow in its sandbox, whose payloads go the same way wherever they go."""

    def __init__(self, sandboxed: WorkflowInstance) -> None:
        self._sandboxed = sandboxed

    def activate(self, act: WorkflowActivation) -> WorkflowActivationCompletion:
        """Do what is to be done, in the sandbox."""
        return self._sandboxed.activate(act)

    def get_serialization_context(self, command_info: object) -> None:
        """Say that nothing is to be known of a payload."""

    def get_external_store_context(self, command_info: object) -> StorageDriverStoreContext:  # noqa: ARG002
        """Say the same of where large payloads are kept: nowhere else."""
        return StorageDriverStoreContext()

    def get_info(self) -> Info:
        """Say which workflow it is."""
        return self._sandboxed.get_info()

    def get_thread_id(self) -> int | None:
        """Say in which thread it is at work, for one that takes too long."""
        return self._sandboxed.get_thread_id()


class _Runner(SandboxedWorkflowRunner):
    """Temporal's runner, with payloads answered for outside."""

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        """Make a workflow in its sandbox."""
        return _Instance(super().create_instance(det))


def workflow_runner() -> SandboxedWorkflowRunner:
    """Make the runner for workers and replayers."""
    restrictions = SandboxRestrictions.default.with_passthrough_modules(*_shared_modules())
    return _Runner(restrictions=restrictions)


def _shared_modules() -> Iterator[str]:
    for file in _ROOM.rglob("*.py"):
        path = file.relative_to(_ROOM.parent).with_suffix("")
        name = ".".join(path.parts).removesuffix(".__init__")
        if not any(f"{inside}.".startswith(f"{name}.") for inside in WORKFLOW_MODULES):
            yield name
