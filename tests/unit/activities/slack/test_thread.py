"""Do the replies in a thread say what is new in them, and only that?"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from activities.slack.status import where
from activities.slack.thread import is_told, reply
from tests.unit.activities.slack.card_parts import ALICE, BOB, CAROL, POLICY
from tests.unit.activities.slack.card_states import STATES
from workflows.model.markup import in_plain_words
from workflows.model.ports import ThreadEntry, ThreadKind
from workflows.model.state import RequestState, StepStatus

_OUTCOME = ThreadEntry(key="outcome", kind=ThreadKind.OUTCOME, user_id=ALICE)
_NEEDS_PERSON = [name for name in STATES if name.startswith("needs-person")]


def told(name: str, kind: ThreadKind) -> str:
    """Write the reply of this kind about a state."""
    return reply(STATES[name], ThreadEntry(key="k", kind=kind, user_id=BOB)).text


@pytest.mark.parametrize("name", _NEEDS_PERSON)
def test_a_call_for_help_says_nothing_that_is_stale_in_a_minute(name: str) -> None:
    """How often it was tried, and when again, stands on the card, which is redrawn."""
    page = told(name, ThreadKind.PAGE)
    assert page.startswith(f"🛑 <@{ALICE}> <@{BOB}> {where(STATES[name])}")
    assert "*Do this* on edge\n1. " in page
    assert "*State*" not in page
    assert "next try" not in page


@pytest.mark.parametrize("name", _NEEDS_PERSON)
def test_the_last_word_after_the_tries_were_ended_is_short(name: str) -> None:
    """Who ended the tries, and what is left, was told by the reply before."""
    state = replace(STATES[name], stop_trying_by=BOB, closed=True)
    first = reply(state, _OUTCOME).text.splitlines()[0]
    assert first.endswith(f", and is left so: {where(state)}.")
    assert "stopped trying" not in first


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("failed", "Start the Dockwarden worker of edge, then ask again."),
        ("failed-engine-silent", "did not answer, so Dockwarden did nothing to `web-1`."),
        ("stale-no-image", "Bring back that very image"),
        ("succeeded-health-unknown", "started again, health not known yet: `web-1`"),
        ("succeeded-late-health-unknown", "started again late, health not known yet: `web-1`"),
        ("succeeded-renamed", "started again: `web-1-old` (asked for as `web-1`) on *edge*"),
        ("succeeded-others-harmed", "on edge: `docker restart 2b3c2b3c2b3c`"),
        ("succeeded-paused", "Snapshotted and paused again as it was: `web-1`"),
        ("put-back-paused", "put back, paused, as it was: `web-1`"),
    ],
)
def test_the_last_word_says_why_and_how_sure_it_is(name: str, expected: str) -> None:
    """Whoever only reads the thread knows as much as the card tells."""
    assert expected in told(name, ThreadKind.OUTCOME)


@pytest.mark.parametrize("name", ["succeeded-health-unknown", "succeeded-late-health-unknown"])
def test_a_start_without_a_verdict_is_not_said_to_be_proven(name: str) -> None:
    """The step says what is not known, and does not say besides that all is well."""
    state: RequestState = STATES[name]
    entry = ThreadEntry(key="s", kind=ThreadKind.STEP, step=state.steps[-1])
    step = reply(state, entry).text
    assert "health not known yet" in step
    assert "stays up" not in step
    assert "verified" not in step


_VOTE = ThreadEntry(key="v", kind=ThreadKind.APPROVED, user_id=BOB)
_STEP = ThreadEntry(key="s", kind=ThreadKind.STEP, step=STATES["succeeded"].steps[0])


def _took(seconds: float, status: StepStatus = StepStatus.DONE) -> ThreadEntry:
    step = STATES["succeeded"].steps[0]
    assert step.started_at is not None
    ended = step.started_at + timedelta(seconds=seconds)
    return replace(_STEP, step=replace(step, finished_at=ended, status=status))


@pytest.mark.parametrize(
    ("name", "entry", "closing", "told"),
    [
        ("running", _VOTE, False, False),
        ("running", replace(_VOTE, comment="page me"), False, True),
        ("pending-one-more", _VOTE, False, True),
        ("running", _STEP, False, False),
        ("running", _took(31), False, True),
        ("running", _took(1, StepStatus.FAILED), False, True),
        ("put-back", _took(1, StepStatus.FAILED), True, False),
        ("rejected", replace(_VOTE, kind=ThreadKind.REJECTED), True, False),
        ("succeeded", _OUTCOME, True, True),
    ],
)
def test_what_goes_well_is_told_once(
    name: str, entry: ThreadEntry, closing: bool, told: bool
) -> None:
    """One reply at the end; before it only what failed, took long, or calls somebody."""
    assert is_told(STATES[name], entry, closing=closing) is told


def test_the_last_word_tells_each_step_and_when() -> None:
    """Nobody has to put the log together from replies."""
    text = in_plain_words(told("succeeded-snapshot", ThreadKind.OUTCOME))
    assert "was down" not in text
    assert (
        "`web-1` on *edge*, down for 4.2 s.\n✓ Stopped in 0.1 s · exit code 0 · 13:52:00 UTC\n"
        in text
    )
    assert "✓ Started again in 1.9 s, and it stays up · 13:52:05 UTC" in text


def test_a_vote_that_is_not_the_last_calls_who_is_still_needed() -> None:
    """The others learn at once that it is their turn."""
    text = reply(STATES["pending-one-more"], _VOTE).text
    assert text == f"✅ <@{BOB}> approved (1 of 2). Now <@{CAROL}>."
    assert (
        "Now"
        not in reply(
            replace(STATES["running"], policy=replace(POLICY, required_approvals=2)), _VOTE
        ).text
    )


@pytest.mark.parametrize(
    ("name", "broadcast"),
    [
        ("put-back", True),
        ("put-back-after-cancel", False),
        ("succeeded", False),
        ("rejected", False),
    ],
)
def test_the_channel_hears_of_a_failure_that_was_put_back(name: str, broadcast: bool) -> None:
    """Once: what was called for help before has been seen there already."""
    assert reply(STATES[name], _OUTCOME).broadcast is broadcast
    assert not reply(replace(STATES[name], paged=True), _OUTCOME).broadcast


def test_the_last_word_about_a_rejection_quotes_why() -> None:
    """It is the only reply, and holds the words of whoever rejected it."""
    blocks = [block.to_dict() for block in reply(STATES["rejected"], _OUTCOME).blocks]
    assert blocks[1]["text"]["text"] == "“not during <!channel> sale”"
    assert blocks[1]["text"]["type"] == "plain_text"
