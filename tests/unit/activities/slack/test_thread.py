"""Do the replies in a thread say what is new in them, and only that?"""

from __future__ import annotations

from dataclasses import replace

import pytest

from activities.slack.status import where
from activities.slack.thread import reply
from tests.unit.activities.slack.card_parts import ALICE, BOB
from tests.unit.activities.slack.card_states import STATES
from workflows.model.ports import ThreadEntry, ThreadKind
from workflows.model.state import RequestState

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
