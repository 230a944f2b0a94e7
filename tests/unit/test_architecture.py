"""Does the house still stand as it was drawn?"""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from pathlib import Path

import pytest
from temporalio import activity

from activities.docker import containers, snapshots
from activities.slack import directory, messages
from activities.temporal import visibility as ledger
from workflows.model import ports

ROOT = Path(__file__).parents[2]
ROOMS = ("bot", "workflows", "activities")
PORTS = {
    ports.ContainersPort: containers.Containers,
    ports.SnapshotsPort: snapshots.Snapshots,
    ports.MessagesPort: messages.Messages,
    ports.DirectoryPort: directory.Directory,
    ports.VisibilityPort: ledger.Visibility,
}
DRAWERS = {"utils.py", "helpers.py", "common.py", "manager.py", "base.py"}


def _sources() -> list[Path]:
    return [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]


def test_import_law_holds() -> None:
    """Rooms import only what the contracts in pyproject.toml allow."""
    command = [Path(sys.executable).with_name("lint-imports"), "--no-cache"]

    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert result.returncode == 0, result.stdout


def test_import_law_can_be_broken(tmp_path: Path) -> None:
    """The law is a test that can fail: a core that imports Docker breaks it."""
    for room in ROOMS:
        (tmp_path / room).mkdir()
        (tmp_path / room / "__init__.py").write_text("")
    (tmp_path / "workflows" / "policy.py").write_text("import docker\n")
    contract = (
        '[tool.importlinter]\nroot_packages = ["workflows"]\ninclude_external_packages = true\n'
        '[[tool.importlinter.contracts]]\nname = "core"\ntype = "forbidden"\n'
        'source_modules = ["workflows"]\nforbidden_modules = ["docker"]\n'
    )
    (tmp_path / "pyproject.toml").write_text(contract)
    command = [Path(sys.executable).with_name("lint-imports"), "--no-cache"]

    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert result.returncode == 1, result.stdout


@pytest.mark.parametrize("port", PORTS, ids=lambda port: port.__name__)
def test_every_port_is_implemented_under_its_own_names(port: type) -> None:
    """What a workflow names is what an activity answers to."""
    implementation = PORTS[port]
    assert issubclass(implementation, port)
    for name, stub in inspect.getmembers(port, inspect.isfunction):
        if name.startswith("_"):
            continue
        wanted = activity._Definition.must_from_callable(stub)
        found = activity._Definition.from_callable(getattr(implementation, name))
        assert found is not None, f"{implementation.__name__}.{name} is no activity"
        assert found.name == wanted.name
        assert found.arg_types == wanted.arg_types


def test_every_port_is_walked() -> None:
    """No port is forgotten by the test above."""
    classes = inspect.getmembers(ports, inspect.isclass)
    assert {cls for name, cls in classes if name.endswith("Port")} == set(PORTS)


@pytest.mark.parametrize("path", _sources(), ids=lambda path: str(path.relative_to(ROOT)))
def test_file_keeps_to_the_house_rules(path: Path) -> None:
    """Files answer one question: they say which, stay small, and are no drawers."""
    tree = ast.parse(path.read_text())
    assert ast.get_docstring(tree), "the module says what question it answers"
    assert path.name not in DRAWERS
    assert len(path.read_text().splitlines()) <= 400


def test_only_the_settings_read_the_environment() -> None:
    """One place reads the environment, so one place documents it."""
    readers = {
        path.relative_to(ROOT)
        for path in _sources()
        if any(word in path.read_text() for word in ("os.environ", "os.getenv", "environb"))
    }
    assert readers <= {Path("bot/settings.py")}
