"""Is it told truly, once a request is over, why it was not done and what was in the way?"""

from __future__ import annotations

from dataclasses import replace

import pytest

from activities.slack.status import (
    failure_summary,
    headline,
    past,
    step_lines,
    why_not_done_in_full,
)
from tests.unit.activities.slack.card_states import STATES
from workflows.model.errors import ErrorType
from workflows.operations.standing import status_words


@pytest.mark.parametrize("error", [ErrorType.ENGINE_AMBIGUOUS, ErrorType.ENGINE_UNAVAILABLE])
def test_what_a_silent_engine_was_not_sent_it_did_not_do(error: ErrorType) -> None:
    """That it is not known what the engine did never stands beside that nothing was changed."""
    failed = STATES["failed-engine-silent"]
    steps = tuple(replace(step, error=step.error and error) for step in failed.steps)
    state = replace(failed, cause=error, steps=steps)
    told = "\n".join((headline(state), status_words(state), step_lines(state)))
    assert "so Dockwarden did nothing to `web-1`. Whether it runs is not known" in told
    assert "✗ Not stopped: the engine did not answer\n" in told
    assert "what it did" not in told
    assert "othing was changed" not in told


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("failed", "No Dockwarden worker of edge took it up in time. Start the Dockwarden worker"),
        ("failed-engine-silent", "Whether it runs is not known: look first. See to it"),
        ("stale-gone", "`web-1` was removed."),
        ("stale-recreated", "`web-1` was recreated, as 0f915e950f91."),
        ("stale-no-room", "as its host keeps of one. Whoever runs edge can remove one"),
        ("stale-owner-gone", "which was removed. Make `web-1` anew"),
        ("stale", "no longer as the card showed it: it was created anew at 13:51. Look at it"),
    ],
)
def test_what_was_not_done_says_why(name: str, expected: str) -> None:
    """The last word in the thread can be understood without the card."""
    assert expected in why_not_done_in_full(STATES[name])


@pytest.mark.parametrize("name", ["rejected", "expired", "cancelled", "succeeded", "put-back"])
def test_what_a_person_decided_or_what_was_done_needs_no_cause(name: str) -> None:
    """Only what could not be done has a reason of ours."""
    assert why_not_done_in_full(STATES[name]) == ""


@pytest.mark.parametrize("name", ["succeeded-late", "put-back-snapshot-kept"])
@pytest.mark.parametrize("error", ErrorType)
def test_what_was_overcome_is_past_and_asks_for_nothing(name: str, error: ErrorType) -> None:
    """A finished card gives no advice about what is no longer in the way."""
    told = failure_summary(replace(STATES[name], cause=error, cause_text=""))
    assert told.startswith("*What was in the way of the start:* ")
    assert not {"is", "does", "cannot", "uses"} & set(told.replace(",", "").split())
    assert "ask again" not in told
    assert "Start" not in told.partition(":* ")[2]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (
            "it uses the network of is, which does not run (exited)",
            "it used the network of is, which did not run (exited)",
        ),
        ("its bind mount /is/has/fails cannot be mounted", "/is/has/fails could not be mounted"),
        ("its log driver is missing on the host, or fails", "was missing on the host, or failed"),
    ],
    ids=["owner", "path", "driver"],
)
def test_only_our_own_words_change_their_tense(words: str, expected: str) -> None:
    """A path or a name that reads like a verb stays as it is."""
    assert expected in past(words)
