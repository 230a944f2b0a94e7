"""What does a list of the containers of a host show of each?

In few words, and of one question to the engine and one more about snapshots: it looks at none of
them. How long each is up or down the engine words itself, at the moment at which it is asked.
"""

from __future__ import annotations

import re
from typing import Final

from activities.docker.answers import ContainerListEntry
from activities.docker.facts import ROOM, part_of, some
from activities.docker.kept import KeptSnapshots
from workflows.model.listing import ContainerSummary
from workflows.model.requests import ContainerState
from workflows.model.text import short_id

#: As Docker words it, and Podman after it: "Up 6 days (healthy)", "Exited (137) 2 hours ago".
_UP: Final = re.compile(r"up ([\w ]{1,30}?)(?: \((?:health: )?(\w{1,12})\))?")
_ENDED: Final = re.compile(r"(exited|restarting) \((\d{1,3})\) ([\w ]{1,30} ago)")
_STARTING: Final = "starting"
_PAUSED: Final = "paused"


def summary(entry: ContainerListEntry, kept: KeptSnapshots, *, protected: bool) -> ContainerSummary:
    """Tell of one container what people look for in a list."""
    return ContainerSummary(
        name=entry.name or short_id(entry.container_id),
        image=entry.image,
        state=entry.state,
        protected=protected,
        standing=standing(entry),
        health=health(entry.status),
        part_of=part_of(entry.labels),
        ports=some(entry.ports, ROOM),
        snapshots=kept.count(entry.container_id),
    )


def health(status: str) -> str:
    """Read how healthy a container is from the engine's words; ``""``: it has no check."""
    up = _UP.fullmatch(status.lower())
    return up[2] if up and up[2] and up[2] != _PAUSED else ""


def standing(entry: ContainerListEntry) -> str:
    """Say in words how a container stands, and since when; ``""`` where the engine says no more."""
    if entry.state is ContainerState.CREATED:
        return "never started"
    status = entry.status.lower()
    if up := _UP.fullmatch(status):
        well = f"health check {up[2]}" if up[2] == _STARTING else up[2]
        if up[2] == _PAUSED:
            return f"paused, started {up[1]} ago"
        return f"up {up[1]}, {well}" if well else f"up {up[1]}"
    if ended := _ENDED.fullmatch(status):
        how = "" if ended[2] == "0" else f", exit code {ended[2]}"
        again = ended[1] == "restarting"
        return f"{'restarting again and again, ended' if again else 'stopped'} {ended[3]}{how}"
    return ""
