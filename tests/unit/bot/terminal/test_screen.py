"""Who sits here, and what if nobody reads what a command says?"""

from __future__ import annotations

import json
import os
import pwd
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bot.terminal import who
from bot.terminal.exits import Exit
from bot.terminal.screen import Screen
from bot.terminal.who import this_terminal


def test_the_user_is_the_systems_whatever_the_environment_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Variables that whoever sits here can set name nobody."""
    for name in ("USER", "LOGNAME", "SUDO_USER", "USERNAME", "HOSTNAME"):
        monkeypatch.setenv(name, "somebody-else")
    terminal = this_terminal()
    assert terminal.user == pwd.getpwuid(os.getuid()).pw_name
    assert "somebody-else" not in (terminal.host, terminal.user, terminal.logged_in_as)
    assert terminal.is_named


@pytest.mark.parametrize(
    ("login", "logged_in_as"),
    [
        (str(os.getuid()), ""),
        ("1", "daemon" if os.getuid() != 1 else ""),
        ("4294967295", ""),
        ("rubbish", ""),
        ("3999999999", "uid-3999999999"),
    ],
)
def test_who_logged_in_is_told_where_it_is_another(
    login: str, logged_in_as: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The kernel's own word, which a change of the user does not change."""
    file = tmp_path / "loginuid"
    file.write_text(login, encoding="ascii")
    monkeypatch.setattr(who, "_LOGIN", file)
    assert this_terminal().logged_in_as == logged_in_as
    monkeypatch.setattr(who, "_LOGIN", tmp_path / "none")
    assert this_terminal().logged_in_as == ""


@pytest.mark.parametrize("name", ["", "a b", "<!here>", "x" * 300, "\x1b[0m", "ü", "DOM\\olga"])
def test_a_host_has_a_name_that_a_request_takes(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the machine is called."""
    monkeypatch.setattr(who.socket, "gethostname", lambda: name)
    host = this_terminal().host
    assert re.fullmatch(r"[A-Za-z0-9_.@+-]{1,64}", host)


def test_scripts_find_one_object_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    """What happens meanwhile, and the mistake, stand beside it."""
    screen = Screen(as_json=True)
    screen.tell("noted")
    assert screen.end(Exit.NOT_DONE, ["a table"], error="no", request=None) is Exit.NOT_DONE
    told = capsys.readouterr()
    assert json.loads(told.out) == {"exit": 1, "error": "no", "request": None}
    assert told.err == "noted\ndockwarden: no\n"


def test_people_find_mistakes_apart(capsys: pytest.CaptureFixture[str]) -> None:
    """A table can go into a pipe while a mistake is read."""
    screen = Screen(as_json=False)
    screen.tell("noted")
    screen.end(Exit.NOT_DONE, ["a table"], error="no")
    assert capsys.readouterr() == ("noted\na table\n", "dockwarden: no\n")


@pytest.mark.parametrize("as_json", [False, True])
def test_a_pipe_that_is_closed_early_ends_nothing(*, as_json: bool) -> None:
    """No trace, no complaint, and the status of what was done."""
    code = (
        "from bot.terminal.screen import Screen\n"
        "from bot.terminal.exits import Exit\n"
        "import sys\n"
        f"screen = Screen(as_json={as_json})\n"
        "screen.tell('x' * 100_000)\n"
        "sys.exit(screen.end(Exit.NEEDS_PERSON, ['y' * 100_000] * 10, padding='z' * 1_000_000))\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    complaints = process.stderr.read().decode().replace("x" * 100_000 + "\n", "")
    process.stderr.close()
    assert (process.wait(30), complaints) == (Exit.NEEDS_PERSON, "")
