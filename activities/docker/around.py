"""Who else has to do with a container: in its networks, and by what Compose knows of it?

Told of the engine's list alone, which was asked for anyway. Who lives *in* a container, and is hit
by its stop for certain, is looked up in ``dependents.py``; this is what may feel it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from activities.docker.answers import ContainerInspect, ContainerListEntry
from activities.docker.facts import COMPOSE_PROJECT, COMPOSE_SERVICE, ROOM, some
from workflows.model.requests import ContainerState, Fact, FactPlace

_MOST_NETWORKS: Final = 3
#: In these nobody is there for another: they are the engine's own, and whoever names none is in it.
_OF_ALL: Final = frozenset({"bridge", "podman", "host", "none"})
_COMPOSE_NEEDS: Final = "com.docker.compose.depends_on"
_ALIVE: Final = frozenset(
    {ContainerState.RUNNING, ContainerState.PAUSED, ContainerState.RESTARTING}
)


def neighbours(seen: ContainerInspect, listed: Sequence[ContainerListEntry]) -> Iterator[Fact]:
    """Name the networks of a container with who is in them, and who needs its service."""
    others = [
        one
        for one in listed
        if one.container_id != seen.container_id and one.name and one.state in _ALIVE
    ]
    for network in seen.networks[:_MOST_NETWORKS]:
        yield Fact(label="network", value=_with_whom(network, others), place=FactPlace.ITSELF)
    if (left_out := len(seen.networks) - _MOST_NETWORKS) > 0:
        label = f"{left_out} more network{'s' if left_out > 1 else ''}"
        yield Fact(label=label, place=FactPlace.ITSELF)
    if needing := [one.name for one in others if _needs(one, seen)]:
        yield Fact(label="needed by", value=some(needing, ROOM), place=FactPlace.ITSELF)


def _with_whom(network: str, others: Sequence[ContainerListEntry]) -> str:
    there = [one.name for one in others if network in one.networks and network not in _OF_ALL]
    return (
        f"{network} with {some(there, ROOM - len(network) - len(' with '))}" if there else network
    )


def _needs(one: ContainerListEntry, seen: ContainerInspect) -> bool:
    """Tell whether Compose was told that one depends on the service of another."""
    project, service = seen.labels.get(COMPOSE_PROJECT), seen.labels.get(COMPOSE_SERVICE)
    if not project or not service or one.labels.get(COMPOSE_PROJECT) != project:
        return False
    wanted = one.labels.get(_COMPOSE_NEEDS) or ""
    return service in (need.partition(":")[0].strip() for need in wanted.split(","))
