"""Is a snapshot that will not fit refused before anything is stopped for it?"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from activities.docker.capacity import SnapshotCapacity
from activities.docker.protection import Protection
from tests.integration.activities.docker.host import Attempts, Host, fail, run
from tests.rigs.docker_proxy import Act, Answer, DockerProxy, Moment
from tests.rigs.dockerd import DockerRig
from tests.rigs.waiting import wait_until
from workflows.model.errors import ErrorType, RefusalCode
from workflows.model.names import REQUEST_LABEL, SOURCE_LABEL

_MB = 1_000_000
_MEASURES = "^GET .*/containers/json.*size=1"


def _snapshot(host: Host, container: str, *requests: str) -> None:
    for request in requests:
        run(host.snapshots.ensure_snapshot, host.commit(host.pin(container), request))


def test_no_more_snapshots_of_a_container_than_the_host_keeps(
    make_host: Callable[..., Host], rig: DockerRig
) -> None:
    """Planned and approved alike are refused; once one is removed there is room again."""
    host = make_host(capacity=SnapshotCapacity(snapshots_per_container=2))
    container = rig.create(name="web-1")
    other = rig.run(name="web-2")
    _snapshot(host, container, "00000000000a")
    arg = host.inspect("web-1", reference="team/web:free")
    assert run(host.containers.inspect_container, arg).pin.container_id == container
    _snapshot(host, container, "00000000000b")
    rig.api.start(container)
    pin = host.pin(container)
    refused = fail(host.containers.inspect_container, arg)
    assert (refused.type, refused.non_retryable) == (RefusalCode.SNAPSHOT_QUOTA, True)
    assert refused.message == "2 are there, and at most 2 are kept"
    stop = replace(host.stop(pin), for_snapshot=True)
    refused = fail(host.containers.ensure_stopped, stop)
    assert (refused.type, refused.non_retryable) == (ErrorType.SNAPSHOT_QUOTA, True)
    assert refused.details == ()
    assert rig.state(container) == "running"
    # What makes no snapshot, and what is another container, has its own count.
    assert run(host.containers.inspect_container, host.inspect("web-1")).pin == pin
    run(host.containers.ensure_stopped, replace(host.stop(host.pin(other)), for_snapshot=True))
    rig.api.remove_image(
        rig.api.images(filters={"label": f"{REQUEST_LABEL}=00000000000a"})[0]["Id"]
    )
    assert run(host.containers.ensure_stopped, stop).was_running


def test_images_built_on_a_snapshot_are_no_snapshots(
    make_host: Callable[..., Host], rig: DockerRig
) -> None:
    """They inherit its labels, but count as one with it."""
    host = make_host(capacity=SnapshotCapacity(snapshots_per_container=2))
    container = rig.create(name="web-1")
    _snapshot(host, container, "00000000000a")
    (snapshot,) = rig.api.images(filters={"label": f"{SOURCE_LABEL}={container}"})
    built = rig.api.commit(rig.create(image=snapshot["Id"]), changes="LABEL built=yes")["Id"]
    assert rig.api.inspect_image(built)["Config"]["Labels"][SOURCE_LABEL] == container
    run(host.containers.inspect_container, host.inspect("web-1", reference="a/b:c"))


def test_what_the_container_wrote_and_the_reserve_must_be_free(
    make_host: Callable[..., Host], rig: DockerRig
) -> None:
    """Both count; a request without a snapshot needs neither."""
    container = rig.run_large(20, name="web-1")
    free = shutil.disk_usage(rig.api.info()["DockerRootDir"]).free // _MB
    arg = make_host().inspect("web-1", reference="team/web:free")
    # Other processes write to the disk of this machine too, hence the wide steps.
    host = make_host(capacity=SnapshotCapacity(min_free_mb=free - 500))
    assert run(host.containers.inspect_container, arg).pin.container_id == container
    host = make_host(capacity=SnapshotCapacity(min_free_mb=free + 500))
    refused = fail(host.containers.inspect_container, arg)
    assert (refused.type, refused.non_retryable) == (RefusalCode.DISK_FULL, True)
    assert f"and {free + 521} MB are needed" in refused.message
    run(host.containers.inspect_container, replace(arg, reference=""))


def test_no_room_before_the_stop_touches_nothing(
    make_host: Callable[..., Host], rig: DockerRig
) -> None:
    """The container keeps running, and the error does not say that anything was touched."""
    host = make_host(capacity=SnapshotCapacity(min_free_mb=10**9))
    container = rig.run(name="web-1")
    stop = replace(host.stop(host.pin(container)), for_snapshot=True)
    refused = fail(host.containers.ensure_stopped, stop)
    assert (refused.type, refused.details) == (ErrorType.DISK_FULL, ())
    assert rig.state(container) == "running"
    assert run(host.containers.ensure_stopped, replace(stop, for_snapshot=False)).was_running


def test_a_stop_that_was_sent_is_finished_without_another_look(
    make_host: Callable[..., Host], rig: DockerRig
) -> None:
    """A next attempt, and a stop that begins anew, must not turn back half-way."""
    host = make_host(capacity=SnapshotCapacity(min_free_mb=10**9))
    container = rig.run(name="web-1")
    stop = replace(host.stop(host.pin(container)), for_snapshot=True)
    attempts = Attempts()
    attempts.lose()
    assert attempts.run(host.containers.ensure_stopped, stop).was_running
    rig.api.start(container)
    again = replace(stop, expect_untouched=False)
    assert run(host.containers.ensure_stopped, again).was_running


@pytest.mark.parametrize("act", [lambda: time.sleep(2), lambda: Answer(500, "lstat: no such file")])
def test_an_engine_that_cannot_measure_is_believed_to_have_room(
    make_host: Callable[..., Host], rig: DockerRig, act: Act
) -> None:
    """Then the reserve alone counts: files without number, or that vanish, hold up no snapshot."""
    container = rig.run(name="web-1")
    with DockerProxy(rig.base_url) as proxy:
        host = make_host(proxy.base_url, capacity=SnapshotCapacity(min_free_mb=1), inspect_http=1)
        failed = proxy.trap(_MEASURES, Moment.BEFORE, act)
        arg = host.inspect("web-1", reference="team/web:free")
        assert run(host.containers.inspect_container, arg).pin.container_id == container
        wait_until(lambda: failed.fired == 1, "the engine has failed, or answered too late")
        host.engine.close()


@pytest.mark.parametrize(
    ("change", "state"),
    [
        (lambda rig, container: rig.api.stop(container, timeout=0), "exited"),
        (lambda rig, container: rig.api.pause(container), "paused"),
        (lambda rig, container: rig.api.rename(container, "db-main"), "running"),
    ],
    ids=["stop", "pause", "rename"],
)
def test_what_people_do_while_it_is_measured_is_seen(
    make_host: Callable[..., Host],
    rig: DockerRig,
    change: Callable[[DockerRig, str], object],
    state: str,
) -> None:
    """The container must be the approved one right before the stop, and is not touched if not."""
    container = rig.run(name="web-1")
    with DockerProxy(rig.base_url) as proxy:
        protection = Protection(name_patterns=("db-*",))
        host = make_host(
            proxy.base_url, capacity=SnapshotCapacity(min_free_mb=1), protection=protection
        )
        stop = replace(host.stop(host.pin(container)), for_snapshot=True)

        def act() -> None:
            change(rig, container)

        changed = proxy.trap(_MEASURES, Moment.BEFORE, act)
        error = fail(host.containers.ensure_stopped, stop)
        assert changed.fired == 1
        assert (error.type, error.details) == (ErrorType.CONTAINER_CHANGED, ())
        assert proxy.passed("^POST") == []
        assert rig.state(container) == state
        host.engine.close()


@pytest.mark.parametrize("base_url", ["tcp://127.0.0.1:2375", "http://127.0.0.1:2375"])
def test_the_disk_of_a_remote_engine_is_not_to_be_seen(
    make_host: Callable[..., Host], base_url: str, tmp_path: Path
) -> None:
    """Its directory may exist here too and be another; an operator can name the right one."""
    engine = make_host(base_url).engine
    assert SnapshotCapacity(min_free_mb=10**9).describe(engine).enough
    disk = SnapshotCapacity(min_free_mb=10**9, data_root=tmp_path).describe(engine)
    assert not disk.enough
    assert "MB free, less than the 1000000000 MB" in disk.words
    disk = SnapshotCapacity(data_root=tmp_path / "nowhere").describe(engine)
    assert not disk.enough
    assert "DOCKWARDEN_DATA_ROOT cannot be read" in disk.words


def test_a_workers_own_root_tells_of_its_engines_disk(rig: DockerRig) -> None:
    """As in ``deploy/compose.yaml``: in a container the engine's directory is not to be seen."""
    container = rig.run()
    command = rig.api.exec_create(container, ["/bin/busybox", "df", "-k", "/"])["Id"]
    size = int(rig.api.exec_start(command).decode().splitlines()[1].split()[1])
    assert size == shutil.disk_usage(rig.api.info()["DockerRootDir"]).total // 1024
