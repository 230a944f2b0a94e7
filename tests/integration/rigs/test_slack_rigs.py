"""Can the local Slack and the proxy before it be trusted?"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.web.async_client import AsyncWebClient

from tests.rigs.local_slack import (
    ALICE,
    CHANNEL_ID,
    CREDENTIALS,
    LocalSlack,
    find_button,
    is_card,
)
from tests.rigs.slack_proxy import SlackProxy


@pytest.fixture(name="local_slack")
async def _local_slack(tmp_path: Path) -> AsyncIterator[LocalSlack]:
    async with LocalSlack(tmp_path) as running:
        yield running


@pytest.fixture(name="slack_proxy")
async def _slack_proxy(local_slack: LocalSlack) -> AsyncIterator[SlackProxy]:
    async with SlackProxy(local_slack.url) as slack_proxy:
        yield slack_proxy


@pytest.fixture(name="web_client")
async def _web_client(slack_proxy: SlackProxy) -> AsyncIterator[AsyncWebClient]:
    async with aiohttp.ClientSession() as session:
        token, address = CREDENTIALS.bot_token, slack_proxy.api_url
        yield AsyncWebClient(token, address, session=session, retry_handlers=[])


async def test_a_payload_that_slack_would_not_take_is_refused(
    slack_proxy: SlackProxy, web_client: AsyncWebClient, local_slack: LocalSlack
) -> None:
    """The proxy refuses it as Slack does, keeps the reason, and the local Slack never sees it."""
    text = {"type": "mrkdwn", "text": "x" * 3001}
    too_long = {"type": "section", "block_id": "a", "text": text}
    with pytest.raises(SlackApiError, match="invalid_blocks"):
        await web_client.chat_postMessage(
            channel=CHANNEL_ID, text="x", blocks=[too_long], unfurl_links=False
        )
    assert len(slack_proxy.violations) == 1
    assert await local_slack.messages() == []


async def test_a_press_reaches_the_app_through_the_relay_and_a_cut_is_a_cut(
    slack_proxy: SlackProxy, web_client: AsyncWebClient, local_slack: LocalSlack
) -> None:
    """Socket Mode can be led through the proxy and cut; the client then connects anew."""
    relay = await slack_proxy.relay_sockets()
    received: asyncio.Queue[str] = asyncio.Queue()

    async def receive(_: object, request: object) -> None:
        await received.put(str(getattr(request, "type", "")))

    app = SocketModeClient(
        app_token=CREDENTIALS.app_token, web_client=web_client, ping_interval=0.2
    )
    app.socket_mode_request_listeners.append(receive)
    await app.connect()  # type: ignore[no-untyped-call]
    try:
        assert await _pressed(local_slack, received) == "interactive"
        first = relay.connected
        assert relay.cut() == first == 1
        await asyncio.wait_for(relay.wait_for_connection(first + 1), 20)
        assert await _pressed(local_slack, received) == "interactive"
    finally:
        await app.close()  # type: ignore[no-untyped-call]


async def _pressed(local_slack: LocalSlack, received: asyncio.Queue[str]) -> str:
    """Post a button as anybody could, press it until it arrives, and say what arrived."""
    button = {
        "type": "button",
        "action_id": "request.approve",
        "text": {"type": "plain_text", "text": "Approve"},
        "value": "v",
    }
    row = {"type": "actions", "block_id": "card.x", "elements": [button]}
    async with aiohttp.ClientSession() as session:
        web_client = AsyncWebClient(CREDENTIALS.bot_token, local_slack.api_url, session=session)
        await web_client.chat_postMessage(channel=CHANNEL_ID, text="x", blocks=[row])
    message = await local_slack.wait_for(is_card("x"))
    assert find_button(message, "request.approve")["block_id"] == "card.x"
    pressing = asyncio.create_task(local_slack.press(ALICE, message, "request.approve"))
    try:
        return await asyncio.wait_for(received.get(), 10)
    finally:
        pressing.cancel()


async def test_a_missing_button_is_named(local_slack: LocalSlack) -> None:
    """A test that presses what is not there says which buttons there are."""
    with pytest.raises(LookupError, match=r"no button request\.approve"):
        find_button({"blocks": []}, "request.approve")
    assert local_slack.url
