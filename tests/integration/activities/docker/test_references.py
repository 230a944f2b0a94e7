"""Does the engine take the names for snapshots that our grammar takes, and no other?"""

from __future__ import annotations

import docker.errors
import pytest

from tests.integration.activities.docker.docker_worker import DockerWorker, fail, run
from tests.rigs.dockerd import IMAGE, DockerEngine
from tests.unit.workflows.model.test_image_reference import REFERENCES
from workflows.model.errors import RefusalCode


def test_the_grammar_is_dockers(engine: DockerEngine) -> None:
    """Of every name in our table, ``docker tag`` says what the table says."""
    for reference, good in REFERENCES:
        repository, _, tag = reference.rpartition(":")
        # Docker's own command line asks for a tag, where the engine would make one up.
        assert (bool(tag) and _is_taken(engine, repository, tag)) is good, reference


@pytest.mark.parametrize(
    "reference", ["registry:5000/team/web:1", "Registry.example.com/web:1", "docker.io/web:1"]
)
def test_a_name_with_a_host_is_found_again(
    worker: DockerWorker, engine: DockerEngine, reference: str
) -> None:
    """A name that was given is taken, however the engine lists it."""
    engine.create(name="web-1")
    asked = worker.inspect("web-1", reference=reference)
    assert not run(worker.containers.inspect_container, asked).reference_taken
    repository, _, tag = reference.rpartition(":")
    engine.api.tag(IMAGE, repository, tag)
    assert run(worker.containers.inspect_container, asked).reference_taken
    engine.api.remove_image(reference)


@pytest.mark.parametrize("reference", ["[::1]:5000/web:1", "UPPER/web:1"])
def test_what_this_engine_does_not_take_is_refused_before_anything_is_asked(
    worker: DockerWorker, engine: DockerEngine, reference: str
) -> None:
    """Newer engines take hosts that this one does not: it says so at the look, not at the tag."""
    engine.create(name="web-1")
    error = fail(worker.containers.inspect_container, worker.inspect("web-1", reference=reference))
    assert (error.type, error.non_retryable) == (RefusalCode.BAD_REFERENCE, True)


def _is_taken(engine: DockerEngine, repository: str, tag: str) -> bool:
    try:
        taken = engine.api.tag(IMAGE, repository, tag)
    except docker.errors.APIError:
        return False
    engine.api.remove_image(f"{repository}:{tag}")
    return bool(taken)
