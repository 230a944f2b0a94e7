"""Is what cannot be done, or not be undone, known before a real container is stopped?"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Callable
from dataclasses import replace

import pytest

from activities.docker.capacity import SnapshotCapacity
from activities.docker.preflight import MAX_LAYERS
from tests.integration.activities.docker.docker_worker import Attempts, DockerWorker, fail, run
from tests.rigs.docker_proxy import Answer, DockerProxy, Moment
from tests.rigs.dockerd import STOPS_AT_ONCE, DockerEngine
from tests.rigs.machine import root_file_system
from workflows.model.errors import ErrorType, RefusalCode
from workflows.model.ports import StopInput


def _snapshot(worker: DockerWorker, container: str) -> StopInput:
    return replace(worker.stop(worker.pin(container)), for_snapshot=True)


def _without_its_image(engine: DockerEngine) -> str:
    """Run a container whose image is gone: while it rests, the engine lets it be removed."""
    base = engine.api.commit(engine.create(), repository="rig/base", tag="1")["Id"]
    container = engine.run(name="web-1", image="rig/base:1")
    engine.api.stop(container, timeout=1)
    engine.api.remove_image(base, force=True)
    engine.api.start(container)
    return container


def _with_layers(engine: DockerEngine, layers: int) -> str:
    """Load an image of so many layers: its own one, and others with one file each."""
    contents = [root_file_system(), *(_archive({f"layer-{n}": b""}) for n in range(1, layers))]
    digests = [f"sha256:{hashlib.sha256(content).hexdigest()}" for content in contents]
    layered = {"type": "layers", "diff_ids": digests}
    config = {"architecture": "amd64", "os": "linux", "rootfs": layered}
    names = [f"{number}.tar" for number in range(layers)]
    manifest = [{"Config": "config.json", "RepoTags": ["rig/deep:1"], "Layers": names}]
    files = {
        **dict(zip(names, contents, strict=True)),
        "config.json": json.dumps(config).encode(),
        "manifest.json": json.dumps(manifest).encode(),
    }
    list(engine.api.load_image(_archive(files)))
    return "rig/deep:1"


def _archive(files: dict[str, bytes]) -> bytes:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return archive.getvalue()


def test_an_image_that_is_gone_costs_no_down_time(
    worker: DockerWorker, engine: DockerEngine
) -> None:
    """A commit needs it, and a start does not: a snapshot is refused, a stop is not."""
    container = _without_its_image(engine)
    stop = _snapshot(worker, container)
    arg = worker.inspect("web-1", reference="team/web:free")
    refused = fail(worker.containers.inspect_container, arg)
    assert (refused.type, refused.non_retryable) == (RefusalCode.IMAGE_MISSING, True)
    assert run(worker.containers.inspect_container, worker.inspect("web-1")).pin == replace(
        stop.pin, facts=()
    )
    error = fail(worker.containers.ensure_stopped, stop)
    assert (error.type, error.details) == (ErrorType.IMAGE_MISSING, ())
    assert engine.state(container) == "running"
    assert run(worker.containers.ensure_stopped, replace(stop, for_snapshot=False)).was_running
    error = fail(worker.snapshots.ensure_snapshot, worker.commit(stop.pin))
    assert (error.type, error.non_retryable) == (ErrorType.IMAGE_MISSING, True)
    assert run(worker.containers.ensure_running, worker.put_back(stop.pin)).started


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_an_image_of_too_many_layers_costs_no_down_time(
    worker: DockerWorker, engine: DockerEngine
) -> None:
    """The engine stacks so many and no more, which a commit finds out too late."""
    image = _with_layers(engine, MAX_LAYERS)
    container = engine.run(name="web-1", image=image)
    stop = _snapshot(worker, container)
    arg = worker.inspect("web-1", reference="team/web:free")
    refused = fail(worker.containers.inspect_container, arg)
    assert (refused.type, refused.non_retryable) == (RefusalCode.TOO_MANY_LAYERS, True)
    assert refused.message == "its image has 125 layers, and the engine stacks 125"
    error = fail(worker.containers.ensure_stopped, stop)
    assert (error.type, error.details) == (ErrorType.TOO_MANY_LAYERS, ())
    assert engine.state(container) == "running"
    run(worker.containers.ensure_stopped, replace(stop, for_snapshot=False))
    error = fail(worker.snapshots.ensure_snapshot, worker.commit(stop.pin))
    assert (error.type, error.non_retryable) == (ErrorType.TOO_MANY_LAYERS, True)


@pytest.mark.parametrize("end", ["stopped", "made anew"])
def test_a_container_that_could_not_start_again_is_not_stopped(
    worker: DockerWorker, engine: DockerEngine, end: str
) -> None:
    """Whose network owner is not there any more runs on, and cannot be put back once stopped."""
    owner = engine.run(name="gw")
    container = engine.run(name="app", network="container:gw")
    pin = worker.pin(container)
    assert run(worker.containers.inspect_container, worker.inspect("app")).pin == replace(
        pin, facts=()
    )
    engine.api.stop(owner, timeout=1)
    if end == "made anew":
        engine.api.remove_container(owner)
        engine.run(name="gw")
    says = {
        "stopped": "it uses the network of gw, which does not run (exited)",
        "made anew": f"it uses the network of container {owner[:12]}, which was removed",
    }
    refused = fail(worker.containers.inspect_container, worker.inspect("app"))
    kind = ErrorType.OWNER_MISSING if end == "stopped" else ErrorType.OWNER_GONE
    assert (refused.type, refused.message) == (kind, says[end])
    error = fail(worker.containers.ensure_stopped, worker.stop(pin))
    assert (error.type, error.message) == (kind, says[end])
    assert (error.non_retryable, error.details) == (True, ())
    assert engine.state(container) == "running"


def test_a_stop_that_was_sent_asks_no_more(worker: DockerWorker, engine: DockerEngine) -> None:
    """Half-way there is nothing to refuse: the stop is finished, and then put back or not."""
    engine.run(name="gw")
    container = engine.run(name="app", network="container:gw")
    stop = worker.stop(worker.pin(container))
    engine.api.stop("gw", timeout=1)
    attempts = Attempts()
    attempts.lose()
    assert attempts.run(worker.containers.ensure_stopped, stop).was_running


def test_a_resting_container_needs_no_owner(worker: DockerWorker, engine: DockerEngine) -> None:
    """Nothing starts it again, so a snapshot of it is let in."""
    engine.run(name="gw")
    container = engine.run(name="app", network="container:gw")
    engine.api.stop(container, timeout=1)
    engine.api.remove_container("gw", force=True)
    arg = worker.inspect("app", reference="team/web:free")
    assert run(worker.containers.inspect_container, arg).pin.container_id == container
    run(worker.containers.ensure_stopped, _snapshot(worker, container))


@pytest.mark.parametrize(
    ("for_snapshot", "calls"),
    [
        (False, ["info", "look", "stop", "look"]),
        (True, ["size", "info", "look", "image", "stop", "look"]),
    ],
)
def test_few_questions_before_a_stop(
    make_worker: Callable[..., DockerWorker],
    engine: DockerEngine,
    calls: list[str],
    *,
    for_snapshot: bool,
) -> None:
    """Each of them is on the way from the click to the end."""
    container = engine.run(name="web-1")
    kinds = {"/info": "info", "/images/": "image", "size=1": "size", "/stop": "stop"}
    with DockerProxy(engine.base_url) as docker_proxy:
        worker = make_worker(docker_proxy.base_url, capacity=SnapshotCapacity(min_free_mb=1))
        stop = replace(worker.stop(worker.pin(container)), for_snapshot=for_snapshot)
        before = len(docker_proxy.passed("."))
        run(worker.containers.ensure_stopped, stop)
        sent = docker_proxy.passed(".")[before:]
        worker.engine.close()
    assert [
        next((kind for part, kind in kinds.items() if part in str(call)), "look") for call in sent
    ] == calls


@pytest.mark.parametrize(
    ("answer", "fatal"),
    [
        (Answer(500, "max depth exceeded"), True),
        (Answer(500, "write /x: no space left on device"), True),
        (Answer(400, "nothing that is known"), True),
        (Answer(500, "something new"), False),
    ],
)
def test_a_no_to_a_commit_is_not_waited_upon(
    make_worker: Callable[..., DockerWorker], engine: DockerEngine, answer: Answer, *, fatal: bool
) -> None:
    """An answer is no "perhaps done": the next attempt looks once, and commits."""
    container = engine.run(STOPS_AT_ONCE, name="web-1")
    engine.api.stop(container, timeout=1)
    with DockerProxy(engine.base_url) as docker_proxy:
        worker = make_worker(docker_proxy.base_url, commit_settle=3600)
        commit = worker.commit(worker.pin(container))
        refused = docker_proxy.trap("^POST .*/commit", Moment.BEFORE, lambda: answer)
        attempts = Attempts()
        error = attempts.fail(worker.snapshots.ensure_snapshot, commit)
        assert (refused.fired, error.non_retryable) == (1, fatal)
        result = attempts.run(worker.snapshots.ensure_snapshot, commit)
        assert engine.images() == {result.image_id}
        worker.engine.close()
