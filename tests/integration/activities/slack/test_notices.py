"""Is everybody told in private who is to be told, and nobody else?"""

from __future__ import annotations

from dataclasses import replace

import pytest
from temporalio.exceptions import ApplicationError

from tests.integration.activities.slack.slack_worker import SlackWorker, fresh
from tests.rigs.local_slack import BOB, CAROL, CHANNEL_ID, DAVE, LocalSlack, texts
from tests.rigs.slack_proxy import Fault, SlackProxy
from workflows.model.errors import ErrorType, RefusalCode
from workflows.model.ports import Notice, NotifyInput
from workflows.model.state import Refusal


def notice_to(user: str, code: RefusalCode = RefusalCode.NOT_AN_APPROVER) -> Notice:
    """Build a notice to one person."""
    state = replace(fresh("pending"), pin=None, reason="", steps=())
    return Notice(
        notice_id=f"n.{user}",
        user_id=user,
        channel_id=CHANNEL_ID,
        refusal=Refusal(code=code),
        state=state,
    )


EVERYBODY = NotifyInput(notices=(notice_to(BOB), notice_to(CAROL), notice_to(DAVE)))


async def private(local_slack: LocalSlack) -> list[str]:
    """List who was told something in private, in order."""
    told = [m for m in await local_slack.messages() if m.get("subtype") == "ephemeral"]
    assert all("That did not count" in texts(m) for m in told)
    return [str(m["ephemeral_to"]) for m in told]


async def test_each_person_is_told_in_private(worker: SlackWorker, local_slack: LocalSlack) -> None:
    """A refusal is shown to the one it is about."""
    await worker.run(worker.messages.notify, EVERYBODY)
    assert await private(local_slack) == [BOB, CAROL, DAVE]


async def test_advice_names_the_command_that_is_set(
    worker: SlackWorker, local_slack: LocalSlack
) -> None:
    """A set-up with another slash command sends nobody to one that is not there."""
    told = notice_to(BOB, RefusalCode.UNKNOWN_CONTAINER)
    await worker.run(worker.messages.notify, NotifyInput(notices=(told,)))
    (private,) = [m for m in await local_slack.messages() if m.get("subtype") == "ephemeral"]
    assert "`/dockwarden list on edge` shows all" in texts(private)


@pytest.mark.fault
@pytest.mark.parametrize("fault", [Fault.RATE_LIMITED, Fault.SERVER_ERROR, Fault.RESET])
async def test_a_repetition_goes_on_where_it_failed(
    fault: Fault, worker: SlackWorker, local_slack: LocalSlack, slack_proxy: SlackProxy
) -> None:
    """Whoever was told already is not told again."""
    injection = slack_proxy.inject(
        "chat.postEphemeral", fault, when=lambda payload: payload["user"] == CAROL
    )
    delivered = await worker.deliver(worker.messages.notify, EVERYBODY)
    assert injection.fired == 1
    assert len(delivered.failures) == 1
    assert await private(local_slack) == [BOB, CAROL, DAVE]


@pytest.mark.parametrize(
    "code",
    [
        *("user_not_in_channel", "channel_not_found", "not_in_channel", "is_archived"),
        *("restricted_action", "restricted_action_read_only_channel", "team_not_found"),
        *("no_permission", "code_of_tomorrow"),
    ],
)
async def test_what_the_channel_does_not_take_is_told_directly(
    code: str, worker: SlackWorker, slack_proxy: SlackProxy
) -> None:
    """An archived channel, or one that the person is not in, keeps no answer back."""
    injection = slack_proxy.inject("chat.postEphemeral", Fault.REFUSED, error=code)
    await worker.run(worker.messages.notify, NotifyInput(notices=(notice_to(CAROL),)))
    assert injection.fired == 1
    (direct,) = [c.payload for c in slack_proxy.calls if c.method == "chat.postMessage"]
    assert direct["channel"] == CAROL


@pytest.mark.fault
@pytest.mark.parametrize("fault", [Fault.SERVER_ERROR, Fault.LOST_ANSWER])
async def test_what_is_told_directly_is_told_once(
    fault: Fault, worker: SlackWorker, slack_proxy: SlackProxy
) -> None:
    """A lost answer to a direct message does not repeat it."""
    slack_proxy.inject("chat.postEphemeral", Fault.REFUSED, error="is_archived", times=9)
    injection = slack_proxy.inject("chat.postMessage", fault)
    await worker.deliver(worker.messages.notify, EVERYBODY)
    assert injection.fired == 1
    assert [len(await worker.told_directly(user)) for user in (BOB, CAROL, DAVE)] == [1, 1, 1]


async def test_one_who_cannot_be_told_holds_nobody_else_up(
    worker: SlackWorker, local_slack: LocalSlack, slack_proxy: SlackProxy
) -> None:
    """A refusal for one person is logged, and the others are told."""
    injections = [
        slack_proxy.inject(method, Fault.REFUSED, error="user_is_restricted")
        for method in ("chat.postEphemeral", "chat.postMessage")
    ]
    await worker.run(worker.messages.notify, EVERYBODY)
    assert [injection.fired for injection in injections] == [1, 1]
    assert await private(local_slack) == [CAROL, DAVE]


async def test_a_notice_that_nobody_can_be_told_is_an_error_for_good(
    worker: SlackWorker, slack_proxy: SlackProxy
) -> None:
    """Neither the channel nor the people take it."""
    for method in ("chat.postEphemeral", "chat.postMessage"):
        slack_proxy.inject(method, Fault.REFUSED, error="user_is_restricted", times=3)
    with pytest.raises(ApplicationError) as raised:
        await worker.run(worker.messages.notify, EVERYBODY)
    assert raised.value.type == ErrorType.SLACK_REFUSED
    assert slack_proxy.count("chat.postMessage") == 3


async def test_a_refused_token_keeps_the_notices_for_later(
    worker: SlackWorker, local_slack: LocalSlack, slack_proxy: SlackProxy
) -> None:
    """When the token is taken again, everybody is told."""
    slack_proxy.inject("chat.postEphemeral", Fault.REFUSED, error="token_revoked", times=3)
    delivered = await worker.deliver(worker.messages.notify, EVERYBODY)
    assert delivered.types == [ErrorType.SLACK_FORBIDDEN] * 3
    assert await private(local_slack) == [BOB, CAROL, DAVE]


@pytest.mark.parametrize("user", ["", "bob", "<!channel>", "C0OPS0001"])
async def test_what_is_no_person_is_never_written_to(
    user: str, worker: SlackWorker, slack_proxy: SlackProxy
) -> None:
    """A made-up id, which a terminal could send, reaches no channel."""
    await worker.run(worker.messages.notify, NotifyInput(notices=(notice_to(user),)))
    assert slack_proxy.calls == []
