"""Does a request get exactly one card and each reply once, whatever Slack does?"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from temporalio.exceptions import ApplicationError

from tests.integration.activities.slack.slack_worker import SlackWorker, fresh
from tests.rigs.local_slack import CHANNEL_ID, LocalSlack, texts
from tests.rigs.slack_proxy import Fault, SlackProxy
from tests.unit.activities.slack.card_parts import ALICE, BOB
from tests.unit.activities.slack.card_states import STATES
from workflows.model.errors import ErrorType
from workflows.model.ports import PublishInput, ThreadEntry, ThreadKind
from workflows.model.state import StepName, StepState, StepStatus
from workflows.operations import catalog

APPROVED = ThreadEntry(
    key="decision.bob", kind=ThreadKind.APPROVED, user_id=BOB, comment="fine <!here>"
)
STEP = ThreadEntry(
    key="step.stop",
    kind=ThreadKind.STEP,
    step=StepState(name=StepName.STOP, status=StepStatus.FAILED, note="exit code 0"),
)
REMINDER = ThreadEntry(key="reminder", kind=ThreadKind.REMINDER)
OUTCOME = ThreadEntry(key="outcome", kind=ThreadKind.OUTCOME, user_id=ALICE)

_PASSING = [
    (Fault.RATE_LIMITED, ErrorType.SLACK_RATE_LIMITED),
    (Fault.SERVER_ERROR, ErrorType.SLACK_UNAVAILABLE),
    (Fault.GARBLED, ErrorType.SLACK_UNAVAILABLE),
    (Fault.REFUSED, ErrorType.SLACK_UNAVAILABLE),
    (Fault.RESET, ErrorType.SLACK_UNAVAILABLE),
    (Fault.LOST_ANSWER, ErrorType.SLACK_UNAVAILABLE),
]


@pytest.mark.parametrize("name", STATES)
async def test_every_card_is_posted_and_redrawn_in_place(name: str, worker: SlackWorker) -> None:
    """A request has one message for all its life, in words that its Slack knows."""
    card = await worker.publish(fresh("pending"))
    assert card.permalink.startswith("http")
    again = await worker.publish(replace(fresh(name), card=card, revision=9))
    assert again == card
    (shown,) = await worker.cards()
    assert shown["ts"] == card.ts
    assert "web-1" in texts(shown)
    assert "<!date" not in texts(shown)


async def test_no_card_is_drawn_that_shows_another_plan_than_its_buttons_approve(
    worker: SlackWorker,
) -> None:
    """Whoever can have a card drawn must not have people approve what they do not see."""
    state = fresh("pending")
    assert state.plan is not None
    assert state.pin is not None
    planned = catalog.steps_of(state.operation, state.pin)
    steps = tuple(StepState(name=step.name) for step in planned)
    honest = replace(state, plan_hash=state.plan.hash, steps=steps)
    for forged in (
        replace(honest, reference="team/other:1"),
        replace(honest, steps=steps[1:]),
        replace(honest, renamed="db-1"),
    ):
        with pytest.raises(ApplicationError) as refused:
            await worker.publish(forged)
        assert refused.value.type == ErrorType.BAD_INPUT
    assert await worker.cards() == []
    await worker.publish(honest)
    assert len(await worker.cards()) == 1


@pytest.mark.fault
@pytest.mark.parametrize("keep_heartbeats", [True, False], ids=["heartbeat kept", "worker died"])
@pytest.mark.parametrize(("fault", "expected"), _PASSING)
async def test_a_card_is_posted_once_although_slack_fails(
    fault: Fault,
    expected: ErrorType,
    keep_heartbeats: bool,
    worker: SlackWorker,
    slack_proxy: SlackProxy,
) -> None:
    """A failed or lost answer to the posting never gives a second card."""
    injection = slack_proxy.inject("chat.postMessage", fault, times=2)
    delivered = await worker.deliver(
        worker.messages.publish,
        PublishInput(state=fresh("pending")),
        keep_heartbeats=keep_heartbeats,
    )
    fired = 1 if fault is Fault.LOST_ANSWER else 2
    assert injection.fired == fired
    assert delivered.types == [expected] * fired
    (shown,) = await worker.cards()
    assert shown["ts"] == delivered.result.ts


@pytest.mark.fault
@pytest.mark.parametrize("keep_heartbeats", [True, False], ids=["heartbeat kept", "worker died"])
@pytest.mark.parametrize(("fault", "expected"), _PASSING)
async def test_each_reply_is_posted_once_although_slack_fails(
    fault: Fault,
    expected: ErrorType,
    keep_heartbeats: bool,
    worker: SlackWorker,
    slack_proxy: SlackProxy,
) -> None:
    """The thread tells every event once, in its order."""
    card = await worker.publish(fresh("running"))
    injection = slack_proxy.inject(
        "chat.postMessage", fault, when=lambda payload: STEP.key in str(payload["blocks"])
    )
    state = replace(fresh("running"), card=card)
    delivered = await worker.deliver(
        worker.messages.publish,
        PublishInput(state=state, thread=(APPROVED, STEP, REMINDER)),
        keep_heartbeats=keep_heartbeats,
    )
    assert injection.fired == 1
    assert delivered.types == [expected]
    keys = [m["blocks"][0]["block_id"].split(".", 2)[2] for m in await worker.replies(card)]
    assert keys == [APPROVED.key, STEP.key, REMINDER.key]


async def test_replies_that_another_drawing_posted_are_not_repeated(worker: SlackWorker) -> None:
    """A drawing that was cancelled half-way is taken up by the next without doubling a reply."""
    card = await worker.publish(fresh("running"))
    state = replace(fresh("running"), card=card)
    await worker.publish(state, APPROVED)
    await worker.publish(state, APPROVED, STEP)
    assert len(await worker.replies(card)) == 2


@pytest.mark.fault
@pytest.mark.parametrize(("fault", "expected"), _PASSING)
async def test_a_redraw_is_repeated_until_slack_takes_it(
    fault: Fault, expected: ErrorType, worker: SlackWorker, slack_proxy: SlackProxy
) -> None:
    """The last state is shown in the end."""
    card = await worker.publish(fresh("running"))
    injection = slack_proxy.inject("chat.update", fault)
    done = replace(fresh("succeeded"), card=card)
    delivered = await worker.deliver(worker.messages.publish, PublishInput(state=done))
    assert injection.fired == 1
    assert delivered.types == [expected]
    (shown,) = await worker.cards()
    assert shown["text"].startswith("✅ Stopped and snapshotted: web-1 on edge")


async def test_the_delay_that_slack_asks_for_is_kept(
    worker: SlackWorker, slack_proxy: SlackProxy
) -> None:
    """A 429 sets the time of the next attempt, and holds no worker meanwhile."""
    injection = slack_proxy.inject("chat.postMessage", Fault.RATE_LIMITED, retry_after=37)
    with pytest.raises(ApplicationError) as raised:
        await worker.publish(fresh("pending"))
    assert injection.fired == 1
    assert raised.value.next_retry_delay == timedelta(seconds=37)
    assert slack_proxy.count("chat.postMessage") == 1


@pytest.mark.parametrize(
    "code",
    ["channel_not_found", "not_in_channel", "is_archived", "restricted_action", "msg_too_long"],
)
async def test_what_slack_refuses_for_good_is_not_repeated(
    code: str, worker: SlackWorker, slack_proxy: SlackProxy
) -> None:
    """A refusal ends the activity at once and names Slack's own code, nothing else."""
    slack_proxy.inject("chat.postMessage", Fault.REFUSED, error=code)
    with pytest.raises(ApplicationError) as raised:
        await worker.deliver(worker.messages.publish, PublishInput(state=fresh("pending")))
    assert raised.value.type == ErrorType.SLACK_REFUSED
    assert raised.value.message == f"Slack refuses chat.postMessage: {code}"
    assert slack_proxy.count("chat.postMessage") == 1


@pytest.mark.parametrize("fault", [Fault.SERVER_ERROR, Fault.GARBLED])
async def test_the_body_of_an_answer_is_never_passed_on(
    fault: Fault, worker: SlackWorker, slack_proxy: SlackProxy
) -> None:
    """What Slack, or something before it, answered does not get into the history."""
    injection = slack_proxy.inject("chat.postMessage", fault)
    with pytest.raises(ApplicationError) as raised:
        await worker.publish(fresh("pending"))
    assert injection.fired == 1
    assert "secret-body" not in raised.value.message
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__


async def test_a_deleted_card_is_posted_anew(worker: SlackWorker, local_slack: LocalSlack) -> None:
    """Somebody deleted the card: the request gets one that goes on from there."""
    card = await worker.publish(fresh("pending"))
    await local_slack.delete((await worker.cards())[0])
    again = await worker.publish(replace(fresh("succeeded"), card=card), OUTCOME)
    assert again.ts != card.ts
    assert [m["ts"] for m in await worker.cards()] == [again.ts]
    assert len(await worker.replies(again)) == 1


async def test_a_last_word_finds_the_card_that_nobody_heard_of(worker: SlackWorker) -> None:
    """A request that was ended while its card was posted never knew where that stands."""
    card = await worker.publish(fresh("pending"))
    over = replace(fresh("cancelled"), card=None)
    assert over.closed
    assert await worker.publish(over) == card
    (shown,) = await worker.cards()
    assert "Cancelled" in texts(shown)


@pytest.mark.fault
async def test_a_card_that_was_posted_anew_is_found_again(
    worker: SlackWorker, local_slack: LocalSlack, slack_proxy: SlackProxy
) -> None:
    """A lost answer to the second posting does not give a third card."""
    card = await worker.publish(fresh("pending"))
    await local_slack.delete((await worker.cards())[0])
    injection = slack_proxy.inject("chat.postMessage", Fault.LOST_ANSWER)
    state = replace(fresh("running"), card=card)
    delivered = await worker.deliver(
        worker.messages.publish, PublishInput(state=state), keep_heartbeats=False
    )
    assert injection.fired == 1
    assert [m["ts"] for m in await worker.cards()] == [delivered.result.ts]


@pytest.mark.parametrize("method", ["conversations.history", "conversations.replies"])
async def test_without_the_right_to_read_it_still_works(
    method: str, worker: SlackWorker, slack_proxy: SlackProxy
) -> None:
    """An app without a history scope posts all the same, at worst twice."""
    slack_proxy.inject(method, Fault.REFUSED, error="missing_scope", times=5)
    injection = slack_proxy.inject("chat.postMessage", Fault.SERVER_ERROR)
    delivered = await worker.deliver(
        worker.messages.publish, PublishInput(state=fresh("running"), thread=(STEP,))
    )
    assert injection.fired == 1
    assert len(await worker.cards()) == 1
    assert len(await worker.replies(delivered.result)) == 1


@pytest.mark.fault
async def test_without_the_right_to_read_the_heartbeat_knows_the_card(
    worker: SlackWorker, slack_proxy: SlackProxy
) -> None:
    """When a later call fails, the card that was posted before is not posted again."""
    slack_proxy.inject("conversations.history", Fault.REFUSED, error="missing_scope", times=5)
    late = slack_proxy.inject(
        "chat.postMessage", Fault.SERVER_ERROR, when=lambda payload: "thread_ts" in payload
    )
    await worker.deliver(
        worker.messages.publish, PublishInput(state=fresh("running"), thread=(STEP,))
    )
    assert late.fired == 1
    assert len(await worker.cards()) == 1


async def test_a_card_without_a_link_is_better_than_none(
    worker: SlackWorker, slack_proxy: SlackProxy
) -> None:
    """A failing look-up of the permalink does not hold the request up."""
    injection = slack_proxy.inject("chat.getPermalink", Fault.SERVER_ERROR)
    card = await worker.publish(fresh("pending"))
    assert injection.fired == 1
    assert card.permalink == ""
    assert card.channel_id == CHANNEL_ID


@pytest.mark.fault
async def test_a_call_that_hangs_is_given_up(
    worker: SlackWorker, slack_proxy: SlackProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A Slack that does not answer costs seconds, not the whole attempt."""
    monkeypatch.setattr("activities.slack.client.CALL_SECONDS", 1)
    # Not the call itself comes late: it would reach the Slack of another test.
    injection = slack_proxy.inject("chat.postMessage", Fault.LATE_ANSWER, seconds=10)
    began = datetime.now(UTC)
    with pytest.raises(ApplicationError) as raised:
        await worker.publish(fresh("pending"))
    assert injection.fired == 1
    assert raised.value.type == ErrorType.SLACK_UNAVAILABLE
    assert datetime.now(UTC) - began < timedelta(seconds=5)
