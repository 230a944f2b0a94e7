"""Are exactly those ports known that a start changes, and is a change seen?"""

from __future__ import annotations

from typing import Any

import pytest

from activities.docker.answers import container_inspect
from activities.docker.published import (
    MOST_PORTS,
    chosen_ports,
    listed_ports,
    moved_ports,
    published,
)
from workflows.model.requests import PublishedPort
from workflows.model.state import PortMove


def _at(*ports: str) -> list[dict[str, str]]:
    return [{"HostIp": "0.0.0.0", "HostPort": port} for port in ports]  # noqa: S104 - as answered


def _raw(wanted: dict[str, Any] | None, in_use: dict[str, Any] | None) -> dict[str, Any]:
    return {"HostConfig": {"PortBindings": wanted}, "NetworkSettings": {"Ports": in_use}}


@pytest.mark.parametrize(
    ("wanted", "in_use", "chosen"),
    [
        # -p 8080:80
        ({"80/tcp": _at("8080")}, {"80/tcp": _at("8080")}, {}),
        # -p 80, also as older clients write it
        ({"80/tcp": _at("")}, {"80/tcp": _at("32768")}, {"80/tcp": (32768,)}),
        ({"80/tcp": _at("0")}, {"80/tcp": _at("32768")}, {"80/tcp": (32768,)}),
        # IPv4 and IPv6, the same or not
        ({"80/tcp": _at("")}, {"80/tcp": _at("32768", "32768")}, {"80/tcp": (32768,)}),
        ({"80/tcp": _at("")}, {"80/tcp": _at("32769", "32768")}, {"80/tcp": (32768, 32769)}),
        # -P
        (
            None,
            {"80/tcp": _at("32770"), "53/udp": _at("32771")},
            {"53/udp": (32771,), "80/tcp": (32770,)},
        ),
        # -p 9000-9010:80
        ({"80/tcp": _at("9000-9010")}, {"80/tcp": _at("9001")}, {"80/tcp": (9001,)}),
        # -p 80 -p 8080:80
        ({"80/tcp": _at("", "8080")}, {"80/tcp": _at("32768", "8080")}, {"80/tcp": (32768,)}),
        # exposed only; not running; without a network
        ({}, {"80/tcp": None}, {}),
        ({"80/tcp": _at("")}, {}, {}),
        (None, None, {}),
    ],
)
def test_what_the_engine_chose_is_told_from_what_people_chose(
    wanted: dict[str, Any] | None, in_use: dict[str, Any] | None, chosen: dict[str, Any]
) -> None:
    """A port that somebody fixed stays where it is."""
    found = chosen_ports(_raw(wanted, in_use))
    assert {one.port: one.host_ports for one in found} == chosen
    assert [one.port for one in found] == list(chosen), "in the order of their numbers"


def test_a_pin_holds_only_so_many() -> None:
    """An image can expose thousands, and a pin travels."""
    raw = {
        "Id": "c" * 64,
        "Name": "/web-1",
        "Image": "sha256:a",
        "State": {},
        "Config": {},
        **_raw(None, {f"{n}/udp": _at(str(30000 + n)) for n in range(1, 5001)}),
    }
    seen = container_inspect(raw)
    assert len(seen.chosen_ports) == 5000
    pin = seen.pin("E")
    assert [one.port for one in pin.chosen_ports] == [f"{n}/udp" for n in range(1, MOST_PORTS + 1)]


def test_only_what_really_moved_is_told() -> None:
    """A port that came back where it was, or that cannot be seen now, has not moved."""
    before = (
        PublishedPort(port="53/udp", host_ports=(32771,)),
        PublishedPort(port="80/tcp", host_ports=(32768,)),
        PublishedPort(port="443/tcp", host_ports=(32769,)),
    )
    after = (
        PublishedPort(port="53/udp", host_ports=(32771,)),
        PublishedPort(port="80/tcp", host_ports=(32770,)),
        PublishedPort(port="8080/tcp", host_ports=(32772,)),
    )
    assert moved_ports(before, after) == (PortMove(port="80/tcp", before=(32768,), after=(32770,)),)


def test_people_read_which_port_of_the_host_leads_where() -> None:
    """In the order of the numbers, each once; also of what is down, and in the engine's list."""
    wanted = {
        "443/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8443"}],
        "80/tcp": _at("80", "8080"),
        "53/udp": [{"HostIp": "::1", "HostPort": ""}],
    }
    words = ["[::1]:any→53/udp", "80", "8080→80", "127.0.0.1:8443→443"]
    assert published(_raw(wanted, {})) == words
    twice = {"80/tcp": [*_at("8080"), {"HostIp": "::", "HostPort": "8080"}], "81/tcp": None}
    assert published(_raw(None, twice)) == ["8080→80"]
    listed = [
        {"IP": "0.0.0.0", "PrivatePort": 80, "PublicPort": 8080, "Type": "tcp"},  # noqa: S104
        {"IP": "::", "PrivatePort": 80, "PublicPort": 8080, "Type": "tcp"},
        {"PrivatePort": 81, "Type": "tcp"},
    ]
    assert listed_ports({"Ports": listed}) == ["8080→80"]
    assert listed_ports({"Ports": None}) == published(_raw(None, None)) == []
