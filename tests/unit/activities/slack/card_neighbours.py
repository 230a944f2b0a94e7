"""Which states do the tests of the card draw of others that live in a container, and of renames?"""

from __future__ import annotations

from dataclasses import replace

from tests.unit.activities.slack.card_parts import (
    NEEDS_PERSON,
    OTHERS,
    OVER,
    RUNNING,
    SNAPSHOT,
    SNAPSHOT_KIND,
    WAITING,
    D,
    T,
    harmed,
    steps,
)
from workflows.model.dependents import Dependents, Fate
from workflows.model.requests import OperationSpec
from workflows.model.state import RequestState, RequestStatus

NEIGHBOUR_STATES: dict[str, RequestState] = {
    "pending-others-live-in-it": replace(
        WAITING,
        operation=SNAPSHOT_KIND,
        steps=steps(stop=T, snapshot=T, tag=T, start=T),
        dependents=OTHERS,
    ),
    "pending-one-lives-in-it": replace(
        WAITING,
        operation=OperationSpec(kind="stop"),
        steps=steps(stop=T),
        dependents=Dependents(found=OTHERS.found[:1], unseen=3),
    ),
    "succeeded-others-harmed": replace(
        RUNNING,
        status=RequestStatus.SUCCEEDED,
        operation=SNAPSHOT_KIND,
        steps=steps(stop=D, snapshot=D, tag=D, start=D),
        snapshot=SNAPSHOT,
        down_seconds=4.2,
        dependents=harmed(Fate.CUT_OFF, Fate.DOWN, Fate.UNHARMED, Fate.GONE),
        **OVER,
    ),
    "succeeded-stop-others-cut-off": replace(
        RUNNING,
        status=RequestStatus.SUCCEEDED,
        operation=OperationSpec(kind="stop"),
        steps=steps(stop=D),
        dependents=harmed(Fate.CUT_OFF, Fate.DOWN, Fate.NOT_KNOWN),
        **OVER,
    ),
    "succeeded-renamed": replace(
        RUNNING,
        status=RequestStatus.SUCCEEDED,
        operation=SNAPSHOT_KIND,
        steps=steps(stop=D, snapshot=D, tag=D, start=D),
        snapshot=SNAPSHOT,
        renamed="web-1-old",
        **OVER,
    ),
    "needs-person-renamed": replace(
        NEEDS_PERSON, renamed="web-1-old", dependents=harmed(Fate.NOT_KNOWN, Fate.NOT_KNOWN)
    ),
}
