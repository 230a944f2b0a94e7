"""Can each command that README and docs/ name be typed as it stands there?

Each is read by the real parser of what it calls. What an installation begins with is carried out
here, what needs Temporal, Slack and an engine in ``tests/acceptance/test_documents.py``.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sysconfig
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from bot import cli
from bot.commands import parser as grammar
from bot.secrets import variable
from bot.settings import Settings
from bot.terminal import arguments
from tests.rigs import compose_file, documents
from tests.rigs.documents import ROOT, Block, Typed
from tests.rigs.first_machine import FirstMachine
from workflows.model.names import SEARCH_ATTRIBUTES

#: What Compose is told to do here, and the options that it has for that.
_COMPOSE = {
    "run": {"--rm"},
    "exec": set[str](),
    "up": {"-d", "--build"},
    "logs": {"--follow"},
    "restart": set[str](),
    "stop": set[str](),
    "down": {"--volumes"},
}
_OF_SLACK_ITSELF = ("/invite @dockwarden",)
_FIRST_STEPS = documents.first_steps()
#: What is typed on a further machine before its start.
_FURTHER_STEPS = [
    block
    for block in documents.blocks("sh")
    if block.text.startswith("sudo chown") and block not in _FIRST_STEPS
]
_BUILTINS = {"export", "mkdir", "openssl", "echo", "cp", "sudo"}


def _is_dockwarden(words: Sequence[str]) -> None:
    """Have the program read its own command line."""
    cli._parser().parse_args(arguments.normal(words))


def _is_make(words: Sequence[str]) -> None:
    """Have make say what it would do."""
    subprocess.run(["make", "--dry-run", *words], cwd=ROOT, capture_output=True, check=True)


def _is_docker(words: Sequence[str]) -> None:
    if words[0] != "compose":
        _takes_its_options("docker", words)
        return
    assert words[1] == "-f"
    file = (ROOT / words[2]).name
    services = compose_file.services(file)
    order, *rest = words[3:]
    while order == "--profile":
        assert f"profiles: [{rest[0]}]" in compose_file.text(file)
        order, *rest = rest[1:]
    options = [word for word in rest if word.startswith("-")]
    if order in ("run", "exec"):
        first = next(n for n, word in enumerate(rest) if not word.startswith("-"))
        options, inside = rest[:first], rest[first + 1 :]
        rest = rest[: first + 1]
        if order == "exec":
            assert inside.pop(0) == "dockwarden"
        _is_dockwarden(inside or compose_file.command(rest[-1], file))
    assert set(options) <= _COMPOSE[order]
    assert {word for word in rest if word not in options} <= set(services)


def _takes_its_options(program: str, words: Sequence[str]) -> None:
    """Have a program read its options, and do nothing: a wrong one fails before its help."""
    folders = (sysconfig.get_path("scripts"), os.defpath, "/usr/local/bin")
    found = shutil.which(program, path=":".join(folders))
    assert found, program
    ended = subprocess.run([found, *words, "--help"], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr


def _is_script(words: Sequence[str]) -> None:
    """Have a script of ours read its words, and do nothing."""
    ended = subprocess.run(
        [ROOT / words[0], *words[1:], "--help"], capture_output=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    assert f"usage: {words[0]} ".encode() in ended.stdout


_READERS: dict[str, Callable[[Sequence[str]], None]] = {
    "dockwarden": _is_dockwarden,
    "make": _is_make,
    "docker": _is_docker,
    "temporal": lambda words: _takes_its_options("temporal", words),
    "git": lambda words: _takes_its_options("git", words),
}


@pytest.mark.parametrize("command", documents.typed(), ids=str)
def test_a_command_of_a_shell_is_one(command: Typed) -> None:
    """What it calls takes it as it stands, and its variables are settings."""
    settings = {variable(field) for field in Settings.model_fields}
    given = {one.partition("=")[0] for one in (*command.variables, *command.words)}
    assert {name for name in given if name.startswith("DOCKWARDEN_")} <= settings

    program, *words = command.words
    if program == "sudo" and words[0].startswith("deploy/scripts/"):
        _is_script(words)
    elif program in _BUILTINS:
        carried_out = command.block in _FIRST_STEPS + _FURTHER_STEPS or program == "export"
        assert carried_out, "extend a test that carries it out"
    else:
        _READERS[program](words)


@pytest.mark.parametrize(
    "wrong", ["dockwarden look", "docker compose -f deploy/compose.yaml up bott"]
)
def test_a_command_that_is_none_is_found(wrong: str) -> None:
    """The readers above refuse what the program or the compose file does not have."""
    program, *words = wrong.split()
    with pytest.raises((SystemExit, AssertionError)):
        _READERS[program](words)


def test_what_is_typed_into_slack_is_understood() -> None:
    """Each line that begins with a slash is a command of Slack's own, or one of ours."""
    lines = [line for block in documents.blocks("") for line in block.text.splitlines()]
    lines += [text for _, text in documents.inline() if "…" not in text]
    ours = [line for line in lines if line.startswith("/container ")]
    assert len(ours) > 5
    for line in ours:
        grammar.parse(line.removeprefix("/container "), default_host="local")
    others = {line for line in lines if re.match(r"/[a-z]+ ", line)} - set(ours)
    assert others == set(_OF_SLACK_ITSELF)


def test_what_is_named_in_a_sentence_exists() -> None:
    """Targets of make and commands of the program that stand in the text are there."""
    named = [text.split() for _, text in documents.inline() if "…" not in text]
    targets = {words[1] for words in named if words[0] == "make" and len(words) > 1}
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert targets
    assert targets <= set(re.findall(r"^([a-z-]+):", makefile, re.M))
    for words in named:
        if words[0] == "dockwarden" and len(words) > 1 and not set(words) & {"NAME", "ID"}:
            with pytest.raises(SystemExit) as ended:
                _is_dockwarden([*words[1:], "--help"])
            assert ended.value.code == 0, words


def test_the_attributes_that_a_list_is_searched_by_exist() -> None:
    """A query for Temporal's own list names what the workflows set."""
    (query,) = (b.text for b in documents.blocks("") if "WorkflowType" in b.text)
    assert re.findall(r"Dockwarden[A-Z]\w+", query) == [SEARCH_ATTRIBUTES[0].name]


def test_the_first_steps_leave_what_compose_wants(tmp_path: Path) -> None:
    """Typed as they stand, they make each file that the compose file names, and no other."""
    shutil.copytree(ROOT / "deploy", tmp_path / "deploy", ignore=shutil.ignore_patterns("laptop"))
    before = _files(tmp_path)
    socket = tmp_path / "docker.sock"
    socket.touch()
    _give_sudo(tmp_path)
    making, closing = _FIRST_STEPS
    _bash(making, tmp_path, socket)
    for name in ("slack_bot_token", "slack_app_token"):
        (tmp_path / "deploy" / "secrets" / name).write_text("a token", encoding="utf-8")
    _bash(closing, tmp_path, socket)

    wanted = re.findall(r"^    file: (.*)$", compose_file.text(), re.M)
    assert {f"deploy/{name}" for name in (*wanted, "policies.toml", ".env")} == (
        _files(tmp_path) - before - {"docker.sock", "sudo"}
    )
    asked = set(re.findall(r"\$\{(\w+):\?", compose_file.text()))
    env = (tmp_path / "deploy" / ".env").read_text(encoding="utf-8")
    assert set(re.findall(r"^(\w+)=\w+$", env, re.M)) == asked
    key = (tmp_path / "deploy" / "secrets" / "seal_key").read_text(encoding="utf-8")
    assert len(key.strip()) == 64
    if os.geteuid() == 0:
        made = [tmp_path / "deploy" / name for name in wanted]
        assert {(file.stat().st_uid, file.stat().st_mode & 0o777) for file in made} == {
            (10001, 0o400)
        }


def test_the_further_machine_gets_what_compose_wants(tmp_path: Path) -> None:
    """What host.sh makes, copied into a clone there, and the steps there, leave what is named."""
    made = FirstMachine(tmp_path / "first").made_for("edge", "192.0.2.1")
    there = tmp_path / "there"
    shutil.copytree(made, there / "deploy")
    (there / "docker.sock").touch()
    _give_sudo(there)
    (steps,) = _FURTHER_STEPS
    _bash(steps, there, there / "docker.sock")

    text = compose_file.text(compose_file.FURTHER)
    wanted = {f"deploy/{name}" for name in re.findall(r"^    file: (.*)$", text, re.M)}
    assert _files(there) == wanted | {"deploy/.env", "docker.sock", "sudo"}
    env = (there / "deploy" / ".env").read_text(encoding="utf-8")
    assert set(re.findall(r"^(\w+)=\S+$", env, re.M)) == set(re.findall(r"\$\{(\w+):\?", text))


def _give_sudo(folder: Path) -> None:
    """Who is not root here cannot give files away, and is not asked for a password."""
    (folder / "sudo").write_text('#!/bin/sh\n[ "$(id -u)" != 0 ] || exec "$@"\n')
    (folder / "sudo").chmod(0o755)


def _bash(block: Block, folder: Path, socket: Path) -> None:
    subprocess.run(
        ["bash", "-eu", "-c", block.text.replace("/var/run/docker.sock", str(socket))],
        cwd=folder,
        env={"PATH": f"{folder}:{os.defpath}"},
        check=True,
    )


def _files(folder: Path) -> set[str]:
    return {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()}
