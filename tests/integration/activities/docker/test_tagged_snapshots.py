"""Is a snapshot made and tagged in one go, and what is known of it when that is cut short?"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from activities.docker.capacity import SnapshotCapacity
from tests.integration.activities.docker.docker_worker import Attempts, DockerWorker, fail, run
from tests.rigs.docker_proxy import Answer, DockerProxy, HangUp, Moment
from tests.rigs.dockerd import IMAGE, DockerEngine
from workflows.model.errors import ErrorType
from workflows.model.ports import SnapshotInput

_REFERENCE = "team/web:before"
_COMMIT, _TAG = "^POST .*/commit", "^POST .*/tag"
#: So long nobody waits in a test: who waits for a commit that was answered never ends.
_ENDLESS = 3600
_MB = 1_000_000


@pytest.fixture
def docker_proxy(engine: DockerEngine) -> Iterator[DockerProxy]:
    """Stand before the engine."""
    with DockerProxy(engine.base_url) as docker_proxy:
        yield docker_proxy


@pytest.fixture
def behind(
    make_worker: Callable[..., DockerWorker], docker_proxy: DockerProxy
) -> Iterator[DockerWorker]:
    """Give a worker that would wait for ever for a commit of which nobody knows."""
    worker = make_worker(
        docker_proxy.base_url,
        capacity=SnapshotCapacity(snapshots_per_container=9, min_free_mb=1),
        commit_settle=_ENDLESS,
    )
    yield worker
    worker.engine.close()


def _asked(worker: DockerWorker, container: str) -> SnapshotInput:
    return worker.commit(worker.pin(container), reference=_REFERENCE)


def _resting(engine: DockerEngine) -> str:
    container = engine.run("true")
    engine.await_state(container, "exited")
    return container


def test_what_the_engine_is_asked_for_a_stop_and_a_snapshot(
    behind: DockerWorker, docker_proxy: DockerProxy, engine: DockerEngine
) -> None:
    """Its id once a step; the container before the commit, between, and after the tag."""
    container = engine.run(name="web-1")
    arg = behind.inspect("web-1", reference=_REFERENCE)
    pin = run(behind.containers.inspect_container, arg).pin
    docker_proxy.clear()
    run(behind.containers.ensure_stopped, replace(behind.stop(pin), for_snapshot=True))
    stop = _short(docker_proxy, container)
    docker_proxy.clear()
    made = run(behind.snapshots.ensure_snapshot, behind.commit(pin, reference=_REFERENCE))

    assert [call for call in stop if call != "GET /images/IMAGE/json"] == [
        "GET /images/json",
        "GET /info",
        "GET /containers/ID/json",
        "POST /containers/ID/stop",
        "GET /containers/ID/json",
    ]
    assert _short(docker_proxy, container) == [
        "GET /info",
        "GET /containers/ID/json",
        "GET /images/json",
        "POST /commit",
        "GET /containers/ID/json",
        "GET /images/team/web:before/json",
        "POST /images/IMAGE/tag",
        "GET /images/team/web:before/json",
        "GET /containers/ID/json",
    ]
    image = engine.api.inspect_image(_REFERENCE)
    assert (made.image_id, made.reference, made.repeated) == (image["Id"], _REFERENCE, False)
    assert made.size_bytes == image["Size"] > 0


def _short(docker_proxy: DockerProxy, container: str) -> list[str]:
    """Give the calls in order, without what differs from run to run."""
    calls = []
    for exchange in docker_proxy.passed(""):
        method, address = exchange.line.split(" ")[:2]
        path = address.partition("?")[0].replace(container, "ID")
        parts = ["IMAGE" if part.startswith("sha256:") else part for part in path.split("/")[2:]]
        calls.append(f"{method} /{'/'.join(parts)}")
    return [call for call in calls if not call.endswith("/version")]


@pytest.mark.parametrize("lost", [Answer(500, "no"), HangUp()], ids=["refused", "lost"])
def test_what_comes_after_the_commit_makes_no_second_one(
    behind: DockerWorker, docker_proxy: DockerProxy, engine: DockerEngine, lost: Answer | HangUp
) -> None:
    """The failure names the image; the next attempt neither waits for it nor commits again."""
    arg, attempts = _asked(behind, _resting(engine)), Attempts()
    moment = Moment.BEFORE if isinstance(lost, Answer) else Moment.ANSWERED
    trap = docker_proxy.trap(_TAG, moment, lambda: lost)
    failed = attempts.fail(behind.snapshots.ensure_snapshot, arg)
    (image,) = engine.images()
    assert (trap.fired, failed.details) == (1, ({"image_id": image},))
    result = attempts.run(behind.snapshots.ensure_snapshot, arg)
    assert (result.image_id, result.reference, result.repeated) == (image, _REFERENCE, True)
    assert len(docker_proxy.passed(_COMMIT)) == 1


def test_a_worker_that_was_killed_has_told_which_image_it_made(
    behind: DockerWorker, docker_proxy: DockerProxy, engine: DockerEngine
) -> None:
    """Should it be gone by then, another is made at once, and none is waited for."""
    arg, attempts = _asked(behind, _resting(engine)), Attempts()
    docker_proxy.trap(_TAG, Moment.BEFORE, HangUp)
    attempts.fail(behind.snapshots.ensure_snapshot, arg)
    (image,) = engine.images()
    told = [beat for beat in attempts.beats if beat]
    assert told[:3] == [
        ("sent", 1, {"call": "commit"}),
        ("answered", 1, {"call": "commit", "image_id": image}),
        ("sent", 1, {"call": "tag", "image_id": image}),
    ]
    attempts.details = told[2]
    engine.api.remove_image(image)
    result = attempts.run(behind.snapshots.ensure_snapshot, arg)
    assert engine.images() == {result.image_id}
    assert len(docker_proxy.passed(_COMMIT)) == 2


@pytest.mark.parametrize(("call", "tagged"), [(_COMMIT, False), (_TAG, True)])
def test_a_container_that_was_started_meanwhile_is_told(
    behind: DockerWorker,
    docker_proxy: DockerProxy,
    engine: DockerEngine,
    call: str,
    *,
    tagged: bool,
) -> None:
    """Between commit and tag, or after both: the work begins anew, and the image is known."""
    container = engine.create("sleep 1000")
    arg = _asked(behind, container)
    trap = docker_proxy.trap(call, Moment.ANSWERED, lambda: engine.api.start(container))
    failed = fail(behind.snapshots.ensure_snapshot, arg)
    (image,) = engine.images()
    assert trap.fired == 1
    assert (failed.type, failed.non_retryable) == (ErrorType.NOT_STOPPED, True)
    assert failed.details == ({"image_id": image},)
    assert engine.api.inspect_image(image)["RepoTags"] == [_REFERENCE] * tagged
    # What is known of no image otherwise is tidied by its labels and by its only tag.
    swept = behind.sweep(arg.pin, any_image=True)
    assert run(behind.snapshots.sweep_snapshots, swept) == 1
    assert engine.images() == set()


def test_a_tagged_one_from_before_the_container_ran_again_is_made_anew(
    behind: DockerWorker, docker_proxy: DockerProxy, engine: DockerEngine
) -> None:
    """It shows an earlier state, and nobody was told of it; the tag is for the state since."""
    container = engine.create("sleep 1000")
    arg = _asked(behind, container)
    trap = docker_proxy.trap(_TAG, Moment.ANSWERED, lambda: engine.api.start(container))
    assert fail(behind.snapshots.ensure_snapshot, arg).type == ErrorType.NOT_STOPPED
    (earlier,) = engine.images()
    engine.api.kill(container)
    engine.await_state(container, "exited")
    made = run(behind.snapshots.ensure_snapshot, arg)
    assert trap.fired == 1
    assert made.image_id != earlier
    assert engine.images() == {made.image_id}
    assert engine.api.inspect_image(_REFERENCE)["Id"] == made.image_id


def test_a_tag_of_another_image_stays_and_the_image_is_told(
    worker: DockerWorker, engine: DockerEngine
) -> None:
    """A tag is never moved, however it is written."""
    holder = engine.api.inspect_image(IMAGE)["Id"]
    arg = replace(_asked(worker, _resting(engine)), reference=f"docker.io/{IMAGE}")
    failed = fail(worker.snapshots.ensure_snapshot, arg)
    (image,) = engine.images()
    assert (failed.type, failed.details) == (ErrorType.REFERENCE_TAKEN, ({"image_id": image},))
    assert engine.api.inspect_image(IMAGE)["Id"] == holder


def test_what_one_snapshot_will_write_is_not_free_for_the_next(
    make_worker: Callable[..., DockerWorker], engine: DockerEngine
) -> None:
    """Until its commit is over."""
    first, second = _resting(engine), engine.run()
    free = shutil.disk_usage(engine.api.info()["DockerRootDir"]).free // _MB
    # Other processes write to the disk of this machine too, hence the wide steps.
    worker = make_worker(engine.base_url, capacity=SnapshotCapacity(min_free_mb=free - 500))
    worker.underway.promise(first, 1_000 * _MB, 60, lambda _: None)
    stop = replace(worker.stop(worker.pin(second)), for_snapshot=True)
    assert fail(worker.containers.ensure_stopped, stop).type == ErrorType.DISK_FULL
    assert engine.state(second) == "running"
    run(worker.snapshots.ensure_snapshot, worker.commit(worker.pin(first)))
    assert run(worker.containers.ensure_stopped, stop).was_running
