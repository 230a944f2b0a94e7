"""Is it known what an orchestrator runs, how it is stopped there, and is nothing else told?"""

from __future__ import annotations

import pytest

from activities.docker.foreign_labels import FOREIGN_LABELS
from activities.docker.orchestrators import run_by

_SWARM = {
    "com.docker.swarm.node.id": "n0de",
    "com.docker.swarm.service.id": "s3rv1ce",
    "com.docker.swarm.service.name": "shop_web",
    "com.docker.swarm.task": "",
    "com.docker.swarm.task.id": "t4sk",
    "com.docker.swarm.task.name": "shop_web.1.t4sk",
}
_KUBERNETES = {
    "annotation.io.kubernetes.container.hash": "5c0de",
    "io.kubernetes.container.name": "web",
    "io.kubernetes.docker.type": "container",
    "io.kubernetes.pod.name": "web-6d4f8b7c9-x2x4z",
    "io.kubernetes.pod.namespace": "shop",
    "io.kubernetes.pod.uid": "0b1c",
}
_TASK = "0cc43cdb3bee4407b9c26c0e6ea5bee0"
_ECS = {
    "com.amazonaws.ecs.cluster": "prod",
    "com.amazonaws.ecs.container-name": "web",
    "com.amazonaws.ecs.task-arn": f"arn:aws:ecs:eu-west-1:123456789012:task/prod/{_TASK}",
    "com.amazonaws.ecs.task-definition-family": "web",
    "com.amazonaws.ecs.task-definition-version": "7",
}
_ALLOCATION = "8ba85cef-7e1c-4ab1-9d0f-0a1b2c3d4e5f"
_NOMAD = {"com.hashicorp.nomad.alloc_id": _ALLOCATION}
_EVERY = (_SWARM, _KUBERNETES, _ECS, _NOMAD)
#: As long as what is told of a refusal in private, and of a failure on a card.
_LONGEST = 400


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (
            _SWARM,
            (
                "Docker Swarm runs it for its service shop_web: `docker service scale shop_web=0` "
                "stops it"
            ),
        ),
        (
            _KUBERNETES,
            (
                "Kubernetes runs it: `kubectl -n shop describe pod web-6d4f8b7c9-x2x4z` names its "
                "controller, and `kubectl -n shop scale KIND/NAME --replicas=0` stops that"
            ),
        ),
        (
            _ECS,
            (
                f"Amazon ECS runs it: `aws ecs describe-tasks --cluster prod --tasks {_TASK}` "
                "names its service, and `aws ecs update-service --cluster prod --service SERVICE "
                "--desired-count 0` stops that"
            ),
        ),
        (
            {**_ECS, "com.amazonaws.ecs.cluster": "arn:aws:ecs:eu-west-1:123456789012:cluster/dev"},
            f"--cluster dev --tasks {_TASK}`",
        ),
        (
            _NOMAD,
            (
                f"Nomad runs it: `nomad alloc status {_ALLOCATION}` names its job, and `nomad job "
                "stop JOB` stops that"
            ),
        ),
        (
            {
                **_NOMAD,
                "com.hashicorp.nomad.job_id": "web",
                "com.hashicorp.nomad.namespace": "shop",
            },
            "Nomad runs it for its job web: `nomad job stop -namespace shop web` stops it",
        ),
    ],
)
def test_who_runs_it_and_what_stops_it_there(labels: dict[str, str], said: str) -> None:
    """As the orchestrators label what they run."""
    assert said in run_by(labels)


@pytest.mark.parametrize(
    "labels",
    [
        {},
        {"com.docker.compose.project": "shop", "com.docker.compose.service": "web"},
        {"com.docker.swarm.constraints": "[]", "com.docker.stack.namespace": "shop"},
        {"io.k8s.display-name": "web", "io.openshift.tags": "x"},
    ],
)
def test_what_nobody_runs_is_let_in(labels: dict[str, str]) -> None:
    """Compose starts nothing anew, and some labels only sound like an orchestrator's."""
    assert run_by(labels) == ""


@pytest.mark.parametrize("labels", _EVERY)
def test_what_was_made_of_a_snapshot_is_nobodys(labels: dict[str, str]) -> None:
    """A snapshot has these labels without a value."""
    blanked = {name: "" if name in FOREIGN_LABELS else value for name, value in labels.items()}
    assert run_by(blanked) == ""


@pytest.mark.parametrize("labels", _EVERY)
@pytest.mark.parametrize(
    "value",
    [
        "p4ss w0rd",
        "x`y",
        "<!channel>",
        "--all",
        "-x",
        "$(reboot)",
        "a;reboot",
        "a\nb",
        "web\n",
        "ä",
        "https://user:p4ss@db",
        "n" * 64,
        f"arn:aws:ecs:x:task/p4ss/{_TASK}/p4ss",
    ],
)
def test_what_is_not_plainly_a_name_is_left_out(labels: dict[str, str], value: str) -> None:
    """It may be a secret, mark-up, or a command; who reads it gets the shape of the command."""
    said = run_by(dict.fromkeys(labels, value))
    assert said
    assert value not in said
    assert said == run_by(dict.fromkeys(labels, "?"))


@pytest.mark.parametrize("labels", _EVERY)
def test_other_labels_never_get_out(labels: dict[str, str]) -> None:
    """Only those that name things are read."""
    more = {f"{name}.password": "hunter2" for name in labels} | {"io.kubernetes.token": "hunter2"}
    assert "hunter2" not in run_by({**more, **labels})


@pytest.mark.parametrize("labels", _EVERY)
def test_it_is_never_cut(labels: dict[str, str]) -> None:
    """A command that lost its middle is none, however long the names are."""
    longest = dict.fromkeys(labels, "n" * 63)
    extra = {"com.hashicorp.nomad.namespace": "n" * 63} if labels is _NOMAD else {}
    told = {**longest, **extra, **{k: v for k, v in labels.items() if k.endswith(("arn", "_id"))}}
    assert len(run_by(told)) <= _LONGEST
