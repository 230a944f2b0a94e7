"""What is somebody offered whose request was refused, and as which line?"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest

from activities.slack.asking_again import buttons
from activities.slack.refusals import notice as notice_naming
from tests.unit.activities.slack.card_parts import WAITING
from tests.unit.activities.slack.test_refusals import brief
from workflows.model.errors import RefusalCode
from workflows.model.requests import OperationSpec
from workflows.model.state import Refusal
from workflows.model.terminal import Terminal

_NEAR = "no container has this name; did you mean cache-1, cash-1, cache-2 or 4 more?"
notice = partial(notice_naming, command="/dockwarden")


@pytest.mark.parametrize(
    ("refusal", "values", "labels"),
    [
        (
            Refusal(code=RefusalCode.UNKNOWN_CONTAINER, detail=_NEAR),
            [
                f'stop {name} on edge snapshot reason="INC"'
                for name in ("cache-1", "cash-1", "cache-2")
            ],
            [f"Ask to stop and snapshot {name}" for name in ("cache-1", "cash-1", "cache-2")],
        ),
        (
            Refusal(code=RefusalCode.UNKNOWN_HOST, detail="did you mean edge-2?"),
            ['stop web-1 on edge-2 snapshot reason="INC"'],
            ["Ask to stop and snapshot web-1 on edge-2"],
        ),
        (Refusal(code=RefusalCode.UNKNOWN_CONTAINER, detail="no container has this name"), [], []),
        (Refusal(code=RefusalCode.PROTECTED, detail="did you mean cache-1?"), [], []),
    ],
)
def test_a_button_asks_for_what_was_meant(
    refusal: Refusal, values: list[str], labels: list[str]
) -> None:
    """It carries what was asked for, with the right name; only who was refused is offered it."""
    state = replace(brief(WAITING), refusal=refusal, reason="INC")
    drawn = [
        element for block in buttons(refusal, state) for element in block.to_dict()["elements"]
    ]

    assert [button["value"] for button in drawn] == values
    assert [button["text"]["text"] for button in drawn] == labels
    assert len({button["action_id"] for button in drawn}) == len(drawn)
    assert not buttons(refusal, replace(state, refusal=None))
    assert not buttons(refusal, replace(state, terminal=Terminal(host="desk", user="al")))
    assert not buttons(refusal, replace(state, reason="x" * 2000)), "more than a button carries"


def test_the_line_to_type_is_the_own_one_corrected() -> None:
    """With the grace and the tag that were asked for, and what was wrong made right."""
    spec = OperationSpec(kind="stop", snapshot=True, snapshot_ref="a/b:1", grace_seconds=90)
    asked_for = replace(WAITING, operation=spec, reason="")
    lines_of = {
        RefusalCode.REASON_REQUIRED: 'stop web-1 on edge snapshot=a/b:1 grace=90s reason="…"',
        RefusalCode.REFERENCE_TAKEN: "stop web-1 on edge snapshot grace=90s",
        RefusalCode.IMAGE_MISSING: "stop web-1 on edge grace=90s",
        RefusalCode.ALREADY_STOPPED: "snapshot web-1 on edge",
    }
    for code, line in lines_of.items():
        assert f"`/dockwarden {line}`" in notice(Refusal(code=code), asked_for)
