"""Is a snapshot that will not fit refused before anything is stopped for it?"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from activities.docker.capacity import SnapshotCapacity
from activities.docker.measured import RecentSizes
from activities.docker.protection import Protection
from tests.integration.activities.docker.docker_worker import Attempts, DockerWorker, fail, run
from tests.rigs.docker_proxy import Act, Answer, DockerProxy, Moment
from tests.rigs.dockerd import DockerEngine
from tests.rigs.waiting import wait_until
from workflows.model.errors import ErrorType, RefusalCode
from workflows.model.names import REQUEST_LABEL, SOURCE_LABEL

_MB = 1_000_000
_MEASURES = "^GET .*/containers/json.*size=1"


def _snapshot(worker: DockerWorker, container: str, *requests: str) -> None:
    for request in requests:
        run(worker.snapshots.ensure_snapshot, worker.commit(worker.pin(container), request))


def test_no_more_snapshots_of_a_container_than_the_host_keeps(
    make_worker: Callable[..., DockerWorker], engine: DockerEngine
) -> None:
    """Planned and approved alike are refused; once one is removed there is room again."""
    worker = make_worker(engine.base_url, capacity=SnapshotCapacity(snapshots_per_container=2))
    container = engine.create(name="web-1")
    other = engine.run(name="web-2")
    _snapshot(worker, container, "00000000000a")
    arg = worker.inspect("web-1", reference="team/web:free")
    assert run(worker.containers.inspect_container, arg).pin.container_id == container
    _snapshot(worker, container, "00000000000b")
    engine.api.start(container)
    pin = worker.pin(container)
    refused = fail(worker.containers.inspect_container, arg)
    assert (refused.type, refused.non_retryable) == (RefusalCode.SNAPSHOT_QUOTA, True)
    assert refused.message == "2 are there, and at most 2 are kept"
    stop = replace(worker.stop(pin), for_snapshot=True)
    refused = fail(worker.containers.ensure_stopped, stop)
    assert (refused.type, refused.non_retryable) == (ErrorType.SNAPSHOT_QUOTA, True)
    assert refused.details == ()
    assert engine.state(container) == "running"
    # What makes no snapshot, and what is another container, has its own count.
    assert run(worker.containers.inspect_container, worker.inspect("web-1")).pin == replace(
        pin, facts=()
    )
    run(
        worker.containers.ensure_stopped, replace(worker.stop(worker.pin(other)), for_snapshot=True)
    )
    engine.api.remove_image(
        engine.api.images(filters={"label": f"{REQUEST_LABEL}=00000000000a"})[0]["Id"]
    )
    assert run(worker.containers.ensure_stopped, stop).was_running


def test_images_built_on_a_snapshot_are_no_snapshots(
    make_worker: Callable[..., DockerWorker], engine: DockerEngine
) -> None:
    """They inherit its labels, but count as one with it."""
    worker = make_worker(engine.base_url, capacity=SnapshotCapacity(snapshots_per_container=2))
    container = engine.create(name="web-1")
    _snapshot(worker, container, "00000000000a")
    (snapshot,) = engine.api.images(filters={"label": f"{SOURCE_LABEL}={container}"})
    built = engine.api.commit(engine.create(image=snapshot["Id"]), changes="LABEL built=yes")["Id"]
    assert engine.api.inspect_image(built)["Config"]["Labels"][SOURCE_LABEL] == container
    run(worker.containers.inspect_container, worker.inspect("web-1", reference="a/b:c"))


def test_what_the_container_wrote_and_the_reserve_must_be_free(
    make_worker: Callable[..., DockerWorker], engine: DockerEngine
) -> None:
    """Both count; a request without a snapshot needs neither."""
    container = engine.run_large(20, name="web-1")
    free = shutil.disk_usage(engine.api.info()["DockerRootDir"]).free // _MB
    arg = make_worker().inspect("web-1", reference="team/web:free")
    # Other processes write to the disk of this machine too, hence the wide steps.
    worker = make_worker(engine.base_url, capacity=SnapshotCapacity(min_free_mb=free - 500))
    assert run(worker.containers.inspect_container, arg).pin.container_id == container
    worker = make_worker(engine.base_url, capacity=SnapshotCapacity(min_free_mb=free + 500))
    refused = fail(worker.containers.inspect_container, arg)
    assert (refused.type, refused.non_retryable) == (RefusalCode.DISK_FULL, True)
    assert f"and {free + 521} MB are needed" in refused.message
    run(worker.containers.inspect_container, replace(arg, reference=""))


def test_no_room_before_the_stop_touches_nothing(
    make_worker: Callable[..., DockerWorker], engine: DockerEngine
) -> None:
    """The container keeps running, and the error does not say that anything was touched."""
    worker = make_worker(engine.base_url, capacity=SnapshotCapacity(min_free_mb=10**9))
    container = engine.run(name="web-1")
    stop = replace(worker.stop(worker.pin(container)), for_snapshot=True)
    refused = fail(worker.containers.ensure_stopped, stop)
    assert (refused.type, refused.details) == (ErrorType.DISK_FULL, ())
    assert engine.state(container) == "running"
    assert run(worker.containers.ensure_stopped, replace(stop, for_snapshot=False)).was_running


def test_a_stop_that_was_sent_is_finished_without_another_look(
    make_worker: Callable[..., DockerWorker], engine: DockerEngine
) -> None:
    """A next attempt, and a stop that begins anew, must not turn back half-way."""
    worker = make_worker(engine.base_url, capacity=SnapshotCapacity(min_free_mb=10**9))
    container = engine.run(name="web-1")
    stop = replace(worker.stop(worker.pin(container)), for_snapshot=True)
    attempts = Attempts()
    attempts.lose()
    assert attempts.run(worker.containers.ensure_stopped, stop).was_running
    engine.api.start(container)
    again = replace(stop, expect_untouched=False)
    assert run(worker.containers.ensure_stopped, again).was_running


@pytest.mark.parametrize("act", [lambda: time.sleep(2), lambda: Answer(500, "lstat: no such file")])
def test_an_engine_that_cannot_measure_is_believed_to_have_room(
    make_worker: Callable[..., DockerWorker], engine: DockerEngine, act: Act
) -> None:
    """Then the reserve alone counts: files without number, or that vanish, hold up no snapshot."""
    container = engine.run(name="web-1")
    with DockerProxy(engine.base_url) as docker_proxy:
        worker = make_worker(
            docker_proxy.base_url, capacity=SnapshotCapacity(min_free_mb=1), inspect_http=1
        )
        failed = docker_proxy.trap(_MEASURES, Moment.BEFORE, act)
        arg = worker.inspect("web-1", reference="team/web:free")
        assert run(worker.containers.inspect_container, arg).pin.container_id == container
        wait_until(lambda: failed.fired == 1, "the engine has failed, or answered too late")
        worker.engine.close()


def test_who_asks_again_and_again_has_it_measured_once(
    make_worker: Callable[..., DockerWorker], engine: DockerEngine
) -> None:
    """Anybody can ask, and each measurement walks through all files; a stop believes no old one."""
    container = engine.run(name="web-1")
    engine.run(name="web-2")
    with DockerProxy(engine.base_url) as docker_proxy:
        capacity = SnapshotCapacity(min_free_mb=1)
        worker = make_worker(docker_proxy.base_url, capacity=capacity)
        arg = worker.inspect("web-1", reference="team/web:free")
        for _ in range(5):
            run(worker.containers.inspect_container, arg)
        assert len(docker_proxy.passed(_MEASURES)) == 1
        run(worker.containers.inspect_container, worker.inspect("web-2", reference="a/b:c"))
        assert len(docker_proxy.passed(_MEASURES)) == 2
        stop = replace(worker.stop(worker.pin(container)), for_snapshot=True)
        run(worker.containers.ensure_stopped, stop)
        assert len(docker_proxy.passed(_MEASURES)) == 2
        # A stop believes only what was measured a moment ago.
        engine.api.start(container)
        doubtful = make_worker(docker_proxy.base_url, capacity=capacity, size_kept_at_stop=0)
        run(doubtful.containers.inspect_container, arg)
        stop = replace(worker.stop(worker.pin(container)), for_snapshot=True)
        run(doubtful.containers.ensure_stopped, stop)
        assert len(docker_proxy.passed(_MEASURES)) == 4
        engine.api.start(container)
        # What cost nothing to ask is asked each time.
        assert len(docker_proxy.passed("^GET .*/images/team/web:free/json")) == 6
        forgetful = make_worker(docker_proxy.base_url, capacity=capacity, size_kept=0)
        for _ in range(2):
            run(forgetful.containers.inspect_container, arg)
        assert len(docker_proxy.passed(_MEASURES)) == 6
        for each in (worker, doubtful, forgetful):
            each.engine.close()


def test_what_was_measured_is_kept_of_so_many_containers(
    make_worker: Callable[..., DockerWorker], engine: DockerEngine
) -> None:
    """A host on which containers come and go does not fill the worker's memory."""
    first, second = engine.create(), engine.create()
    with DockerProxy(engine.base_url) as docker_proxy:
        reached = make_worker(docker_proxy.base_url).engine
        sizes = RecentSizes(most_kept=1)
        for container, measured in ((first, 1), (first, 1), (second, 2), (first, 3)):
            sizes.written_bytes(reached, container, within=60)
            assert len(docker_proxy.passed(_MEASURES)) == measured
        reached.close()


@pytest.mark.parametrize(
    "act",
    [lambda: time.sleep(1), lambda: Answer(500, "lstat: no such file")],
    ids=["slow", "fails"],
)
def test_who_asks_meanwhile_waits_for_the_same_answer(
    make_worker: Callable[..., DockerWorker], engine: DockerEngine, act: Act
) -> None:
    """Also when the engine could not say: what takes it too long is what costs it most."""
    engine.run(name="web-1")
    with DockerProxy(engine.base_url) as docker_proxy, ThreadPoolExecutor(8) as threads:
        worker = make_worker(docker_proxy.base_url, capacity=SnapshotCapacity(min_free_mb=1))
        docker_proxy.trap(_MEASURES, Moment.BEFORE, act, times=8)
        arg = worker.inspect("web-1", reference="team/web:free")
        asked = [threads.submit(run, worker.containers.inspect_container, arg) for _ in range(8)]
        assert {answer.result().pin.name for answer in asked} == {"web-1"}
        assert len(docker_proxy.passed(_MEASURES)) == 1
        worker.engine.close()


@pytest.mark.parametrize(
    ("change", "state"),
    [
        (lambda engine, container: engine.api.stop(container, timeout=0), "exited"),
        (lambda engine, container: engine.api.pause(container), "paused"),
        (lambda engine, container: engine.api.rename(container, "db-main"), "running"),
    ],
    ids=["stop", "pause", "rename"],
)
def test_what_people_do_while_it_is_measured_is_seen(
    make_worker: Callable[..., DockerWorker],
    engine: DockerEngine,
    change: Callable[[DockerEngine, str], object],
    state: str,
) -> None:
    """The container must be the approved one right before the stop, and is not touched if not."""
    container = engine.run(name="web-1")
    with DockerProxy(engine.base_url) as docker_proxy:
        protection = Protection(name_patterns=("db-*",))
        worker = make_worker(
            docker_proxy.base_url, capacity=SnapshotCapacity(min_free_mb=1), protection=protection
        )
        stop = replace(worker.stop(worker.pin(container)), for_snapshot=True)

        def act() -> None:
            change(engine, container)

        changed = docker_proxy.trap(_MEASURES, Moment.BEFORE, act)
        error = fail(worker.containers.ensure_stopped, stop)
        assert changed.fired == 1
        assert (error.type, error.details) == (ErrorType.CONTAINER_CHANGED, ())
        assert docker_proxy.passed("^POST") == []
        assert engine.state(container) == state
        worker.engine.close()


@pytest.mark.parametrize("base_url", ["tcp://127.0.0.1:2375", "http://127.0.0.1:2375"])
def test_the_disk_of_a_remote_engine_is_not_to_be_seen(
    make_worker: Callable[..., DockerWorker], base_url: str, tmp_path: Path
) -> None:
    """Its directory may exist here too and be another; an operator can name the right one."""
    engine = make_worker(base_url).engine
    assert SnapshotCapacity(min_free_mb=10**9).describe(engine).enough
    disk = SnapshotCapacity(min_free_mb=10**9, data_root=tmp_path).describe(engine)
    assert not disk.enough
    assert "MB free, less than the 1000000000 MB" in disk.words
    disk = SnapshotCapacity(data_root=tmp_path / "nowhere").describe(engine)
    assert not disk.enough
    assert "DOCKWARDEN_DATA_ROOT cannot be read" in disk.words


def test_a_workers_own_root_tells_of_its_engines_disk(engine: DockerEngine) -> None:
    """As in ``deploy/compose.yaml``: in a container the engine's directory is not to be seen."""
    container = engine.run()
    command = engine.api.exec_create(container, ["/bin/busybox", "df", "-k", "/"])["Id"]
    size = int(engine.api.exec_start(command).decode().splitlines()[1].split()[1])
    assert size == shutil.disk_usage(engine.api.info()["DockerRootDir"]).total // 1024
