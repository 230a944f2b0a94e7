"""Does the terminal show a Slack message as people see it?"""

from __future__ import annotations

from typing import Any

import pytest

from deploy.laptop.channel import render

_NAMES = {"U1": "Alice", "U2": "Dockwarden"}


def _section(text: str, kind: str = "mrkdwn") -> dict[str, Any]:
    return {"type": "section", "text": {"type": kind, "text": text}}


@pytest.mark.parametrize(
    ("block", "lines"),
    [
        (_section("*Done* by <@U1>"), ["Done by @Alice"]),
        (_section("one\ntwo"), ["one", "two"]),
        (_section("<http://x/y|Open in Temporal>"), ["Open in Temporal"]),
        (_section("a &lt;b&gt; &amp; c"), ["a <b> & c"]),
        (_section("*as typed* <@U1>", "plain_text"), ["*as typed* <@U1>"]),
        (_section("2*3*4"), ["2*3*4"]),
        (
            {"type": "section", "fields": [{"type": "mrkdwn", "text": "*Host*\nlocal"}]},
            ["  Host: local"],
        ),
        (
            {"type": "context", "elements": [{"type": "mrkdwn", "text": "until 12:00"}]},
            ["until 12:00"],
        ),
        (
            {
                "type": "actions",
                "elements": [
                    {"type": "button", "text": {"type": "plain_text", "text": name}}
                    for name in ("Approve", "Cancel")
                ],
            },
            ["[ Approve ] [ Cancel ]"],
        ),
        ({"type": "divider"}, ["─" * 40]),
        ({"type": "image"}, ["(image)"]),
    ],
)
def test_a_block_is_drawn(block: dict[str, Any], lines: list[str]) -> None:
    """Each kind of block has a plain form; text that people typed stays as they typed it."""
    drawn = render({"user": "U2", "text": "not shown", "blocks": [block]}, _NAMES)
    assert drawn == ["  Dockwarden", *(f"  │ {line}" for line in lines)]


@pytest.mark.parametrize(
    ("message", "lines"),
    [
        ({"user": "U2", "text": "hello"}, ["  Dockwarden", "  │ hello"]),
        (
            {"user": "U2", "text": "no", "ephemeral_to": "U1"},
            ["  Dockwarden  (only Alice sees this)", "  │ no"],
        ),
        ({"user": "U2", "text": "log", "thread_ts": "1.1"}, ["    ↳ Dockwarden", "      │ log"]),
        ({"user": "U9", "text": ""}, ["  somebody"]),
    ],
)
def test_a_message_shows_where_it_stands(message: dict[str, Any], lines: list[str]) -> None:
    """A private notice names its only reader, a reply is indented, and text fills in for blocks."""
    assert render(message, _NAMES) == lines
