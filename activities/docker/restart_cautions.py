"""What does a stop, or a start after it, change about a container that nothing brings back?

Said before the approval. What can be put back is no matter here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from activities.docker.answers import ContainerInspect
from activities.docker.mounts import TMPFS
from workflows.model.requests import PublishedPort
from workflows.model.state import Caution, CautionCode

_SHOWN: Final = 2
_SHOWN_PATH: Final = re.compile(r"[\w./@+~-]{1,24}")
#: What lies there is gone after every restart of a machine, and programs reckon with it.
_SCRATCH: Final = frozenset({"/tmp", "/run", "/var/run", "/run/lock", "/dev/shm"})  # noqa: S108 - in a container


def restart_cautions(seen: ContainerInspect) -> tuple[Caution, ...]:
    """Say what is otherwise after a stop and a start, for a container that is not down."""
    return () if seen.state.is_down else (*_ports(seen.chosen_ports), *_memory(seen))


def _ports(chosen: Sequence[PublishedPort]) -> Iterator[Caution]:
    if chosen:
        now = [f"{one.port} is at {_all_of(one.host_ports)} now" for one in chosen]
        yield Caution(code=CautionCode.PORTS_CHANGE, detail=_some(now))


def _memory(seen: ContainerInspect) -> Iterator[Caution]:
    places = [
        mount.destination
        for mount in seen.mounts
        if mount.type == TMPFS and mount.destination not in _SCRATCH
    ]
    if places:
        shown = [place for place in places if _SHOWN_PATH.fullmatch(place)]
        detail = _some([f"tmpfs {place}" for place in shown], of=len(places))
        yield Caution(code=CautionCode.MEMORY_LOST, detail=detail)


def _some(items: Sequence[str], *, of: int = 0) -> str:
    """Join the first items, and count the rest of all there are."""
    shown = [*items[:_SHOWN]]
    left_out = max(of, len(items)) - len(shown)
    if left_out and shown:
        shown.append(f"{left_out} more")
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)


def _all_of(ports: Sequence[int]) -> str:
    return " and ".join(str(port) for port in ports[:_SHOWN])
