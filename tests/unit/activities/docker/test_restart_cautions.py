"""Is it said before the approval what a restart changes for good?"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import pytest

from activities.docker.answers import container_inspect
from activities.docker.restart_cautions import restart_cautions
from workflows.model.requests import ContainerState, Mount, PublishedPort
from workflows.model.state import CautionCode

_RUNNING: Final = container_inspect(
    {
        "Id": "c1" * 32,
        "Name": "/web-1",
        "Image": "sha256:" + "a" * 64,
        "State": {"Status": "running"},
        "Config": {},
    }
)


def _tmpfs(*places: str) -> tuple[Mount, ...]:
    return tuple(Mount(type="tmpfs", destination=place) for place in places)


def _ports(*ports: tuple[int, ...]) -> tuple[PublishedPort, ...]:
    return tuple(
        PublishedPort(port=f"{n}/tcp", host_ports=at) for n, at in enumerate(ports, start=80)
    )


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, []),
        (
            {"chosen_ports": _ports((32768,))},
            [(CautionCode.PORTS_CHANGE, "80/tcp is at 32768 now")],
        ),
        (
            {"chosen_ports": _ports((1, 2), (3,), (4,), (5,))},
            [
                (
                    CautionCode.PORTS_CHANGE,
                    "80/tcp is at 1 and 2 now, 81/tcp is at 3 now and 2 more",
                )
            ],
        ),
        (
            {"mounts": (Mount(type="volume", destination="/v"), *_tmpfs("/data"))},
            [(CautionCode.MEMORY_LOST, "tmpfs /data")],
        ),
        (
            {"mounts": _tmpfs("/a", "/b", "/c")},
            [(CautionCode.MEMORY_LOST, "tmpfs /a, tmpfs /b and 1 more")],
        ),
        # Everybody reckons with an empty /tmp.
        ({"mounts": _tmpfs("/tmp", "/run", "/dev/shm")}, []),  # noqa: S108 - in a container
        # What cannot be shown is counted, or said without a place.
        ({"mounts": _tmpfs("/<!here>", "/b")}, [(CautionCode.MEMORY_LOST, "tmpfs /b and 1 more")]),
        ({"mounts": _tmpfs("/<!here>")}, [(CautionCode.MEMORY_LOST, "")]),
        (
            {"chosen_ports": _ports((1,)), "mounts": _tmpfs("/a")},
            [
                (CautionCode.PORTS_CHANGE, "80/tcp is at 1 now"),
                (CautionCode.MEMORY_LOST, "tmpfs /a"),
            ],
        ),
    ],
)
def test_what_nothing_brings_back_is_said_before(
    changes: dict[str, Any], said: list[tuple[CautionCode, str]]
) -> None:
    """Other ports, and an empty memory; in few words, so that they are read."""
    found = restart_cautions(replace(_RUNNING, **changes))
    assert [(caution.code, caution.detail) for caution in found] == said
    assert all(len(caution.detail) <= 80 for caution in found)


def test_of_a_container_that_rests_there_is_nothing_to_say() -> None:
    """It is neither stopped nor started."""
    resting = replace(_RUNNING, state=ContainerState.EXITED, mounts=_tmpfs("/data"))
    assert restart_cautions(resting) == ()
