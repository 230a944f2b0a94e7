"""What does a work list say first, and what can be pressed on it?"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from bot.work_list import Item
from tests.unit.bot.slack.test_replies import (
    ADDRESS,
    EVIL,
    NOW,
    PIN,
    SUMMARY,
    make_state,
    show_list,
)
from workflows.model.errors import RefusalCode
from workflows.model.names import ActionId, parse_button_value
from workflows.model.requests import ContainerRef, ContainerState
from workflows.model.state import (
    Caution,
    CautionCode,
    Refusal,
    RequestState,
    RequestStatus,
    Sighting,
    StepName,
    StepState,
    StepStatus,
)

_TO_DO = (StepState(name=StepName.STOP), StepState(name=StepName.SNAPSHOT))


def _waits(**changes: Any) -> RequestState:
    planned = make_state(pin=PIN, reason="patch day", steps=_TO_DO, **changes)
    assert planned.plan is not None
    return replace(planned, plan_hash=planned.plan.hash)


def _buttons(blocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    rows = (block["elements"] for block in blocks if block["type"] == "actions")
    return [button for row in rows for button in row]


def test_the_work_comes_first_and_reasons_only_where_they_may_be_read() -> None:
    """What is down, what is worked on, what is mine, the rest; each with the way to its card."""
    down = make_state(
        status=RequestStatus.NEEDS_PERSON,
        seen=Sighting(state=ContainerState.EXITED, at=NOW),
        container=ContainerRef(host="local", name="doomed-2"),
    )
    stopping = StepState(
        name=StepName.STOP, status=StepStatus.RUNNING, started_at=NOW - timedelta(seconds=12)
    )
    works = make_state(status=RequestStatus.RUNNING, steps=(stopping,), reason="")
    answer = show_list(
        Item(summary=SUMMARY, state=down),
        Item(summary=SUMMARY, state=works),
        Item(summary=SUMMARY, state=_waits(), is_yours=True),
        Item(summary=SUMMARY, state=_waits()),
        Item(summary=SUMMARY),
        total=14,
        left=9,
    )

    card = "<https://slack.test/p1|card>"
    assert answer.text == (
        "*Open requests* (1 to 5 of 14) · 1 waits for you\n"
        "🛑 DOWN, needs a person · stop and snapshot `doomed-2` on `local` · <@U0ALICE>, "
        f"4 min ago · {card}\n"
        "🔄 Working: Stopping for 12 s · stop and snapshot `web-1` on `local` · <@U0ALICE>, "
        f"4 min ago · {card}\n"
        "*Waiting for you*\n"
        "⏳ 11 min left · stop and snapshot `web-1` on `local` · <@U0ALICE>, 4 min ago · 0 of 2 · "
        f"{card}\n"
        "“patch day”\n"
        "*Waiting*\n"
        "⏳ 11 min left · stop and snapshot `web-1` on `local` · <@U0ALICE>, 4 min ago · 0 of 2 · "
        f"{card}\n"
        "⏳ Waiting for approval · `web-1` on `local` · <@U0ALICE>, 4 min ago · `3f9a1c2b4d5e`\n"
        "… and 9 more: `/container requests 2`"
    )


def test_what_waits_for_me_is_decided_here_with_the_plan_that_is_shown() -> None:
    """The buttons carry what those of the card do; what the card warns of is read there first."""
    state = _waits()
    approve, reject = _buttons(show_list(Item(summary=SUMMARY, state=state, is_yours=True)).blocks)

    assert (approve["action_id"], reject["action_id"]) == (ActionId.APPROVE, ActionId.REJECT)
    expected = replace(ADDRESS, plan_hash=state.plan_hash)
    assert parse_button_value(approve["value"]) == parse_button_value(reject["value"]) == expected
    assert approve["confirm"]["text"]["text"] == (
        "Dockwarden will work on web-1 (aaaaaaaaaaaa) on local: stop, take the snapshot. If a "
        "step fails, it is put back as it was."
    )
    warned = replace(state, cautions=(Caution(code=CautionCode.HEALTH_UNKNOWN),))
    # and a state whose plan is another than it names was made up by somebody
    for unlike in (warned, replace(state, reference="other:1")):
        answer = show_list(Item(summary=SUMMARY, state=unlike, is_yours=True))
        (only,) = _buttons(answer.blocks)
        assert only["action_id"] == ActionId.REJECT
        assert "its card says more than fits here: read it before you approve" in answer.text


def test_a_mistake_is_not_called_rejected() -> None:
    """What the rules refused says why; what a person rejected says so; text of people is text."""
    summary = replace(SUMMARY, status="rejected", open=False)
    refusal = Refusal(code=RefusalCode.UNKNOWN_CONTAINER)
    refused = make_state(status=RequestStatus.REJECTED, refusal=refusal, closed=True, card=None)
    answer = show_list(Item(summary=summary, state=refused))

    assert "🚫 Refused: there is no container `web-1` on `local` · stop and" in answer.text
    assert EVIL not in answer.text, "bob asked for nothing here"
