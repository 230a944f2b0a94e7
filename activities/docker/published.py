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
    return tuple(sorted(found, key=_by_number))


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


def _by_number(published: PublishedPort) -> tuple[int, str]:
    number = published.port.partition("/")[0]
    return (int(number) if number.isdecimal() else 0, published.port)
