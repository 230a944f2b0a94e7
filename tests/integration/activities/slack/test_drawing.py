"""What if Slack lets nobody change a card: does the truth stand in the channel, and only once?"""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.integration.activities.slack.slack_worker import SlackWorker, fresh
from tests.integration.activities.slack.test_messages import APPROVED, OUTCOME
from tests.rigs.local_slack import LocalSlack, texts
from tests.rigs.slack_proxy import Fault, SlackProxy
from workflows.model.ports import PublishInput
from workflows.model.state import CardRef

_ALWAYS = 100


def refuse_changes(slack_proxy: SlackProxy, card: CardRef, code: str) -> None:
    """Let nobody change this card any more."""
    slack_proxy.inject(
        "chat.update",
        Fault.REFUSED,
        error=code,
        times=_ALWAYS,
        when=lambda payload: payload["ts"] == card.ts,
    )


@pytest.mark.parametrize(
    "code", ["cant_update_message", "edit_window_closed", "block_mismatch", "code_of_tomorrow"]
)
async def test_a_card_that_cannot_be_changed_is_replaced(
    code: str, worker: SlackWorker, slack_proxy: SlackProxy
) -> None:
    """The channel has one card, it tells the outcome, and it has no live button."""
    card = await worker.publish(fresh("pending"))
    refuse_changes(slack_proxy, card, code)
    again = await worker.publish(replace(fresh("succeeded"), card=card), OUTCOME)
    assert again.ts != card.ts
    assert again.permalink
    (shown,) = await worker.cards()
    assert shown["ts"] == again.ts
    assert "Stopped and snapshotted" in texts(shown)
    assert len(await worker.replies(again)) == 1


@pytest.mark.parametrize(
    "code", ["cant_delete_message", "compliance_exports_prevent_deletion", "missing_scope"]
)
async def test_a_card_that_cannot_be_deleted_either_leads_to_the_new_one(
    code: str, worker: SlackWorker, slack_proxy: SlackProxy
) -> None:
    """A reply under the old card says that its buttons do nothing, and links to the new."""
    card = await worker.publish(fresh("pending"))
    refuse_changes(slack_proxy, card, "edit_window_closed")
    slack_proxy.inject("chat.delete", Fault.REFUSED, error=code)
    again = await worker.publish(replace(fresh("succeeded"), card=card), OUTCOME)
    (crossed_out,) = await worker.replies(card)
    assert "its buttons do nothing" in texts(crossed_out)
    assert again.permalink in texts(crossed_out)
    assert len(await worker.replies(again)) == 1


@pytest.mark.fault
@pytest.mark.parametrize("keep_heartbeats", [True, False], ids=["heartbeat kept", "worker died"])
@pytest.mark.parametrize("fault", [Fault.SERVER_ERROR, Fault.LOST_ANSWER, Fault.RATE_LIMITED])
@pytest.mark.parametrize("method", ["chat.postMessage", "chat.delete", "chat.getPermalink"])
async def test_a_card_is_replaced_once_although_slack_fails(
    method: str, fault: Fault, keep_heartbeats: bool, worker: SlackWorker, slack_proxy: SlackProxy
) -> None:
    """Neither a second new card nor a second reply comes of a failure on the way."""
    card = await worker.publish(fresh("pending"))
    slack_proxy.inject("chat.update", Fault.REFUSED, error="edit_window_closed", times=_ALWAYS)
    injection = slack_proxy.inject(method, fault)
    delivered = await worker.deliver(
        worker.messages.publish,
        PublishInput(state=replace(fresh("succeeded"), card=card), thread=(APPROVED, OUTCOME)),
        keep_heartbeats=keep_heartbeats,
    )
    assert injection.fired == 1
    (shown,) = await worker.cards()
    assert shown["ts"] == delivered.result.ts != card.ts
    assert len(await worker.replies(delivered.result)) == 2


@pytest.mark.fault
@pytest.mark.parametrize("keep_heartbeats", [True, False], ids=["heartbeat kept", "worker died"])
@pytest.mark.parametrize("fault", [Fault.SERVER_ERROR, Fault.LOST_ANSWER])
async def test_an_old_card_is_crossed_out_once_although_slack_fails(
    fault: Fault, keep_heartbeats: bool, worker: SlackWorker, slack_proxy: SlackProxy
) -> None:
    """The reply under the old card is looked for before it is posted again."""
    card = await worker.publish(fresh("pending"))
    slack_proxy.inject("chat.update", Fault.REFUSED, error="edit_window_closed", times=_ALWAYS)
    slack_proxy.inject("chat.delete", Fault.REFUSED, error="cant_delete_message", times=_ALWAYS)
    injection = slack_proxy.inject(
        "chat.postMessage", fault, when=lambda payload: payload.get("thread_ts") == card.ts
    )
    delivered = await worker.deliver(
        worker.messages.publish,
        PublishInput(state=replace(fresh("succeeded"), card=card)),
        keep_heartbeats=keep_heartbeats,
    )
    assert injection.fired == 1
    assert len(await worker.replies(card)) == 1
    assert {m["ts"] for m in await worker.cards()} == {card.ts, delivered.result.ts}


async def test_a_new_card_that_nobody_heard_of_is_replaced_too(
    worker: SlackWorker, slack_proxy: SlackProxy
) -> None:
    """A drawing that was given up left a card; where none can be changed, one is left."""
    card = await worker.publish(fresh("pending"))
    slack_proxy.inject("chat.update", Fault.REFUSED, error="cant_update_message", times=_ALWAYS)
    await worker.publish(replace(fresh("running"), card=card, revision=7))
    last = await worker.publish(replace(fresh("succeeded"), card=card, revision=8))
    assert [m["ts"] for m in await worker.cards()] == [last.ts]


async def test_a_card_that_can_be_changed_again_is_changed(
    worker: SlackWorker, local_slack: LocalSlack, slack_proxy: SlackProxy
) -> None:
    """The new card is redrawn in place as every card is."""
    card = await worker.publish(fresh("pending"))
    refuse_changes(slack_proxy, card, "edit_window_closed")
    again = await worker.publish(replace(fresh("running"), card=card))
    assert await worker.publish(replace(fresh("succeeded"), card=again)) == again
    assert len(await local_slack.messages()) == 1
