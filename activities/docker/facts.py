"""What do people read of a container of Docker's, on the card and at a look?

In Docker's words, and made here alone: whoever shows it prints it as it comes. What is read here
is all that can be told: of labels those that name a project or a snapshot, and of these what is
plainly a name. What changes with time is told as the moment when it began, so that it stays true.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from activities.docker.moments import ever, moment
from activities.docker.published import published
from workflows.model.names import REQUEST_ID_FORM, REQUEST_LABEL
from workflows.model.requests import ContainerState, Fact, FactPlace, Mount

COMPOSE_PROJECT: Final = "com.docker.compose.project"
COMPOSE_SERVICE: Final = "com.docker.compose.service"
_NO_POLICY: Final = "no"
_ALWAYS: Final = "always"
_USUAL_SIGNAL: Final = "SIGTERM"
#: What a name of Compose's, of a network or of a signal can be; anything else is not told.
_NAME: Final = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.+-]{0,62}")
_HEALTH: Final = {
    "healthy": "healthy",
    "unhealthy": "unhealthy",
    "starting": "health check still starting",
}
#: The state itself stands beside it.
_UP: Final = {
    ContainerState.RUNNING: "up since",
    ContainerState.PAUSED: "started",
    ContainerState.RESTARTING: "last started",
}
#: So much of a value a card shows, with how many more there are.
ROOM: Final = 45
_STAYS_DOWN: Final = "does not come back by itself, not even after a reboot"
_STAYS_DOWN_WITH_PODMAN: Final = "does not come back by itself"
_COMES_BACK: Final = "comes back by itself after a restart of Docker or a reboot"
_MAY_COME_BACK: Final = "may come back by itself after a reboot"
_ONE_NETWORK: Final = ("container:", "ns:")


def facts(
    raw: Mapping[str, Any], *, state: ContainerState, health: str, mounts: Sequence[Mount]
) -> tuple[Fact, ...]:
    """Tell of a container all that the answer to an inspect of it says."""
    host, config = raw.get("HostConfig") or {}, raw.get("Config") or {}
    return (
        *_itself(raw, state, health),
        *_at_a_look(raw, config, host, state, knows_health=bool(health)),
        *_outside(mounts),
        *_details(raw, config, host),
    )


def afterwards(restart_policy: str, state: ContainerState, *, is_podman: bool) -> Iterator[Fact]:
    """Say whether a container that somebody stops comes back by itself.

    Of Docker's policies ``always`` alone starts what people stopped, when the engine is
    restarted, as documented, and as measured with Docker 20.10. Podman has no engine that could be
    restarted: there a service of the machine does it, where somebody has switched it on.
    """
    if state.is_down:
        return
    if restart_policy != _ALWAYS:
        words = _STAYS_DOWN_WITH_PODMAN if is_podman else _STAYS_DOWN
    else:
        words = _MAY_COME_BACK if is_podman else _COMES_BACK
    yield Fact(label=words, place=FactPlace.AFTERWARDS)


def part_of(labels: Mapping[str, str]) -> str:
    """Name the project and the service of Compose that a container is; ``""`` for none."""
    project, service = labels.get(COMPOSE_PROJECT), labels.get(COMPOSE_SERVICE)
    return "/".join(name for name in (project, service) if name and is_plain(name))


def is_plain(name: str) -> bool:
    """Whether a text is plainly a name, and so can be told."""
    return _NAME.fullmatch(name) is not None


def some(names: Sequence[str], room: int) -> str:
    """Join as many names as there is room for, but one at least, and count the rest."""
    shown = list(names[:1])
    for name in names[1:]:
        if len(", ".join((*shown, name))) > room:
            break
        shown.append(name)
    more = f" and {len(names) - len(shown)} more" if len(names) > len(shown) else ""
    return ", ".join(shown) + more


def _itself(raw: Mapping[str, Any], state: ContainerState, health: str) -> Iterator[Fact]:
    labels = (raw.get("Config") or {}).get("Labels") or {}
    yield from _named("Compose service", part_of(labels))
    yield from _since(raw, state)
    if health in _HEALTH:
        yield _of_itself(_HEALTH[health])
    if restarts := int(raw.get("RestartCount") or 0):
        times = "once" if restarts == 1 else f"{restarts} times"
        yield _of_itself(f"restarted by itself {times}")
    yield from _named("ports", some(published(raw), ROOM))


def _since(raw: Mapping[str, Any], state: ContainerState) -> Iterator[Fact]:
    """Say since when it is up or down, and how it ended if that was not well."""
    seen = raw["State"]
    started, ended = (_when(seen.get(name)) for name in ("StartedAt", "FinishedAt"))
    if state in _UP and started is not None:
        yield _of_itself(_UP[state], started)
    if not state.is_down:
        return
    if started is None:
        yield _of_itself("never started")
        return
    if ended is not None:
        yield _of_itself("down since", ended)
    if seen.get("OOMKilled"):
        yield _of_itself("was killed for want of memory")
    elif code := int(seen.get("ExitCode") or 0):
        yield Fact(label="exit code", value=str(code), place=FactPlace.ITSELF)


def _at_a_look(
    raw: Mapping[str, Any],
    config: Mapping[str, Any],
    host: Mapping[str, Any],
    state: ContainerState,
    *,
    knows_health: bool,
) -> Iterator[Fact]:
    policy = (host.get("RestartPolicy") or {}).get("Name") or _NO_POLICY
    yield Fact(label="restart policy", value=policy, place=FactPlace.LOOK)
    started = _when(raw["State"].get("StartedAt"))
    if state.is_down and started is not None:
        yield Fact(label="last started", place=FactPlace.LOOK, at=started)
    test = (config.get("Healthcheck") or {}).get("Test") or []
    if test and test != ["NONE"] and not knows_health:
        yield Fact(label="has a health check", place=FactPlace.LOOK)
    if (timeout := config.get("StopTimeout")) is not None:
        yield Fact(label=_stop_timeout(timeout), place=FactPlace.LOOK)
    if host.get("AutoRemove"):
        yield Fact(label="removed when it stops (--rm)", place=FactPlace.LOOK)


def _stop_timeout(seconds: int) -> str:
    """Say what a stop without a grace of its own means for a container."""
    if seconds < 0:
        return "stop time-out: none"
    return f"stop time-out {seconds} s" if seconds else "stop time-out 0 s: killed at once"


def _outside(mounts: Sequence[Mount]) -> Iterator[Fact]:
    """Name the mounts, whose content ``docker commit`` leaves out."""
    if not mounts:
        yield Fact(label="no mounts", place=FactPlace.LOOK)
    for mount in mounts:
        yield Fact(label=mount.type, value=mount.destination, place=FactPlace.NOT_IN_SNAPSHOT)


def _details(
    raw: Mapping[str, Any], config: Mapping[str, Any], host: Mapping[str, Any]
) -> Iterator[Fact]:
    if (created := _when(raw.get("Created"))) is not None:
        yield Fact(label="created", place=FactPlace.DETAILS, at=created)
    yield from _named("network mode", _network_mode(host), FactPlace.DETAILS)
    signal = str(config.get("StopSignal") or _USUAL_SIGNAL)
    if signal != _USUAL_SIGNAL and is_plain(signal):
        yield Fact(label="stop signal", value=signal, place=FactPlace.DETAILS)
    request = (config.get("Labels") or {}).get(REQUEST_LABEL) or ""
    if REQUEST_ID_FORM.fullmatch(request):
        label = "made of the snapshot of request"
        yield Fact(label=label, value=request, place=FactPlace.DETAILS)


def _network_mode(host: Mapping[str, Any]) -> str:
    """Name its network mode; the container or the name space whose network it uses by the kind."""
    mode = str(host.get("NetworkMode") or "")
    kind = next((begins for begins in _ONE_NETWORK if mode.startswith(begins)), "")
    if kind:
        return kind.removesuffix(":")
    return mode if is_plain(mode) else ""


def _named(label: str, value: str, place: FactPlace = FactPlace.ITSELF) -> Iterator[Fact]:
    if value:
        yield Fact(label=label, value=value, place=place)


def _of_itself(label: str, at: datetime | None = None) -> Fact:
    return Fact(label=label, place=FactPlace.ITSELF, at=at)


def _when(text: str | None) -> datetime | None:
    """Read a moment to the second, which is all that people want to know."""
    at = ever(moment(text))
    return None if at is None else at.replace(microsecond=0)
