"""Is every mount of a container found, wherever the engine tells of it, and each one once?"""

from __future__ import annotations

from typing import Any, Final

import pytest

from activities.docker.mounts import mounts
from workflows.model.requests import Mount

#: As an engine of 20.10 answers: its own list lacks what ``--tmpfs`` asked for, and writes places
#: without the slash at their end that others keep.
_MEASURED: Final[dict[str, Any]] = {
    "Mounts": [
        {"Type": "tmpfs", "Source": "", "Destination": "/mt"},
        {"Type": "volume", "Name": "other", "Source": "/secret/other", "Destination": "/mv"},
        {"Type": "volume", "Name": "ab12", "Source": "/secret/ab12", "Destination": "/vol"},
        {"Type": "bind", "Source": "/secret/bound", "Destination": "/bound"},
        {"Type": "volume", "Name": "named", "Source": "/secret/named", "Destination": "/named"},
    ],
    "HostConfig": {
        "Tmpfs": {"/data": "size=1m", "/t2/": ""},
        "Binds": ["/secret/bound:/bound:ro", "named:/named/"],
        "Mounts": [
            {"Type": "tmpfs", "Target": "/mt"},
            {"Type": "volume", "Source": "other", "Target": "/mv"},
        ],
        "VolumesFrom": ["another:ro"],
    },
    "Config": {"Volumes": {"/vol": {}}},
}
_ALL: Final = {
    "/mt": "tmpfs",
    "/mv": "volume",
    "/vol": "volume",
    "/bound": "bind",
    "/named": "volume",
    "/data": "tmpfs",
    "/t2": "tmpfs",
}


def test_all_places_are_read_and_nothing_twice() -> None:
    """What stands in two of them is one mount."""
    found = mounts(_MEASURED)
    assert found == tuple(Mount(type=kind, destination=place) for place, kind in _ALL.items())


def test_the_settings_alone_tell_as_much() -> None:
    """An engine that lists no mounts, or not all, hides none."""
    raw = {**_MEASURED, "Mounts": None}
    assert {mount.destination: mount.type for mount in mounts(raw)} == _ALL


def test_no_source_gets_out() -> None:
    """Where a mount comes from may be a secret."""
    assert "secret" not in repr(mounts(_MEASURED))


@pytest.mark.parametrize(
    "raw",
    [
        {},
        {"Mounts": [], "HostConfig": {}, "Config": {}},
        {"Mounts": None, "HostConfig": {"Tmpfs": None, "Binds": None, "Mounts": None}},
        {"Mounts": [{}], "HostConfig": {"Binds": ["", "/only"]}, "Config": {"Volumes": None}},
    ],
)
def test_a_container_without_mounts_has_none(raw: dict[str, Any]) -> None:
    """An engine leaves out, or calls null, what is not there."""
    assert mounts(raw) == ()
