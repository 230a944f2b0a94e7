"""Is an operation that is made of known steps one file, and one entry of the catalogue?

The real programs run from a copy of the rooms to which such an operation was added, and nothing
else: people ask for it, approve it, and it is carried out on a real engine.
"""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from deploy.laptop.slack_server import USERS
from tests.rigs.dockerd import DockerEngine
from tests.rigs.installation import Installation
from tests.rigs.local_slack import texts
from tests.rigs.people import People
from tests.rigs.program import dockwarden
from workflows.model.names import ActionId
from workflows.model.state import RequestStatus, StepName, StepStatus

_ROOT = Path(__file__).parents[2]
_ROOMS = ("bot", "workflows", "activities")
_FILE = Path("workflows/operations/bounce.py")
_CATALOGUE = Path("workflows/operations/catalog.py")
_OPERATION = '''"""How does a container go down and up again?"""

from __future__ import annotations

from typing import Final

from workflows.model.requests import ContainerPin, OperationSpec
from workflows.model.state import RequestState
from workflows.operations import steps
from workflows.operations.operation import Operation, Option, Step


def _steps(_spec: OperationSpec, _pin: ContainerPin) -> tuple[Step, ...]:
    return (steps.STOP, steps.START_AGAIN)


def _outcome(_state: RequestState) -> str:
    return "Bounced"


BOUNCE: Final = Operation(
    kind="bounce",
    summary="Asks to let a container go down and come up.",
    example='bounce web-1 reason="to see it come back"',
    options=(Option.HOST, Option.GRACE, Option.REASON),
    steps=_steps,
    outcome=_outcome,
)
'''
#: The entry, and the import without which no name is known in Python.
_ENTRY = {
    "OPERATIONS: Final[tuple[Operation, ...]] = (\n": "    BOUNCE,\n",
    "from workflows.operations import steps\n": "from workflows.operations.bounce import BOUNCE\n",
}
_POLICIES = f"""\
[[policy]]
name = "of an earlier release"
containers = ["old-*"]
approvers = ["{USERS["bob"]}"]

[[policy]]
name = "bounces"
operations = ["bounce"]
containers = ["toy-*"]
approvers = ["{USERS["bob"]}"]
"""


@pytest.fixture(scope="module", name="code")
def _code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy the rooms, and add one operation."""
    house = tmp_path_factory.mktemp("house")
    for room in _ROOMS:
        shutil.copytree(_ROOT / room, house / room, ignore=shutil.ignore_patterns("__pycache__"))
    (house / _FILE).write_text(_OPERATION, encoding="utf-8")
    catalogue = (house / _CATALOGUE).read_text(encoding="utf-8")
    for before, line in _ENTRY.items():
        assert catalogue.count(before) == 1
        catalogue = catalogue.replace(before, before + line)
    (house / _CATALOGUE).write_text(catalogue, encoding="utf-8")
    return house


@pytest.fixture(scope="module", name="house")
async def _house(
    code: Path, engine: DockerEngine, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Installation]:
    directory = tmp_path_factory.mktemp("installation")
    async with Installation(directory, engine, policies=_POLICIES, code=code) as running:
        yield running


@pytest.fixture(name="people")
async def _people(house: Installation, engine: DockerEngine) -> AsyncIterator[People]:
    yield await People(house.slack_url, house.client, engine).arrive()
    engine.clear()


def test_it_is_one_file_and_one_entry(code: Path) -> None:
    """Nothing else of the house was touched."""
    ours = {path.relative_to(code) for path in code.rglob("*") if path.is_file()}
    changed = {
        path
        for path in ours
        if not (_ROOT / path).is_file() or (_ROOT / path).read_bytes() != (code / path).read_bytes()
    }
    before = (_ROOT / _CATALOGUE).read_text(encoding="utf-8").splitlines()
    after = (code / _CATALOGUE).read_text(encoding="utf-8").splitlines()

    assert changed == {_FILE, _CATALOGUE}
    added = [line for line in after if line not in before]
    assert added == ["from workflows.operations.bounce import BOUNCE", "    BOUNCE,"]
    assert len(after) == len(before) + len(added)


async def test_it_is_asked_for_approved_and_carried_out(
    people: People, engine: DockerEngine
) -> None:
    """Its card, its steps, its outcome and the lists know it, and the container went down and up.

    Whom its own policy does not name decides nothing about it.
    """
    container = engine.run(name="toy-1")
    before = engine.inspect(container)["State"]["StartedAt"]

    request = await people.ask('bounce toy-1 grace=3s reason="to see it come back"')
    card = texts(await people.card(request))
    listed = await people.type("bob", "requests waiting")
    await people.press("carol", request, ActionId.APPROVE)
    await people.told("carol", "you are not among the approvers of this request")
    await people.approve(request)
    state = await request.outcome()

    assert "asks to bounce toy-1 on local" in card
    assert "For the stop it gets 3 s to end by itself" in card
    assert "*Afterwards* it runs again." in card
    assert "policy `bounces`" in card
    assert f"`{request.request_id}` · bounce `toy-1` on `local`" in listed
    assert state.status is RequestStatus.SUCCEEDED
    assert state.operation.kind == "bounce"
    assert state.grace_seconds == 3
    assert [(step.name, step.status) for step in state.steps] == [
        (StepName.STOP, StepStatus.DONE),
        (StepName.START, StepStatus.DONE),
    ]
    after = engine.inspect(container)["State"]
    assert after["Status"] == "running"
    assert after["StartedAt"] > before
    assert people.images(request) == []
    assert "Bounced" in await people.until_card(request, "✅")
    assert "✅ Bounced — `toy-1` on `local`" in await people.type(
        "bob", f"status {request.request_id}"
    )
    assert f"`{request.request_id}` · bounce `toy-1` on `local`" in await people.type(
        "bob", "requests recent"
    )


async def test_the_help_and_mistakes_know_it(people: People) -> None:
    """What it does, how it is written, and which of its words was mistyped."""
    usage = "/container bounce NAME [on HOST] [grace=30s] [reason="

    assert usage in await people.type("alice", "help")
    explained = await people.type("alice", "help bounce")
    assert usage in explained
    assert "Asks to let a container go down and come up." in explained
    assert "/container bounce web-1 reason=" in explained
    assert "grace is how long" in explained
    assert "Did you mean bounce?" in await people.type("alice", "bounse toy-1")
    told = await people.type("alice", "bounce toy-1 snapshot")
    assert "“snapshot” belongs to the sub-commands stop and restart." in told
    assert "Possible here: on, grace, reason." in told


async def test_the_terminal_knows_it(code: Path) -> None:
    """Its options and no others, and an example that can be copied."""
    async with dockwarden("request", "bounce", "--help", PYTHONPATH=str(code)) as asked:
        await asked.end()
    shown = " ".join("".join(asked.lines).split())

    assert "Asks to let a container go down and come up." in shown
    assert "[--on HOST] [--grace TIME] [--reason TEXT] [--as U…]" in shown
    assert "dockwarden request bounce web-1 --reason 'to see it come back'" in shown


async def test_no_policy_of_an_earlier_release_allows_it(
    people: People, engine: DockerEngine
) -> None:
    """Who was let stop a container by an old book is not let do what is new."""
    engine.run(name="old-1")

    await people.channel.ask("alice", "bounce old-1")

    await people.told("alice", "no policy covers this operation on `old-1` on `local`")


async def test_the_policy_book_knows_its_word(code: Path, tmp_path: Path) -> None:
    """A slip in a book is answered with all words that there are, and a book without it is told."""
    book = tmp_path / "policies.toml"
    said = {}
    for word in ("bounse", "stop"):
        book.write_text(
            f'[[policy]]\nname = "a"\noperations = ["{word}"]\napprovers = ["U0B"]\n',
            encoding="utf-8",
        )
        settings = {"DOCKWARDEN_POLICIES": str(book), "PYTHONPATH": str(code)}
        async with dockwarden("check", "--only", "policies", **settings) as check:
            await check.end()
        said[word] = "".join(check.lines)

    assert 'there is no operation "bounse"; possible: bounce, stop, snapshot,' in said["bounse"]
    assert "none covers bounce, snapshot, start, restart: nobody can ask for that" in said["stop"]
