"""Does each door say truly where a request stands, and how its container is left?"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.slack import listings
from bot.slack.standing import over_words, summary_words
from bot.temporal.errors import ENDED
from tests.unit.bot.slack.test_replies import NOW, PIN, SUMMARY, make_state, show_status
from workflows.model.errors import ErrorType
from workflows.model.ports import Inspection
from workflows.model.requests import ContainerState, Fact, FactPlace
from workflows.model.state import RequestStatus, Sighting, StepName, StepState, StepStatus

DOWN = Sighting(state=ContainerState.EXITED, at=NOW, since=NOW - timedelta(minutes=2))
TRYING = {
    "status": RequestStatus.NEEDS_PERSON,
    "seen": DOWN,
    "attempts": 3,
    "tried_at": NOW - timedelta(seconds=5),
    "next_try_at": NOW + timedelta(seconds=25),
}


def test_what_needs_a_person_is_told_as_on_its_card() -> None:
    """That it is down comes first; since when, how often it was tried, and when next."""
    text = show_status(make_state(**TRYING)).text

    assert text.startswith("🛑 DOWN, needs a person — stop and snapshot `web-1` on `local`")
    assert "exited since 2026-11-20 11:58:00 UTC" in text
    assert "tried 3 times, last at 2026-11-20 11:59:55 UTC" in text
    assert "next try at 2026-11-20 12:00:25 UTC" in text


def test_a_try_that_is_under_way_is_told() -> None:
    """While it is tried no next try is named."""
    step = StepState(name=StepName.PUT_BACK, status=StepStatus.RUNNING)

    assert "trying now" in show_status(make_state(**{**TRYING, "steps": (step,)})).text


def test_what_is_not_tried_any_more_is_told() -> None:
    """Who ended the tries is named, and no next try promised."""
    state = make_state(**{**TRYING, "closed": True, "stop_trying_by": "U0BOB"})
    text = show_status(state).text

    assert text.startswith("🛑 DOWN, and Dockwarden has stopped trying —")
    assert "Dockwarden does not try again, as <@U0BOB> wished" in text
    assert "next try" not in text


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        (DOWN, "; it was DOWN then"),
        (None, "; whether it ran then is not known"),
        (replace(DOWN, state=ContainerState.PAUSED), "; it was paused then"),
    ],
)
def test_a_request_that_is_over_says_how_it_left_the_container(
    seen: Sighting | None, words: str
) -> None:
    """Nobody is told that a person is needed by a request that tries nothing any more."""
    summary = replace(SUMMARY, status="needs_person", open=False)
    state = make_state(status=RequestStatus.NEEDS_PERSON, closed=True, seen=seen)
    stopped = "🛑 Dockwarden has stopped trying to put it back"

    assert over_words(summary, state) == f"{stopped}{words}"
    assert over_words(summary, None) == stopped
    gone = replace(state, cause=ErrorType.CONTAINER_GONE)
    assert over_words(summary, gone) == f"{stopped}, for it is gone"


def test_a_container_that_runs_is_not_called_down() -> None:
    """One whose health check fails runs, and that is what is said."""
    seen = replace(DOWN, state=ContainerState.RUNNING, since=None)
    state = make_state(**{**TRYING, "seen": seen, "cause": ErrorType.UNHEALTHY})

    assert "🛑 Running, but its health check fails, needs a person" in show_status(state).text


def test_a_list_tells_open_from_over() -> None:
    """While it is tried a person is needed; what somebody ended in Temporal stopped no tries."""
    tried = replace(SUMMARY, status="needs_person")

    assert summary_words(tried) == "🛑 Needs a person"
    assert "stopped trying" in summary_words(replace(tried, open=False))
    assert summary_words(replace(tried, open=False, status=ENDED)) == "🔌 Ended in Temporal"


@pytest.mark.parametrize(
    ("steps", "changes", "begins"),
    [
        ((StepState(name=StepName.STOP, status=StepStatus.RUNNING),), {}, "🔄 Working —"),
        (
            (StepState(name=StepName.STOP, status=StepStatus.QUEUED),),
            {},
            "🔄 Approved, waits for its turn —",
        ),
        (
            (StepState(name=StepName.STOP, status=StepStatus.RUNNING),),
            {"cancel_requested_by": "U0ALICE"},
            "🔄 Cancelling after the current step —",
        ),
        (
            (StepState(name=StepName.SNAPSHOT, status=StepStatus.FAILED),),
            {},
            "↩️ Putting it back —",
        ),
        (
            (StepState(name=StepName.PUT_BACK, status=StepStatus.RUNNING),),
            {"cancel_requested_by": "U0ALICE"},
            "↩️ Putting it back —",
        ),
    ],
)
def test_what_is_at_work_says_at_what(
    steps: tuple[StepState, ...], changes: dict[str, object], begins: str
) -> None:
    """Being put back is not working, whatever the reason for it."""
    state = make_state(status=RequestStatus.RUNNING, steps=steps, **changes)

    assert show_status(state).text.startswith(begins)


def test_a_cause_is_told_once() -> None:
    """What the request failed by is not told again with its step; another note is."""
    step = StepState(
        name=StepName.SNAPSHOT,
        status=StepStatus.FAILED,
        error=ErrorType.DISK_FULL,
        note="no space left on device",
    )
    state = make_state(
        status=RequestStatus.PUT_BACK,
        cause=ErrorType.DISK_FULL,
        cause_text="no space left on device",
        steps=(step, StepState(name=StepName.PUT_BACK, status=StepStatus.DONE, note="healthy")),
    )
    text = show_status(state).text

    assert text.count("no space left") == 1
    assert "Put back, and verified · healthy" in text


def test_a_look_prints_facts_as_they_come() -> None:
    """Whatever a provider tells is shown, at the place that it names, and nothing is added."""
    told = (
        Fact(label="pool", value="fast & <big>"),
        Fact(label="no console", place=FactPlace.LOOK),
        Fact(label="disk", value="vdb", place=FactPlace.NOT_IN_SNAPSHOT),
    )
    lines = listings.container("local", Inspection(pin=replace(PIN, facts=told))).text.splitlines()

    assert [line for line in lines if "last start" not in line][1:4] == [
        "• pool `fast &amp; &lt;big&gt;`",
        "• no console",
        "• not in a snapshot: disk `vdb`",
    ]
    assert not any("restart policy" in line for line in lines)
