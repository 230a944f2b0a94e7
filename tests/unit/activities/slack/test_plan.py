"""Does the card say before the approval what it will mean for this very container?"""

from __future__ import annotations

from dataclasses import replace

import pytest

from activities.slack.plan import CAUTIONS, caution_lines, plan_lines
from tests.unit.activities.slack.card_parts import PIN, WAITING
from workflows.model.state import Caution, CautionCode, RequestState
from workflows.model.timing import MAX_GRACE_SECONDS


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
    assert plan_lines(state).splitlines()[0].startswith(f"1. Stop `web-1`: {expected}")


@pytest.mark.parametrize("code", CautionCode)
def test_every_caution_has_words(code: CautionCode) -> None:
    """What people should know before they approve is never left out for want of words."""
    state = replace(WAITING, cautions=(Caution(code=code, detail="a <!here> detail"),))
    words = CAUTIONS[code]
    told = f"{words} (a &lt;!here&gt; detail)"
    if "{detail}" in words:
        told = words.format(detail="`a &lt;!here&gt; detail`")
    assert caution_lines(state) == f"⚠️ {told}."


def test_a_name_of_an_image_that_people_run_is_marked() -> None:
    """The card says what the name means for whoever runs that image."""
    caution = Caution(code=CautionCode.REFERENCE_OUTSIDE, detail="nginx:1.25")
    assert caution_lines(replace(WAITING, cautions=(caution,))) == (
        "⚠️ It names the snapshot `nginx:1.25`, which is outside `dockwarden/*`: whoever runs that "
        "image on this host gets this container's content."
    )


def test_many_cautions_are_counted() -> None:
    """A list that is cut says how many there are besides."""
    state = replace(WAITING, cautions=7 * (Caution(code=CautionCode.HEALTH_UNKNOWN),))
    assert caution_lines(state).splitlines()[-1] == "⚠️ And 2 more."
