"""Do the plain words of where a request stands hold for every state, and at every door?"""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from activities.slack.card import card
from activities.slack.thread import reply
from tests.rigs.every_case import every_case
from tests.unit.activities.slack.card_parts import LINKS, NOW
from tests.unit.activities.slack.card_starts import START_STATES
from tests.unit.activities.slack.card_states import STATES
from tests.unit.bot.slack.test_replies import SUMMARY, show_status
from workflows.model.ports import ThreadEntry, ThreadKind
from workflows.model.requests import ContainerState
from workflows.model.state import RequestState, RequestStatus, StepStatus
from workflows.operations.standing import condition, status_words, step_words

_STARTS = {name: state for name, state in START_STATES.items() if name.startswith("start-")}
#: Where a notice tells of what has become of the container.
_TOLD_OF = (RequestStatus.PUT_BACK, RequestStatus.NEEDS_PERSON, RequestStatus.STALE)


@every_case("name", STATES)
def test_every_state_reads_the_same_at_every_door(name: str) -> None:
    """The notification of the card and the private answer begin with the same words.

    One that waits says on a locked phone who asks, and why.
    """
    state = STATES[name]
    told = status_words(state)
    waits = state.status is RequestStatus.WAITING

    notified = card(state, LINKS, NOW)[0]
    assert notified.startswith("⏳ <@U0ALICE01> asks to " if waits else f"{told}: ")
    assert show_status(state).text.startswith(f"{told} — ")


@pytest.mark.parametrize(
    "name", [n for n in _STARTS if _STARTS[n].status in _TOLD_OF and "gone" not in n]
)
def test_a_private_notice_says_no_other(name: str) -> None:
    """A notice comes without the pin and the steps, and is as true of a start."""
    state = _STARTS[name]

    assert status_words(replace(state, pin=None, steps=())) == status_words(state)


@every_case("name", STATES)
def test_the_words_have_no_mark_up(name: str) -> None:
    """A terminal shows them as they are."""
    state = STATES[name]
    told = [status_words(state), *(step_words(step, state) for step in state.steps)]
    met = condition(state)

    assert not any(re.search(r"[*`<>]", words) for words in [*told, met.told, met.short])


@every_case("name", [n for n in STATES if STATES[n].steps])
def test_every_step_reads_the_same_at_every_door(name: str) -> None:
    """Card, last reply and private answer call a step the same."""
    state = replace(STATES[name], steps=tuple(replace(s, error=None) for s in STATES[name].steps))
    private = show_status(state).text
    nothing_ran = {
        RequestStatus.WAITING,
        RequestStatus.REJECTED,
        RequestStatus.EXPIRED,
        RequestStatus.CANCELLED,
        RequestStatus.STALE,
        RequestStatus.FAILED,
    }
    on_card = str([block.to_dict() for block in card(state, LINKS, NOW)[1]])
    if state.status is RequestStatus.SUCCEEDED:
        on_card = reply(state, ThreadEntry(key="k", kind=ThreadKind.OUTCOME)).text
    for step in state.steps:
        words = step_words(step, state)
        assert words in private
        assert state.status in nothing_ran or words in on_card


@pytest.mark.parametrize("kind", [ThreadKind.PAGE, ThreadKind.OUTCOME, ThreadKind.GIVEN_UP])
@every_case("name", _STARTS)
def test_no_start_is_told_as_a_container_that_was_up(name: str, kind: ThreadKind) -> None:
    """Nothing of it is "again" but its stop, and nothing was down for our sake."""
    state = _STARTS[name]
    drawn = str([block.to_dict() for block in card(state, LINKS, NOW)[1]])
    told = [card(state, LINKS, NOW)[0], drawn, show_status(state).text]
    if state.status is RequestStatus.NEEDS_PERSON or kind is ThreadKind.OUTCOME:
        told.append(reply(state, ThreadEntry(key="k", kind=kind, user_id="U0BOB0001")).text)
    for text in told:
        assert "tart it again" not in text
        assert "started again" not in text
        assert "is running again" not in text
        assert "was down" not in text
        assert "docker start" not in text


@pytest.mark.parametrize("seen", [*ContainerState, None])
def test_what_was_stopped_before_is_never_called_down_as_if_that_were_a_fault(
    seen: ContainerState | None,
) -> None:
    """A start that could not be undone may run though it should not."""
    met = _STARTS["start-needs-person"]
    assert met.seen is not None
    state = replace(met, seen=replace(met.seen, state=seen) if seen is not None else None)

    assert "DOWN" not in condition(state).told
    assert "perhaps down" not in condition(state).short


@pytest.mark.parametrize("down_seconds", [None, 3.0, 1e6])
def test_how_long_a_container_had_rested_is_no_time_that_it_was_down(
    down_seconds: float | None,
) -> None:
    """Whoever reads "was down for 11 d" would think that Dockwarden had brought it down."""
    state = replace(_STARTS["start-succeeded"], down_seconds=down_seconds)

    assert "down" not in str([block.to_dict() for block in card(state, LINKS, NOW)[1]])


def test_only_a_first_step_waits_for_its_turn_untouched() -> None:
    """A commit that waits for a worker comes after the stop."""
    first, later = STATES["queued"], STATES["running-commit-queued"]
    queued = next(step for step in later.steps if step.status is StepStatus.QUEUED)

    assert "nothing was touched yet" in step_words(first.steps[0], first)
    assert "nothing was touched" not in step_words(queued, later)
    assert _STARTS["start-queued"].waits_for_turn


def test_a_list_says_what_was_asked_for() -> None:
    """Temporal's list knows an operation by its words: new ones too."""
    state: RequestState = _STARTS["start-pending"]

    assert "— start `web-1`" in show_status(state).text
    assert SUMMARY.status == RequestStatus.WAITING
