"""What do people read of a container of Docker's?"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from activities.docker.answers import container_inspect, container_list_entry
from activities.docker.around import neighbours
from activities.docker.facts import some
from activities.docker.kept import KeptSnapshots
from workflows.model.requests import ContainerPin, Fact, FactPlace

_NEVER = "0001-01-01T00:00:00Z"
_ENGINE = "ENGINE"


def _raw(*, state: dict[str, object] | None = None, **sections: Any) -> dict[str, Any]:
    raw: dict[str, Any] = {
        "Id": "c" * 64,
        "Name": "/web-1",
        "Image": "sha256:" + "a" * 64,
        "State": {"Status": "running", "StartedAt": "2026-11-02T06:12:30.5Z", **(state or {})},
        "Config": {"Image": "demo/web:1", "Labels": {}},
        "HostConfig": {},
    }
    for name, section in sections.items():
        known = raw.get(name)
        raw[name] = {**known, **section} if isinstance(known, dict) else section
    return raw


def _pin(engine_id: str = _ENGINE, **sections: Any) -> ContainerPin:
    return container_inspect(_raw(**sections)).pin(engine_id)


def _told(pin: ContainerPin, *places: FactPlace) -> list[str]:
    """Write facts as a door does."""
    return [
        " ".join(
            [
                fact.label,
                *([fact.value] if fact.value else []),
                *([f"{fact.at:%d %b %H:%M:%S}"] if fact.at else []),
            ]
        )
        for fact in pin.told(*places)
    ]


def test_a_plain_container_tells_since_when_it_runs_and_what_a_stop_means() -> None:
    """Nothing else is known of it; the moment is in the second, and true whenever it is read."""
    pin = _pin()

    assert pin.told(FactPlace.ITSELF) == (
        Fact(
            label="up since",
            place=FactPlace.ITSELF,
            at=datetime(2026, 11, 2, 6, 12, 30, tzinfo=UTC),
        ),
    )
    assert _told(pin, FactPlace.AFTERWARDS) == [
        "does not come back by itself, not even after a reboot"
    ]
    assert _told(pin, FactPlace.LOOK) == ["restart policy no", "no mounts"]
    assert pin.told(FactPlace.SEEN, FactPlace.DETAILS) == ()


def test_what_an_approver_asks_at_three_in_the_morning() -> None:
    """What it is part of, since when, whether it is well and flaps, who reaches it."""
    pin = _pin(
        state={"Health": {"Status": "unhealthy"}},
        RestartCount=4,
        Created="2026-10-01T00:00:00Z",
        Config={
            "Labels": {
                "com.docker.compose.project": "shop",
                "com.docker.compose.service": "db",
                "dockwarden.request-id": "0123456789ab",
                "secret": "S3CR3T",
            },
            "Healthcheck": {"Test": ["CMD", "true"]},
            "Volumes": {"/data": {}},
            "StopSignal": "SIGINT",
        },
        HostConfig={
            "RestartPolicy": {"Name": "always"},
            "AutoRemove": True,
            "NetworkMode": "shop_default",
        },
        NetworkSettings={
            "Ports": {"5432/tcp": [{"HostIp": "0.0.0.0", "HostPort": "5432"}]}  # noqa: S104
        },
    )

    assert _told(pin, FactPlace.ITSELF) == [
        "Compose service shop/db",
        "up since 02 Nov 06:12:30",
        "unhealthy",
        "restarted by itself 4 times",
        "ports 5432",
    ]
    assert _told(pin, FactPlace.AFTERWARDS) == [
        "comes back by itself after a restart of Docker or a reboot"
    ]
    assert _told(pin, FactPlace.LOOK) == ["restart policy always", "removed when it stops (--rm)"]
    assert _told(pin, FactPlace.NOT_IN_SNAPSHOT) == ["volume /data"]
    assert _told(pin, FactPlace.DETAILS) == [
        "created 01 Oct 00:00:00",
        "network mode shop_default",
        "stop signal SIGINT",
        "made of the snapshot of request 0123456789ab",
    ]
    assert "S3CR3T" not in str(pin)


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({"Status": "created", "StartedAt": _NEVER, "FinishedAt": _NEVER}, ["never started"]),
        (
            {"Status": "exited", "FinishedAt": "2026-11-03T01:00:00Z", "ExitCode": 137},
            ["down since 03 Nov 01:00:00", "exit code 137"],
        ),
        (
            {"Status": "exited", "FinishedAt": "2026-11-03T01:00:00Z", "OOMKilled": True},
            ["down since 03 Nov 01:00:00", "was killed for want of memory"],
        ),
        ({"Status": "paused"}, ["started 02 Nov 06:12:30"]),
        ({"Status": "restarting"}, ["last started 02 Nov 06:12:30"]),
        (
            {"Status": "running", "Health": {"Status": "starting"}},
            ["up since 02 Nov 06:12:30", "health check still starting"],
        ),
    ],
)
def test_how_it_stands_is_told_by_when_it_began(state: dict[str, object], words: list[str]) -> None:
    """Never by how long: a card is drawn again later. And "never" is no date."""
    pin = _pin(state=state)

    assert _told(pin, FactPlace.ITSELF) == words
    is_down = state["Status"] in ("created", "exited")
    assert bool(pin.told(FactPlace.AFTERWARDS)) is not is_down


def test_podman_promises_less() -> None:
    """What starts its containers with the machine is a service that may be off."""
    pins = [
        _pin("podman:edge", HostConfig={"RestartPolicy": {"Name": policy}})
        for policy in ("always", "unless-stopped")
    ]
    assert [_told(pin, FactPlace.AFTERWARDS) for pin in pins] == [
        ["may come back by itself after a reboot"],
        ["does not come back by itself"],
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


def _listed(name: str, *, networks: str, needs: str = "", state: str = "running") -> dict[str, Any]:
    labels = {"com.docker.compose.project": "shop", "com.docker.compose.depends_on": needs}
    return {
        "Id": name,
        "Names": [f"/{name}"],
        "State": state,
        "Labels": labels,
        "NetworkSettings": {"Networks": {name: {} for name in networks.split(",")}},
    }


def test_who_may_feel_a_stop_is_named_from_the_list() -> None:
    """By a network of their own and by Compose; what is down feels nothing, and bridge is all's."""
    seen = container_inspect(
        _raw(
            Config={
                "Labels": {"com.docker.compose.project": "shop", "com.docker.compose.service": "db"}
            },
            NetworkSettings={"Networks": {"backend": {}, "bridge": {}, "<odd>": {}}},
        )
    )
    listed = [
        _listed("shop-web", networks="backend,bridge", needs="db:service_healthy:false,x:y:z"),
        _listed("shop-worker", networks="backend", needs="cache:service_started:false"),
        _listed("shop-old", networks="backend", needs="db:service_started:false", state="exited"),
        _listed("other", networks="bridge"),
    ]

    told = [(f.label, f.value) for f in neighbours(seen, list(map(container_list_entry, listed)))]
    assert told == [
        ("network", "backend with shop-web, shop-worker"),
        ("network", "bridge"),
        ("needed by", "shop-web"),
    ]


def test_many_names_are_counted() -> None:
    """A line of a card has only so much room, and one name there always is."""
    assert some(["web-1", "web-2", "web-3"], 14) == "web-1, web-2 and 1 more"
    assert some(["n" * 99], 14) == "n" * 99
    assert some([], 14) == ""


def test_snapshots_are_counted_by_the_request_that_wanted_them() -> None:
    """What people built on one counts as one with it, and the newest that has a name is named."""

    def image(request: str, made_at: int, *tags: str) -> dict[str, Any]:
        labels = {"dockwarden.source": "c", "dockwarden.request-id": request}
        return {"Labels": labels, "Created": made_at, "RepoTags": list(tags)}

    first, second = image("a", 1, "dockwarden/web:1"), image("b", 2, "dockwarden/web:2")
    several = KeptSnapshots([second, first, image("b", 3, "<none>:<none>")])
    assert [(f.label, f.value) for f in several.facts("c")] == [
        ("2 snapshots of it, the newest", "dockwarden/web:2")
    ]
    (alone,) = KeptSnapshots([first]).facts("c")
    assert (alone.label, alone.value) == ("1 snapshot of it", "dockwarden/web:1")
    (none,) = several.facts("d")
    assert (none.label, none.value) == ("no snapshot of it is kept", "")
