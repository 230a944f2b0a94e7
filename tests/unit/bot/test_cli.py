"""Does a command load what it needs, and nothing that only another one needs?"""

from __future__ import annotations

import subprocess
import sys

import pytest

from bot.cli import run
from bot.terminal.exits import Exit
from tests.rigs.program import free_port

#: Runs a command as the program does, then tells what stands in memory.
_RUN = """\
import sys
from bot.cli import run
print(run(sys.argv[1:]))
print(*sorted(name for name in sys.modules if name.count(".") < 2))
"""
_REQUEST = ("request", "stop", "web-1", "--as", "U0ALICE01", "--team", "T01", "--channel", "C01")
_OF_SERVERS = {"slack_bolt", "slack_sdk", "aiohttp", "docker", "activities", "bot.check"}


def test_a_terminal_waits_for_no_library_of_a_server() -> None:
    """Whoever types a request waits for Python, Temporal's client and our grammar alone.

    It is carried out to its end: nobody listens where Temporal is looked for.
    """
    ran = subprocess.run(
        [sys.executable, "-c", _RUN, *_REQUEST],
        env={"TEMPORAL_ADDRESS": f"127.0.0.1:{free_port()}"},
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Temporal does not answer" in ran.stderr
    status, modules = ran.stdout.splitlines()
    assert int(status) == Exit.NOT_CONFIRMED, ran
    assert "temporalio.client" in modules.split(), "the list holds what is loaded"
    assert not _OF_SERVERS & set(modules.split())


def test_a_check_tells_a_wrong_setting_as_it_tells_the_rest(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A FAIL line in our own words for each, and that nothing else was looked at."""
    monkeypatch.setenv("DOCKWARDEN_HEALTH_PORT", "abc")
    monkeypatch.setenv("DOCKWARDEN_POLICY", "policies.toml")
    assert run(["check"]) == 2
    port, policy, rest = capsys.readouterr().out.splitlines()
    assert port.startswith("FAIL  settings: DOCKWARDEN_HEALTH_PORT: takes a whole number")
    assert policy.endswith("did you mean DOCKWARDEN_POLICIES?")
    assert rest.startswith("nothing else was looked at")


def test_the_help_shows_how_to_begin(capsys: pytest.CaptureFixture[str]) -> None:
    """It has an example and says where more is told; the version is asked for as elsewhere, too."""
    for asked in ("--help", "--version"):
        with pytest.raises(SystemExit) as ended:
            run([asked])
        assert ended.value.code == 0
    told = capsys.readouterr().out
    assert "\n  dockwarden check\n" in told
    assert "README.md" in told
    assert told.splitlines()[-1].startswith("dockwarden 0")
