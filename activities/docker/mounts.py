"""What of a container's files lies outside of its own file system, so that no commit has it?

The engine tells it in several places, none of which has all: its list of mounts leaves out what
``--tmpfs`` asked for. The volumes of another container (``--volumes-from``) are in that list from
the beginning. Where a mount comes from may be a secret, and is never read.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from typing import Any, Final

from workflows.model.requests import Mount

#: In memory alone: a stop empties it.
TMPFS: Final = "tmpfs"
_VOLUME: Final = "volume"
_BIND: Final = "bind"


def mounts(raw: Mapping[str, Any]) -> tuple[Mount, ...]:
    """Read from the answer to an inspect what is mounted where, each place once."""
    found: dict[str, Mount] = {}
    for kind, place in _all(raw, raw.get("HostConfig") or {}):
        if place:
            destination = _same(place)
            found.setdefault(destination, Mount(type=kind, destination=destination))
    return tuple(found.values())


def _all(raw: Mapping[str, Any], host: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Give kind and place of every mount, the most telling entry of each first."""
    for mount in raw.get("Mounts") or ():
        yield mount.get("Type") or "", mount.get("Destination") or ""
    for mount in host.get("Mounts") or ():
        yield mount.get("Type") or "", mount.get("Target") or ""
    for place in host.get("Tmpfs") or ():
        yield TMPFS, place
    for bind in host.get("Binds") or ():
        source, _, rest = str(bind).partition(":")
        yield _BIND if source.startswith("/") else _VOLUME, rest.partition(":")[0]
    for place in (raw.get("Config") or {}).get("Volumes") or ():
        yield _VOLUME, place


def _same(place: str) -> str:
    """Write a place one way, for the engine keeps a slash at its end as it was typed."""
    return posixpath.normpath(place) if place.startswith("/") else place
