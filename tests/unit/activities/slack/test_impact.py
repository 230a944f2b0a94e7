"""Is it told truly what a request means for its container, and for those around it?"""

from __future__ import annotations

from dataclasses import replace

import pytest

from activities.slack.card import buttons
from activities.slack.impact import (
    CAUTIONS,
    afterwards,
    dependents_left,
    dependents_warning,
    stays_down,
    warnings,
    what_it_comes_to,
)
from activities.slack.thread import reply
from tests.rigs.every_case import every_case
from tests.unit.activities.slack.card_parts import (
    MOVED_PORTS,
    OTHERS,
    PIN,
    SNAPSHOT_KIND,
    WAITING,
    harmed,
)
from tests.unit.activities.slack.card_states import STATES
from workflows.model.dependents import Dependents, Fate
from workflows.model.ports import ThreadEntry, ThreadKind
from workflows.model.requests import ContainerState
from workflows.model.state import (
    Caution,
    CautionCode,
    PortMove,
    RequestState,
    RequestStatus,
    Sighting,
)
from workflows.model.timing import MAX_GRACE_SECONDS
from workflows.model.words import capital

_OVER = (RequestStatus.SUCCEEDED, RequestStatus.PUT_BACK, RequestStatus.NEEDS_PERSON)
_DONE = STATES["succeeded-snapshot"]
_STOPPED = STATES["succeeded-stop-others-cut-off"]


def with_limit(own: int | None, grace: int, *, asked: bool = False) -> RequestState:
    """Give a request for a container with a limit of its own, or one that was asked for."""
    operation = replace(WAITING.operation, grace_seconds=grace if asked else None)
    pin = replace(PIN, stop_timeout_seconds=own)
    return replace(WAITING, operation=operation, pin=pin, grace_seconds=grace)


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (with_limit(None, 10), "it gets 10 s to end by itself, then it is killed"),
        (with_limit(30, 30), "it gets 30 s to end by itself, then it is killed"),
        (
            with_limit(0, 1),
            "it gets no time, but is told to end and killed in the same moment",
        ),
        (
            with_limit(-1, MAX_GRACE_SECONDS),
            "its own limit is none, and it gets 10 min, the longest that Dockwarden waits; then",
        ),
        (
            with_limit(1800, MAX_GRACE_SECONDS),
            "its own limit is 30 min, and it gets 10 min, the longest that Dockwarden waits; then",
        ),
        (with_limit(MAX_GRACE_SECONDS, MAX_GRACE_SECONDS), "it gets 10 min to end by itself"),
        (with_limit(-1, 20, asked=True), "it gets 20 s to end by itself, then it is killed"),
        (with_limit(0, 20, asked=True), "it gets 20 s to end by itself, then it is killed"),
    ],
)
def test_the_card_says_how_long_a_container_gets(state: RequestState, expected: str) -> None:
    """A limit outside our range is told by what it means; one that was asked for holds."""
    assert f" For the stop {expected}" in what_it_comes_to(state)


@pytest.mark.parametrize("code", CautionCode)
def test_every_caution_has_words(code: CautionCode) -> None:
    """What people should know before they approve is never left out for want of words."""
    state = replace(WAITING, cautions=(Caution(code=code, detail="a <!here> detail"),))
    words = CAUTIONS[code]
    told = f"{words} (a &lt;!here&gt; detail)"
    if "{detail}" in words:
        told = words.format(detail="`a &lt;!here&gt; detail`")
    assert warnings(state) == f"⚠️ {capital(told)}."


def test_a_name_of_an_image_that_people_run_is_marked() -> None:
    """The card says what the name means for whoever runs that image."""
    caution = Caution(code=CautionCode.REFERENCE_OUTSIDE, detail="nginx:1.25")
    assert warnings(replace(WAITING, cautions=(caution,))) == (
        "⚠️ The snapshot is named `nginx:1.25`, outside `dockwarden/*`: who runs that image on this "
        "host gets this container's content."
    )


def test_many_cautions_are_counted() -> None:
    """A list that is cut says how many there are besides."""
    state = replace(WAITING, cautions=7 * (Caution(code=CautionCode.HEALTH_UNKNOWN),))
    assert warnings(state).endswith(" · and 2 more.")


def _stopped(policy: str) -> RequestState:
    return replace(STATES["succeeded"], pin=replace(PIN, restart_policy=policy))


@pytest.mark.parametrize(
    ("policy", "until"),
    [
        ("no", "until somebody starts it"),
        ("", "until somebody starts it"),
        ("unless-stopped", "until somebody starts it"),
        ("on-failure", "until somebody starts it"),
        (
            "always",
            (
                "until somebody starts it, or the engine itself is restarted (its restart "
                "policy is `always`)"
            ),
        ),
    ],
)
def test_how_long_a_stop_holds_is_said_before_and_after(policy: str, until: str) -> None:
    """Only with one policy an engine starts what people stopped."""
    waiting = replace(WAITING, pin=replace(PIN, restart_policy=policy))
    line = f"It is down {until}."
    assert what_it_comes_to(waiting).startswith(f"*Afterwards* it is down {until}.")
    stopped = _stopped(policy)
    assert afterwards(stopped) == line
    entry = ThreadEntry(key="outcome", kind=ThreadKind.OUTCOME)
    assert reply(stopped, entry).text.endswith(line)


def test_what_is_started_again_is_not_said_to_stay_down() -> None:
    """A snapshot leaves its container as it was."""
    assert stays_down(replace(WAITING, operation=SNAPSHOT_KIND)) == ""


@every_case("name", STATES)
def test_only_what_was_stopped_is_said_to_stay_down(name: str) -> None:
    """Not what was put back, or was never touched."""
    state = STATES[name]
    stopped = state.operation.kind == "stop"
    holds = state.status is RequestStatus.SUCCEEDED and stopped
    assert ("It is down" in afterwards(state)) is holds


def test_other_ports_are_told_with_the_ones_before() -> None:
    """Whoever has to change what leads to it needs both."""
    state = replace(STATES["succeeded-snapshot"], moved_ports=MOVED_PORTS)
    assert afterwards(state) == (
        "Other ports of the host lead to it now: 80/tcp 32768 → 32771, "
        "443/tcp 32769/40000 → 32770/40001."
    )


def test_many_ports_are_counted() -> None:
    """A line stays one that can be read."""
    ports = tuple(PortMove(port=f"{n}/tcp", before=(n,), after=(n + 1,)) for n in range(1, 21))
    told = afterwards(replace(STATES["succeeded-snapshot"], moved_ports=ports))
    assert told.endswith("10/tcp 10 → 11 and 10 more.")


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
    assert "7 more use something of it" in told
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
