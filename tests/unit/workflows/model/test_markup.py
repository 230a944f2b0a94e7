"""Does each reader see their own time, and read the same in words where Slack draws less?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from workflows.model.markup import (
    clock,
    clock_to_the_second,
    group_mention,
    in_plain_words,
    sent_in_plain_words,
)

_AT = datetime(2026, 3, 5, 14, 5, 9, tzinfo=UTC)


def test_a_time_is_drawn_for_each_reader_and_told_in_utc_where_it_cannot_be() -> None:
    """Slack knows the reader's zone; what it cannot draw says which zone it is."""
    assert clock(_AT, _AT) == "<!date^1772719509^{time}|14:05 UTC>"
    assert in_plain_words(clock(_AT, _AT)) == "14:05 UTC"
    assert in_plain_words(clock_to_the_second(_AT, _AT)) == "14:05:09 UTC"


def test_a_time_of_another_day_says_the_day() -> None:
    """A long wait is not mistaken for a short one."""
    day_before = _AT - timedelta(days=1)
    assert "{date_short_pretty} {time}" in clock(_AT, day_before)
    assert in_plain_words(clock(_AT, day_before)) == "05 Mar 14:05 UTC"
    assert in_plain_words(clock_to_the_second(_AT, day_before)) == "05 Mar 14:05:09 UTC"


def test_all_of_a_message_is_put_into_plain_words_but_no_text_of_people() -> None:
    """Whatever is sent, at any depth; a reason stays as it was typed."""
    typed = {"type": "plain_text", "text": f"see {group_mention('S0OPS')} at {clock(_AT)}"}
    ours = {"type": "mrkdwn", "text": f"{group_mention('S0OPS')} until {clock(_AT)}"}
    message = {
        "text": clock(_AT),
        "channel": "C0OPS",
        "blocks": [{"type": "context", "elements": [ours, typed]}],
    }
    assert sent_in_plain_words(message) == {
        "text": "14:05 UTC",
        "channel": "C0OPS",
        "blocks": [
            {
                "type": "context",
                "elements": [{"type": "mrkdwn", "text": "@S0OPS until 14:05 UTC"}, typed],
            }
        ],
    }
