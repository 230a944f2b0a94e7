"""What do the replies in a card's thread say, and which are shown in the channel too?"""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.integration.activities.slack.slack_worker import SlackWorker, fresh
from tests.integration.activities.slack.test_messages import APPROVED, OUTCOME, STEP
from tests.rigs.local_slack import texts
from tests.rigs.slack_proxy import SlackProxy
from tests.unit.activities.slack.card_parts import ALICE, BOB, CAROL
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
    assert "is DOWN" in sent[1]["text"]
    assert "next try at" not in sent[1]["text"]


async def test_a_stuck_request_calls_for_help_in_the_channel(
    worker: SlackWorker, slack_proxy: SlackProxy
) -> None:
    """Nobody looks into the thread of a request that does nothing."""
    card = await worker.publish(fresh("running"), ThreadEntry(key="s", kind=ThreadKind.STUCK))
    (sent,) = [c.payload for c in slack_proxy.calls if c.payload.get("thread_ts") == card.ts]
    assert sent["reply_broadcast"]
    assert f"🛑 <@{ALICE}> <@{BOB}>" in sent["text"]
    assert "docker inspect --format '{{.State.Status}}' 3f4e5d6c7b8a" in sent["text"]


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (APPROVED, f"✅ <@{BOB}> approved (1 of 1)."),
        (ThreadEntry(key="r", kind=ThreadKind.REJECTED, user_id=CAROL), f"<@{CAROL}> rejected"),
        (ThreadEntry(key="m", kind=ThreadKind.REMINDER), f"<@{CAROL}>"),
        (ThreadEntry(key="s", kind=ThreadKind.RESTARTED), "had been started anew"),
        (STEP, "✗ Stopping failed · exit code 0"),
        (ThreadEntry(key="c", kind=ThreadKind.CANCELLING, user_id=ALICE), "cancelled this"),
        (ThreadEntry(key="g", kind=ThreadKind.GIVEN_UP, user_id=BOB), "to stop trying."),
        (ThreadEntry(key="p", kind=ThreadKind.PAGE), f"🛑 <@{ALICE}> <@{BOB}> `web-1` on *edge*"),
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
        ("succeeded", "✅ Stopped and snapshotted: `web-1` on *edge*.\n✓ Stopped in 0.1 s"),
        (
            "put-back",
            "↩️ Failed and put back, running again: `web-1` on *edge*, down for 3.4 s.\n✓ Stopped",
        ),
        ("succeeded-snapshot", "✅ Snapshotted and started again: `web-1` on *edge*, down for"),
        ("failed", "⚠️ Not done, nothing was changed: `web-1` on *edge*."),
        ("put-back-after-cancel", "↩️ Cancelled and put back, running again: `web-1`"),
        ("rejected", "❌ Rejected, nothing was changed"),
        ("expired", "⌛ Expired, nothing was changed"),
        ("stale", "⚠️ Out of date, nothing was changed"),
        ("needs-person-gone", "🛑 Gone, needs a person"),
    ],
)
async def test_the_requester_is_told_the_outcome_by_mention(
    name: str, expected: str, worker: SlackWorker
) -> None:
    """Whoever asked hears how it ended, without looking for the card."""
    card = await worker.publish(replace(fresh(name), paged=False), OUTCOME)
    (reply,) = await worker.replies(card)
    assert reply["text"].startswith(f"<@{ALICE}> {expected}")


@pytest.mark.parametrize("name", ["put-back-snapshot-kept", "succeeded-late"])
async def test_the_all_clear_reaches_everybody_who_was_called(
    name: str, worker: SlackWorker
) -> None:
    """An approver who was called is not left believing that it still burns."""
    state = fresh(name)
    assert state.paged
    card = await worker.publish(state, OUTCOME)
    (reply,) = await worker.replies(card)
    assert reply["text"].startswith(f"<@{ALICE}> <@{BOB}> ")
    assert "down for 67 s" in reply["text"]
    assert "📦 Snapshot" in reply["text"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "needs-person-given-up",
            "something else.\nTo start it when that is put right, run on edge: `docker start",
        ),
        ("needs-person-unhealthy", "*runs, but its health check fails*, and is left so."),
        (
            "needs-person-engine-away",
            "Whether `web-1` on *edge* runs is not known.\nTo see it",
        ),
    ],
)
async def test_who_ends_the_tries_reads_what_is_left(
    name: str, expected: str, worker: SlackWorker
) -> None:
    """The thread says that the container is left down, or what the engine says, and what to run."""
    entry = ThreadEntry(key="g", kind=ThreadKind.GIVEN_UP, user_id=BOB)
    card = await worker.publish(replace(fresh(name), closed=True), entry)
    (reply,) = await worker.replies(card)
    assert reply["text"].startswith(f"⏹️ <@{BOB}> told Dockwarden to stop trying. ")
    assert expected in reply["text"]
