"""By which ports of its host is a container reached, and which of them change when it starts?

Whoever publishes a port without saying at which one of the host (``-p 80``, ``-P``), or names a
range, gets another one at each start.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from workflows.model.requests import PublishedPort
from workflows.model.state import PortMove

#: So many ports are compared before and after; a range of thousands can be exposed.
MOST_PORTS: Final = 20
_TCP: Final = "tcp"
_EVERYWHERE: Final = ("", "0.0.0.0", "::")  # noqa: S104 - what an engine calls all addresses


def chosen_ports(raw: Mapping[str, Any]) -> tuple[PublishedPort, ...]:
    """Read from the answer to an inspect the ports that the engine chose, by their number."""
    wanted = (raw.get("HostConfig") or {}).get("PortBindings") or {}
    in_use = (raw.get("NetworkSettings") or {}).get("Ports") or {}
    found = []
    for port, bindings in in_use.items():
        fixed = {number for number in _numbers(wanted.get(port)) if number}
        chosen = {number for number in _numbers(bindings) if number} - fixed
        if chosen:
            found.append(PublishedPort(port=str(port), host_ports=tuple(sorted(chosen))))
    return tuple(sorted(found, key=lambda one: _number(one.port)))


def published(raw: Mapping[str, Any]) -> list[str]:
    """Say for people by which ports of its host a container is reached, or will be.

    ``5432`` leads to the port of the same number, ``8080→80`` to another one, ``any→80`` from one
    that each start chooses. Bound to one address of the host, that stands before it.
    """
    in_use = (raw.get("NetworkSettings") or {}).get("Ports") or {}
    wanted = (raw.get("HostConfig") or {}).get("PortBindings") or {}
    bound = in_use if any(in_use.values()) else wanted
    ports = sorted(bound, key=lambda port: _number(str(port)))
    found = (_way(binding, str(port)) for port in ports for binding in bound[port] or ())
    return list(dict.fromkeys(found))


def listed_ports(raw: Mapping[str, Any]) -> list[str]:
    """Say the same of one entry of the engine's list."""
    ways = [
        (int(one.get("PrivatePort") or 0), one)
        for one in raw.get("Ports") or ()
        if one.get("PublicPort")
    ]
    found = (
        _way(
            {"HostIp": one.get("IP") or "", "HostPort": str(one["PublicPort"])},
            f"{port}/{one.get('Type') or _TCP}",
        )
        for port, one in sorted(ways, key=lambda way: way[0])
    )
    return list(dict.fromkeys(found))


def _way(binding: Mapping[str, Any], port: str) -> str:
    """Write one way from the host to a port of a container."""
    number, _, protocol = port.partition("/")
    address, at = str(binding.get("HostIp") or ""), str(binding.get("HostPort") or "")
    here = "" if address in _EVERYWHERE else f"[{address}]:" if ":" in address else f"{address}:"
    at = at if at not in ("", "0") else "any"
    leads = "" if at == number else f"→{number}"
    return f"{here}{at}{leads}{f'/{protocol}' if protocol not in ('', _TCP) else ''}"


def moved_ports(
    before: Sequence[PublishedPort], after: Sequence[PublishedPort]
) -> tuple[PortMove, ...]:
    """Say which ports are reached otherwise than before; one that is not seen has not moved."""
    now = {published.port: published.host_ports for published in after}
    return tuple(
        PortMove(port=was.port, before=was.host_ports, after=now[was.port])
        for was in before
        if now.get(was.port, was.host_ports) != was.host_ports
    )


def _numbers(bindings: Sequence[Mapping[str, Any]] | None) -> list[int]:
    """Read the host's ports of bindings; 0 is one that is none, or a range of them."""
    texts = [str(binding.get("HostPort") or "") for binding in bindings or ()]
    return [int(text) if text.isdecimal() else 0 for text in texts]


def _number(port: str) -> tuple[int, str]:
    number = port.partition("/")[0]
    return (int(number) if number.isdecimal() else 0, port)
