"""Does what stands in for an image agree with what it stands in for, and is it named?"""

from __future__ import annotations

import re

import pytest

from deploy.laptop.temporal_server import AS_INSTALLED
from tests.rigs import compose_file

_STAND_INS = "composed/stand-ins.yaml"
#: As the head of the file names them for people.
_NAMED = {
    "Temporal": {"temporal", "schema", "namespace", "search-attributes"},
    "PostgreSQL": {"postgres"},
    "haproxy": {"socket-proxy"},
}


def test_whatever_comes_from_a_registry_has_a_stand_in_that_is_named() -> None:
    """All that is started without being asked for by a profile, but for the product's own image."""
    text = compose_file.text()
    ours = set(re.findall(r"^  ([a-z-]+):\n    <<: \*dockwarden$", text, re.M))
    asked_for = {
        name for name, body in compose_file.services().items() if "\n    profiles:" in f"\n{body}"
    }
    started = set(compose_file.services()) - ours - asked_for
    assert "bot" in ours
    assert started == set().union(*_NAMED.values())
    replaced = compose_file.services(_STAND_INS)
    assert {name for name in replaced if "<<: *stand-in" in replaced[name]} == started
    head = compose_file.text(_STAND_INS).partition("\nx-stand-in")[0]
    for name in _NAMED:
        assert re.search(rf"^#   {name}  ", head, re.M), name


@pytest.mark.parametrize(("name", "value"), AS_INSTALLED.items())
def test_temporal_has_the_settings_of_an_installation(name: str, value: int) -> None:
    """What is shown with the development server is shown with the limits that people have."""
    given = compose_file.services(_STAND_INS)["temporal"]
    assert f"- --dynamic-config-value={name}={value}\n" in given


def test_the_local_slack_is_reached_from_nowhere_else() -> None:
    """It has no password: on a machine that others reach too, it is published on loopback."""
    (address,) = re.findall(r'ports: \["(.*)"\]', compose_file.text("composed/published.yaml"))
    assert address.startswith("127.0.0.1:")
    for file in ("composed/slack.yaml", _STAND_INS):
        assert "ports:" not in compose_file.text(file)
