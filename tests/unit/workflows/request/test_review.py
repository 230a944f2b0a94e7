"""In which order are messages of people taken, and which of them came too late?"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from workflows.model.requests import Choice, Decision, Instruction
from workflows.request.review import Inbox, Received

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
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

    taken = [inbox.take(NOON), inbox.take(NOON), inbox.take(NOON)]

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
    ],
)
def test_lateness(seen: int, sent: int | None, *, late: bool) -> None:
    """Temporal's clock decides; the sender's only rescues."""
    sent_at = None if sent is None else NOON + timedelta(seconds=sent)
    received = Received(
        message=replace(DECISION, sent_at=sent_at), at=NOON + timedelta(seconds=seen)
    )
    assert received.is_late(NOON) is late
