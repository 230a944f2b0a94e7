"""Are exactly the labels blanked that other tools act on, and can none smuggle anything in?"""

from __future__ import annotations

import re
from typing import Final

import pytest

from activities.docker.foreign_labels import FOREIGN_LABELS, to_blank, was_labels
from workflows.model.names import WAS_PROJECT_LABEL, WAS_SERVICE_LABEL

_COMPOSE: Final = {
    "com.docker.compose.config-hash": "0a1b",
    "com.docker.compose.container-number": "1",
    "com.docker.compose.depends_on": "",
    "com.docker.compose.image": "sha256:ab",
    "com.docker.compose.oneoff": "False",
    "com.docker.compose.project": "shop",
    "com.docker.compose.project.config_files": "/srv/shop/compose.yaml",
    "com.docker.compose.project.working_dir": "/srv/shop",
    "com.docker.compose.service": "web",
    "com.docker.compose.version": "2.27.0",
}


def test_what_compose_wrote_is_blanked_and_the_rest_is_left() -> None:
    """One that has no value needs none taken, and labels of people are theirs."""
    found = to_blank({**_COMPOSE, "team": "web", "com.docker.compose.x": "y"})
    assert set(found) == {name for name, value in _COMPOSE.items() if value}


def test_a_container_of_nobody_is_committed_as_it_is() -> None:
    """No label appears that was not there: tools may ask for the name alone."""
    assert to_blank({"team": "web"}) == ()
    assert was_labels({"team": "web", "com.docker.compose.project": ""}) == {}


@pytest.mark.parametrize(
    "name",
    [
        'com.docker.compose.project=x\nENTRYPOINT ["/evil"]',
        "com.docker.compose.project evil=1",
        "com.docker.compose.evil",
    ],
)
def test_no_name_comes_from_a_container(name: str) -> None:
    """A label's name is free text too."""
    assert to_blank({name: "x"}) == ()
    assert was_labels({name: "x"}) == {}


def test_names_of_the_list_need_no_quotes() -> None:
    """Each of them is one word to an instruction."""
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+", name) for name in FOREIGN_LABELS)


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("shop", "73686f70"),
        ('x" evil="1', "78222065" + "76696c3d" + "2231"),
        ('x\nENTRYPOINT ["/evil"]', b'x\nENTRYPOINT ["/evil"]'.hex()),
        ("ä" * 100, "c3a4" * 32),
        ("\ud800", "3f"),
    ],
)
def test_what_it_was_part_of_is_kept_in_digits(value: str, kept: str) -> None:
    """No text of a container becomes part of an instruction, and none grows without end."""
    labels = {"com.docker.compose.project": value, "com.docker.compose.service": value}
    found = was_labels(labels)
    assert found == {WAS_PROJECT_LABEL: kept, WAS_SERVICE_LABEL: kept}
    assert len(kept) <= 128
