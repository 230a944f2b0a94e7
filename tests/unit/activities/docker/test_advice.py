"""What can people run on a host of Docker's?"""

from __future__ import annotations

import re

import pytest

from activities.docker.advice import commands, restart
from workflows.model.advice import CommandName

_ID = "3f4e5d6c7b8a" + "0" * 52


def test_there_is_a_command_for_all_that_is_advised() -> None:
    """A card that asks for one gets it, whole: no gap is left in it."""
    lines = {one.name: one.line for one in commands(_ID)}

    assert set(lines) == set(CommandName)
    assert lines[CommandName.LOOK] == "docker inspect --format '{{.State.Status}}' 3f4e5d6c7b8a"
    for line in lines.values():
        assert not re.search(r"(?<![{])[{][a-z]", line)


@pytest.mark.parametrize("container_id", ["", "web-1; rm -rf /", "3f4e"])
def test_what_is_no_id_gets_into_no_command(container_id: str) -> None:
    """Only an id of Docker's own form is put where a shell would read it."""
    lines = {one.name: one.line for one in commands(container_id)}

    assert lines[CommandName.START] == "docker start CONTAINER"
    assert restart(container_id) == "docker restart CONTAINER"
