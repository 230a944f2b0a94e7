"""Is what an orchestrator runs left alone, at the request and before the stop, but shown?"""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.integration.activities.docker.docker_worker import Attempts, DockerWorker, fail, run
from tests.rigs.dockerd import DockerEngine
from workflows.model.errors import PREFLIGHT_ERRORS, ErrorType, RefusalCode
from workflows.model.listing import ListInput

_OF_EACH = {
    "Docker Swarm runs it for its service shop_web: `docker service scale shop_web=0`": {
        "com.docker.swarm.service.name": "shop_web",
        "com.docker.swarm.task": "",
        "com.docker.swarm.task.id": "t4sk",
    },
    "Kubernetes runs it: `kubectl -n shop describe pod web-6d4f`": {
        "io.kubernetes.pod.name": "web-6d4f",
        "io.kubernetes.pod.namespace": "shop",
    },
    "Amazon ECS runs it: `aws ecs describe-tasks --cluster prod --tasks TASK`": {
        "com.amazonaws.ecs.cluster": "prod",
        "com.amazonaws.ecs.task-arn": "hunter2",
    },
    "Nomad runs it for its job web: `nomad job stop web`": {
        "com.hashicorp.nomad.alloc_id": "8ba85cef-7e1c-4ab1-9d0f-0a1b2c3d4e5f",
        "com.hashicorp.nomad.job_id": "web",
    },
}


@pytest.mark.parametrize("said", _OF_EACH)
@pytest.mark.parametrize("reference", ["", "team/web:free"])
def test_what_an_orchestrator_runs_is_refused_but_shown(
    worker: DockerWorker, engine: DockerEngine, said: str, reference: str
) -> None:
    """It would start another; the refusal names who runs it and what stops it there."""
    engine.run(name="web-1", labels={**_OF_EACH[said], "secret": "hunter2"})
    arg = worker.inspect("web-1", reference=reference)
    refused = fail(worker.containers.inspect_container, arg)
    assert (refused.type, refused.non_retryable) == (RefusalCode.ORCHESTRATED, True)
    assert refused.message.startswith(said)
    assert "hunter2" not in repr((refused.message, refused.details))
    looked = run(worker.containers.inspect_container, replace(arg, for_request=False))
    assert looked.pin.name == "web-1"
    assert "hunter2" not in repr(looked)
    (listed,) = run(worker.containers.list_containers, ListInput(host="local")).containers
    assert listed.name == "web-1"


@pytest.mark.parametrize("for_snapshot", [False, True])
def test_it_is_asked_again_before_the_stop(
    worker: DockerWorker, engine: DockerEngine, *, for_snapshot: bool
) -> None:
    """A request of an earlier release may wait with such a container: nothing is touched."""
    container = engine.run(name="web-1", labels={"com.docker.swarm.task.id": "t4sk"})
    stop = replace(worker.stop(worker.pin(container)), for_snapshot=for_snapshot)
    error = fail(worker.containers.ensure_stopped, stop)
    assert (error.type, error.non_retryable, error.details) == (ErrorType.ORCHESTRATED, True, ())
    assert error.type in PREFLIGHT_ERRORS, "it ends as not done, and nothing was changed"
    assert engine.state(container) == "running"


def test_what_was_stopped_already_is_put_back(worker: DockerWorker, engine: DockerEngine) -> None:
    """Half-way a stop is finished, and whoever runs it: a container of ours comes back."""
    container = engine.run(name="web-1", labels={"com.docker.swarm.task.id": "t4sk"})
    pin = worker.pin(container)
    attempts = Attempts()
    attempts.lose()
    assert attempts.run(worker.containers.ensure_stopped, worker.stop(pin)).was_running
    assert run(worker.containers.ensure_running, worker.put_back(pin)).started


def test_a_container_made_of_a_snapshot_is_nobodys(
    worker: DockerWorker, engine: DockerEngine
) -> None:
    """Its labels of an orchestrator have no value any more, so it can be asked for."""
    container = engine.run(name="web-1", labels=dict.fromkeys(_labels(), "t4sk"))
    engine.api.stop(container, timeout=1)
    image = run(worker.snapshots.ensure_snapshot, worker.commit(worker.pin(container))).image_id
    engine.run(name="web-2", image=image)
    assert run(worker.containers.inspect_container, worker.inspect("web-2")).pin.name == "web-2"


def _labels() -> list[str]:
    return [name for labels in _OF_EACH.values() for name in labels]
