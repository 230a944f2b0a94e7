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
- In a shared module the sandbox forbids neither the clock nor chance, and a value that changes
  is seen by all workflows. ``tests/unit/workflows/test_determinism.py`` forbids both instead.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

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


def workflow_runner() -> SandboxedWorkflowRunner:
    """Make the runner for workers and replayers."""
    restrictions = SandboxRestrictions.default.with_passthrough_modules(*_shared_modules())
    return SandboxedWorkflowRunner(restrictions=restrictions)


def _shared_modules() -> Iterator[str]:
    for file in _ROOM.rglob("*.py"):
        path = file.relative_to(_ROOM.parent).with_suffix("")
        name = ".".join(path.parts).removesuffix(".__init__")
        if not any(f"{inside}.".startswith(f"{name}.") for inside in WORKFLOW_MODULES):
            yield name
