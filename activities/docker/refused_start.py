"""The engine refuses to start a container: what around it is missing, and what may be told of it?

The engine's answer tells in fixed phrases, and its status does not: one and the same "not found"
is about another container, a network or a plugin. Our words may name what the container's pin or
a list of containers shows as well: where a thing is mounted, never from where.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from workflows.model.errors import ErrorType
from workflows.model.text import short_id

#: Phrases of Docker 20.10 to 28 and of Podman 4.3, most telling first; ``""`` says no more than
#: the kind itself. A mount comes before the runtime, whose words frame it.
_PHRASES: Final = tuple(
    (re.compile(pattern), kind, text)
    for pattern, kind, text in (
        (r"no space left", ErrorType.DISK_FULL, ""),
        (
            r"non running container|can't join ipc of|cannot join pid of",
            ErrorType.OWNER_MISSING,
            "",
        ),
        (r"some dependencies of container", ErrorType.OWNER_MISSING, ""),
        (
            r"network \S+ is ambiguous",
            ErrorType.NETWORK_MISSING,
            "there are two networks of the name that it uses",
        ),
        (
            r"network \S+ not found|network not found|no such network|not manually attachable",
            ErrorType.NETWORK_MISSING,
            "",
        ),
        (
            r"port is already allocated|ports are not available|: address already in use",
            ErrorType.PORT_BUSY,
            "",
        ),
        (
            r"address already in use",
            ErrorType.PORT_BUSY,
            "its fixed address in a network is taken by another container",
        ),
        (
            r"volume plugin|volumedriver",
            ErrorType.MOUNT_MISSING,
            "the driver of one of its volumes is missing on the host, or fails",
        ),
        (r"bind source path|mount config|mount source|error mounting", ErrorType.MOUNT_MISSING, ""),
        (r"mounting volume|local volume|no such volume", ErrorType.MOUNT_MISSING, ""),
        (r"crun: cannot stat", ErrorType.MOUNT_MISSING, ""),
        (
            r"could not select device driver|cdi device|nvidia-container-cli",
            ErrorType.DEVICE_MISSING,
            "the host has no working driver for a device that it asks for, like a GPU",
        ),
        (r"device information|no such device", ErrorType.DEVICE_MISSING, ""),
        (
            r"logging driver|logging plugin|log driver",
            ErrorType.CANNOT_RUN,
            "its log driver is missing on the host, or fails",
        ),
        (
            r"unknown runtime|invalid runtime|runtime name",
            ErrorType.CANNOT_RUN,
            "its container runtime is missing on the host",
        ),
        (
            r"cpus are not available|memory nodes are not available",
            ErrorType.CANNOT_RUN,
            "the host lacks the CPUs or the memory nodes that it asks for",
        ),
        (
            r"executable file not found|executable file `|exec: .*no such file or directory",
            ErrorType.CANNOT_RUN,
            "its program is neither in the image nor in a mount",
        ),
        (
            r"exec: .*permission denied",
            ErrorType.CANNOT_RUN,
            "its program may not be run: its permissions are wrong",
        ),
        (
            r"unable to find (?:user|group)",
            ErrorType.CANNOT_RUN,
            "the user or the group that it runs as is not in the image",
        ),
        (
            r"seccomp|apparmor",
            ErrorType.CANNOT_RUN,
            "its security profile cannot be used on the host",
        ),
        (r"oci |runc|crun|create shim|create task", ErrorType.CANNOT_RUN, ""),
    )
)
_OTHERS_STATE: Final = re.compile(r"no such container|is not running|is restarting")
_ID: Final = re.compile(r"\b[0-9a-f]{64}\b|\b[0-9a-f]{12}\b")
_SHOWN_PATH: Final = re.compile(r"[\w./@+~-]{1,60}")
_SHOWN_NAME: Final = re.compile(r"[a-zA-Z0-9][\w.-]{0,62}")
_PORT: Final = re.compile(r":(\d{1,5})\b")
#: What a container can use of another one, by the setting that says so.
NETWORK: Final = "network"
PROCESSES: Final = "process space"
_NAMESPACES: Final = {
    "NetworkMode": NETWORK,
    "IpcMode": "IPC space",
    "PidMode": PROCESSES,
}
OWNED: Final = "container:"
LINK: Final = "link"


FindOwner = Callable[[str], tuple[str, str] | None]


@dataclass(frozen=True, slots=True)
class Missing:
    """What is in the way of a start; ``text`` is ours, ``""`` when the kind says it all."""

    kind: ErrorType
    text: str = ""


def missing_for_start(words: str, container_id: str) -> Missing | None:
    """Read from an engine's answer what a start lacks; ``None`` when it names nothing known."""
    lowered = words.lower()
    if _OTHERS_STATE.search(lowered) and names_another(words, container_id):
        return Missing(ErrorType.OWNER_MISSING)
    for pattern, kind, text in _PHRASES:
        if pattern.search(lowered):
            return Missing(kind, text)
    return None


def names_another(words: str, container_id: str) -> bool:
    """Tell whether an answer names containers, and ours is not among them."""
    found = _ID.findall(words)
    return bool(found) and not any(container_id.startswith(name) for name in found)


def owner_references(host_config: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Say which containers must run for a start: pairs of what of them is used, and id or name."""
    spaces = ((space, str(host_config.get(key) or "")) for key, space in _NAMESPACES.items())
    links = (str(link).partition(":")[0] for link in host_config.get("Links") or ())
    return (
        *((space, owner[len(OWNED) :]) for space, owner in spaces if owner.startswith(OWNED)),
        *((LINK, link.removeprefix("/")) for link in links),
    )


def owner_words(space: str, owner: str, name: str, state: str) -> str:
    """Say of another container why a start needs it; ``name`` is ``""`` for one removed."""
    if space == LINK:
        return f"it is linked to {owner}, which does not run"
    if name:
        return f"it uses the {space} of {name}, which does not run ({state})"
    who = f"container {short_id(owner)}" if _ID.fullmatch(owner) else "a container"
    return f"it uses the {space} of {who}, which was removed"


def name_it(
    missing: Missing,
    words: str,
    raw: Mapping[str, Any],
    find_owner: FindOwner,
) -> Missing:
    """Say which of the container's own things is missing, as far as its settings show it.

    Args:
        missing: what the answer was found to be about.
        words: the answer.
        raw: the engine's own view of the container.
        find_owner: gives name and state of another container, both ``""`` when there is none,
            and ``None`` when the engine did not say.

    Returns:
        What is missing, with a text of ours; it is ``""`` when there is no more to say than the
        kind does.
    """
    if missing.kind is ErrorType.OWNER_MISSING:
        return _owner(words, raw, find_owner)
    name = _NAMERS.get(missing.kind)
    return Missing(missing.kind, missing.text or (name(words, raw) if name else ""))


def owner_error(space: str, name: str) -> ErrorType:
    """Tell an owner that is down from one that is gone for good: an id never comes back."""
    gone = space != LINK and not name
    return ErrorType.OWNER_GONE if gone else ErrorType.OWNER_MISSING


def _owner(words: str, raw: Mapping[str, Any], find_owner: FindOwner) -> Missing:
    for space, owner in owner_references(raw.get("HostConfig") or {}):
        if (f"/{owner} " if space == LINK else owner) in words:
            found = find_owner(owner)
            if found is None:
                break
            return Missing(owner_error(space, found[0]), owner_words(space, owner, *found))
    return Missing(ErrorType.OWNER_MISSING)


def _mount(words: str, raw: Mapping[str, Any]) -> str:
    mounts = sorted(raw.get("Mounts") or (), key=lambda m: len(m.get("Source") or ""), reverse=True)
    for mount in mounts:
        source, destination = mount.get("Source") or "", mount.get("Destination") or ""
        if _holds(words, source) and _SHOWN_PATH.fullmatch(destination):
            kind = "bind mount" if mount.get("Type") == "bind" else "volume"
            gone = re.search(r"does not exist|no such file", words) and "failed to" not in words
            fate = "is missing on the host" if gone else "cannot be mounted"
            return f"its {kind} {destination} {fate}"
    return ""


def _device(words: str, raw: Mapping[str, Any]) -> str:
    for device in (raw.get("HostConfig") or {}).get("Devices") or ():
        inside = device.get("PathInContainer") or ""
        if _holds(words, device.get("PathOnHost") or "") and _SHOWN_PATH.fullmatch(inside):
            return f"its device {inside} is missing on the host"
    return ""


def _network(words: str, raw: Mapping[str, Any]) -> str:
    networks = (raw.get("NetworkSettings") or {}).get("Networks") or {}
    for name, network in networks.items():
        known = (network or {}).get("NetworkID") or name
        if (_holds(words, known) or _holds(words, name)) and _SHOWN_NAME.fullmatch(name):
            return f"its network {name} is missing"
    return ""


def _port(words: str, raw: Mapping[str, Any]) -> str:
    bindings = ((raw.get("HostConfig") or {}).get("PortBindings") or {}).values()
    published = {str(one.get("HostPort")) for binding in bindings for one in binding or ()}
    for port in _PORT.findall(words):
        if port in published:
            return f"port {port}, which it publishes, is taken"
    return ""


_NAMERS: Final = {
    ErrorType.MOUNT_MISSING: _mount,
    ErrorType.DEVICE_MISSING: _device,
    ErrorType.NETWORK_MISSING: _network,
    ErrorType.PORT_BUSY: _port,
}


def _holds(words: str, part: str) -> bool:
    """Tell whether words hold a path or a name as a whole, not as a part of another."""
    return bool(part) and bool(re.search(rf"(?<![\w./-]){re.escape(part)}(?![\w/-])", words))
