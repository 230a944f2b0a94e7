"""Are others that live in a container found before it is stopped, and looked at truly after it?"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from activities.docker import dependents as rules
from tests.integration.activities.docker.docker_worker import DockerWorker, run
from tests.rigs.docker_proxy import Answer, DockerProxy, Moment
from tests.rigs.dockerd import STOPS_AT_ONCE, DockerEngine
from workflows.model.dependent_ports import DependentsInput
from workflows.model.dependents import NO_DEPENDENTS, Dependent, Dependents, Fate


def _house(engine: DockerEngine, network: str = "none") -> dict[str, str]:
    """Run a container, three that live in it, and one that does not; give their ids by name."""
    owner = engine.run(name="main-1", network=network, ipc="shareable")
    return {
        "main-1": owner,
        "alone-1": engine.run(name="alone-1"),
        "ipc-1": engine.run(name="ipc-1", ipc="container:main-1"),
        "net-1": engine.run(name="net-1", network="container:main-1"),
        "top-1": engine.run(name="top-1", processes=f"container:{owner}"),
    }


def _found(worker: DockerWorker, name: str = "main-1") -> Dependents:
    return run(worker.containers.inspect_container, worker.inspect(name)).dependents


def _fates(seen: Dependents) -> dict[str, Fate]:
    return {one.name: one.fate for one in seen.found}


def test_others_are_named_before_and_looked_at_after(
    worker: DockerWorker, engine: DockerEngine
) -> None:
    """A start of the owner mends none of them; a restart of each does, and nobody else made it."""
    ids = _house(engine)
    started = {name: engine.inspect(one)["State"]["StartedAt"] for name, one in ids.items()}
    pin, known = worker.pin(ids["main-1"]), _found(worker)
    assert {(one.name, one.container_id, one.space) for one in known.found} == {
        ("net-1", ids["net-1"], "network"),
        ("ipc-1", ids["ipc-1"], "IPC space"),
        ("top-1", ids["top-1"], "process space"),
    }
    assert (known.more, known.unseen) == (0, 0)
    look = DependentsInput(pin=pin, known=known)
    unharmed = dict.fromkeys(("net-1", "ipc-1", "top-1"), Fate.UNHARMED)
    assert _fates(run(worker.dependents.look_at_dependents, look)) == unharmed

    harmed = {"net-1": Fate.CUT_OFF, "ipc-1": Fate.CUT_OFF, "top-1": Fate.DOWN}
    run(worker.containers.ensure_stopped, worker.stop(pin))
    assert _fates(run(worker.dependents.look_at_dependents, look)) == harmed
    run(worker.containers.ensure_running, worker.put_back(pin))
    assert _fates(run(worker.dependents.look_at_dependents, look)) == harmed
    assert engine.state(ids["net-1"]) == "running", "nothing but the pinned one was changed"
    now = {name: engine.inspect(one)["State"]["StartedAt"] for name, one in ids.items()}
    assert {name for name in now if now[name] != started[name]} == {"main-1"}

    for name in harmed:
        engine.api.restart(ids[name], timeout=1)
    assert _fates(run(worker.dependents.look_at_dependents, look)) == unharmed


def test_what_is_said_of_a_network_is_so(worker: DockerWorker, engine: DockerEngine) -> None:
    """Its user keeps nothing but a loopback, and is not mended by the start of the owner."""
    engine.api.create_network("house", driver="bridge")
    owner = engine.run(name="main-1", network="house")
    user = engine.run(name="net-1", network="container:main-1")

    def devices() -> list[str]:
        made = engine.api.exec_create(user, ["sh", "-c", "ls /sys/class/net"])
        return engine.api.exec_start(made["Id"]).decode().split()

    assert devices() == ["eth0", "lo"]
    pin = worker.pin(owner)
    run(worker.containers.ensure_stopped, worker.stop(pin))
    assert devices() == ["lo"]
    run(worker.containers.ensure_running, worker.put_back(pin))
    assert devices() == ["lo"]
    engine.api.restart(user, timeout=1)
    assert devices() == ["eth0", "lo"]


def test_one_that_was_removed_or_renamed_is_told_so(
    worker: DockerWorker, engine: DockerEngine
) -> None:
    """People are sent to no container that is gone, nor to another of the old name."""
    ids = _house(engine)
    pin, known = worker.pin(ids["main-1"]), _found(worker)
    engine.api.rename(ids["net-1"], "net-old")
    engine.run(name="net-1")
    engine.api.remove_container(ids["ipc-1"], force=True)
    run(worker.containers.ensure_stopped, worker.stop(pin))
    seen = run(worker.dependents.look_at_dependents, DependentsInput(pin=pin, known=known))
    assert _fates(seen) == {"net-old": Fate.CUT_OFF, "ipc-1": Fate.GONE, "top-1": Fate.DOWN}


def test_who_lives_in_one_that_lives_in_it_counts_too(
    worker: DockerWorker, engine: DockerEngine
) -> None:
    """The nearest comes first: in that order they can be restarted."""
    engine.run(name="main-1")
    engine.run(name="near-1", processes="container:main-1")
    engine.run(name="far-1", processes="container:near-1")
    assert [one.name for one in _found(worker).found] == ["near-1", "far-1"]


def test_one_that_came_after_the_card_is_seen_when_it_is_started_again(
    worker: DockerWorker, engine: DockerEngine
) -> None:
    """The start waits a while anyway, so that one more question costs nobody any time."""
    owner = engine.run(name="main-1")
    pin = worker.pin(owner)
    late = engine.run(name="late-1", network=f"container:{owner}")
    run(worker.containers.ensure_stopped, worker.stop(pin))
    result = run(worker.containers.ensure_running, worker.put_back(pin))
    mends = f"docker restart {late[:12]}"
    newcomer = Dependent(name="late-1", container_id=late, space="network", restart=mends)
    assert result.users == (newcomer,)
    look = DependentsInput(pin=pin, known=Dependents(found=result.users))
    assert _fates(run(worker.dependents.look_at_dependents, look)) == {"late-1": Fate.CUT_OFF}
    again = run(worker.containers.ensure_running, worker.put_back(worker.pin(owner)))
    assert again.users == (), "it was not started, so nobody was cut off"


def test_who_rests_or_whose_owner_rests_is_not_named(
    worker: DockerWorker, engine: DockerEngine
) -> None:
    """A stop takes nothing from a container that does not run."""
    ids = _house(engine)
    for name in ("ipc-1", "net-1", "top-1"):
        engine.api.stop(ids[name], timeout=1)
    assert _found(worker) == NO_DEPENDENTS
    engine.api.start(ids["net-1"])
    engine.api.stop(ids["main-1"], timeout=1)
    arg = worker.inspect("main-1", reference="team/web:free")
    assert run(worker.containers.inspect_container, arg).dependents == NO_DEPENDENTS
    looked = worker.inspect("main-1", for_request=False)
    assert run(worker.containers.inspect_container, looked).dependents == NO_DEPENDENTS


def test_who_was_cut_off_before_is_not_counted(worker: DockerWorker, engine: DockerEngine) -> None:
    """A restart of the owner by somebody else did it: no stop of ours takes anything from it."""
    ids = _house(engine)
    before = _found(worker)
    engine.api.restart(ids["main-1"], timeout=1)
    assert _found(worker) == NO_DEPENDENTS
    pin = worker.pin(ids["main-1"])
    run(worker.containers.ensure_stopped, worker.stop(pin))
    seen = run(worker.dependents.look_at_dependents, DependentsInput(pin=pin, known=before))
    assert (_fates(seen)["net-1"], _fates(seen)["ipc-1"]) == (Fate.UNHARMED, Fate.UNHARMED)


def test_whom_a_container_uses_is_asked_once(
    make_worker: Callable[..., DockerWorker], engine: DockerEngine
) -> None:
    """It never changes, so that a host with many containers is not asked about all each time."""
    for number in range(3):
        engine.run(name=f"alone-{number}")
    engine.run(name="main-1")
    with DockerProxy(engine.base_url) as docker_proxy:
        worker = make_worker(docker_proxy.base_url)
        asked = []
        for _ in range(2):
            before = len(docker_proxy.passed("/json"))
            assert _found(worker) == NO_DEPENDENTS
            asked.append(len(docker_proxy.passed("/json")) - before)
        worker.engine.close()
    assert asked == [7, 4], "the list, the container, its size and image, and each of the others"


def test_one_that_cannot_be_looked_at_hinders_nobody(
    make_worker: Callable[..., DockerWorker], engine: DockerEngine
) -> None:
    """What is wrong with another container is no reason to refuse; it is counted."""
    odd = engine.run(name="odd-1")
    engine.run(name="main-1")
    with DockerProxy(engine.base_url) as docker_proxy:
        worker = make_worker(docker_proxy.base_url)
        docker_proxy.trap(f"/containers/{odd}/json", Moment.BEFORE, lambda: Answer(500, "odd"))
        assert _found(worker) == Dependents(unseen=1)
        worker.engine.close()


def test_many_are_counted(
    worker: DockerWorker, engine: DockerEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is remembered is bounded, and so is the time that the look takes; both are told."""
    engine.run(STOPS_AT_ONCE, name="main-1")
    for number in range(3):
        engine.run(name=f"net-{number}", network="container:main-1")
        engine.run(name=f"alone-{number}")
    monkeypatch.setattr(rules, "MAX_DEPENDENTS", 1)
    monkeypatch.setattr(rules, "_MOST_LOOKS", 4)
    found = _found(worker)
    assert len(found.found) == 1
    assert (found.more, found.unseen) == (2, 2)
