"""What if a channel takes nothing more: does everybody concerned hear, once, and nobody else?"""

from __future__ import annotations

from dataclasses import replace

import pytest
from temporalio.exceptions import ApplicationError

from activities.slack.direct import recipients
from tests.integration.activities.slack.slack_worker import SlackWorker, fresh
from tests.integration.activities.slack.test_messages import APPROVED, OUTCOME, STEP
from tests.rigs.local_slack import CHANNEL_ID, texts
from tests.rigs.slack_proxy import Fault, SlackProxy
from tests.unit.activities.slack.card_parts import ALICE, BOB, CAROL
from tests.unit.activities.slack.card_states import STATES
from workflows.model.errors import ErrorType
from workflows.model.ports import PublishInput, ThreadEntry, ThreadKind
from workflows.model.state import CardRef, RequestState

PAGE = ThreadEntry(key="page", kind=ThreadKind.PAGE)
STUCK = ThreadEntry(key="stuck", kind=ThreadKind.STUCK)
_ALWAYS = 100
_DEAD = ["is_archived", "channel_not_found", "not_in_channel", "restricted_action", "is_inactive"]


def close_channel(slack_proxy: SlackProxy, code: str = "is_archived") -> None:
    """Let the channel take nothing any more, neither changes nor messages."""
    slack_proxy.inject("chat.update", Fault.REFUSED, error=code, times=_ALWAYS)
    slack_proxy.inject(
        "chat.postMessage",
        Fault.REFUSED,
        error=code,
        times=_ALWAYS,
        when=lambda payload: payload["channel"] == CHANNEL_ID,
    )


def sent_directly(slack_proxy: SlackProxy) -> list[str]:
    """List to whom something was sent directly, in order."""
    sent = [c.payload["channel"] for c in slack_proxy.calls if c.method == "chat.postMessage"]
    return [str(channel) for channel in sent if channel != CHANNEL_ID]


async def messages_each(worker: SlackWorker, *people: str) -> list[int]:
    """Count the messages that each person really has."""
    return [len(await worker.told_directly(user)) for user in people]


async def closed_on(
    worker: SlackWorker, slack_proxy: SlackProxy, name: str, code: str = "is_archived"
) -> RequestState:
    """Give a request that has come to a state after its channel was closed."""
    card = await worker.publish(fresh("pending"))
    close_channel(slack_proxy, code)
    return replace(fresh(name), card=card)


@pytest.mark.parametrize("code", _DEAD)
async def test_the_outcome_goes_to_who_asked_and_who_decided(
    code: str, worker: SlackWorker, slack_proxy: SlackProxy
) -> None:
    """They read what became of it, and why it comes this way; the card's place stays."""
    state = await closed_on(worker, slack_proxy, "succeeded", code)
    assert await worker.publish(state, APPROVED, STEP, OUTCOME) == state.card
    assert sent_directly(slack_proxy) == [ALICE, BOB]
    (message,) = await worker.told_directly(BOB)
    assert "✅ Stopped and snapshotted: `web-1` on *edge*" in texts(message)
    assert f"Slack does not take it in <#{CHANNEL_ID}> (`{code}`)" in texts(message)
    assert "`/dockwarden status 0a1b2c3d4e5f` shows how it stands" in texts(message)


@pytest.mark.parametrize("entry", [PAGE, STUCK], ids=["page", "stuck"])
async def test_a_call_for_help_goes_to_those_who_could_have_decided_too(
    entry: ThreadEntry, worker: SlackWorker, slack_proxy: SlackProxy
) -> None:
    """Somebody always hears that a container is down, with the commands."""
    state = await closed_on(worker, slack_proxy, "needs-person")
    await worker.publish(state, entry)
    assert sent_directly(slack_proxy) == [ALICE, BOB, CAROL]
    (message,) = await worker.told_directly(CAROL)
    assert "🛑" in texts(message)
    assert "docker" in texts(message)


def test_the_all_clear_goes_to_everybody_who_was_called() -> None:
    """Nobody is left believing that it still burns."""
    assert recipients(STATES["put-back"], OUTCOME) == [ALICE, BOB]
    assert recipients(replace(STATES["put-back"], paged=True), OUTCOME) == [ALICE, BOB, CAROL]


def test_what_is_no_person_is_not_written_to() -> None:
    """A request from a terminal may name anybody."""
    state = replace(STATES["succeeded"], requester="<!channel>")
    assert recipients(state, OUTCOME) == [BOB]


@pytest.mark.fault
@pytest.mark.parametrize("keep_heartbeats", [True, False], ids=["heartbeat kept", "worker died"])
@pytest.mark.parametrize("fault", [Fault.SERVER_ERROR, Fault.LOST_ANSWER, Fault.RATE_LIMITED])
async def test_everybody_hears_once_although_slack_fails(
    fault: Fault,
    keep_heartbeats: bool,
    worker: SlackWorker,
    slack_proxy: SlackProxy,
) -> None:
    """A failure in the middle of the list repeats nothing and leaves nobody out."""
    state = await closed_on(worker, slack_proxy, "needs-person")
    injection = slack_proxy.inject(
        "chat.postMessage", fault, when=lambda payload: payload["channel"] == BOB
    )
    delivered = await worker.deliver(
        worker.messages.publish,
        PublishInput(state=state, thread=(PAGE,)),
        keep_heartbeats=keep_heartbeats,
    )
    assert injection.fired == 1
    assert delivered.result == state.card
    assert await messages_each(worker, ALICE, BOB, CAROL) == [1, 1, 1]


async def test_a_second_drawing_repeats_nothing(
    worker: SlackWorker, slack_proxy: SlackProxy
) -> None:
    """A drawing that was cut off half-way is taken up by another without doubling a page."""
    state = await closed_on(worker, slack_proxy, "needs-person")
    await worker.publish(state, PAGE)
    await worker.publish(state, PAGE, OUTCOME)
    assert await messages_each(worker, ALICE, BOB, CAROL) == [2, 2, 2]


async def test_who_cannot_be_told_holds_nobody_else_up(
    worker: SlackWorker, slack_proxy: SlackProxy
) -> None:
    """A requester who left the workspace does not keep the page from the others."""
    state = await closed_on(worker, slack_proxy, "needs-person")
    slack_proxy.inject(
        "chat.postMessage",
        Fault.REFUSED,
        error="channel_not_found",
        when=lambda payload: payload["channel"] == ALICE,
    )
    assert await worker.publish(state, PAGE) == state.card
    assert sent_directly(slack_proxy) == [ALICE, BOB, CAROL]


async def test_what_nobody_can_be_told_is_an_error_for_good(
    worker: SlackWorker, slack_proxy: SlackProxy
) -> None:
    """The workflow learns that nobody heard, by the code of the channel."""
    state = await closed_on(worker, slack_proxy, "succeeded")
    slack_proxy.inject("chat.postMessage", Fault.REFUSED, error="cannot_dm_bot", times=_ALWAYS)
    with pytest.raises(ApplicationError) as raised:
        await worker.publish(state, OUTCOME)
    assert raised.value.type == ErrorType.SLACK_REFUSED
    assert raised.value.non_retryable
    assert raised.value.message == "Slack refuses chat.postMessage: is_archived"


@pytest.mark.parametrize("name", ["pending", "running", "needs-person"])
async def test_what_is_no_last_word_and_no_call_is_not_sent_to_people(
    name: str, worker: SlackWorker, slack_proxy: SlackProxy
) -> None:
    """Each redraw of a card in a channel that is gone disturbs nobody."""
    state = await closed_on(worker, slack_proxy, name)
    with pytest.raises(ApplicationError) as raised:
        await worker.publish(state, STEP)
    assert raised.value.type == ErrorType.SLACK_REFUSED
    assert sent_directly(slack_proxy) == []


async def test_a_first_card_that_the_channel_does_not_take_is_refused(
    worker: SlackWorker, slack_proxy: SlackProxy
) -> None:
    """A request whose card never was is told to the requester by the request itself."""
    close_channel(slack_proxy)
    with pytest.raises(ApplicationError) as raised:
        await worker.publish(fresh("pending"))
    assert raised.value.type == ErrorType.SLACK_REFUSED
    assert sent_directly(slack_proxy) == []


async def test_the_last_word_without_a_card_goes_to_people(
    worker: SlackWorker, slack_proxy: SlackProxy
) -> None:
    """A request that was ended while its card was being posted is told all the same."""
    close_channel(slack_proxy)
    place = await worker.publish(replace(fresh("cancelled"), card=None), OUTCOME)
    assert place == CardRef(channel_id=CHANNEL_ID, ts="")
    assert sent_directly(slack_proxy) == [ALICE]


@pytest.mark.parametrize(
    "code", ["restricted_action_non_threadable_channel", "cannot_reply_to_message"]
)
async def test_a_thread_that_takes_nothing_keeps_no_word_back(
    code: str, worker: SlackWorker, slack_proxy: SlackProxy
) -> None:
    """The card is drawn in the channel; what is urgent goes to people, the log is left out."""
    slack_proxy.inject(
        "chat.postMessage",
        Fault.REFUSED,
        error=code,
        times=_ALWAYS,
        when=lambda payload: "thread_ts" in payload,
    )
    card = await worker.publish(fresh("needs-person"), STEP, PAGE)
    assert [m["ts"] for m in await worker.cards()] == [card.ts]
    assert sent_directly(slack_proxy) == [ALICE, BOB, CAROL]
