"""Is exactly what defines a workflow class inside the sandbox, and everything else shared?"""

from __future__ import annotations

import ast
import importlib
import sys
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from types import ModuleType

import pytest
from temporalio import workflow
from temporalio.worker import UnsandboxedWorkflowRunner, WorkflowInstance, WorkflowInstanceDetails
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

from tests.rigs.workers import PRODUCT_WORKFLOWS
from workflows.engine import EngineWorkflow
from workflows.sandbox import WORKFLOW_MODULES, workflow_runner

_ROOM = Path(__file__).parents[3] / "workflows"
_noted: list[dict[str, ModuleType]] = []


class NotingRunner(UnsandboxedWorkflowRunner):
    """Notes the modules of the sandbox in which Temporal calls it."""

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        """Note, then go on as usual."""
        _noted.append(dict(sys.modules.items()))
        return super().create_instance(det)


def _modules_inside(runner: SandboxedWorkflowRunner, cls: type) -> dict[str, ModuleType]:
    """List the modules that are in the sandbox after it has imported a workflow class."""
    # This module has to be shared, or the copy inside would note for itself.
    restrictions = runner.restrictions.with_passthrough_modules(__name__)
    noting = replace(runner, restrictions=restrictions, runner_class=NotingRunner)
    noting.prepare_workflow(workflow._Definition.must_from_class(cls))
    return _noted.pop()


def _defines_a_workflow(file: Path) -> bool:
    classes = (n for n in ast.walk(ast.parse(file.read_text())) if isinstance(n, ast.ClassDef))
    decorators = (ast.unparse(d) for cls in classes for d in cls.decorator_list)
    return any(d.partition("(")[0].rpartition(".")[2] == "defn" for d in decorators)


def _copied(runner: SandboxedWorkflowRunner, cls: type) -> set[str]:
    """Name the modules of the room that the sandbox has its own copies of, packages left out."""
    inside = _modules_inside(runner, cls)
    return {
        name
        for name, module in inside.items()
        if name.startswith("workflows.")
        and module is not sys.modules[name]
        and not hasattr(module, "__path__")
    }


def test_every_module_of_a_workflow_class_stays_inside() -> None:
    """The list is what is on disk: a new workflow is put on it, and nothing else is."""
    found = {
        ".".join(file.relative_to(_ROOM.parent).with_suffix("").parts)
        for file in _ROOM.rglob("*.py")
        if _defines_a_workflow(file)
    }

    assert found == set(WORKFLOW_MODULES)
    assert {cls.__module__ for cls in PRODUCT_WORKFLOWS} == found


@pytest.mark.parametrize("cls", PRODUCT_WORKFLOWS, ids=lambda cls: cls.__name__)
async def test_only_modules_of_workflow_classes_are_copied(cls: type) -> None:
    """A workflow has its own module to itself, and shares all that is not a workflow's."""
    copied = _copied(workflow_runner(), cls)

    assert cls.__module__ in copied
    assert copied <= set(WORKFLOW_MODULES)


@pytest.mark.parametrize("cls", PRODUCT_WORKFLOWS, ids=lambda cls: cls.__name__)
async def test_copying_is_noticed(cls: type) -> None:
    """The test above can fail: in Temporal's own sandbox other modules are copied too."""
    assert _copied(SandboxedWorkflowRunner(), cls) - set(WORKFLOW_MODULES)


@pytest.mark.parametrize("cls", PRODUCT_WORKFLOWS, ids=lambda cls: cls.__name__)
async def test_a_class_is_the_same_inside_and_outside(cls: type) -> None:
    """Whatever a workflow's module imports from the room is what activities and the bot know."""
    outside = vars(sys.modules[cls.__module__])
    inside = vars(_modules_inside(workflow_runner(), cls)[cls.__module__])
    shared = {
        name: value
        for name, value in outside.items()
        if getattr(value, "__module__", "").startswith("workflows.")
        and value.__module__ not in WORKFLOW_MODULES
    }

    # The record of an engine needs nothing of the room but its name.
    assert shared or cls is EngineWorkflow
    assert all(inside[name] is value for name, value in shared.items())


@pytest.mark.parametrize("name", WORKFLOW_MODULES)
def test_no_time_is_a_field_of_a_class_inside(name: str) -> None:
    """Inside the sandbox a time is of a class that the JSON converter does not know."""
    module = importlib.import_module(name)
    own = [v for v in vars(module).values() if is_dataclass(v) and v.__module__ == name]

    assert [f.name for cls in own for f in fields(cls) if "date" in str(f.type)] == []
