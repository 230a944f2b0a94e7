"""Are an engine's odd answers read without a crash, and its version agreed upon?"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from activities.docker.answers import (
    container_list_entry,
    container_state,
    engine_facts,
    image_id,
    moment,
)
from activities.docker.engine import choose_api_version
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
