"""What can people run on a host for a container, in whose words, and what if its pin says nothing?

The provider writes each command whole when the container is pinned, so a card can show it however
long its worker is away. Whoever shows it knows only what it is for.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from workflows.model.names import CONTAINER_ID_FORM
from workflows.model.requests import ContainerPin
from workflows.model.text import short_id


class CommandName(StrEnum):
    """What a command is for. A provider has those of them that its tools have."""

    LOOK = "look"
    FIND = "find"
    START = "start"
    STOP = "stop"
    PAUSE = "pause"
    UNPAUSE = "unpause"
    LOGS = "logs"
    HEALTH = "health"
    IMAGE = "image"
    OWNERS = "owners"
    MOUNTS = "mounts"
    DEVICES = "devices"
    PROGRAM = "program"
    COPY = "copy"
    PORTS = "ports"
    NETWORKS = "networks"
    MAKE_NETWORK = "make_network"
    LEAVE_NETWORK = "leave_network"
    JOIN_NETWORK = "join_network"
    SPACE = "space"
    ENGINE_STATUS = "engine_status"
    ENGINE_LOG = "engine_log"
    ENGINE_ID = "engine_id"


#: A pin of an earlier release brings no commands. It is Docker's, and these lead its container
#: back; when no request of such a release is open any more, they can go.
_EARLIER: Final[Mapping[CommandName, str]] = MappingProxyType(
    {
        CommandName.LOOK: "docker inspect --format '{{.State.Status}}' ",
        CommandName.START: "docker start ",
        CommandName.STOP: "docker stop ",
        CommandName.PAUSE: "docker pause ",
        CommandName.UNPAUSE: "docker unpause ",
    }
)


def command_of(pin: ContainerPin | None, name: CommandName) -> str:
    """Give the command for this container; ``""`` when its provider has none for it."""
    if pin is None:
        return ""
    if pin.facts or pin.commands:
        return next((one.line for one in pin.commands if one.name == name), "")
    known = name in _EARLIER and CONTAINER_ID_FORM.fullmatch(pin.container_id)
    return f"{_EARLIER[name]}{short_id(pin.container_id)}" if known else ""
