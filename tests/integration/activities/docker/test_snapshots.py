"""Does a request get exactly one image of its container, under a tag that was free?"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.integration.activities.docker.docker_worker import (
    REQUEST,
    Attempts,
    DockerWorker,
    fail,
    run,
)
from tests.rigs.dockerd import IMAGE, DockerEngine
from tests.rigs.lossy_socket import LossySocket
from tests.rigs.waiting import wait_until
from workflows.model.errors import ErrorType
from workflows.model.image_reference import default_reference
from workflows.model.names import REQUEST_LABEL, SOURCE_LABEL


def _resting(engine: DockerEngine, script: str = "true", **options: str) -> str:
    container = engine.run(script, **options)
    engine.await_state(container, "exited")
    return container


def _labels(container: str) -> str:
    return f"LABEL {REQUEST_LABEL}={REQUEST}\nLABEL {SOURCE_LABEL}={container}"


def test_commits_an_untagged_image_with_two_labels(
    worker: DockerWorker, engine: DockerEngine
) -> None:
    """The image is of the container, carries the request's labels, and nothing else changes."""
    container = _resting(engine)
    result = run(worker.snapshots.ensure_snapshot, worker.commit(worker.pin(container)))
    assert engine.images() == {result.image_id}
    image = engine.api.inspect_image(result.image_id)
    assert image["Config"]["Labels"] == {REQUEST_LABEL: REQUEST, SOURCE_LABEL: container}
    assert image["Config"]["Cmd"] == ["sh", "-c", "true"]
    assert (image["RepoTags"], image["Comment"]) == ([], "")
    assert (result.reference, result.repeated) == ("", False)
    assert result.size_bytes == image["Size"] > 0


def test_commits_a_container_that_never_ran(worker: DockerWorker, engine: DockerEngine) -> None:
    """A created container can be committed too."""
    result = run(worker.snapshots.ensure_snapshot, worker.commit(worker.pin(engine.create())))
    assert engine.images() == {result.image_id}


def test_a_second_call_finds_the_first_image(worker: DockerWorker, engine: DockerEngine) -> None:
    """To ask again is not to commit again."""
    pin = worker.pin(_resting(engine))
    first = run(worker.snapshots.ensure_snapshot, worker.commit(pin))
    assert run(worker.snapshots.ensure_snapshot, worker.commit(pin)) == first
    assert engine.images() == {first.image_id}


def test_a_lost_answer_makes_no_second_image(
    make_worker: Callable[..., DockerWorker], worker: DockerWorker, engine: DockerEngine
) -> None:
    """A commit that goes on without us is waited for and taken."""
    container = _resting(engine, "dd if=/dev/zero of=/big bs=1M count=100 2>/dev/null")
    pin, attempts = worker.pin(container), Attempts()
    with LossySocket(engine.base_url, lose="/commit") as lossy:
        unlucky = make_worker(lossy.base_url)
        error = attempts.fail(unlucky.snapshots.ensure_snapshot, worker.commit(pin))
        assert (error.type, error.non_retryable) == (ErrorType.ENGINE_AMBIGUOUS, False)
        assert lossy.lost == 1
    patient = make_worker(commit_settle=60)
    result = attempts.run(patient.snapshots.ensure_snapshot, worker.commit(pin))
    assert result.repeated
    assert engine.images() == {result.image_id}

    def commits() -> int:
        told = engine.api.events(
            filters={"event": "commit", "container": container},
            since=0,
            until=int(time.time()) + 1,
            decode=True,
        )
        return len(list(told))

    # The engine tells of a commit a moment after its image is there.
    wait_until(lambda: commits() > 0, "the engine has told of the commit")
    assert commits() == 1


def test_duplicates_go_and_the_oldest_stays(worker: DockerWorker, engine: DockerEngine) -> None:
    """Two commits of a crashed worker leave one image."""
    container = _resting(engine)
    oldest = engine.api.commit(container, changes=_labels(container))["Id"]
    engine.api.commit(container, changes=_labels(container))
    assert len(engine.images()) == 2
    attempts = Attempts()
    attempts.lose()
    result = attempts.run(worker.snapshots.ensure_snapshot, worker.commit(worker.pin(container)))
    assert result.image_id == oldest
    assert engine.images() == {oldest}


def test_an_image_of_another_container_or_request_is_not_ours(
    worker: DockerWorker, engine: DockerEngine
) -> None:
    """Both labels must match."""
    container, other = _resting(engine), _resting(engine)
    foreign = {
        engine.api.commit(other, changes=_labels(other))["Id"],
        engine.api.commit(container, changes=_labels(container).replace(REQUEST, "f" * 12))["Id"],
    }
    result = run(worker.snapshots.ensure_snapshot, worker.commit(worker.pin(container)))
    assert engine.images() == {*foreign, result.image_id}


def test_an_image_from_before_another_run_goes(worker: DockerWorker, engine: DockerEngine) -> None:
    """A container that ran again after its commit is committed anew."""
    container = _resting(engine)
    outdated = run(worker.snapshots.ensure_snapshot, worker.commit(worker.pin(container)))
    before = worker.pin(container).started_at
    engine.api.start(container)
    wait_until(lambda: worker.pin(container).started_at != before, "it ran again")
    engine.await_state(container, "exited")
    result = run(worker.snapshots.ensure_snapshot, worker.commit(worker.pin(container)))
    assert result.image_id != outdated.image_id
    assert engine.images() == {result.image_id}


@pytest.mark.parametrize("state", ["running", "paused"])
def test_never_commits_a_container_that_is_up(
    worker: DockerWorker, engine: DockerEngine, state: str
) -> None:
    """A container that was started again must be stopped first, and no image is left."""
    container = engine.run()
    if state == "paused":
        engine.api.pause(container)
    error = fail(worker.snapshots.ensure_snapshot, worker.commit(worker.pin(container)))
    assert (error.type, error.non_retryable) == (ErrorType.NOT_STOPPED, True)
    assert engine.images() == set()


def test_waits_for_a_late_image_only_where_one_can_come(
    make_worker: Callable[..., DockerWorker], worker: DockerWorker, engine: DockerEngine
) -> None:
    """After an attempt that sent nothing, the next one commits without waiting."""
    container = engine.run()
    pin, attempts = worker.pin(container), Attempts()
    attempts.fail(worker.snapshots.ensure_snapshot, worker.commit(pin))
    engine.api.stop(container, timeout=3)
    endless = make_worker(commit_settle=3600)
    result = attempts.run(endless.snapshots.ensure_snapshot, worker.commit(pin))
    assert not result.repeated


def test_tags_the_snapshot(worker: DockerWorker, engine: DockerEngine) -> None:
    """The tag leads to the image, and to ask again changes nothing."""
    pin = worker.pin(_resting(engine))
    image = run(worker.snapshots.ensure_snapshot, worker.commit(pin)).image_id
    for _ in range(2):
        result = run(worker.snapshots.ensure_tag, worker.tag(pin, image))
        assert (result.image_id, result.reference) == (image, "team/web:before")
    assert engine.api.inspect_image("team/web:before")["Id"] == image


@pytest.mark.parametrize("name", ["A__b..C-", "x" * 200])
def test_odd_names_get_valid_references(
    worker: DockerWorker, engine: DockerEngine, name: str
) -> None:
    """The default reference of any container name is one that the engine takes."""
    pin = worker.pin(_resting(engine, name=name))
    image = run(worker.snapshots.ensure_snapshot, worker.commit(pin)).image_id
    reference = default_reference(name, REQUEST)
    run(worker.snapshots.ensure_tag, worker.tag(pin, image, reference))
    assert engine.images() == {image}


def test_never_takes_a_tag_from_another_image(worker: DockerWorker, engine: DockerEngine) -> None:
    """A tag that exists stays where it is, however it is written."""
    pin = worker.pin(_resting(engine))
    image = run(worker.snapshots.ensure_snapshot, worker.commit(pin)).image_id
    holder = engine.api.inspect_image(IMAGE)["Id"]
    for reference in (IMAGE, f"docker.io/{IMAGE}"):
        error = fail(worker.snapshots.ensure_tag, worker.tag(pin, image, reference))
        assert (error.type, error.non_retryable) == (ErrorType.REFERENCE_TAKEN, True)
        assert engine.api.inspect_image(IMAGE)["Id"] == holder


def test_tags_only_an_image_of_this_container_and_request(
    worker: DockerWorker, engine: DockerEngine
) -> None:
    """An image id that came from elsewhere is refused."""
    pin = worker.pin(_resting(engine))
    error = fail(
        worker.snapshots.ensure_tag, worker.tag(pin, engine.api.inspect_image(IMAGE)["Id"])
    )
    assert (error.type, error.non_retryable) == (ErrorType.BAD_INPUT, True)


@pytest.mark.parametrize(
    ("image", "reference"), [("x/../y", "team/web:1"), ("sha256:" + "0" * 64, "Team/Web:1")]
)
def test_malformed_input_never_reaches_the_engine(
    worker: DockerWorker, engine: DockerEngine, image: str, reference: str
) -> None:
    """Ids and references are checked before they become part of an address."""
    pin = worker.pin(_resting(engine))
    error = fail(worker.snapshots.ensure_tag, worker.tag(pin, image, reference))
    assert (error.type, error.non_retryable) == (ErrorType.BAD_INPUT, True)


def test_a_pruned_snapshot_is_told(worker: DockerWorker, engine: DockerEngine) -> None:
    """An image that was removed before its tag must be made anew."""
    pin = worker.pin(_resting(engine))
    image = run(worker.snapshots.ensure_snapshot, worker.commit(pin)).image_id
    engine.api.prune_images()
    assert engine.images() == set()
    error = fail(worker.snapshots.ensure_tag, worker.tag(pin, image))
    assert (error.type, error.non_retryable) == (ErrorType.SNAPSHOT_VANISHED, True)


def test_tags_nothing_while_the_container_is_up(worker: DockerWorker, engine: DockerEngine) -> None:
    """A started container sends the work back to the stop, unless it was put back by purpose."""
    container = engine.run()
    pin = worker.pin(container)
    engine.api.stop(container, timeout=3)
    image = run(worker.snapshots.ensure_snapshot, worker.commit(pin)).image_id
    engine.api.start(container)
    error = fail(worker.snapshots.ensure_tag, worker.tag(pin, image))
    assert (error.type, error.non_retryable) == (ErrorType.NOT_STOPPED, True)
    assert engine.api.inspect_image(image)["RepoTags"] == []
    kept = replace(worker.tag(pin, image), while_resting=False)
    assert run(worker.snapshots.ensure_tag, kept).image_id == image


def test_sweeps_what_late_commits_left(worker: DockerWorker, engine: DockerEngine) -> None:
    """Untagged images of the request go; the snapshot and what was built on it stay."""
    container = _resting(engine)
    pin = worker.pin(container)
    image = run(worker.snapshots.ensure_snapshot, worker.commit(pin)).image_id
    run(worker.snapshots.ensure_tag, worker.tag(pin, image))
    built = engine.api.commit(engine.create(image="team/web:before"), repository="team/child")["Id"]
    engine.api.commit(container, changes=_labels(container))
    assert len(engine.images()) == 3
    assert run(worker.snapshots.sweep_snapshots, worker.sweep(pin, image)) == 1
    assert engine.images() == {image, built}
    assert run(worker.snapshots.sweep_snapshots, worker.sweep(pin)) == 0


def test_sweeps_all_untagged_images_of_a_failed_request(
    worker: DockerWorker, engine: DockerEngine
) -> None:
    """Without an image to keep, only one that a container needs stays."""
    container = _resting(engine)
    pin = worker.pin(container)
    run(worker.snapshots.ensure_snapshot, worker.commit(pin))
    used = engine.api.commit(container, changes=_labels(container))["Id"]
    engine.create(image=used)
    assert run(worker.snapshots.sweep_snapshots, worker.sweep(pin)) == 1
    assert engine.images() == {used}


def test_sweeps_the_failed_image_with_its_tag(worker: DockerWorker, engine: DockerEngine) -> None:
    """The image of a failed request goes with the request's tag, but not with one of people."""
    container = _resting(engine)
    pin = worker.pin(container)
    image = run(worker.snapshots.ensure_snapshot, worker.commit(pin)).image_id
    run(worker.snapshots.ensure_tag, worker.tag(pin, image))
    failed = worker.sweep(pin, failed_image_id=image)
    engine.api.tag(image, "team/theirs", "1")
    assert run(worker.snapshots.sweep_snapshots, failed) == 0
    engine.api.remove_image("team/theirs:1")
    assert run(worker.snapshots.sweep_snapshots, replace(failed, reference="team/web:other")) == 0
    assert run(worker.snapshots.sweep_snapshots, failed) == 1
    assert engine.images() == set()


def test_sweeps_what_is_still_in_the_making(worker: DockerWorker, engine: DockerEngine) -> None:
    """A commit that the engine ends only later leaves no image either."""
    container = _resting(engine)
    late = threading.Timer(1, engine.api.commit, (container,), {"changes": _labels(container)})
    late.start()
    arg = worker.sweep(worker.pin(container), settle_seconds=20)
    assert run(worker.snapshots.sweep_snapshots, arg) == 1
    late.join()
    assert engine.images() == set()


def test_sweeps_its_own_engine_only(worker: DockerWorker, engine: DockerEngine) -> None:
    """Another engine's images are not ours to remove."""
    pin = replace(worker.pin(_resting(engine)), engine_id="another")
    error = fail(worker.snapshots.sweep_snapshots, worker.sweep(pin))
    assert error.type == ErrorType.WRONG_ENGINE
