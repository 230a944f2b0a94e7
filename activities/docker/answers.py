"""What of the engine's answers do we look at?

An allow-list: an answer holds environment, command line and mount sources, which may be
secrets. They end here. Labels are kept for questions on the host and are not shown: only names
that an orchestrator has given are, and of those what is plainly a name.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from activities.docker.advice import commands
from activities.docker.facts import afterwards, facts, is_plain
from activities.docker.moments import moment
from activities.docker.mounts import mounts
from activities.docker.published import MOST_PORTS, chosen_ports, listed_ports
from activities.docker.refused_start import owner_references
from workflows.model.image_reference import familiar
from workflows.model.names import ENGINE_ID_FORM
from workflows.model.requests import ContainerPin, ContainerState, Fact, Mount, PublishedPort

#: What one engine calls differently, or passes through on its way to a state that both know.
_STATES: Final = {
    "configured": ContainerState.CREATED,
    "initialized": ContainerState.CREATED,
    "stopped": ContainerState.EXITED,
}
#: These kill a container at once when the connection of a stop breaks (moby/moby#45731).
_IMPATIENT_ENGINES: Final = re.compile(r"(?:23\.0\.[0-6]|24\.0\.[0-2])\b")
_CONTAINERD: Final = "io.containerd.snapshotter"
_PODMAN: Final = "podman:"
#: With what stands before it, a database of Temporal takes no longer id of a workflow.
_LONGEST_ID: Final = 200
_NANOSECONDS: Final = 1_000_000_000
#: Since this release a health check has an interval of its own while a container starts.
_HAS_START_INTERVAL: Final = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineFacts:
    """What an operator wants to know about an engine; ``warning`` is ``""`` when all is well.

    ``data_root`` is the directory that it keeps its images in, on its own machine; ``""`` when
    it does not tell, as with containerd's image store, which has a directory of its own
    (docker/cli#6645). ``has_layer_store`` is true for Docker with its own image store: then a
    commit needs the image that the container was made of, and layers can be stacked so far only.
    """

    engine_id: str
    version: str
    api_version: str
    storage_driver: str
    data_root: str = ""
    has_layer_store: bool = True
    warning: str = ""

    @property
    def unique_id(self) -> str:
        """What no other engine has: of Podman there may be one for each user of a machine.

        Where a directory holds what no id may, or is too long for one, a digest has to do.
        """
        is_podman = self.engine_id.startswith(_PODMAN)
        told = f"{self.engine_id}{self.data_root}" if is_podman else self.engine_id
        if len(told) <= _LONGEST_ID and ENGINE_ID_FORM.fullmatch(told):
            return told
        return f"sha256:{hashlib.sha256(told.encode(errors='replace')).hexdigest()}"

    @property
    def starts_owners(self) -> bool:
        """Whether a start brings up the containers too whose namespaces are used, as Podman's."""
        return self.engine_id.startswith(_PODMAN)

    @property
    def has_start_interval(self) -> bool:
        """Whether it checks health more often while a container starts."""
        major = self.version.partition(".")[0]
        return not self.starts_owners and major.isdigit() and int(major) >= _HAS_START_INTERVAL


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerListEntry:
    """A container in the engine's list.

    ``status`` is how the engine itself words it, like ``Up 6 days (healthy)``, and ``ports`` are
    those of the host by which it is reached, in words.
    """

    container_id: str
    name: str
    image: str
    state: ContainerState
    network_mode: str = ""
    networks: tuple[str, ...] = ()
    ports: tuple[str, ...] = ()
    status: str = ""
    labels: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthCheck:
    """When a container's health check gives its verdicts, in seconds, with Docker's defaults."""

    interval: float = 30
    timeout: float = 30
    retries: int = 3
    start_period: float = 0
    start_interval: float = 5

    def first_verdict(self, engine: EngineFacts) -> float:
        """How long after a start it can say "healthy" at the earliest."""
        if self.start_period and engine.has_start_interval:
            return min(self.interval, self.start_interval)
        return self.interval

    @property
    def last_verdict(self) -> float:
        """How long after a start it has said "healthy" or "unhealthy" at the latest."""
        return self.start_period + self.retries * (self.interval + self.timeout)


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerInspect:
    """A container at one moment. ``health`` is ``""`` without a health check.

    ``out_of_memory`` says that the kernel ended a process of it for want of memory.

    ``owners`` are the containers without which it does not start: pairs of what it uses of them,
    and an id or name. ``chosen_ports`` are those that the engine chooses anew at each start.
    ``facts`` are what people read of it.
    """

    container_id: str
    name: str
    image: str
    image_id: str
    state: ContainerState
    started_at: str
    finished_at: datetime
    exit_code: int
    out_of_memory: bool
    restart_count: int
    restart_policy: str
    auto_remove: bool
    mounts: tuple[Mount, ...]
    has_healthcheck: bool
    health: str
    health_check: HealthCheck
    owners: tuple[tuple[str, str], ...]
    stop_timeout_seconds: int | None
    chosen_ports: tuple[PublishedPort, ...]
    networks: tuple[str, ...]
    facts: tuple[Fact, ...]
    labels: Mapping[str, str] = field(repr=False)

    def pin(self, engine_id: str) -> ContainerPin:
        """Pin the container as it is now."""
        return ContainerPin(
            container_id=self.container_id,
            name=self.name,
            image=self.image,
            image_id=self.image_id,
            state=self.state,
            started_at=self.started_at,
            restart_policy=self.restart_policy,
            auto_remove=self.auto_remove,
            engine_id=engine_id,
            mounts=self.mounts,
            has_healthcheck=self.has_healthcheck,
            stop_timeout_seconds=self.stop_timeout_seconds,
            unhealthy=self.health == "unhealthy",
            chosen_ports=self.chosen_ports[:MOST_PORTS],
            facts=(
                *self.facts,
                *afterwards(
                    self.restart_policy, self.state, is_podman=engine_id.startswith(_PODMAN)
                ),
            ),
            commands=commands(self.container_id),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageInspect:
    """An image at one moment; ``digest`` is how a registry knows it, ``""`` for one made here."""

    image_id: str
    created: datetime
    size_bytes: int
    layers: int
    digest: str = ""
    tags: tuple[str, ...]
    labels: Mapping[str, str] = field(repr=False)


def engine_facts(info: Mapping[str, Any], api_version: str) -> EngineFacts:
    """Read what an engine says about itself."""
    version = str(info.get("ServerVersion", "unknown"))
    impatient = _IMPATIENT_ENGINES.match(version)
    root = info.get("DockerRootDir") or ""
    has_containerd_store = _CONTAINERD in str(info.get("DriverStatus"))
    return EngineFacts(
        engine_id=engine_id(info),
        version=version,
        api_version=api_version,
        storage_driver=str(info.get("Driver", "unknown")),
        data_root="" if has_containerd_store else str(root),
        has_layer_store=not has_containerd_store and "BuildahVersion" not in info,
        warning=(
            f"Docker {version} kills a container at once when the worker dies during a stop; "
            "upgrade to 23.0.7, 24.0.3 or later"
            if impatient
            else ""
        ),
    )


def engine_id(info: Mapping[str, Any]) -> str:
    """Name an engine; Podman makes up another id for each answer, so its host's name must do."""
    if "BuildahVersion" in info:
        return f"{_PODMAN}{info.get('Name', '')}"
    return str(info["ID"])


def container_list_entry(raw: Mapping[str, Any]) -> ContainerListEntry:
    """Read one entry of the container list. Names with a second slash are aliases of links."""
    names = [name.removeprefix("/") for name in raw.get("Names") or ()]
    return ContainerListEntry(
        container_id=raw["Id"],
        name=next((name for name in names if "/" not in name), ""),
        image=raw.get("Image") or "",
        state=container_state(raw.get("State")),
        network_mode=(raw.get("HostConfig") or {}).get("NetworkMode") or "",
        networks=_networks(raw),
        ports=tuple(listed_ports(raw)),
        status=raw.get("Status") or "",
        labels=raw.get("Labels") or {},
    )


def container_inspect(raw: Mapping[str, Any]) -> ContainerInspect:
    """Read the answer to an inspect of a container."""
    state, config, host = raw["State"], raw["Config"], raw.get("HostConfig") or {}
    status = container_state(state.get("Status"))
    check = config.get("Healthcheck") or {}
    test = check.get("Test") or []
    # A stopped container keeps the health it had.
    health = (state.get("Health") or {}).get("Status") or "" if status.is_up else ""
    mounted = mounts(raw)
    return ContainerInspect(
        container_id=raw["Id"],
        name=raw["Name"].removeprefix("/"),
        image=config.get("Image") or "",
        image_id=image_id(raw["Image"]),
        state=status,
        started_at=state.get("StartedAt") or "",
        finished_at=moment(state.get("FinishedAt")),
        exit_code=int(state.get("ExitCode") or 0),
        out_of_memory=bool(state.get("OOMKilled")),
        restart_count=int(raw.get("RestartCount") or 0),
        restart_policy=(host.get("RestartPolicy") or {}).get("Name") or "no",
        auto_remove=bool(host.get("AutoRemove")),
        mounts=mounted,
        has_healthcheck=bool(test) and test != ["NONE"],
        health=health,
        health_check=_health_check(check),
        owners=owner_references(host),
        stop_timeout_seconds=config.get("StopTimeout"),
        chosen_ports=chosen_ports(raw),
        networks=_networks(raw),
        facts=facts(raw, state=status, health=health, mounts=mounted),
        labels=config.get("Labels") or {},
    )


def image_inspect(raw: Mapping[str, Any]) -> ImageInspect:
    """Read the answer to an inspect of an image."""
    return ImageInspect(
        image_id=image_id(raw["Id"]),
        created=moment(raw.get("Created")),
        size_bytes=int(raw.get("Size") or 0),
        digest=str(next(iter(raw.get("RepoDigests") or ()), "")),
        layers=len((raw.get("RootFS") or {}).get("Layers") or ()),
        tags=tags_of(raw),
        labels=(raw.get("Config") or {}).get("Labels") or {},
    )


def tags_of(raw: Mapping[str, Any]) -> tuple[str, ...]:
    """Read by what names an image is known, written as Docker does."""
    told = raw.get("RepoTags") or ()
    return tuple(familiar(tag) for tag in told if tag != "<none>:<none>")


def container_state(status: str | None) -> ContainerState:
    """Name a state; one that nobody documented is unknown, never an error."""
    try:
        return _STATES.get(status or "") or ContainerState(status or "")
    except ValueError:
        return ContainerState.UNKNOWN


def image_id(text: str) -> str:
    """Write an image id as Docker does; Podman leaves the algorithm out."""
    return text if ":" in text else f"sha256:{text}"


def _networks(raw: Mapping[str, Any]) -> tuple[str, ...]:
    """Name the networks that a container is in; those of another one's are none of its own."""
    found = (raw.get("NetworkSettings") or {}).get("Networks") or {}
    return tuple(name for name in sorted(found) if is_plain(name))


def _health_check(raw: Mapping[str, Any]) -> HealthCheck:
    """Read when a health check runs; what is left out, or zero, is Docker's default."""
    seconds = {
        field: raw[name] / _NANOSECONDS
        for field, name in (
            ("interval", "Interval"),
            ("timeout", "Timeout"),
            ("start_period", "StartPeriod"),
            ("start_interval", "StartInterval"),
        )
        if raw.get(name)
    }
    return HealthCheck(**seconds, retries=raw.get("Retries") or HealthCheck().retries)
