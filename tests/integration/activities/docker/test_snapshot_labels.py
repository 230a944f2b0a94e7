"""Does a container that is made of a snapshot belong to nobody, whatever the labels were?"""

from __future__ import annotations

from typing import Final

import pytest

from tests.integration.activities.docker.docker_worker import REQUEST, DockerWorker, run
from tests.rigs.dockerd import DockerEngine
from workflows.model.names import (
    REQUEST_LABEL,
    SOURCE_LABEL,
    WAS_PROJECT_LABEL,
    WAS_SERVICE_LABEL,
)

_PROJECT: Final = "com.docker.compose.project"
_COMPOSE: Final = {
    _PROJECT: "shop",
    "com.docker.compose.service": "web",
    "com.docker.compose.container-number": "1",
    "com.docker.compose.oneoff": "False",
    "com.docker.compose.config-hash": "0a1b2c",
    "com.docker.compose.project.config_files": "/srv/shop/compose.yaml",
    "com.docker.compose.project.working_dir": "/srv/shop",
}


def _snapshot(worker: DockerWorker, engine: DockerEngine, labels: dict[str, str]) -> str:
    container = engine.run(name="web-1", labels=labels)
    engine.api.stop(container, timeout=1)
    return run(worker.snapshots.ensure_snapshot, worker.commit(worker.pin(container))).image_id


def _found(engine: DockerEngine, *labels: str) -> set[str]:
    found = engine.api.containers(all=True, filters={"label": list(labels)})
    return {name.removeprefix("/") for container in found for name in container["Names"]}


def test_compose_does_not_take_a_container_of_a_snapshot_for_its_own(
    worker: DockerWorker, engine: DockerEngine
) -> None:
    """``compose down`` asks for the project by its name, and ``up`` for the service as well."""
    image = _snapshot(worker, engine, {**_COMPOSE, "team": "web"})
    engine.create(name="copy", image=image)
    assert _found(engine, f"{_PROJECT}=shop") == {"web-1"}
    by_service = ("com.docker.compose.service=web", "com.docker.compose.oneoff=False")
    assert _found(engine, *by_service) == {"web-1"}
    assert engine.api.images(filters={"label": f"{_PROJECT}=shop"}) == []
    # A commit cannot drop a label: who asks whether there is one at all still finds it.
    assert _found(engine, _PROJECT) == {"web-1", "copy"}
    assert engine.inspect("copy")["Config"]["Labels"] == {
        **dict.fromkeys(_COMPOSE, ""),
        "team": "web",
        REQUEST_LABEL: REQUEST,
        SOURCE_LABEL: engine.inspect("web-1")["Id"],
        WAS_PROJECT_LABEL: b"shop".hex(),
        WAS_SERVICE_LABEL: b"web".hex(),
    }


def test_the_container_itself_stays_in_its_project(
    worker: DockerWorker, engine: DockerEngine
) -> None:
    """Only the image is changed."""
    _snapshot(worker, engine, _COMPOSE)
    assert engine.inspect("web-1")["Config"]["Labels"] == _COMPOSE


def test_a_snapshot_of_a_snapshot_keeps_what_it_was_part_of(
    worker: DockerWorker, engine: DockerEngine
) -> None:
    """An empty value is no project."""
    image = _snapshot(worker, engine, _COMPOSE)
    copy = engine.create(name="copy", image=image)
    again = run(
        worker.snapshots.ensure_snapshot, worker.commit(worker.pin(copy), "00000000000b")
    ).image_id
    labels = engine.api.inspect_image(again)["Config"]["Labels"]
    assert (labels[_PROJECT], labels[WAS_PROJECT_LABEL]) == ("", b"shop".hex())


@pytest.mark.parametrize(
    "evil",
    [
        'shop" evil="1',
        'shop\nENTRYPOINT ["/evil"]',
        "shop evil=1",
        "$HOME",
        "shop \\\nLABEL evil=1",
        "s" * 5000,
    ],
)
def test_no_label_of_a_container_becomes_an_instruction(
    worker: DockerWorker, engine: DockerEngine, evil: str
) -> None:
    """Neither its value nor its name, and however long it is."""
    labels = {
        _PROJECT: evil,
        f"com.docker.compose.{evil}": "x",
        "com.docker.swarm.x=y\nUSER z": "x",
    }
    image = engine.api.inspect_image(_snapshot(worker, engine, labels))
    container = engine.inspect("web-1")
    assert image["Config"]["Labels"] == {
        **labels,
        _PROJECT: "",
        REQUEST_LABEL: REQUEST,
        SOURCE_LABEL: container["Id"],
        WAS_PROJECT_LABEL: evil.encode()[:64].hex(),
    }
    for setting in ("Entrypoint", "Cmd", "User", "Env"):
        assert image["Config"][setting] == container["Config"][setting]
