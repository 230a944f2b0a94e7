"""Has every fact words, once, plain, and nowhere else in the core?"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from activities.slack.refusals import REQUESTS
from workflows.model import words
from workflows.model.errors import RefusalCode
from workflows.model.requests import ContainerState
from workflows.model.start_ports import RestoreResult
from workflows.model.state import RequestStatus, StepStatus, StopResult

_CORE = Path(__file__).parents[4] / "workflows"
#: What holds words for people, and crosses to a card or an answer.
_TOLD = frozenset({"note", "cause_text", "detail"})
_MARK_UP = re.compile(r"[*`<>]")


def written_in(code: str) -> Iterator[str]:
    """Find the words that code itself writes for people."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.keyword) and node.arg in _TOLD:
            parts = (p.value for p in ast.walk(node.value) if isinstance(p, ast.Constant))
            yield from (p for p in parts if isinstance(p, str) and re.search(r"[a-z]{2}", p))


def _core() -> list[Path]:
    rooms = ("model", "operations")
    files = sorted(_CORE.rglob("*.py"))
    return [file for file in files if file.relative_to(_CORE).parts[0] not in rooms]


@pytest.mark.parametrize("file", _core(), ids=lambda file: str(file.relative_to(_CORE)))
def test_the_core_writes_no_words_elsewhere(file: Path) -> None:
    """Notes and causes say what stands among the words."""
    found = list(written_in(file.read_text(encoding="utf-8")))

    # The name of the host that somebody meant is told with what stands for it in that sentence.
    assert [text for text in found if not text.startswith("did you mean ")] == []


def test_words_in_code_are_found() -> None:
    """The search finds what it looks for."""
    assert list(written_in("end(step, note='cancelled')")) == ["cancelled"]
    assert list(written_in("change(cause_text=f'it is {x} now')")) == ["it is ", " now"]
    assert list(written_in("end(step, note=words.CANCELLED, status='done')")) == []


def test_every_status_and_every_step_has_words() -> None:
    """None is shown by its code only."""
    assert set(words.STATUS) == set(RequestStatus)
    assert set(words.STEP_EMOJI) == set(StepStatus)
    assert all(known.emoji and known.words for known in words.STATUS.values())


def test_every_refusal_of_a_request_has_words() -> None:
    """The card's door has advice for each, and no words of its own."""
    assert set(REQUESTS) <= set(words.REFUSED)
    assert all(REQUESTS[code].wrong == words.REFUSED[code] for code in REQUESTS)


@pytest.mark.parametrize("code", words.REFUSED)
def test_a_refusal_is_plain_whatever_a_door_leaves_out(code: RefusalCode) -> None:
    """A door that knows the container and the detail alone leaves no gap."""
    told = words.refused(code, host="edge", name="web-1", count="5", detail="a/b:c")

    assert not re.search(r"[{}]", told)
    assert not _MARK_UP.search(told)


@pytest.mark.parametrize("state", ContainerState)
def test_a_container_that_could_not_be_put_back_reads_plainly(state: ContainerState) -> None:
    """A state of the engine has words of what was up if it has words of what rested."""
    for met in (words.SEEN.get(state), words.SEEN_AFTER_START.get(state)):
        assert met is None or not _MARK_UP.search(f"{met.told}{met.short}{met.could_not}")
    assert (state in words.SEEN) == (state in words.SEEN_AFTER_START)


@pytest.mark.parametrize(
    ("result", "told"),
    [
        (RestoreResult(state=ContainerState.RUNNING, started=True), "started again"),
        (RestoreResult(state=ContainerState.PAUSED, started=True), "started again and paused"),
        (
            RestoreResult(state=ContainerState.RUNNING, started=True, health_pending=True),
            "started again, health not known yet",
        ),
        (
            RestoreResult(state=ContainerState.RUNNING, started=False, healthy=True),
            "it was still running, healthy",
        ),
    ],
)
def test_what_was_put_back_says_how(result: RestoreResult, told: str) -> None:
    """What Dockwarden had to do, and whether it is healthy."""
    assert words.restore_note(result, ran_anew=False, rested=False) == told


def test_what_rested_was_stopped_again_or_somebody_has_started_it() -> None:
    """A start is undone by a stop, unless the run is somebody else's."""
    stopped = RestoreResult(state=ContainerState.EXITED, started=False, stopped=True)
    theirs = RestoreResult(state=ContainerState.RUNNING, started=False)

    assert words.restore_note(stopped, ran_anew=False, rested=True) == "stopped again"
    told = words.restore_note(theirs, ran_anew=False, rested=True)
    assert told == "somebody has started it since"


@pytest.mark.parametrize(
    ("result", "grace", "told"),
    [
        (StopResult(was_running=True, exit_code=0), 10, "exit code 0"),
        (StopResult(was_running=True), 10, ""),
        (
            StopResult(was_running=True, exit_code=137, graceful=False),
            10,
            "killed after the grace, exit code 137",
        ),
        (
            StopResult(was_running=True, exit_code=137, graceful=False),
            0,
            "killed at once, exit code 137",
        ),
    ],
)
def test_a_stop_says_how_it_ended(result: StopResult, grace: int, told: str) -> None:
    """A kill may have cost data."""
    assert words.stop_note(result, grace) == told


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (-1, "0 s"),
        (0, "0 s"),
        (0.04, "less than 0.1 s"),
        (0.1, "0.1 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (119.4, "119 s"),
        (120, "2 min"),
        (7500, "2 h 5 min"),
        (90061, "1 d 1 h"),
    ],
)
def test_a_duration_reads_well(seconds: float, told: str) -> None:
    """A time is as exact as people need it, and what took a moment did not take 0 s."""
    assert words.duration(timedelta(seconds=seconds)) == told
