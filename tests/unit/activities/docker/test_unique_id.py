"""Is an engine told from every other one, where its own id is not enough?"""

from __future__ import annotations

from typing import Any

import pytest

from activities.docker.answers import engine_facts
from workflows.model.names import ENGINE_ID_FORM

_DOCKER = {"ID": "0f6a8b1e-9d3c-4a57-8f55-3c1c2d7e9a10", "DockerRootDir": "/var/lib/docker"}
_OLD_DOCKER = {"ID": "YGEZ:MICB:ZC6T:K2BL:X4IH:5QWC:TEKE:2Y44:IFKJ:ADAJ:QJKP:NML6"}
_ROOT = {"BuildahVersion": "1", "Name": "pod-1", "DockerRootDir": "/var/lib/containers/storage"}
_USER = {**_ROOT, "DockerRootDir": "/srv/u/.local/share/containers/storage"}


@pytest.mark.parametrize(
    ("info", "told"),
    [
        (_DOCKER, _DOCKER["ID"]),
        (_OLD_DOCKER, _OLD_DOCKER["ID"]),
        (_ROOT, "podman:pod-1/var/lib/containers/storage"),
        (_USER, "podman:pod-1/srv/u/.local/share/containers/storage"),
    ],
)
def test_each_engine_has_an_id_of_its_own(info: dict[str, Any], told: str) -> None:
    """One machine may run a Podman for root and one for each user; all go by the machine's name."""
    facts = engine_facts(info, "1.41")
    assert facts.unique_id == told
    assert ENGINE_ID_FORM.fullmatch(facts.unique_id)


@pytest.mark.parametrize(
    "directory",
    ["/srv/ann@corp.example/.local/share/containers/storage", "/srv/josé s", "/d" * 200],
)
def test_a_directory_that_fits_no_id_still_tells_engines_apart(directory: str) -> None:
    """A record that could not be read back would be announced again without end."""
    one, other = ({**_ROOT, "DockerRootDir": place} for place in (directory, f"{directory}2"))
    first = engine_facts(one, "1.41").unique_id

    assert ENGINE_ID_FORM.fullmatch(first)
    assert len(first) <= 200
    assert first == engine_facts(one, "1.41").unique_id
    assert first != engine_facts(other, "1.41").unique_id
