"""Is an operation one unit: does nobody but its own file ask which one it is?"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path

import pytest

from tests.rigs.every_case import every_case
from tests.unit.activities.slack.card_parts import PIN, STOPPED_PIN
from workflows.model.requests import ContainerState, OperationSpec
from workflows.operations import catalog
from workflows.operations.operation import Operation, Step

_HOUSE = Path(__file__).parents[4]
_ROOMS = ("activities", "bot", "workflows")
_HOME = _HOUSE / "workflows" / "operations"
#: Names under which an operation, as it was asked for, goes.
_SPECS = re.compile(r"(?:^|[._])(?:operation|spec)$")
#: Where it is lawful all the same, and why.
_LAWFUL = {
    # Reads what came over the wire, of which nothing may be taken for granted.
    "workflows/request/validation.py": {"operation.snapshot"},
    # Writes down for a script what was asked for, as it was asked for.
    "bot/terminal/objects.py": {"state.operation.snapshot"},
}
_GAPS = {"name", "grace", "reference"}
_PINS = (PIN, STOPPED_PIN, replace(PIN, state=ContainerState.PAUSED))


def questions(code: str) -> Iterator[str]:
    """Find where code asks which operation it is, or whether it was asked for with a snapshot."""
    for node in ast.walk(ast.parse(code)):
        match node:
            case ast.Attribute(attr="snapshot", value=value) if _is_spec(value):
                yield ast.unparse(node)
            case ast.Compare(left=left, comparators=others):
                # Whether two requests are about the same says nothing of either.
                about_kind = [_is_kind(side) for side in (left, *others)]
                if any(about_kind) and not all(about_kind):
                    yield ast.unparse(node)
            case ast.Match(subject=subject) if _is_kind(subject):
                yield ast.unparse(subject)
            case ast.Subscript(slice=index) if _is_kind(index):
                yield ast.unparse(node)


def _is_spec(node: ast.expr) -> bool:
    return bool(_SPECS.search(ast.unparse(node)))


def _is_kind(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == "kind" and _is_spec(node.value)


def _files() -> list[Path]:
    return [
        path
        for room in _ROOMS
        for path in sorted((_HOUSE / room).rglob("*.py"))
        if _HOME not in path.parents
    ]


@every_case("file", _files())
def test_nobody_else_asks_which_operation_it_is(file: Path) -> None:
    """What differs between operations is data of theirs, and no other file names one."""
    lawful = _LAWFUL.get(str(file.relative_to(_HOUSE)), set())

    assert set(questions(file.read_text(encoding="utf-8"))) <= lawful


@pytest.mark.parametrize("path", _LAWFUL)
def test_what_is_lawful_is_there(path: str) -> None:
    """An exception that is needed no more is no exception any more."""
    found = set(questions((_HOUSE / path).read_text(encoding="utf-8")))

    assert found == _LAWFUL[path]


@pytest.mark.parametrize(
    "code",
    [
        "if state.operation.kind == 'stop': ...",
        "x = spec.kind is START.kind",
        "x = request.operation.kind in ('stop', 'snapshot')",
        "if self._tracker.state.operation.snapshot: ...",
        "x = not asked_spec.snapshot",
        "match operation.kind:\n  case 'stop': ...",
        "x = WORDS[state.operation.kind]",
    ],
)
def test_a_question_is_found(code: str) -> None:
    """The search finds each way of asking."""
    assert list(questions(code))


@pytest.mark.parametrize(
    "code",
    [
        "x = state.snapshot is not None",
        "x = entry.kind is ThreadKind.PAGE",
        "x = catalog.find(state.operation.kind)",
        "x = state.operation.kind != request.operation.kind",
        "x = OperationSpec(kind='stop', snapshot=True)",
    ],
)
def test_what_is_no_question_is_left_alone(code: str) -> None:
    """The image that was made, and kinds of other things, are other matters."""
    assert list(questions(code)) == []


@pytest.mark.parametrize("operation", catalog.OPERATIONS, ids=lambda operation: operation.kind)
def test_every_operation_has_words_without_mark_up(operation: Operation) -> None:
    """What a door shows of an operation and its steps is plain; only the known gaps are filled."""
    told = [operation.summary, operation.with_snapshot, operation.stays_done]
    for spec in (
        OperationSpec(kind=operation.kind),
        OperationSpec(kind=operation.kind, snapshot=True),
    ):
        for step in (step for pin in _PINS for step in operation.steps(spec, pin)):
            assert all((step.to_do, step.doing, step.done, step.plan))
            assert set(re.findall(r"{(\w*)}", step.plan)) <= _GAPS
            values = [getattr(step, field.name) for field in fields(Step)]
            told += [value for value in values if isinstance(value, str)]

    assert not any(re.search(r"[*`<>]", words) for words in told)


@pytest.mark.parametrize("operation", catalog.OPERATIONS, ids=lambda operation: operation.kind)
def test_only_what_leaves_a_container_down_has_a_way_back(operation: Operation) -> None:
    """The final card of a stop offers a start, and no other card does."""
    way_back = catalog.way_back(OperationSpec(kind=operation.kind, snapshot=True))

    assert way_back == (OperationSpec(kind="start") if operation.leaves_down else None)


@pytest.mark.parametrize("operation", catalog.OPERATIONS, ids=lambda operation: operation.kind)
def test_what_makes_no_snapshot_comes_next_to_it(operation: Operation) -> None:
    """Where none can be made, people are told what they can ask for instead."""
    instead = catalog.without_snapshot(OperationSpec(kind=operation.kind, snapshot=True))

    assert not catalog.makes_image(instead)
    assert instead.kind == ("stop" if operation.always_snapshots else operation.kind)
