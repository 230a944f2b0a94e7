"""Does the worst moment read true, whatever is in the way and whatever the engine says?"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from activities.slack.card import buttons
from activities.slack.error_help import CAUSES
from activities.slack.needs_person import what_to_do
from activities.slack.status import headline, step_lines
from tests.unit.activities.slack.card_parts import PIN
from tests.unit.activities.slack.card_states import STATES, not_started
from workflows.model.errors import HOPELESS_ERRORS, ErrorType
from workflows.model.markup import in_plain_words
from workflows.model.requests import ContainerState, Fact
from workflows.model.state import RequestState
from workflows.operations.standing import status_words

_MET = STATES["needs-person"]
_COMMAND = re.compile(r"`([^`]+)`")
_NAMES_NO_CONTAINER = ("docker ps", "docker system", "docker info", "docker network create")


def met(error: ErrorType, **fields: object) -> RequestState:
    """Give a request in whose way this stands."""
    steps = tuple(replace(step, error=step.error and error) for step in _MET.steps)
    return replace(_MET, steps=steps, cause=error, **fields)


def commands(text: str) -> list[str]:
    """List what people are told to type."""
    return [found for found in _COMMAND.findall(text) if " " in found]


def test_every_failure_has_words() -> None:
    """No failure is left without a meaning and something to do."""
    assert set(CAUSES) == set(ErrorType)
    assert all(cause.meaning and cause.do for cause in CAUSES.values())


@pytest.mark.parametrize("closed", [True, False], ids=["over", "still trying"])
@pytest.mark.parametrize("error", ErrorType)
def test_every_failure_says_what_to_do(error: ErrorType, closed: bool) -> None:
    """All gaps are filled, and each command reaches the approved container by its id."""
    told = what_to_do(met(error, closed=closed))
    assert bool(commands(told)) is (error is not ErrorType.OWNER_GONE)
    assert not re.search(r"{(id|host)}", told)
    for command in commands(told):
        if command.startswith("docker") and not command.startswith(_NAMES_NO_CONTAINER):
            assert PIN.container_id[:12] in command
            assert "web-1" not in command


@pytest.mark.parametrize("closed", [True, False], ids=["over", "still drawn as open"])
@pytest.mark.parametrize("error", sorted(HOPELESS_ERRORS))
def test_what_is_hopeless_promises_no_further_try(error: ErrorType, closed: bool) -> None:
    """The page comes before the end: it says no more than the end will."""
    state = met(error, closed=closed, next_try_at=None)
    told = what_to_do(state)
    assert "🔁" not in told
    assert "tries again by itself" not in told
    assert buttons(state) is None


@pytest.mark.parametrize("error", sorted(HOPELESS_ERRORS))
def test_a_try_that_starts_nothing_is_not_counted(error: ErrorType) -> None:
    """What finds the container gone has not tried to start it; what the engine refused has."""
    expected = "tried once" if error is ErrorType.OWNER_GONE else "not tried"
    assert f" · {expected}" in what_to_do(met(error, attempts=1))


def test_what_never_starts_again_is_not_to_be_started() -> None:
    """A container whose owner was removed is to be made anew, by its name."""
    told = what_to_do(met(ErrorType.OWNER_GONE, closed=True))
    assert "Make `web-1` anew" in told
    assert "docker start" not in told


@pytest.mark.parametrize("error", sorted(set(ErrorType) - HOPELESS_ERRORS))
def test_what_was_just_tried_is_not_the_only_advice(error: ErrorType) -> None:
    """As long as Dockwarden tries by itself, there is more to do than to try the same."""
    told = what_to_do(met(error, closed=False))
    last = told.splitlines()[-2]
    assert last.endswith(
        "Nothing else: Dockwarden tries again by itself, and says so here when it worked."
    )
    first = next(line for line in told.splitlines() if line.startswith("1. "))
    assert "docker start" not in first or "names the reason" in first


@pytest.mark.parametrize(
    "error",
    [
        ErrorType.WORKER_UNAVAILABLE,
        ErrorType.ENGINE_UNAVAILABLE,
        ErrorType.ENGINE_AMBIGUOUS,
        ErrorType.NOT_PERMITTED,
    ],
)
@pytest.mark.parametrize("closed", [True, False])
def test_who_does_not_know_does_not_start_blindly(error: ErrorType, closed: bool) -> None:
    """Without a sight of the container, people are told to look first."""
    told = what_to_do(met(error, seen=None, closed=closed))
    assert "docker start" not in told


@pytest.mark.parametrize("error", ErrorType)
def test_dockwarden_is_not_blamed_for_what_surrounds_a_container(error: ErrorType) -> None:
    """A setting of the container, or a directory that moved, is no fault in Dockwarden."""
    assert "fault in Dockwarden" not in what_to_do(met(error))


@pytest.mark.parametrize(
    ("state", "expected", "short"),
    [
        (ContainerState.EXITED, "*is DOWN*", "DOWN"),
        (ContainerState.CREATED, "*is DOWN*", "DOWN"),
        (ContainerState.DEAD, "*is DOWN*", "DOWN"),
        (ContainerState.RUNNING, "*runs, but is not proven to stay up*", "Running, but not proven"),
        (ContainerState.PAUSED, "*is paused*", "Paused"),
        (ContainerState.RESTARTING, "*ends and restarts, again and again*", "Restarting"),
        (ContainerState.REMOVING, "*is being removed*", "Being removed"),
        (ContainerState.STOPPING, "*is stopping*", "Stopping"),
        (ContainerState.UNKNOWN, "its state is unknown", "In an unknown state"),
    ],
)
def test_the_first_line_says_what_the_engine_says(
    state: ContainerState, expected: str, short: str
) -> None:
    """The one fact that counts comes first, on the card and on a locked telephone."""
    assert _MET.seen is not None
    seen = replace(_MET, seen=replace(_MET.seen, state=state))
    assert expected in headline(seen)
    assert status_words(seen).startswith(f"🛑 {short}")


@pytest.mark.parametrize("name", [name for name in STATES if name.startswith("needs-person")])
def test_nothing_is_said_twice(name: str) -> None:
    """What is in the way stands once on the card: in the first line, or as the reason."""
    state = STATES[name]
    error = next(step.error for step in reversed(state.steps) if step.error)
    said = "\n".join((headline(state), what_to_do(state), step_lines(state)))
    assert said.count(CAUSES[error].meaning) <= 1
    assert said.count("stopped trying") + said.count("does not try again") <= 1


@pytest.mark.parametrize(("attempts", "expected"), [(0, ""), (1, "tried once"), (7, "7 times")])
def test_tries_are_counted_as_they_were(attempts: int, expected: str) -> None:
    """What was never tried is not told as tried."""
    told = what_to_do(replace(_MET, attempts=attempts))
    assert expected in told
    assert ("tried" in told) is bool(attempts)


def test_an_end_on_another_day_tells_the_day() -> None:
    """A container that is down since yesterday is not mistaken for one of a minute ago."""
    assert _MET.seen is not None
    assert _MET.seen.since is not None
    since = _MET.seen.since - timedelta(days=1)
    told = in_plain_words(what_to_do(replace(_MET, seen=replace(_MET.seen, since=since))))
    assert "exited since 04 Mar 13:52:05 UTC · tried 3 times, last at 13:52:40 UTC" in told


def test_the_detail_of_the_put_back_wins_over_that_of_the_first_failure() -> None:
    """A detail is told with the failure that it belongs to, and escaped."""
    steps = tuple(
        replace(step, error=ErrorType.MOUNT_MISSING, note="its bind mount <!here> /data")
        if step.error is ErrorType.PORT_BUSY
        else step
        for step in _MET.steps
    )
    told = what_to_do(replace(_MET, steps=steps, cause_text="another matter"))
    assert "*Why* its bind mount &lt;!here&gt; /data." in told
    assert "another matter" not in told


def test_a_pin_of_an_earlier_release_has_the_commands_that_bring_it_back() -> None:
    """It brings none along; what leads back is known all the same, the rest told in words."""
    earlier = replace(PIN, commands=())
    told = what_to_do(replace(_MET, closed=True, pin=earlier))

    assert "`docker start 3f4e5d6c7b8a`" in told
    assert "docker" not in told.replace("`docker start 3f4e5d6c7b8a`", "")


@pytest.mark.parametrize("container_id", ["", "web-1; rm -rf /", "3f4e"])
def test_what_is_no_id_gets_into_no_command(container_id: str) -> None:
    """Only an id of Docker's own form is put where a shell would read it."""
    earlier = replace(PIN, container_id=container_id, commands=())
    told = what_to_do(replace(_MET, closed=True, pin=earlier))
    assert "Then start it." in told
    assert "rm -rf" not in told


def test_a_provider_without_a_command_is_told_what_to_do_in_words() -> None:
    """No sentence announces a command that is not there."""
    bare = replace(PIN, facts=(Fact(label="2 vCPUs"),), commands=())
    for error in ErrorType:
        state = not_started(error, seen=ContainerState.EXITED)
        told = what_to_do(replace(state, pin=bare))
        assert "docker" not in told.lower().replace("dockwarden", "")
        assert "This shows" not in told
