"""Are an engine's odd answers read without a crash, and its version agreed upon?"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from activities.docker.answers import (
    HealthCheck,
    container_inspect,
    container_list_entry,
    container_state,
    engine_facts,
    image_id,
)
from activities.docker.connection import choose_api_version
from activities.docker.moments import moment
from workflows.model.requests import ContainerState


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("running", ContainerState.RUNNING),
        ("stopped", ContainerState.EXITED),
        ("configured", ContainerState.CREATED),
        ("stopping", ContainerState.STOPPING),
        ("new in 2031", ContainerState.UNKNOWN),
        (None, ContainerState.UNKNOWN),
    ],
)
def test_states_of_every_engine_have_a_name(status: str | None, state: ContainerState) -> None:
    """Podman's own states are mapped, and an unknown one is no error."""
    assert container_state(status) is state


def test_an_alias_of_a_link_is_no_name() -> None:
    """Docker lists a linked container under the other's name too."""
    raw = {"Id": "1", "Names": ["/web/db", "/db"], "State": "running"}
    assert container_list_entry(raw).name == "db"
    assert container_list_entry({**raw, "Names": None}).name == ""


def test_image_ids_are_written_one_way() -> None:
    """Podman leaves the algorithm out."""
    assert image_id("ab") == image_id("sha256:ab") == "sha256:ab"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-02T03:04:05.123456789Z", datetime(2026, 1, 2, 3, 4, 5, 123456, UTC)),
        ("2026-01-02T05:04:05+02:00", datetime(2026, 1, 2, 3, 4, 5, 0, UTC)),
        ("0001-01-01T00:00:00Z", datetime.min.replace(tzinfo=UTC)),
        ("", datetime.min.replace(tzinfo=UTC)),
        (None, datetime.min.replace(tzinfo=UTC)),
    ],
)
def test_times_of_every_engine_compare(text: str | None, expected: datetime) -> None:
    """Nanoseconds, time zones and "never" all become one kind of time."""
    assert moment(text) == expected


@pytest.mark.parametrize(
    ("oldest", "newest", "chosen"),
    [
        ("1.12", "1.41", "1.41"),
        ("1.24", "1.50", "1.41"),
        ("1.44", "1.52", "1.44"),
        ("1.12", "1.40", "1.40"),
        (None, None, "1.41"),
    ],
)
def test_the_api_version_is_one_that_the_engine_speaks(
    oldest: str | None, newest: str | None, chosen: str
) -> None:
    """Ours where possible; Docker 29 takes nothing below 1.44."""
    assert choose_api_version(oldest, newest) == chosen


@pytest.mark.parametrize(
    ("answer", "root"),
    [
        ({"DockerRootDir": "/var/lib/docker", "DriverStatus": [["a", "b"]]}, "/var/lib/docker"),
        ({"DockerRootDir": "/var/lib/docker", "DriverStatus": None}, "/var/lib/docker"),
        ({"DriverStatus": []}, ""),
        (
            {
                "DockerRootDir": "/var/lib/docker",
                "DriverStatus": [["driver-type", "io.containerd.snapshotter.v1"]],
            },
            "",
        ),
    ],
)
def test_where_an_engine_keeps_its_images(answer: dict[str, object], root: str) -> None:
    """An engine that keeps them elsewhere than it says is not believed."""
    assert engine_facts({"ID": "E"} | answer, "1.41").data_root == root


def _inspect(*, config: dict[str, Any], host: dict[str, Any]) -> dict[str, Any]:
    return {
        "Id": "c" * 64,
        "Name": "/web-1",
        "Image": "sha256:a",
        "State": {},
        "Config": config,
        "HostConfig": host,
    }


@pytest.mark.parametrize("limit", [-1, 0, 7, 100_000, None])
def test_a_stop_limit_is_shown_as_the_engine_has_it(limit: int | None) -> None:
    """What a negative one, or one of no seconds, means is for others to say."""
    seen = container_inspect(_inspect(config={"StopTimeout": limit}, host={}))
    assert seen.pin("E").stop_timeout_seconds == limit


@pytest.mark.parametrize(
    ("raw", "first", "last"),
    [
        ({}, 30, 180),
        ({"Interval": 0, "Retries": 0, "Timeout": 0}, 30, 180),
        ({"Interval": 2_000_000_000, "Timeout": 500_000_000, "Retries": 4}, 2, 10),
        ({"StartPeriod": 600_000_000_000}, 30, 780),
        ({"Interval": 600_000_000_000}, 600, 1890),
    ],
)
def test_when_a_health_check_speaks(raw: dict[str, Any], first: float, last: float) -> None:
    """Docker leaves out what was not set, and means its defaults."""
    check = container_inspect(_inspect(config={"Healthcheck": raw}, host={})).health_check
    engine = engine_facts({"ID": "E", "ServerVersion": "20.10.24"}, "1.41")
    assert (check.first_verdict(engine), check.last_verdict) == (first, last)


@pytest.mark.parametrize(
    ("version", "first"), [("24.0.9", 60), ("25.0.0", 5), ("28.2.2", 5), ("dev", 60)]
)
def test_newer_engines_check_more_often_while_a_container_starts(
    version: str, first: float
) -> None:
    """Only within a start period, though."""
    engine = engine_facts({"ID": "E", "ServerVersion": version}, "1.41")
    assert HealthCheck(interval=60, start_period=60).first_verdict(engine) == first
    assert HealthCheck(interval=60).first_verdict(engine) == 60


def test_without_whom_a_container_does_not_start() -> None:
    """Owners of namespaces, and those that it is linked to; a host's namespaces have none."""
    host = {
        "NetworkMode": "container:" + "d" * 64,
        "IpcMode": "container:gw",
        "PidMode": "host",
        "Links": ["/db:/web-1/database"],
    }
    seen = container_inspect(_inspect(config={}, host=host))
    assert seen.owners == (("network", "d" * 64), ("IPC space", "gw"), ("link", "db"))
    assert container_inspect(_inspect(config={}, host={"NetworkMode": "none"})).owners == ()
