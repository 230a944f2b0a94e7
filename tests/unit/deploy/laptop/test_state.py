"""Does a laptop come back on the same ports, alone on its directory?"""

from __future__ import annotations

import socket
import stat
from dataclasses import asdict
from pathlib import Path

import pytest

from deploy.laptop.console import LaptopError
from deploy.laptop.state import LOOPBACK, StateDirectory, is_alive, write_atomically


def test_ports_are_all_different_and_stay_the_same(tmp_path: Path) -> None:
    """A second run finds the ports of the first, so that links stay valid."""
    with StateDirectory(tmp_path) as state:
        first = state.ports()
    assert len(set(asdict(first).values())) == len(asdict(first))
    with StateDirectory(tmp_path) as state:
        assert state.ports() == first


def test_no_port_is_given_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even where there are few to choose from."""
    monkeypatch.setattr("deploy.laptop.state._RANGE", range(31_900, 31_930))
    for number in range(20):
        with StateDirectory(tmp_path / str(number)) as state:
            ports = asdict(state.ports()).values()
        assert len(set(ports)) == len(ports)


def test_a_port_that_was_taken_meanwhile_is_replaced(tmp_path: Path) -> None:
    """Only the port that somebody else has now changes."""
    with StateDirectory(tmp_path) as state:
        first = state.ports()
        with socket.create_server((LOOPBACK, first.slack)):
            second = state.ports()
    assert second.slack != first.slack
    assert {**asdict(second), "slack": 0} == {**asdict(first), "slack": 0}


@pytest.mark.parametrize("content", ["", "nonsense", "[]", '{"slack": 1}'])
def test_a_broken_port_file_is_replaced(tmp_path: Path, content: str) -> None:
    """A port file that cannot be read costs the old ports, not the start."""
    (tmp_path / "ports.json").write_text(content)
    with StateDirectory(tmp_path) as state:
        first = state.ports()
        assert state.ports() == first


def test_one_directory_has_one_laptop(tmp_path: Path) -> None:
    """A second laptop on the same directory is refused with what to do, and the lock is freed."""
    with (
        StateDirectory(tmp_path),
        pytest.raises(LaptopError, match="use another --state"),
        StateDirectory(tmp_path),
    ):
        pass
    with StateDirectory(tmp_path):
        pass


def test_the_life_of_an_owner_shows_by_its_lock(tmp_path: Path) -> None:
    """What a laptop made is left alone while it runs, and is a leftover afterwards."""
    with StateDirectory(tmp_path) as state:
        assert is_alive(state.owner)
    assert not is_alive(state.owner)
    assert not is_alive(f"{socket.gethostname()}:{tmp_path / 'gone'}")
    assert is_alive(f"another-machine:{tmp_path}")


def test_only_requests_are_forgotten(tmp_path: Path) -> None:
    """A fresh start removes the database whole, and keeps the ports."""
    with StateDirectory(tmp_path) as state:
        ports = state.ports()
        for suffix in ("", "-wal", "-shm"):
            state.database.with_name(state.database.name + suffix).touch()
        state.forget_requests()
        assert list(tmp_path.glob("temporal.db*")) == []
        assert state.ports() == ports


def test_secrets_stay_the_same_and_are_private(tmp_path: Path) -> None:
    """A made-up secret is kept for the next run, readable by its owner only."""
    with StateDirectory(tmp_path) as state:
        secret = state.secret("slack-bot")
        assert state.secret("slack-bot") == secret != state.secret("slack-app")
    assert stat.S_IMODE((tmp_path / "slack-bot.secret").stat().st_mode) == 0o600


def test_a_file_is_written_whole(tmp_path: Path) -> None:
    """A file is replaced in one step, its folder made, and no draft stays behind."""
    file = tmp_path / "deep" / "ready.json"
    write_atomically(file, "one")
    inode = file.stat().st_ino
    write_atomically(file, "two")
    assert file.read_text() == "two"
    assert file.stat().st_ino != inode
    assert [found.name for found in file.parent.iterdir()] == ["ready.json"]
