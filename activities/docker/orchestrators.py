"""Which orchestrator runs this container, and how is it stopped there?

What an orchestrator runs it starts anew as soon as it is gone: a stop behind its back is undone
within seconds, by another container under another name. It says in labels what is its own. Labels
may hold secrets, so none is read but those that name things, and no value is told that is not
plainly a name. A container made of a snapshot is nobody's: there these labels have no value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

_Labels = Mapping[str, str]
_SWARM: Final = "com.docker.swarm."
_KUBERNETES: Final = "io.kubernetes."
_ECS: Final = "com.amazonaws.ecs."
_NOMAD: Final = "com.hashicorp.nomad."
#: As long as a service's name can be, and so short that no command is cut on its way to people.
_NAME: Final = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]{0,62}")
_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32}")
_ARN_OF_TASK: Final = re.compile(rf"arn:[a-z0-9:-]+:task/(?:[^/]+/)?({_UUID.pattern})")
_ARN_OF_CLUSTER: Final = re.compile(rf"arn:[a-z0-9:-]+:cluster/({_NAME.pattern})")


def run_by(labels: _Labels) -> str:
    """Say who runs a container, and the command that stops it there; ``""`` for nobody."""
    for prefix, words in _ORCHESTRATORS.items():
        if any(name.startswith(prefix) and value for name, value in labels.items()):
            return words(labels)
    return ""


def _swarm(labels: _Labels) -> str:
    service = _plain(labels, f"{_SWARM}service.name")
    of_it = f" for its service {service}" if service else ""
    return f"Docker Swarm runs it{of_it}: `docker service scale {service or 'SERVICE'}=0` stops it"


def _kubernetes(labels: _Labels) -> str:
    namespace = _plain(labels, f"{_KUBERNETES}pod.namespace") or "NAMESPACE"
    pod = _plain(labels, f"{_KUBERNETES}pod.name") or "POD"
    return (
        f"Kubernetes runs it: `kubectl -n {namespace} describe pod {pod}` names its controller, "
        f"and `kubectl -n {namespace} scale KIND/NAME --replicas=0` stops that"
    )


def _ecs(labels: _Labels) -> str:
    arn = _ARN_OF_CLUSTER.fullmatch(labels.get(f"{_ECS}cluster", ""))
    cluster = (arn[1] if arn else _plain(labels, f"{_ECS}cluster")) or "CLUSTER"
    found = _ARN_OF_TASK.fullmatch(labels.get(f"{_ECS}task-arn", ""))
    return (
        f"Amazon ECS runs it: `aws ecs describe-tasks --cluster {cluster} --tasks "
        f"{found[1] if found else 'TASK'}` names its service, and `aws ecs update-service "
        f"--cluster {cluster} --service SERVICE --desired-count 0` stops that"
    )


def _nomad(labels: _Labels) -> str:
    namespace = _plain(labels, f"{_NOMAD}namespace")
    within = f"-namespace {namespace} " if namespace else ""
    job = _plain(labels, f"{_NOMAD}job_id") or _plain(labels, f"{_NOMAD}job_name")
    if job:
        return f"Nomad runs it for its job {job}: `nomad job stop {within}{job}` stops it"
    allocation = _plain(labels, f"{_NOMAD}alloc_id", _UUID) or "ALLOCATION"
    return (
        f"Nomad runs it: `nomad alloc status {within}{allocation}` names its job, and "
        f"`nomad job stop {within}JOB` stops that"
    )


def _plain(labels: _Labels, name: str, form: re.Pattern[str] = _NAME) -> str:
    """Give a label's value if it is plainly a name; ``""`` for none and for anything else."""
    value = labels.get(name, "")
    return value if form.fullmatch(value) else ""


#: By how the labels begin that each puts on what it runs. People put labels of Swarm's on
#: containers of their own, but not the one that names a task.
_ORCHESTRATORS: Final[Mapping[str, Callable[[_Labels], str]]] = {
    f"{_SWARM}task.id": _swarm,
    _KUBERNETES: _kubernetes,
    _ECS: _ecs,
    _NOMAD: _nomad,
}
