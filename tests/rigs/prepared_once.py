"""How does a test's worker come up fast, in the same sandbox as in production?

A worker tries each workflow in the sandbox before it starts: it imports all anew and throws the
try away. That is half the cost of a short test, and its outcome is the same for all workers of
one process. Instances are made as they always are.
"""

from __future__ import annotations

from typing import Any

from temporalio.worker import WorkflowInstance, WorkflowInstanceDetails, WorkflowRunner

_tried: set[type] = set()


class PreparedOnce(WorkflowRunner):
    """Tries each workflow once in a process, and leaves all else to ``runner``."""

    def __init__(self, runner: WorkflowRunner) -> None:
        self._runner = runner

    def prepare_workflow(self, defn: Any) -> None:
        """Try a workflow that was not tried before."""
        if defn.cls not in _tried:
            self._runner.prepare_workflow(defn)
            _tried.add(defn.cls)

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        """Make an instance in the sandbox."""
        return self._runner.create_instance(det)

    def set_worker_level_failure_exception_types(self, types: Any) -> None:
        """Hand on which errors fail a workflow."""
        self._runner.set_worker_level_failure_exception_types(types)
