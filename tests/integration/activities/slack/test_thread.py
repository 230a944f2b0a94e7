"""What do the replies in a card's thread say, and which are shown in the channel too?"""

from __future__ import annotations

import pytest

from tests.integration.activities.slack.slack_worker import SlackWorker, fresh
from tests.integration.activities.slack.test_messages import APPROVED, OUTCOME, STEP
from tests.rigs.local_slack import texts
from tests.rigs.slack_proxy import SlackProxy
from tests.unit.activities.slack.card_states import ALICE, BOB, CAROL
from workflows.model.ports import ThreadEntry, ThreadKind


async def test_only_a_call_for_help_is_shown_in_the_channel_too(
    worker: SlackWorker, slack_proxy: SlackProxy
) -> None:
    """The thread is the log; the channel hears again when a person is needed."""
    page = ThreadEntry(key="page", kind=ThreadKind.PAGE)
    card = await worker.publish(fresh("needs-person"), STEP, page)
    sent = [c.payload for c in slack_proxy.calls if c.payload.get("thread_ts") == card.ts]
    assert [bool(payload["reply_broadcast"]) for payload in sent] == [False, True]
    assert f"<@{ALICE}> <@{BOB}>" in sent[1]["text"]
    assert "docker start web-1" in sent[1]["text"]


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (APPROVED, f"✅ <@{BOB}> approved (1 of 1)."),
        (ThreadEntry(key="r", kind=ThreadKind.REJECTED, user_id=CAROL), f"<@{CAROL}> rejected"),
        (ThreadEntry(key="m", kind=ThreadKind.REMINDER), f"<@{CAROL}>"),
        (ThreadEntry(key="s", kind=ThreadKind.RESTARTED), "restarted by itself"),
        (STEP, "✅ Stopped · exit code 0"),
        (ThreadEntry(key="c", kind=ThreadKind.CANCELLING, user_id=ALICE), "cancelled this"),
        (ThreadEntry(key="p", kind=ThreadKind.PAGE), "could not be put back"),
        (OUTCOME, f"<@{ALICE}> "),
    ],
    ids=lambda value: value.kind if isinstance(value, ThreadEntry) else None,
)
async def test_every_kind_of_reply_says_what_happened(
    entry: ThreadEntry, expected: str, worker: SlackWorker
) -> None:
    """Each entry of the thread becomes one message that Slack takes; comments stay plain."""
    card = await worker.publish(fresh("running"), entry)
    (reply,) = await worker.replies(card)
    assert expected in texts(reply)
    assert "<!here>" not in reply["text"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("succeeded", "✅ Stopped and snapshotted: `web-1` on *edge*.\n📦 Snapshot `dockwarden/"),
        (
            "put-back",
            "↩️ Failed and put back, running again: `web-1` on *edge*.\n*What went wrong:*",
        ),
        ("put-back-after-cancel", "↩️ Cancelled and put back, running again: `web-1`"),
        ("rejected", "⛔ Rejected, nothing was changed"),
        ("expired", "⌛ Expired, nothing was changed"),
        ("stale", "⚠️ Out of date, nothing was changed"),
        ("needs-person-given-up", "🛑 Needs a person"),
    ],
)
async def test_the_requester_is_told_the_outcome_by_mention(
    name: str, expected: str, worker: SlackWorker
) -> None:
    """Whoever asked hears how it ended, without looking for the card."""
    card = await worker.publish(fresh(name), OUTCOME)
    (reply,) = await worker.replies(card)
    assert reply["text"].startswith(f"<@{ALICE}> {expected}")
