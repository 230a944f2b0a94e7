"""What can people run on a host of Docker's to see a container, and to bring it back?

A command names the container by the digits of its id, never by its name, which another container
may bear by now.
"""

from __future__ import annotations

from workflows.model.advice import CommandName
from workflows.model.names import CONTAINER_ID_FORM
from workflows.model.requests import Command
from workflows.model.text import short_id


def commands(container_id: str) -> tuple[Command, ...]:
    """Write the commands for one container."""
    lines = _lines(_digits(container_id))
    return tuple(Command(name=name, line=line) for name, line in lines.items())


def _lines(one: str) -> dict[CommandName, str]:
    network = "{{.HostConfig.NetworkMode}} {{.HostConfig.IpcMode}} {{.HostConfig.PidMode}}"
    devices = "{{json .HostConfig.Devices}} {{json .HostConfig.DeviceRequests}}"
    return {
        CommandName.LOOK: _inspect("{{.State.Status}}", one),
        CommandName.FIND: f"docker ps --all --filter id={one}",
        CommandName.START: f"docker start {one}",
        CommandName.STOP: f"docker stop {one}",
        CommandName.PAUSE: f"docker pause {one}",
        CommandName.UNPAUSE: f"docker unpause {one}",
        CommandName.LOGS: f"docker logs --tail 50 {one}",
        CommandName.HEALTH: _inspect("{{json .State.Health}}", one),
        CommandName.IMAGE: _inspect("{{.Config.Image}}", one),
        CommandName.OWNERS: _inspect(network, one),
        CommandName.MOUNTS: _inspect("{{json .Mounts}}", one),
        CommandName.DEVICES: _inspect(devices, one),
        CommandName.PROGRAM: _inspect("{{.Path}}", one),
        CommandName.COPY: f"docker cp FILE {one}:PATH",
        CommandName.PORTS: "docker ps --format '{{.Names}}: {{.Ports}}'",
        CommandName.NETWORKS: _inspect("{{json .NetworkSettings.Networks}}", one),
        CommandName.MAKE_NETWORK: "docker network create NETWORK",
        CommandName.LEAVE_NETWORK: f"docker network disconnect NETWORK {one}",
        CommandName.JOIN_NETWORK: f"docker network connect NETWORK {one}",
        CommandName.SPACE: "docker system df",
        CommandName.ENGINE_STATUS: "systemctl status docker",
        CommandName.ENGINE_LOG: "journalctl --unit docker --since -15min",
        CommandName.ENGINE_ID: "docker info --format '{{.ID}}'",
    }


def restart(container_id: str) -> str:
    """Write the command that mends one that lives in another."""
    return f"docker restart {_digits(container_id)}"


def _digits(container_id: str) -> str:
    """Give the digits by which a command reaches this container; what is no id gets into none."""
    return short_id(container_id) if CONTAINER_ID_FORM.fullmatch(container_id) else "CONTAINER"


def _inspect(form: str, container: str) -> str:
    return f"docker inspect --format '{form}' {container}"
