"""Does the house still stand as it was drawn?"""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from temporalio import activity

from activities.docker import containers, dependents, snapshots
from activities.policies import judge
from activities.slack import directory, messages
from activities.temporal import askers, queues, stuck, visibility as ledger
from tests.rigs.every_case import every_case
from workflows.model import (
    asker_ports,
    dependent_ports,
    policy_ports,
    ports,
    queue_ports,
    start_ports,
    watchdog_ports,
)

ROOT = Path(__file__).parents[2]
ROOMS = ("bot", "workflows", "activities")
PORTS = {
    ports.ContainersPort: containers.Containers,
    start_ports.StartPort: containers.Containers,
    ports.SnapshotsPort: snapshots.Snapshots,
    ports.MessagesPort: messages.Messages,
    ports.DirectoryPort: directory.Directory,
    ports.VisibilityPort: ledger.Visibility,
    queue_ports.QueuesPort: queues.Queues,
    asker_ports.AskersPort: askers.Askers,
    watchdog_ports.WatchdogPort: stuck.Watchdog,
    dependent_ports.DependentsPort: dependents.DependentsLook,
    policy_ports.PolicyPort: judge.Judge,
}
LONGEST, SHORTEST = 400, 60
#: Short, and used once; but no part of the file beside it, which only reads.
_SHORT_ALL_THE_SAME = {ROOT / "activities" / "temporal" / "schedules.py"}
DRAWERS = {"utils.py", "helpers.py", "common.py", "manager.py", "base.py"}


#: For each contract: a file, mostly one that is new to the house, and what it imports there.
BREACHES = {
    "core": [
        ("workflows/model/new.py", "import docker"),
        ("workflows/request/new.py", "from bot.settings import Settings"),
        ("workflows/new.py", "from activities.slack import card"),
    ],
    "core-layers": [
        ("workflows/model/new.py", "from workflows.request.review import Review"),
        ("workflows/execution/new.py", "from workflows.request.planning import plan"),
        ("workflows/model/newer.py", "from workflows.card_updates import CardUpdater"),
    ],
    "one-way-through-a-request": [
        ("workflows/request/operation_handle.py", "from workflows.request.review import Review"),
        ("workflows/request/review.py", "from workflows.request.operation_handle import f"),
        ("workflows/request/inbox.py", "from workflows.request.review import Review"),
    ],
    "activities-import-the-model": [
        ("activities/slack/new.py", "from workflows.execution.steps import StepRunner"),
        ("activities/docker/new.py", "from workflows.failures import error_type"),
        ("activities/new.py", "from bot.settings import Settings"),
    ],
    "activities-stand-alone": [
        ("activities/docker/new.py", "from activities.slack.mrkdwn import code"),
        ("activities/slack/new.py", "from activities.temporal.visibility import Visibility"),
        ("activities/azure/new.py", "from activities.docker.engine import Engine"),
    ],
    "bot": [
        ("bot/slack/new.py", "from activities.slack import card"),
        ("bot/new.py", "import docker"),
    ],
    "no-door-in-the-service": [
        ("bot/temporal/new.py", "from bot.slack import replies"),
        ("bot/commands/new.py", "import slack_sdk"),
        ("bot/commands/newer.py", "from bot.terminal.screen import Screen"),
    ],
    "bot-layers": [
        ("bot/temporal/new.py", "from bot.service import Service"),
        ("bot/slack/new.py", "from bot.cli import run"),
        ("bot/slack/newer.py", "from bot.terminal.screen import Screen"),
        ("bot/terminal/new.py", "from bot.slack import replies"),
    ],
    "docker-library": [
        ("activities/slack/new.py", "from docker.errors import DockerException"),
        ("workflows/new.py", "import docker"),
    ],
    "slack-library": [
        ("activities/docker/new.py", "import slack_sdk"),
        ("bot/new.py", "from slack_sdk.errors import SlackApiError"),
    ],
    "bolt-library": [
        ("activities/slack/new.py", "import slack_bolt"),
        ("activities/new.py", "import pydantic_settings"),
    ],
    "no-circles": [
        ("workflows/failures.py", "from workflows import reconcile"),
        ("activities/docker/errors.py", "from activities.docker import engine"),
        ("bot/settings.py", "from bot import check"),
    ],
}


def _sources() -> list[Path]:
    return [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]


def _lint(house: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [Path(sys.executable).with_name("lint-imports"), "--no-cache", *arguments]
    return subprocess.run(
        command, cwd=house, env={"COLUMNS": "500"}, capture_output=True, text=True, check=False
    )


def test_import_law_holds() -> None:
    """Rooms import only what the contracts in pyproject.toml allow."""
    result = _lint(ROOT)

    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("contract", BREACHES)
def test_import_law_can_be_broken(contract: str, tmp_path: Path) -> None:
    """Each contract names every file of a copy that breaks it; without them the copy keeps it."""
    for room in ROOMS:
        shutil.copytree(ROOT / room, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for path, line in BREACHES[contract]:
        file = tmp_path / path
        file.parent.mkdir(exist_ok=True)
        (file.parent / "__init__.py").touch()
        with file.open("a", encoding="utf-8") as text:
            text.write(f"{line}\n")

    result = _lint(tmp_path, "--contract", contract)

    assert result.returncode == 1, result.stdout
    assert "0 kept, 1 broken" in result.stdout
    for path, _ in BREACHES[contract]:
        assert _complaint(contract, path) in result.stdout


def _complaint(contract: str, path: str) -> str:
    module = path.removesuffix(".py").replace("/", ".")
    if contract == "no-circles":
        return f"No cycles are allowed in {module.rpartition('.')[0]}."
    return f"{module} -> "


def test_every_contract_is_tried() -> None:
    """No contract is forgotten by the test above, and none lists files."""
    law = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = law["tool"]["importlinter"]["contracts"]

    assert {contract["id"] for contract in contracts} == set(BREACHES)


#: A command, or a tool, of one provider; a "docker worker" is a process of ours.
_OF_ONE_PROVIDER = re.compile(r"docker (?!worker)|dockerd|podman|journalctl|systemctl", re.I)
_SHOWS_PEOPLE = ("activities/slack", "bot/slack", "bot/terminal", "workflows/operations")


def _spoken(file: Path) -> list[str]:
    """List the texts of a file that can be shown to people."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    explained = {
        node.body[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    texts = (node for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return [text.value for text in texts if isinstance(text.value, str) and text not in explained]


def test_who_shows_a_container_knows_no_provider() -> None:
    """What Docker calls it, and what to run for it, is said by Docker's own folder."""
    files = [file for room in _SHOWS_PEOPLE for file in sorted((ROOT / room).rglob("*.py"))]
    told = {file: _spoken(file) for file in [*files, ROOT / "workflows/model/words.py"]}

    assert {
        str(f): t for f, texts in told.items() for t in texts if _OF_ONE_PROVIDER.search(t)
    } == {}
    advice = _spoken(ROOT / "activities/docker/advice.py")
    assert any(_OF_ONE_PROVIDER.search(text) for text in advice), "the search finds what there is"


def test_the_law_speaks_of_folders() -> None:
    """A contract names rooms, folders and the few files that put the house together."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    law = text[text.index("[tool.importlinter]") :]
    named = set(re.findall(r"\b(?:bot|workflows|activities)(?:\.[a-z_]+)+", law))
    files = {name for name in named if (ROOT / f"{name.replace('.', '/')}.py").is_file()}

    assert files <= {
        *("activities.worker", "activities.checks"),
        *("bot.cli", "bot.check", "bot.book_check", "bot.service"),
    }


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
    files = (ROOT / "workflows" / "model").glob("*ports.py")
    modules = [importlib.import_module(f"workflows.model.{file.stem}") for file in files]
    classes = [found for m in modules for found in inspect.getmembers(m, inspect.isclass)]
    assert {cls for name, cls in classes if name.endswith("Port")} == set(PORTS)


@every_case("path", _sources())
def test_file_keeps_to_the_house_rules(path: Path) -> None:
    """Files say which question they answer, are neither long nor fragments, and no drawers."""
    text = path.read_text(encoding="utf-8")
    assert ast.get_docstring(ast.parse(text)), "the module says what question it answers"
    assert path.name not in DRAWERS
    lines = len(text.splitlines())
    assert lines <= LONGEST
    may_be_short = (
        path.name == "__init__.py"
        or path.parent == ROOT / "workflows" / "operations"
        or path in _SHORT_ALL_THE_SAME
    )
    assert lines >= SHORTEST or may_be_short or len(_importers(path)) >= 2, "a fragment"


def _importers(path: Path) -> list[Path]:
    """Find the files that import a file: what is short must be a leaf that others share."""
    package = ".".join(path.parent.relative_to(ROOT).parts)
    statement = re.compile(
        rf"^\s*from (?:{package}\.{path.stem} import|{package} import .*\b{path.stem}\b)", re.M
    )
    files = [*_sources(), *(ROOT / "tests").rglob("*.py")]
    return [file for file in files if statement.search(file.read_text(encoding="utf-8"))]


def test_only_the_settings_read_the_environment() -> None:
    """One place reads the environment, so one place documents it."""
    readers = {
        path.relative_to(ROOT)
        for path in _sources()
        if any(word in path.read_text() for word in ("os.environ", "os.getenv", "environb"))
    }
    assert readers <= {Path("bot/settings.py")}
