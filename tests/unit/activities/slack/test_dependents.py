"""Do the words about others that live in the container say who is hit, how, and what mends it?"""

from __future__ import annotations

from dataclasses import replace

import pytest

from activities.slack.buttons import buttons
from activities.slack.dependents import dependents_left, dependents_warning
from tests.unit.activities.slack.card_parts import OTHERS, WAITING, harmed
from tests.unit.activities.slack.card_states import STATES
from workflows.model.dependents import Dependents, Fate
from workflows.model.requests import ContainerState
from workflows.model.state import RequestStatus, Sighting

_OVER = (RequestStatus.SUCCEEDED, RequestStatus.PUT_BACK, RequestStatus.NEEDS_PERSON)
_DONE = STATES["succeeded-snapshot"]
_STOPPED = STATES["succeeded-stop-others-cut-off"]


def test_without_any_nothing_is_said() -> None:
    """The card of most containers is no longer than before."""
    assert dependents_warning(WAITING) == ""
    assert dependents_left(_DONE) == ""
    assert "lives in it" not in str(buttons(WAITING))
    unharmed = replace(_DONE, dependents=harmed(Fate.UNHARMED, Fate.UNHARMED))
    assert dependents_left(unharmed) == ""


def test_many_are_counted_and_none_is_left_out_in_silence() -> None:
    """A card has little room: some are named, all are counted."""
    many = Dependents(found=6 * OTHERS.found[:1], more=7, unseen=1)
    told = dependents_warning(replace(WAITING, dependents=many))
    assert "`side-1` and 2 more use its network" in told
    assert "And 7 more use something of it" in told
    assert "whether 1 other container on the host" in told
    left = dependents_left(replace(_DONE, dependents=replace(many, more=1)))
    assert len(left.splitlines()) == 5
    assert "And 3 more used something of it" in left


def test_the_dialog_that_asks_whether_one_is_sure_tells_of_them() -> None:
    """Whoever presses Approve at once has read at least that."""
    asked = str(buttons(replace(WAITING, dependents=OTHERS)).to_dict())  # type: ignore[union-attr]
    assert "4 other containers live in it, and the stop hits that too: see the card." in asked


@pytest.mark.parametrize("status", [one for one in RequestStatus if one not in _OVER])
def test_what_was_not_touched_hits_nobody(status: RequestStatus) -> None:
    """Nobody is called cut off by a request that was refused, or is under way."""
    state = replace(_DONE, status=status, dependents=harmed(Fate.NOT_KNOWN))
    assert dependents_left(state) == ""


@pytest.mark.parametrize("seen", [None, *ContainerState])
def test_one_cannot_be_restarted_before_its_owner(seen: ContainerState | None) -> None:
    """To join the space of a container that is down fails, and leaves both down."""
    state = replace(
        STATES["needs-person"],
        seen=Sighting(state=seen, at=WAITING.requested_at) if seen else None,
        dependents=harmed(Fate.CUT_OFF, Fate.DOWN),
    )
    up = seen not in (None, ContainerState.EXITED, ContainerState.CREATED, ContainerState.DEAD)
    for line in dependents_left(state).splitlines():
        assert ("once `web-1` runs again on edge: `docker restart" in line) != up
    for line in dependents_left(_STOPPED).splitlines():
        assert "once `web-1` runs again on edge: `docker restart" in line


def test_whose_owner_is_gone_cannot_be_restarted_at_all() -> None:
    """It refers to the id of a container that will never be again."""
    told = dependents_left(replace(STATES["needs-person-gone"], dependents=harmed(Fate.CUT_OFF)))
    assert "make `side-1` anew, too" in told
    assert "docker restart" not in told


def test_a_command_names_nobody_but_by_id() -> None:
    """A name may be another container's by now."""
    for fate in (Fate.CUT_OFF, Fate.DOWN, Fate.NOT_KNOWN):
        told = dependents_left(replace(_DONE, dependents=harmed(fate)))
        assert told.endswith("run on edge: `docker restart 1a2b1a2b1a2b`")
