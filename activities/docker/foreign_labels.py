"""Which labels of a container must its snapshot not have, for other tools act on them?

A container that is made of a snapshot inherits its labels. With those of Compose it would count
as a part of the project, and ``docker compose down`` would take it away. A commit cannot drop a
label, so they lose their value: no tool that asks for a project, service or task by name finds it
any more, though one that asks whether there is such a label at all still does.

Only names in this list are ever written into a commit, and none that comes from a container:
anything else could smuggle an instruction into it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from workflows.model.names import WAS_PROJECT_LABEL, WAS_SERVICE_LABEL

_PROJECT: Final = "com.docker.compose.project"
_SERVICE: Final = "com.docker.compose.service"
#: 128 digits of hexadecimal.
_LONGEST_VALUE: Final = 64


def _below(prefix: str, *names: str) -> frozenset[str]:
    return frozenset(f"{prefix}.{name}" for name in names)


FOREIGN_LABELS: Final = (
    frozenset({_PROJECT, _SERVICE, "com.docker.stack.namespace", "PODMAN_SYSTEMD_UNIT"})
    | _below(f"{_PROJECT}", "config_files", "environment_file", "working_dir")
    | _below(
        "com.docker.compose",
        *("config-hash", "container-number", "depends_on", "image", "image.builder"),
        *("oneoff", "replace", "slug", "version"),
    )
    | _below("io.podman.compose", "config-hash", "project", "service", "version")
    | _below(
        "com.docker.swarm",
        *("node.id", "service.id", "service.name", "task", "task.id", "task.name"),
    )
    | _below(
        "io.kubernetes",
        *("container.logpath", "container.name", "docker.type"),
        *("pod.name", "pod.namespace", "pod.uid", "sandbox.id"),
    )
    | _below(
        "com.amazonaws.ecs",
        *("cluster", "container-name", "task-arn"),
        *("task-definition-family", "task-definition-version"),
    )
    | _below(
        "com.hashicorp.nomad",
        *("alloc_id", "job_id", "job_name", "namespace", "node_id", "node_name"),
        *("task_group_name", "task_name"),
    )
)


def to_blank(labels: Mapping[str, str]) -> tuple[str, ...]:
    """Give the names in this list that a container has with a value."""
    return tuple(sorted(name for name in FOREIGN_LABELS if labels.get(name)))


def was_labels(labels: Mapping[str, str]) -> dict[str, str]:
    """Keep to which Compose project and service a container belongs, in hexadecimal digits."""
    kept = {WAS_PROJECT_LABEL: _PROJECT, WAS_SERVICE_LABEL: _SERVICE}
    return {
        was: labels[name].encode(errors="replace")[:_LONGEST_VALUE].hex()
        for was, name in kept.items()
        if labels.get(name)
    }
