"""What did the campaign do itself, and what did it see meanwhile?

The checks need to know what people did in order to tell it from what the product did.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

import docker
import requests

from tests.chaos.plan import RENAMES, Planned

_SAMPLE_EVERY: Final = 0.4


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """How all containers stood at one moment, by their ids."""

    at: float
    states: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Newcomer:
    """A container that took the name of another one, and since when it is there."""

    container_id: str
    name: str
    since: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondSight:
    """What a worker with another host name said of itself, and how many took its work."""

    at: float
    is_ready: bool
    words: str
    pollers: int


@dataclass(slots=True, kw_only=True)
class Action:
    """Something that the campaign did; ``took_effect`` is what it believes."""

    began: float
    planned: Planned
    ended: float = 0.0
    container_id: str = ""
    request_id: str = ""
    user: str = ""
    note: str = ""
    took_effect: bool = False
    #: The new name of the container, and what took the old one.
    renamed: str = ""
    newcomer: Newcomer | None = None
    second_sights: list[SecondSight] = field(default_factory=list)


@dataclass(slots=True)
class EventLog:
    """All actions, engine restarts, and samples of the engine."""

    actions: list[Action] = field(default_factory=list)
    engine_down: list[tuple[float, float]] = field(default_factory=list)
    slack_wiped: list[float] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)

    def begin(self, planned: Planned, **fields: Any) -> Action:
        """Write down that something begins."""
        action = Action(began=time.time(), ended=time.time() + 3600, planned=planned, **fields)
        self.actions.append(action)
        return action

    def counted(self, *, effective: bool) -> Counter[str]:
        """Count the actions by kind."""
        return Counter(d.planned.move.value for d in self.actions if d.took_effect is effective)

    def touched(
        self, container_id: str, since: float, until: float, *, renames: bool = False
    ) -> list[Action]:
        """Give what people did to a container in a span of time; a new name moves nothing."""
        return [
            action
            for action in self.actions
            if action.container_id == container_id
            and (renames or action.planned.move not in RENAMES)
            and action.began <= until
            and action.ended >= since
        ]

    def engine_was_down(self, since: float, until: float) -> bool:
        """Tell whether the engine was being restarted in a span of time."""
        return any(began <= until and ended >= since for began, ended in self.engine_down)


class EngineWatch:
    """Two threads that look at the engine and listen to its events. Use as a context manager."""

    def __init__(self, base_url: str, event_log: EventLog) -> None:
        self._base_url = base_url
        self._event_log = event_log
        self._over = threading.Event()
        self._threads = [
            threading.Thread(target=self._sample, daemon=True),
            threading.Thread(target=self._listen, daemon=True),
        ]

    def __enter__(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def __exit__(self, *_: object) -> None:
        """End; the listening thread ends with its next event or time-out."""
        self._over.set()
        for thread in self._threads:
            thread.join(5)

    def _sample(self) -> None:
        api = docker.APIClient(base_url=self._base_url, version="1.41", timeout=5)
        while not self._over.wait(_SAMPLE_EVERY):
            with contextlib.suppress(requests.RequestException, docker.errors.APIError):
                at = time.time()
                listed = api.containers(all=True)
                states = {container["Id"]: container["State"] for container in listed}
                self._event_log.samples.append(Sample(at=at, states=states))
        api.close()

    def _listen(self) -> None:
        """Follow the events; after a break, from the last one on."""
        since = int(time.time())
        seen: set[tuple[int, str, str]] = set()
        while not self._over.is_set():
            api = docker.APIClient(base_url=self._base_url, version="1.41", timeout=2)
            # A quiet stream runs into the time-out too: then it is taken up again.
            with contextlib.suppress(
                requests.RequestException, docker.errors.APIError, OSError, ValueError
            ):
                for event in api.events(since=since, decode=True):
                    key = (event["timeNano"], event["Action"], event["Actor"]["ID"])
                    if key not in seen:
                        seen.add(key)
                        self._event_log.events.append(event)
                    since = event["time"]
            api.close()
            self._over.wait(0.1)
