"""Does a name lead to exactly the container that has it, and to a clear refusal otherwise?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from activities.docker.protection import Protection
from tests.integration.activities.docker.docker_worker import REQUEST, DockerWorker, fail, run
from tests.rigs.dockerd import IMAGE, DockerEngine
from workflows.model.errors import RefusalCode
from workflows.model.image_reference import complete_reference
from workflows.model.listing import ContainerSummary, ListInput, Wanted, Which
from workflows.model.requests import ContainerState, Mount


def test_pins_the_container_of_exactly_this_name(
    worker: DockerWorker, engine: DockerEngine
) -> None:
    """The pin tells all that people decide about."""
    container = engine.run(
        name="web-1",
        policy="unless-stopped",
        volumes=("/data",),
        stop_timeout=7,
        healthcheck="true",
        labels={"team": "a"},
    )
    selectors = ({"team": "a"}, {"team": "b"}, {"team": "a", "tier": "x"})
    arg = worker.inspect("web-1", label_selectors=selectors, reference="team/web:free")
    inspection = run(worker.containers.inspect_container, arg)
    pin, raw = inspection.pin, engine.inspect(container)
    assert (pin.container_id, pin.name, pin.image) == (container, "web-1", IMAGE)
    assert (pin.image_id, pin.started_at) == (raw["Image"], raw["State"]["StartedAt"])
    assert (pin.state, pin.restart_policy) == (ContainerState.RUNNING, "unless-stopped")
    assert (pin.engine_id, pin.stop_timeout_seconds) == (engine.api.info()["ID"], 7)
    assert pin.mounts == (Mount(type="volume", destination="/data"),)
    assert pin.has_healthcheck
    assert inspection.selectors_met == (True, False, False)
    assert not inspection.reference_taken


@pytest.mark.parametrize(
    "name", ["a", ".", "..", "../images/x", "x/../../info", "%2e", "-x", "a b", "é1", ""]
)
def test_refuses_what_is_no_name(worker: DockerWorker, name: str) -> None:
    """A text that is no container name never reaches the engine."""
    error = fail(worker.containers.inspect_container, worker.inspect(name))
    assert (error.type, error.non_retryable) == (RefusalCode.BAD_REQUEST, True)


@pytest.mark.parametrize("length", [2, 260, 900])
def test_a_name_may_be_as_long_as_the_engine_takes_it(
    worker: DockerWorker, engine: DockerEngine, length: int
) -> None:
    """Docker has no upper limit, so neither have we: it is found, stopped and named in full."""
    name = "n" * length
    container = engine.run(name=name)
    engine.run(name=f"{name}-2")
    pin = run(worker.containers.inspect_container, worker.inspect(name)).pin
    assert (pin.container_id, pin.name) == (container, name)
    assert run(worker.containers.ensure_stopped, worker.stop(pin)).name == name
    made = run(worker.snapshots.ensure_snapshot, worker.commit(pin))
    reference = complete_reference(None, name, REQUEST)
    run(worker.snapshots.ensure_tag, worker.tag(pin, made.image_id, reference))
    assert engine.api.inspect_image(reference)["Id"] == made.image_id


def test_refuses_an_unknown_name_and_names_those_near(
    worker: DockerWorker, engine: DockerEngine
) -> None:
    """A typo gets the names that come near."""
    for name in ("web-1", "web-2", "database"):
        engine.create(name=name)
    error = fail(worker.containers.inspect_container, worker.inspect("wbe-1"))
    assert error.type == RefusalCode.UNKNOWN_CONTAINER
    assert "did you mean web-1 or web-2?" in error.message
    error = fail(worker.containers.inspect_container, worker.inspect("datab"))
    assert error.type == RefusalCode.UNKNOWN_CONTAINER
    assert "did you mean database?" in error.message
    error = fail(worker.containers.inspect_container, worker.inspect("quite-other"))
    assert error.message == "no container has this name"


def test_refuses_the_beginning_of_several_names(worker: DockerWorker, engine: DockerEngine) -> None:
    """Half a name is ambiguous, and the refusal lists what it could be."""
    for name in ("web-1", "web-2", "web-3", "web-4", "web-5"):
        engine.create(name=name)
    error = fail(worker.containers.inspect_container, worker.inspect("web"))
    assert error.type == RefusalCode.AMBIGUOUS_CONTAINER
    assert "web-1, web-2, web-3 or 2 more" in error.message


def test_never_takes_an_id_for_a_name(worker: DockerWorker, engine: DockerEngine) -> None:
    """A short or full id is refused, with the name it belongs to."""
    container = engine.create(name="web-1")
    for text in (container[:12], container):
        error = fail(worker.containers.inspect_container, worker.inspect(text))
        assert error.type == RefusalCode.UNKNOWN_CONTAINER
        assert "did you mean web-1?" in error.message


def test_a_name_that_looks_like_an_id_shadows_nothing(
    worker: DockerWorker, engine: DockerEngine
) -> None:
    """A container named like another's short id is found by name, the other keeps its id."""
    victim = engine.run(name="victim")
    shadow = engine.run(name=victim[:12])
    assert engine.inspect(victim[:12])["Id"] == shadow, "the engine itself is fooled"
    pin = run(worker.containers.inspect_container, worker.inspect(victim[:12])).pin
    assert pin.container_id == shadow
    assert (
        run(worker.containers.inspect_container, worker.inspect("victim")).pin.container_id
        == victim
    )


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"labels": {"dockwarden.protected": "true"}}, RefusalCode.PROTECTED),
        ({"labels": {"dockwarden.protected": ""}}, RefusalCode.PROTECTED),
        ({"name": "db-main"}, RefusalCode.PROTECTED),
        ({"auto_remove": True}, RefusalCode.AUTO_REMOVE),
    ],
)
def test_refuses_what_must_not_be_touched_but_shows_it(
    make_worker: Callable[..., DockerWorker],
    engine: DockerEngine,
    options: dict[str, Any],
    code: RefusalCode,
) -> None:
    """Protected and --rm containers are refused for a request, and shown to a mere look."""
    worker = make_worker(protection=Protection(name_patterns=("db-*",)))
    engine.run(**{"name": "web-1", **options})
    name = options.get("name", "web-1")
    error = fail(worker.containers.inspect_container, worker.inspect(name))
    assert (error.type, error.non_retryable) == (code, True)
    looked = run(worker.containers.inspect_container, worker.inspect(name, for_request=False))
    assert looked.pin.name == name


def test_refuses_to_stop_what_is_stopped(worker: DockerWorker, engine: DockerEngine) -> None:
    """People are not asked to approve nothing; a snapshot of it is something."""
    engine.create(name="web-1")
    error = fail(worker.containers.inspect_container, worker.inspect("web-1"))
    assert (error.type, error.non_retryable) == (RefusalCode.ALREADY_STOPPED, True)
    arg = worker.inspect("web-1", reference="team/web:before")
    assert run(worker.containers.inspect_container, arg).pin.state is ContainerState.CREATED


def test_a_label_that_says_false_does_not_protect(
    worker: DockerWorker, engine: DockerEngine
) -> None:
    """The label can be set to false."""
    engine.run(name="web-1", labels={"dockwarden.protected": "false"})
    assert run(worker.containers.inspect_container, worker.inspect("web-1")).pin.name == "web-1"


def test_refuses_the_container_that_the_worker_runs_in(
    make_worker: Callable[..., DockerWorker], engine: DockerEngine
) -> None:
    """Nobody stops Dockwarden through Dockwarden."""
    container = engine.run(name="web-1")
    worker = make_worker(protection=Protection(own_container=container[:12]))
    error = fail(worker.containers.inspect_container, worker.inspect("web-1"))
    assert error.type == RefusalCode.OWN_CONTAINER


def test_tells_that_a_reference_is_taken(worker: DockerWorker, engine: DockerEngine) -> None:
    """A tag that exists is seen when planning, however it is written."""
    engine.create(name="web-1")
    for reference in (IMAGE, f"docker.io/{IMAGE}"):
        arg = worker.inspect("web-1", reference=reference)
        assert run(worker.containers.inspect_container, arg).reference_taken
    error = fail(worker.containers.inspect_container, worker.inspect("web-1", reference="../x:1"))
    assert error.type == RefusalCode.BAD_REFERENCE


def test_a_worker_answers_for_its_own_host_only(worker: DockerWorker) -> None:
    """A question that came to the wrong queue is refused."""
    error = fail(worker.containers.list_containers, ListInput(host="other"))
    assert error.type == RefusalCode.UNKNOWN_HOST


def test_lists_by_name_and_bounded(worker: DockerWorker, engine: DockerEngine) -> None:
    """A list is ordered, cut, and says how many there are."""
    engine.create(name="cc", labels={"dockwarden.protected": "true"})
    engine.run(name="bb")
    engine.create(name="aa")
    listed = run(worker.containers.list_containers, ListInput(host="local", limit=2))
    assert [(entry.name, entry.state) for entry in listed.containers] == [
        ("aa", ContainerState.CREATED),
        ("bb", ContainerState.RUNNING),
    ]
    assert listed.total == 3
    listed = run(worker.containers.list_containers, ListInput(host="local"))
    assert [entry.protected for entry in listed.containers] == [False, False, True]


def test_lists_what_is_wanted_with_how_it_stands(
    worker: DockerWorker, engine: DockerEngine
) -> None:
    """In the order in which people count, with what Compose and the engine say of each."""
    labels = {"com.docker.compose.project": "shop", "com.docker.compose.service": "web"}
    for number in (10, 2):
        engine.run(name=f"web-{number}", labels=labels, healthcheck="true")
    engine.api.stop(engine.run(name="db-1"), timeout=1)
    made = engine.create(name="db-2")
    run(worker.snapshots.ensure_snapshot, worker.commit(worker.pin(made)))

    def listed(**wanted: Any) -> list[ContainerSummary]:
        arg = ListInput(host="local", wanted=Wanted(**wanted))
        found = run(worker.containers.list_containers, arg)
        assert (found.total, found.of) == (len(found.containers), 4)
        return list(found.containers)

    assert [one.name for one in listed(pattern="web")] == ["web-2", "web-10"]
    two = listed(pattern="web-*")[0]
    assert (two.part_of, two.standing.startswith("up ")) == ("shop/web", True)
    assert two.health in ("starting", "healthy")
    first, second = listed(which=Which.STOPPED)
    assert first.standing.startswith("stopped ")
    assert (second.standing, second.snapshots, first.snapshots) == ("never started", 1, 0)
    assert listed(which=Which.UNHEALTHY) == []
