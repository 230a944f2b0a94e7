"""Does a backup bring all requests back, and does no restore lose what is there?

The server and its programs are Debian's PostgreSQL, the rows stand for Temporal's: its tables are
made by Temporal's own image, which cannot be had where these tests run.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rigs import compose_file
from tests.rigs.postgres import Postgres, postgres
from tests.rigs.waiting import wait_until

_BOTH = ("temporal", "temporal_visibility")


@pytest.fixture(scope="module")
def database() -> Iterator[Postgres]:
    """Run a server that has a request in each of both databases."""
    with postgres() as server:
        server.sql("postgres", "CREATE DATABASE temporal_visibility")
        for name in _BOTH:
            server.sql(name, "CREATE TABLE executions (id text PRIMARY KEY, state bytea)")
        _write(server, "before")
        yield server


def _write(server: Postgres, row: str) -> None:
    for name in _BOTH:
        server.sql(name, f"INSERT INTO executions SELECT '{row}', '\\x00ff0a'::bytea")


def _rows(server: Postgres) -> list[str]:
    return [
        server.sql(
            name, "SELECT string_agg(id || encode(state, 'hex'), ' ' ORDER BY id) FROM executions"
        )
        for name in _BOTH
    ]


def _run(server: Postgres, script: str, *words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [compose_file.FOLDER / "scripts" / f"{script}.sh", *words],
        env=server.environment,
        capture_output=True,
        text=True,
        check=False,
    )


def _backup(server: Postgres, into: Path) -> Path:
    ended = _run(server, "backup", into)
    assert ended.returncode == 0, ended.stderr
    (made,) = into.iterdir()
    assert str(made) in ended.stdout
    return made


def _refused(ended: subprocess.CompletedProcess[str]) -> str:
    """Give the last line of what did not work: what to do."""
    assert ended.returncode == 1, ended
    return ended.stderr.splitlines()[-1]


def test_what_was_written_comes_back(database: Postgres, tmp_path: Path) -> None:
    """Into where there are requests only when told; then all are as they were, and no others."""
    made = _backup(database, tmp_path)
    assert {file.name for file in made.iterdir()} == {*(f"{n}.dump" for n in _BOTH), "SHA256SUMS"}
    assert {file.stat().st_mode & 0o077 for file in (made, *made.iterdir())} == {0}
    _write(database, "later")
    assert _rows(database) == ["before00ff0a later00ff0a"] * 2

    assert "holds requests already" in _refused(_run(database, "restore", made))
    assert _rows(database) == ["before00ff0a later00ff0a"] * 2

    restored = _run(database, "restore", made, "--replace")
    assert restored.returncode == 0, restored.stderr
    assert _rows(database) == ["before00ff0a"] * 2
    names = database.sql("postgres", "SELECT datname FROM pg_database WHERE datname LIKE 'temp%'")
    assert {name for name in names.split() if name.startswith("temporal")} == set(_BOTH)


def test_a_new_machine_gets_them_without_being_told(database: Postgres, tmp_path: Path) -> None:
    """An empty database holds nothing that could be lost, and the second one is not there yet."""
    made = _backup(database, tmp_path)
    for name in _BOTH:
        database.sql("postgres", f"DROP DATABASE {name}")
    database.sql("postgres", "CREATE DATABASE temporal")
    restored = _run(database, "restore", made)
    assert restored.returncode == 0, restored.stderr
    assert _rows(database) == ["before00ff0a"] * 2


def test_no_restore_loses_what_is_there(database: Postgres, tmp_path: Path) -> None:
    """Not from a damaged backup, not under a running Temporal, not when it breaks off half-way."""
    made = _backup(database, tmp_path)
    broken = made / "temporal_visibility.dump"
    whole, sums = broken.read_bytes(), (made / "SHA256SUMS").read_text(encoding="utf-8")
    broken.write_bytes(whole[:-7])
    assert "not as it was written" in _refused(_run(database, "restore", made, "--replace"))
    # Somebody has made the sums anew: the first database is read already when the second is not.
    checked = subprocess.run(
        ["sha256sum", *(f"./{n}.dump" for n in _BOTH)], cwd=made, capture_output=True, check=True
    )
    (made / "SHA256SUMS").write_bytes(checked.stdout)
    said = _refused(_run(database, "restore", made, "--replace"))
    assert "temporal_visibility was not put back" in said
    assert "what was there before is as it was" in said

    broken.write_bytes(whole)
    (made / "SHA256SUMS").write_text(sums, encoding="utf-8")
    with subprocess.Popen(
        database.client("temporal"), env=database.environment, stdin=subprocess.PIPE
    ) as connected:
        count = "SELECT count(*) FROM pg_stat_activity WHERE datname = 'temporal'"
        wait_until(lambda: database.sql("postgres", count) == "1", "somebody is connected")
        assert "stop temporal" in _refused(_run(database, "restore", made, "--replace"))
        connected.communicate()
    assert _rows(database) == ["before00ff0a"] * 2


def test_no_half_backup_is_kept(database: Postgres, tmp_path: Path) -> None:
    """What is not whole has no name: when a database is away, and when the server is."""
    database.sql("postgres", "ALTER DATABASE temporal_visibility RENAME TO elsewhere")
    assert "temporal_visibility was not written" in _refused(_run(database, "backup", tmp_path))
    database.sql("postgres", "ALTER DATABASE elsewhere RENAME TO temporal_visibility")
    database.stop()
    try:
        assert "up -d postgres" in _refused(_run(database, "backup", tmp_path))
        assert list(tmp_path.iterdir()) == []
    finally:
        database.start()
