"""In which sandbox does the workflow code run?

The modules that only hold data are shared with the worker instead of being imported again for
each workflow: inside the sandbox ``datetime`` is a stand-in, which the JSON converter does not
know as the type of a field.
"""

from __future__ import annotations

from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

_DATA_MODULES = (
    "workflows.model.ports",
    "workflows.model.ports",
    "workflows.model.errors",
    "workflows.model.requests",
    "workflows.model.ports",
    "workflows.model.state",
)


def workflow_runner() -> SandboxedWorkflowRunner:
    """Make the runner for workers and replayers."""
    restrictions = SandboxRestrictions.default.with_passthrough_modules(*_DATA_MODULES)
    return SandboxedWorkflowRunner(restrictions=restrictions)
