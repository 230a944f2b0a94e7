"""What if Slack refuses our token for a while: is anything lost, and who hears of it?"""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta

import pytest
from temporalio.exceptions import ApplicationError

from activities.slack.client import SlackClient
from activities.slack.health import APP_CODES, TOKEN_CODES
from tests.integration.activities.slack.slack_worker import SlackWorker, fresh
from tests.integration.activities.slack.test_messages import OUTCOME
from tests.rigs.local_slack import BOB, texts
from tests.rigs.slack_proxy import Fault, SlackProxy
from workflows.model.errors import ErrorType
from workflows.model.ports import LookUpInput, PublishInput


@pytest.mark.fault
@pytest.mark.parametrize("code", sorted(TOKEN_CODES | APP_CODES))
async def test_the_last_card_outlives_a_refused_token(
    code: str, worker: SlackWorker, slack_proxy: SlackProxy, web_client: SlackClient
) -> None:
    """What blames us is tried again until it is mended; the card and its reply then come."""
    card = await worker.publish(fresh("running"))
    injection = slack_proxy.inject("chat.update", Fault.REFUSED, error=code, times=3)
    over = PublishInput(state=replace(fresh("succeeded"), card=card), thread=(OUTCOME,))
    delivered = await worker.deliver(worker.messages.publish, over)
    assert injection.fired == 3
    assert delivered.types == [ErrorType.SLACK_FORBIDDEN] * 3
    assert delivered.failures[0].message == f"Slack refuses chat.update: {code}"
    (shown,) = await worker.cards()
    assert "Stopped and snapshotted" in texts(shown)
    assert len(await worker.replies(card)) == 1
    assert web_client.health.refused == ""


async def test_the_worker_knows_that_slack_refuses_its_token(
    worker: SlackWorker, slack_proxy: SlackProxy, web_client: SlackClient
) -> None:
    """As long as no call is accepted, the code is there for a health check to read."""
    slack_proxy.inject("chat.postMessage", Fault.REFUSED, error="token_revoked")
    with pytest.raises(ApplicationError):
        await worker.publish(fresh("pending"))
    assert web_client.health.refused == "token_revoked"
    await worker.publish(fresh("pending"))
    assert web_client.health.refused == ""


async def test_a_missing_right_is_not_forgotten_for_what_works(
    worker: SlackWorker, slack_proxy: SlackProxy, web_client: SlackClient
) -> None:
    """A scope that is missing for one method is missing although others work."""
    slack_proxy.inject("users.info", Fault.REFUSED, error="missing_scope")
    with pytest.raises(ApplicationError):
        await worker.run(worker.directory.look_up_person, LookUpInput(user_id=BOB))
    await worker.publish(fresh("pending"))
    assert web_client.health.refused == "missing_scope"
    await worker.run(worker.directory.look_up_person, LookUpInput(user_id=BOB))
    assert web_client.health.refused == ""


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (Fault.REFUSED, "channel_not_found"),
        (Fault.REFUSED, "internal_error"),
        (Fault.RATE_LIMITED, ""),
        (Fault.RESET, ""),
    ],
)
async def test_what_blames_something_else_says_nothing_about_the_token(
    fault: Fault, code: str, worker: SlackWorker, slack_proxy: SlackProxy, web_client: SlackClient
) -> None:
    """A channel that is gone, or a busy Slack, is no alarm."""
    injection = slack_proxy.inject("chat.postMessage", fault, error=code)
    with pytest.raises(ApplicationError) as raised:
        await worker.publish(fresh("pending"))
    assert raised.value.type != ErrorType.SLACK_FORBIDDEN
    assert injection.fired == 1
    assert web_client.health.refused == ""


@pytest.mark.parametrize("method", ["chat.getPermalink", "conversations.replies"])
async def test_a_right_that_one_can_do_without_is_no_alarm(
    method: str, worker: SlackWorker, slack_proxy: SlackProxy, web_client: SlackClient
) -> None:
    """A card without a link, or a thread that cannot be read, is no reason to call an operator."""
    injection = slack_proxy.inject(method, Fault.REFUSED, error="missing_scope")
    card = await worker.publish(fresh("pending"))
    await worker.publish(replace(fresh("succeeded"), card=card), OUTCOME)
    assert injection.fired == 1
    assert web_client.health.refused == ""


@pytest.mark.parametrize(("attempt", "seconds"), [(1, 1), (2, 2), (4, 8), (9, 60), (5000, 60)])
async def test_it_is_tried_again_soon_and_then_once_a_minute(
    attempt: int, seconds: int, worker: SlackWorker, slack_proxy: SlackProxy
) -> None:
    """A token that is renewed within seconds costs seconds."""
    slack_proxy.inject("chat.postMessage", Fault.REFUSED, error="token_expired")
    slack_proxy.inject("conversations.history", Fault.REFUSED, error="token_expired")
    with pytest.raises(ApplicationError) as raised:
        await worker.run(
            worker.messages.publish, PublishInput(state=fresh("pending")), attempt=attempt
        )
    assert raised.value.next_retry_delay == timedelta(seconds=seconds)
    assert not raised.value.non_retryable


async def test_an_operator_reads_of_it_once(
    worker: SlackWorker, slack_proxy: SlackProxy, caplog: pytest.LogCaptureFixture
) -> None:
    """Ten refusals are one error in the log, with Slack's code, and the mending is told too."""
    slack_proxy.inject("chat.postMessage", Fault.REFUSED, error="account_inactive", times=10)
    with caplog.at_level(logging.INFO, logger="activities.slack.health"):
        for _ in range(10):
            with pytest.raises(ApplicationError):
                await worker.publish(fresh("pending"))
        await worker.publish(fresh("pending"))
    told = [r for r in caplog.records if r.name == "activities.slack.health"]
    assert [record.levelname for record in told] == ["ERROR", "INFO"]
    assert "account_inactive" in told[0].getMessage()


@pytest.mark.fault
async def test_a_token_refused_at_the_look_for_the_card_gives_no_second_card(
    worker: SlackWorker, slack_proxy: SlackProxy
) -> None:
    """That nothing can be read now does not mean that nothing was posted."""
    slack_proxy.inject("chat.postMessage", Fault.LOST_ANSWER)
    slack_proxy.inject("conversations.history", Fault.REFUSED, error="token_revoked")
    delivered = await worker.deliver(
        worker.messages.publish, PublishInput(state=fresh("pending")), keep_heartbeats=False
    )
    assert delivered.types == [ErrorType.SLACK_UNAVAILABLE, ErrorType.SLACK_FORBIDDEN]
    assert len(await worker.cards()) == 1
