"""In which order are messages of people taken, which came too late, and what if too many come?"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from workflows.model.limits import LIMITS
from workflows.model.requests import Choice, Decision, Instruction
from workflows.model.terminal import Terminal
from workflows.request.inbox import Inbox, Received

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
WAIT = timedelta(minutes=15)
DECISION = Decision(
    decision_id="d",
    request_id="0123456789ab",
    approver_id="UBOB",
    team_id="T1",
    choice=Choice.APPROVE,
    source="command",
)


def test_inbox_takes_cancels_first_and_late_decisions_last() -> None:
    """The safe side goes first; what came in time goes before what came too late."""
    inbox = Inbox()
    late, early = NOON + timedelta(seconds=1), NOON - timedelta(seconds=1)
    cancel = Instruction(request_id="r", user_id="U", team_id="T")
    inbox.put(replace(DECISION, decision_id="late", sent_at=late), late)
    inbox.put(replace(DECISION, decision_id="early", sent_at=early), late)
    inbox.put(cancel, late)

    taken = [inbox.take(NOON, WAIT) for _ in range(3)]

    names = [getattr(t.message, "decision_id", "cancel") for t in taken if t]
    assert names == ["cancel", "early", "late"]
    assert not inbox


@pytest.mark.parametrize(
    ("seen", "sent", "late"),
    [
        (-1, None, False),
        (1, None, True),
        (1, -1, False),  # an outage: sent in time, seen late
        (-1, 600, False),  # a fast clock of the sender costs nobody a decision
        (0, None, True),  # the deadline itself is too late
        (899, -1, False),  # an outage of nearly as long as people had
        (900, -1, True),  # one that lasts longer: nobody expects it any more
        (1, 600, True),
    ],
)
def test_lateness(seen: int, sent: int | None, *, late: bool) -> None:
    """Temporal's clock decides; the sender's only rescues."""
    sent_at = None if sent is None else NOON + timedelta(seconds=sent)
    received = Received(
        message=replace(DECISION, sent_at=sent_at), at=NOON + timedelta(seconds=seen)
    )
    assert received.is_late(NOON, WAIT) is late


def test_what_waits_already_is_not_kept_twice() -> None:
    """A thousand clicks of one person on one button are one decision, seen when it first came."""
    inbox = Inbox()
    for second in range(1000):
        assert inbox.put(DECISION, NOON + timedelta(seconds=second))
        assert inbox.put(
            Instruction(request_id="r", user_id="U", team_id="T", instruction_id=str(second)), NOON
        )

    taken = [inbox.take(None, WAIT), inbox.take(None, WAIT)]

    assert [received and received.at for received in taken] == [NOON, NOON]
    assert not inbox


def test_a_full_inbox_still_hears_those_whom_the_request_is_about() -> None:
    """The rest is dropped; who is named is kept once more, and judged first."""
    inbox = Inbox()
    kept = [
        inbox.put(replace(DECISION, decision_id=str(n), approver_id=f"U{n}"), NOON)
        for n in range(LIMITS.inbox + 5)
    ]
    inbox.hear_first(["UBOB", "UALICE"])
    kept.append(inbox.put(replace(DECISION, decision_id="of an approver"), NOON))
    kept.append(inbox.put(replace(DECISION, decision_id="one more of his"), NOON))
    kept.append(inbox.put(Instruction(request_id="r", user_id="UALICE", team_id="T"), NOON))
    kept.append(inbox.put(Instruction(request_id="r", user_id="UDAVE", team_id="T"), NOON))

    assert kept == [True] * LIMITS.inbox + [False] * 5 + [True, False, True, False]
    taken = [inbox.take(None, WAIT) for _ in range(3)]
    assert [received and received.sender for received in taken] == ["UALICE", "UBOB", "U0"]


def test_a_request_of_an_earlier_release_hears_one_after_the_other() -> None:
    """Nothing is joined, heard first or too late by the length of the wait: so it replays."""
    inbox = Inbox()
    inbox.hear_first(["UBOB"])
    stranger = replace(DECISION, approver_id="UDAVE")
    in_time = replace(DECISION, sent_at=NOON - timedelta(seconds=1))
    long_after = NOON + 2 * WAIT

    for decision in (stranger, stranger, in_time):
        inbox.put(decision, long_after, as_before=True)
    taken = [inbox.take(None, WAIT) for _ in range(3)]

    assert [received and received.sender for received in taken] == ["UDAVE", "UDAVE", "UBOB"]
    assert [received and received.is_late(NOON, WAIT) for received in taken] == [True, True, False]
    assert not inbox


@pytest.mark.parametrize(
    "typed", [{"source": "terminal"}, {"terminal": Terminal(host="box", user="olga")}]
)
def test_what_is_typed_at_a_terminal_never_stands_for_what_was_pressed(
    typed: dict[str, Any],
) -> None:
    """It may not count, so a cancel by a button that comes right after it is kept too."""
    inbox = Inbox()
    pressed = Instruction(request_id="r", user_id="U", team_id="T", source="card:C1:1.0")
    for cancel in (replace(pressed, **typed), pressed, pressed):
        assert inbox.put(cancel, NOON)

    taken = [inbox.take(NOON, WAIT) for _ in range(2)]

    assert [t.message for t in taken if t] == [replace(pressed, **typed), pressed]
    assert not inbox


def test_what_is_forged_never_stands_for_what_is_sealed() -> None:
    """Somebody else may send the same before, and it would be taken for the real one."""
    inbox = Inbox()
    inbox.put(DECISION, NOON, by_seal=True)
    inbox.put(replace(DECISION, seal="s"), NOON, by_seal=True)
    assert inbox.take(None, WAIT)
    assert inbox.take(None, WAIT)
