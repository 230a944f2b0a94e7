"""What do people read of a container of Docker's?"""

from __future__ import annotations

import pytest

from activities.docker.answers import container_inspect
from workflows.model.requests import ContainerPin, Fact, FactPlace


def _pin(*, state: dict[str, object] | None = None, **sections: dict[str, object]) -> ContainerPin:
    raw = {
        "Id": "c" * 64,
        "Name": "/web-1",
        "Image": "sha256:" + "a" * 64,
        "State": {"Status": "running", "StartedAt": "2026-01-01T00:00:00Z", **(state or {})},
        "Config": {"Image": "demo/web:1", "Labels": {}},
        "HostConfig": {},
    }
    for name, section in sections.items():
        raw[name] = {**raw[name], **section}  # type: ignore[dict-item]  # two levels of JSON
    return container_inspect(raw).pin("ENGINE")


def test_a_plain_container_tells_its_restart_policy() -> None:
    """That is all that stands on a card; a look adds that nothing is mounted."""
    assert _pin().facts == (
        Fact(label="restart policy", value="no"),
        Fact(label="no mounts", place=FactPlace.LOOK),
    )


def test_what_an_approver_should_see_comes_first() -> None:
    """That it is not healthy, what the engine restarts it for, and what a commit leaves out."""
    pin = _pin(
        state={"Health": {"Status": "unhealthy"}},
        Config={"Healthcheck": {"Test": ["CMD", "true"]}, "Volumes": {"/data": {}}},
        HostConfig={"RestartPolicy": {"Name": "always"}, "AutoRemove": True},
    )

    assert pin.told(FactPlace.SEEN) == (
        Fact(label="unhealthy"),
        Fact(label="restart policy", value="always"),
    )
    assert [fact.label for fact in pin.told(FactPlace.LOOK)] == [
        "has a health check",
        "removed when it stops (--rm)",
    ]
    assert [(f.label, f.value) for f in pin.told(FactPlace.NOT_IN_SNAPSHOT)] == [
        ("volume", "/data")
    ]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, []),
        (9, ["stop time-out 9 s"]),
        (0, ["stop time-out 0 s: killed at once"]),
        (-1, ["stop time-out: none"]),
    ],
)
def test_a_stop_timeout_of_its_own_is_told(seconds: int | None, words: list[str]) -> None:
    """One of nought kills at once, and one below waits for ever: both are no such thing as none."""
    pin = _pin(Config={"StopTimeout": seconds})

    assert [f.label for f in pin.told(FactPlace.LOOK) if f.label.startswith("stop")] == words
