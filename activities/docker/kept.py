"""Which snapshots are kept of which container?

The engine is asked once, for one container or for all: each image says by its labels which
container it is of and which request wanted it. What people built on a snapshot inherits the
labels, and so counts as one with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from activities.docker.answers import tags_of
from workflows.model.names import REQUEST_LABEL, SOURCE_LABEL
from workflows.model.requests import Fact, FactPlace


@dataclass(frozen=True, slots=True, kw_only=True)
class _Image:
    request_id: str
    made_at: int
    tag: str


class KeptSnapshots:
    """The snapshots of one engine at one moment, by the container that they are of."""

    def __init__(self, images: Iterable[Mapping[str, Any]]) -> None:
        self._of: dict[str, list[_Image]] = {}
        for image in images:
            labels = image.get("Labels") or {}
            self._of.setdefault(labels.get(SOURCE_LABEL) or "", []).append(_read(image, labels))

    def count(self, container_id: str) -> int:
        """Count the snapshots of a container."""
        return len({image.request_id for image in self._of.get(container_id, ())})

    def newest(self, container_id: str) -> str:
        """Name the newest one of a container; ``""`` when it has no name, or there is none."""
        tagged = [image for image in self._of.get(container_id, ()) if image.tag]
        return max(tagged, key=lambda image: image.made_at).tag if tagged else ""

    def facts(self, container_id: str) -> Iterator[Fact]:
        """Say how many there are of a container, and name the newest."""
        count, newest = self.count(container_id), self.newest(container_id)
        words = "no snapshot of it is kept"
        if count:
            words = f"{count} snapshot{'s' if count > 1 else ''} of it"
            words += ", the newest" if count > 1 and newest else ""
        yield Fact(label=words, value=newest, place=FactPlace.LOOK)


def _read(image: Mapping[str, Any], labels: Mapping[str, str]) -> _Image:
    return _Image(
        request_id=labels.get(REQUEST_LABEL) or "",
        made_at=int(image.get("Created") or 0),
        tag=next(iter(tags_of(image)), ""),
    )
