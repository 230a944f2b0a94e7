"""How much of a channel does a card take, and is its room used for what counts?

A line is what a reader sees as one: each line of a block's text, and one more wherever it is wider
than a window on a laptop draws it; a context is drawn smaller, and its elements stand in one row.
A row of buttons is a line.
"""

from __future__ import annotations

import re
from typing import Any

import pytest

from activities.slack.card import card
from tests.rigs.every_case import every_case
from tests.unit.activities.slack.card_parts import LINKS, NOW
from tests.unit.activities.slack.card_states import STATES
from workflows.model.markup import sent_in_plain_words
from workflows.model.state import RequestState, RequestStatus

_WIDTH = {"section": 110, "context": 130}
_WAITING = [name for name in STATES if STATES[name].status is RequestStatus.WAITING]
#: Ends that leave nobody with anything to mend.
_DONE = [
    name
    for name in STATES
    if STATES[name].status is RequestStatus.SUCCEEDED
    and "late" not in name
    and "harmed" not in name
    and "cut-off" not in name
]
_NOTHING_DONE = ["rejected", "expired", "cancelled", "start-rejected", "start-expired"]


def lines_of(state: RequestState) -> int:
    """Count the lines of a card."""
    _, blocks = card(state, LINKS, NOW)
    return sum(_lines(block) for block in sent_in_plain_words([b.to_dict() for b in blocks]))


def _lines(block: dict[str, Any]) -> int:
    if block["type"] == "actions":
        return 1
    parts = [block["text"]] if "text" in block else block["elements"]
    text, width = " ".join(part["text"] for part in parts), _WIDTH[block["type"]]
    return sum(-(-max(len(_drawn(line)), 1) // width) for line in text.split("\n"))


def _drawn(line: str) -> str:
    """Take out what is not drawn: a mention is a name, a link its words, marks are nothing."""
    named = re.sub(r"<@\w+>", "@somebody", re.sub(r"<[^<>|]*\|([^<>]*)>", r"\1", line))
    return re.sub(r"[*`]", "", named)


@every_case("name", _WAITING)
def test_a_card_that_waits_has_nine_lines_at_most(name: str) -> None:
    """Whoever is called at night reads it at a glance."""
    assert lines_of(STATES[name]) <= 9, name


@every_case("name", _DONE)
def test_a_card_of_what_went_well_has_four_lines_at_most(name: str) -> None:
    """How it went stands in the thread."""
    assert lines_of(STATES[name]) <= 4, name


@pytest.mark.parametrize("name", _NOTHING_DONE)
def test_a_card_of_what_was_not_done_is_as_short(name: str) -> None:
    """Nothing was changed, so there is little to say."""
    assert lines_of(STATES[name]) <= 4


def test_down_time_and_way_back_are_on_what_is_done() -> None:
    """The number that the owner of a service asks for, and how it comes up again."""
    text = str([b.to_dict() for b in card(STATES["succeeded-snapshot"], LINKS, NOW)[1]])
    assert "was down for 4.2 s" in text
    stopped = str([b.to_dict() for b in card(STATES["succeeded"], LINKS, NOW)[1]])
    assert "Start it again…" in stopped
