"""Is what the engine said logged in one line, and without what the container must keep?"""

from __future__ import annotations

from typing import Any, Final

import pytest

from activities.docker.engine_words import hide, log_refusal

_ID: Final = "3f9a" * 16
_RAW: Final[dict[str, Any]] = {
    "Name": "/web-1",
    "Path": "/usr/bin/start-secretly",
    "Args": ["--token=hunter2", "-x", 'quo"ted\nvalue'],
    "Config": {
        "Env": ["PASSWORD=correct horse", "SHORT=abc", "EMPTY=", "BARE"],
        "Cmd": ["--token=hunter2"],
        "Entrypoint": ["/usr/bin/start-secretly"],
        "Healthcheck": {"Test": ["CMD", "check-me"]},
    },
}


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("exec: /usr/bin/start-secretly: no such file", "exec: …: no such file"),
        ("bad argument --token=hunter2", "bad argument …"),
        ("bad value hunter2", "bad value …"),
        ("bad password correct horse", "bad password …"),
        ('bad "quo\\"ted\\nvalue"', 'bad "…"'),
        ("check-me failed", "… failed"),
        ("abc -x", "abc -x"),
        ("bind source path does not exist: /srv/data", None),
    ],
)
def test_no_value_of_environment_or_command_line_is_shown(words: str, shown: str | None) -> None:
    """Values of four characters or more are hidden; a mount's source may be read on its host."""
    assert hide(words, _RAW) == (words if shown is None else shown)


def test_the_line_is_one_and_short(caplog: pytest.LogCaptureFixture) -> None:
    """It names the call and the container, holds no control character, and ends somewhere."""
    log_refusal("start", _ID, "a\r\nb\x1b[31m\u202e" + "x" * 400 + "hunter2", _RAW)
    (record,) = caplog.records
    line = record.getMessage()
    assert line.startswith("the engine refused: start of web-1 (3f9a3f9a3f9a…): a b[31mxxx")
    assert (len(line), line[-1]) == (300, "…")


def test_a_secret_is_hidden_before_the_line_is_cut(caplog: pytest.LogCaptureFixture) -> None:
    """Half a secret is one too."""
    log_refusal("start", _ID, "x" * 230 + " hunter2", _RAW)
    assert "hunt" not in caplog.text


def test_words_that_cannot_be_checked_are_kept_back(caplog: pytest.LogCaptureFixture) -> None:
    """Without the container's settings nobody knows what in them is a secret."""
    log_refusal("stop", _ID, "hunter2", None)
    assert "the engine refused: stop of a container (3f9a3f9a3f9a…): (not shown" in caplog.text
    assert "hunter2" not in caplog.text
