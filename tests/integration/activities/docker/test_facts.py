"""Does a look tell of a real container what people want to know, in time?"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from activities.docker.protection import Protection
from tests.integration.activities.docker.docker_worker import DockerWorker, run
from tests.rigs.docker_proxy import DockerProxy, Moment
from tests.rigs.dockerd import DockerEngine
from tests.rigs.waiting import wait_until
from workflows.model.ports import InspectInput
from workflows.model.requests import ContainerPin, FactPlace

_SHOP = {"com.docker.compose.project": "shop"}
_REFERENCE = "team/db:before"


def _look(worker: DockerWorker, arg: InspectInput) -> ContainerPin:
    return run(worker.containers.inspect_container, replace(arg, knows_places=True)).pin


def _told(pin: ContainerPin, *places: FactPlace) -> list[str]:
    return [f"{fact.label} {fact.value}".rstrip() for fact in pin.told(*places)]


def test_a_look_tells_what_the_engine_knows(
    make_worker: Callable[..., DockerWorker], engine: DockerEngine
) -> None:
    """What it is part of, since when, who needs it, and what there is of snapshots of it."""
    # Whose disk it is, is known of an engine of this machine alone.
    worker = make_worker(engine.base_url)
    engine.api.create_network("backend")
    database = engine.run(
        name="shop-db-1",
        policy="always",
        network="backend",
        ports={5432: 15432},
        healthcheck="true",
        labels={**_SHOP, "com.docker.compose.service": "db"},
    )
    needs = {**_SHOP, "com.docker.compose.depends_on": "db:service_healthy:false"}
    engine.run(name="shop-web-1", network="backend", labels=needs)
    wait_until(
        lambda: engine.inspect(database)["State"]["Health"]["Status"] == "healthy", "it is healthy"
    )

    pin = _look(worker, worker.inspect("shop-db-1", reference=_REFERENCE))
    assert _told(pin, FactPlace.ITSELF) == [
        "Compose service shop/db",
        "up since",
        "healthy",
        "ports 15432→5432",
        "network backend with shop-web-1",
        "needed by shop-web-1",
    ]
    since = next(fact.at for fact in pin.facts if fact.label == "up since")
    started = datetime.fromisoformat(engine.inspect(database)["State"]["StartedAt"])
    assert since == started.replace(microsecond=0)
    (room,) = _told(pin, FactPlace.SNAPSHOT)
    written, free = room.split(", ")
    assert (written, free.endswith(" free")) == ("nothing written", True)
    assert "no snapshot of it is kept" in _told(pin, FactPlace.LOOK)
    assert f"image id {pin.image_id}" in _told(pin, FactPlace.DETAILS)

    run(worker.containers.ensure_stopped, worker.stop(pin))
    run(worker.snapshots.ensure_snapshot, worker.commit(pin, reference=_REFERENCE))
    after = _look(worker, worker.inspect("shop-db-1", for_request=False))
    assert f"1 snapshot of it {_REFERENCE}" in _told(after, FactPlace.LOOK)
    assert "down since" in _told(after, FactPlace.ITSELF)
    assert _told(after, FactPlace.SNAPSHOT, FactPlace.AFTERWARDS) == []


def test_a_look_says_what_nobody_may_touch(
    make_worker: Callable[..., DockerWorker], engine: DockerEngine
) -> None:
    """Nothing of it can be asked for, and that is better known before."""
    engine.create(name="vault-1", labels={"com.docker.swarm.task.id": "1"})
    worker = make_worker(protection=Protection(name_patterns=("vault-*",)))

    pin = _look(worker, worker.inspect("vault-1", for_request=False))
    protected, run_by = _told(pin, FactPlace.SEEN)
    assert protected == "protected by the settings of its host"
    assert run_by.startswith("Docker Swarm runs it")
    assert _told(pin, FactPlace.ITSELF)[:1] == ["never started"]


def test_what_takes_the_engine_too_long_is_left_out(
    make_worker: Callable[..., DockerWorker], engine: DockerEngine
) -> None:
    """A card waits for no measurement; the next one has it."""
    engine.run_large(3, name="db-1")
    with DockerProxy(engine.base_url) as docker_proxy:
        worker = make_worker(docker_proxy.base_url)
        slow = docker_proxy.trap(r"GET .*size=1", Moment.BEFORE, lambda: time.sleep(2))
        arg = worker.inspect("db-1", reference=_REFERENCE)
        began = time.monotonic()
        (room,) = _told(_look(worker, arg), FactPlace.SNAPSHOT)
        assert (time.monotonic() - began < 2, "about" in room) == (True, False)
        wait_until(lambda: slow.fired == 1, "it was measured all the same")
        wait_until(
            lambda: _told(_look(worker, arg), FactPlace.SNAPSHOT)[0].startswith("about 3."),
            "the next look knows it",
        )
        worker.engine.close()


def test_who_knows_no_places_is_told_no_facts(worker: DockerWorker, engine: DockerEngine) -> None:
    """One of an earlier release could not read them, and shows the fields of the pin."""
    engine.run(name="web-1", policy="always")

    pin = run(worker.containers.inspect_container, worker.inspect("web-1")).pin
    assert pin.facts == ()
    assert _told(pin, FactPlace.SEEN) == ["restart policy always"]
