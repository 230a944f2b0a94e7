"""Do the tests' own rules notice a payload that Slack would not take?"""

from __future__ import annotations

from typing import Any

import pytest

from tests.rigs.payload_rules import problems


def section(block_id: str = "a", text: str = "hello") -> dict[str, Any]:
    """Build a section."""
    return {"type": "section", "block_id": block_id, "text": {"type": "mrkdwn", "text": text}}


def button(action_id: str = "x", text: str = "Go", **more: Any) -> dict[str, Any]:
    """Build a button."""
    label = {"type": "plain_text", "text": text}
    return {"type": "button", "action_id": action_id, "text": label, "value": "v"} | more


def actions(*elements: dict[str, Any]) -> dict[str, Any]:
    """Build a row of buttons."""
    return {"type": "actions", "block_id": "row", "elements": list(elements)}


def context(count: int) -> dict[str, Any]:
    """Build a context with many texts."""
    text = {"type": "mrkdwn", "text": "hello"}
    return {"type": "context", "block_id": "c", "elements": [text] * count}


def message(*blocks: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Build the arguments of a posting."""
    return {"channel": "C1", "text": "hello", "blocks": list(blocks), "unfurl_links": False} | more


FIELDS = {"type": "section", "block_id": "f"}
FIELD = {"type": "mrkdwn", "text": "f"}


@pytest.mark.parametrize(
    ("payload", "named"),
    [
        (message(*(section(f"s{n}") for n in range(51))), "51 blocks"),
        (message(section(), section()), "block_id a twice"),
        (message(actions(button(), button())), "action_id x twice"),
        (message(section(text="x" * 3001)), "3000"),
        (message(section(text="")), "empty"),
        (message(FIELDS | {"fields": [FIELD | {"text": "x" * 2001}]}), "a field of 2001"),
        (message(FIELDS | {"fields": [FIELD] * 11}), "fields"),
        (message(context(11)), "elements"),
        (message(actions(*(button(f"b{n}") for n in range(26)))), "26 elements"),
        (message(actions(button(text="x" * 76))), "75"),
        (message(actions(button(value="x" * 2001))), "2000"),
        (message(actions(button("x" * 256))), "255"),
        (message(*(section(f"s{n}", "x" * 2900) for n in range(4))), "characters of blocks"),
        (message(section(""), text="x"), "without a block_id"),
        (message(section(), text=" "), "no text"),
        (message(section(), text="x" * 40_001), "text of 40001"),
        (message(section(), unfurl_links=True), "links may unfold"),
        (message(section(), link_names=True), "link_names"),
    ],
)
def test_a_payload_beyond_a_limit_is_noticed(payload: dict[str, Any], named: str) -> None:
    """Each limit of a message is held."""
    assert named in "; ".join(problems("chat.postMessage", payload))


@pytest.mark.parametrize(
    "payload",
    [message(section()), message(actions(button())), message(context(10)), message()],
)
def test_a_payload_within_the_limits_is_taken(payload: dict[str, Any]) -> None:
    """What Slack takes is not held up."""
    assert problems("chat.postMessage", payload) == []


@pytest.mark.parametrize(
    ("view", "named"),
    [
        ({"blocks": [section(f"s{n}") for n in range(101)]}, "101 blocks"),
        ({"title": {"type": "plain_text", "text": "x" * 25}}, "24 characters"),
        ({"private_metadata": "x" * 3001}, "private_metadata"),
    ],
)
def test_a_form_beyond_a_limit_is_noticed(view: dict[str, Any], named: str) -> None:
    """Each limit of a form is held."""
    assert named in "; ".join(problems("views.open", {"view": {"type": "modal"} | view}))
