"""Who reads in private why somebody asked, and what somebody said to a rejection?"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.integration.bot.slack.bot_on_stub import REQUEST, Bot, state
from workflows.model.requests import Choice, Policy, RecordedDecision
from workflows.model.state import RequestState, RequestStatus

_REASON, _COMMENT = "the key is under the mat", "not on a Friday"


def _told(**changes: Any) -> RequestState:
    """Describe a request of another channel, with a reason, that dave rejected with a comment."""
    rejected = RecordedDecision(
        decision_id="d",
        approver_id="U0DAVE",
        choice=Choice.REJECT,
        comment=_COMMENT,
        source="card",
        decided_at=datetime.now(UTC),
    )
    facts = {
        "status": RequestStatus.REJECTED,
        "channel_id": "C0SECRET",
        "reason": _REASON,
        "decisions": (rejected,),
        "policy": Policy(
            name="p", labels={}, approvers=("U0BOB",), approver_groups=("S0OPS", "S0DEV")
        ),
    }
    return state(**{**facts, **changes})


async def _status(bot: Bot, who: str, channel: str = "C0OPS") -> str:
    answer = await bot.command(f"status {REQUEST}", user_id=who, channel_id=channel)
    return str(answer["text"])


@pytest.mark.parametrize(
    ("who", "channel", "reads"),
    [
        # who asked, who decided, and who could decide as the control worker says
        ("U0ALICE", "C0OPS", True),
        ("U0DAVE", "C0OPS", True),
        ("U0BOB", "C0OPS", True),
        ("U0CAROL", "C0OPS", True),
        # anybody, where it stands already; and nobody else
        ("U0ERIN", "C0SECRET", True),
        ("U0ERIN", "C0OPS", False),
        ("U0ERIN", "D0ERIN", False),
    ],
)
async def test_who_reads_what_people_typed(
    bot: Bot, who: str, channel: str, *, reads: bool
) -> None:
    """Those whom the request is about, and its own channel; others hear that there is something."""
    bot.requests.deciders = {"U0BOB", "U0CAROL"}
    bot.requests.state = _told()
    text = await _status(bot, who, channel)

    assert (_REASON in text, _COMMENT in text) == (reads, reads)
    assert ("a comment on its rejection and a reason" in text) is not reads
    assert ("its own channel <#C0SECRET>" in text) is not reads
    assert ("Open in Temporal" in text) is reads, "all that was typed stands there too"


async def test_nothing_is_said_to_be_kept_back_that_is_not_there(bot: Bot) -> None:
    """A request without a reason hides none."""
    bot.requests.state = _told(reason="", decisions=())

    assert "🔒" not in await _status(bot, "U0ERIN")


@pytest.mark.parametrize(("who", "is_led"), [("U0ALICE", True), ("U0BOB", False)])
async def test_while_no_worker_answers_only_the_requester_is_led_to_temporal(
    bot: Bot, who: str, *, is_led: bool
) -> None:
    """Who may decide is not known then."""
    assert ("Open in Temporal" in await _status(bot, who)) is is_led


async def test_nobody_of_another_workspace_reads(bot: Bot) -> None:
    """The same id in another workspace is another person."""
    bot.requests.state = _told(team_id="T0OTHER")

    assert _REASON not in await _status(bot, "U0ALICE", "C0SECRET")


@pytest.mark.parametrize(
    ("who", "channel"), [("U0ALICE", "C0OPS"), ("U0DAVE", "C0OPS"), ("U0ERIN", "C0SECRET")]
)
async def test_nobody_is_asked_about_what_is_stored(bot: Bot, who: str, channel: str) -> None:
    """Who asked, who decided and the request's own channel need no judge, nor Slack."""
    bot.requests.state = _told()

    assert _REASON in await _status(bot, who, channel)
    assert bot.requests.asked == []
    assert bot.slack_stub.count("usergroups.users.list") == 0
