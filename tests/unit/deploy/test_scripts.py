"""Does each script of an installation stop at what fails, and say what to do?

``temporal-sql-tool``, which Temporal's own image of tools has, cannot be had where these tests run:
a stand-in writes down what it is asked for. What the real one makes of it is not tested here.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.rigs import compose_file
from tests.rigs.first_machine import FirstMachine

_SQL_TOOL = """#!/bin/sh
echo "$*" >>"$ASKED"
case "$*" in *"$FAILS"*) echo "pq: password authentication failed"; exit 1 ;; esac
"""


def _schema(folder: Path, *, fails: str) -> tuple[subprocess.CompletedProcess[str], list[str]]:
    """Run schema.sh; give how it ended, and what it asked the tool for."""
    tool, asked = folder / "temporal-sql-tool", folder / "asked"
    tool.write_text(_SQL_TOOL, encoding="utf-8")
    tool.chmod(0o755)
    ended = subprocess.run(
        ["busybox", "sh", compose_file.script("schema")],
        env={"PATH": f"{folder}:{os.defpath}", "ASKED": str(asked), "FAILS": fails},
        capture_output=True,
        text=True,
        check=False,
    )
    return ended, asked.read_text(encoding="utf-8").splitlines()


def test_both_databases_get_their_tables_in_order(tmp_path: Path) -> None:
    """Made, begun and brought up to date, each by the words of Temporal's own example."""
    ended, asked = _schema(tmp_path, fails="nothing does")
    assert ended.returncode == 0
    assert ended.stdout.count("ok: ") == 2
    there = "--plugin postgres12 --ep postgres -p 5432 -u temporal --db"
    tables = "update-schema -d /etc/temporal/schema/postgresql/v12"
    assert asked == [
        f"{there} temporal create",
        f"{there} temporal setup-schema -v 0.0",
        f"{there} temporal {tables}/temporal/versioned",
        f"{there} temporal_visibility create",
        f"{there} temporal_visibility setup-schema -v 0.0",
        f"{there} temporal_visibility {tables}/visibility/versioned",
    ]


def test_nothing_is_done_after_what_failed(tmp_path: Path) -> None:
    """Temporal's own reason first, then which step it was and what to do; no server is started."""
    ended, asked = _schema(tmp_path, fails="temporal_visibility setup-schema")
    assert ended.returncode == 1
    assert len(asked) == 5
    reason, what_now = ended.stderr.splitlines()
    assert reason == "pq: password authentication failed"
    assert what_now.startswith("! beginning the schema of temporal_visibility failed")
    assert "POSTGRES_PASSWORD in deploy/.env" in what_now


@pytest.mark.parametrize(
    ("name", "address", "said"),
    [
        ("Edge", "localhost", "small letters"),
        ("edge", "localhost:7233", "without a port"),
        ("edge", "other.example.com", "has a certificate for another address"),
        ("known", "localhost", "is there already"),
    ],
)
def test_a_further_host_is_refused_in_words(
    tmp_path: Path, name: str, address: str, said: str
) -> None:
    """A wrong name or address makes nothing, and no host loses what it has."""
    machine = FirstMachine(tmp_path)
    machine.made_for("known", "localhost")
    before = machine.files()

    ended = machine.host(name, address)
    assert ended.returncode == 1
    assert said in ended.stderr
    assert ended.stderr.startswith("! ")
    assert machine.files() == before
