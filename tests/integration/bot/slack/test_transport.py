"""Do deliveries arrive over sockets and over HTTP, each once, and only those that Slack signed?"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import logging
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import aiohttp
import pytest

from bot.settings import ConfigurationError
from bot.slack.client import slack_client
from bot.slack.transport import HTTP_PATH, HttpTransport, SocketTransport
from tests.fakes.slack_stub import SlackStub
from tests.integration.bot.slack.bot_on_stub import (
    BUTTON,
    Bot,
    bot_on,
    click_body,
    command_body,
    http_body,
)
from tests.rigs.deliveries import send_bytes
from tests.rigs.waiting import eventually
from workflows.model.names import ActionId

SIGNING_KEY = "s3cret"
APP_LEVEL = "xapp-test"


@asynccontextmanager
async def _sockets(bot: Bot) -> AsyncIterator[SocketTransport]:
    async with aiohttp.ClientSession() as session:
        client = slack_client("xoxb-test", f"{bot.slack_stub.url}/api/", session)
        transport = SocketTransport(
            bot.app, app_token=APP_LEVEL, web_client=client, ping_seconds=0.2
        )
        await transport.start()
        try:
            yield transport
        finally:
            await transport.stop_listening()
            await transport.close()


async def test_two_sockets_and_one_answer_each(bot: Bot) -> None:
    """A command that comes over both sockets is worked on once and answered over both."""
    async with _sockets(bot) as transport:
        await bot.slack_stub.until(lambda: bot.slack_stub.live_sockets() == 2)
        await eventually(lambda: transport.is_ready)

        assert (
            await bot.slack_stub.deliver(
                "e1", "slash_commands", command_body("help", bot.slack_stub)
            )
            == 2
        )
        await bot.slack_stub.until(lambda: len(bot.slack_stub.acks) == 2)

    first, second = bot.slack_stub.acks
    assert first == second
    assert first["envelope_id"] == "e1"
    assert "/container stop" in first["payload"]["text"]


async def test_one_click_over_two_sockets_is_one_decision(bot: Bot) -> None:
    """The second copy of a click changes nothing; a second click does go through."""
    async with _sockets(bot):
        await bot.slack_stub.until(lambda: bot.slack_stub.live_sockets() == 2)
        for envelope in ("e1", "e2"):
            body = click_body(ActionId.APPROVE, BUTTON, bot.slack_stub)
            await bot.slack_stub.deliver(envelope, "interactive", body)
        await bot.slack_stub.until(lambda: len(bot.slack_stub.acks) == 4)

    assert len(bot.requests.decisions) == 2


@pytest.mark.fault
async def test_a_stale_address_is_thrown_away(bot: Bot) -> None:
    """Addresses that Slack no longer takes are replaced, instead of being tried for ever."""
    bot.slack_stub.stale_addresses = 3
    async with asyncio.timeout(10), _sockets(bot):
        await bot.slack_stub.until(lambda: bot.slack_stub.live_sockets() == 2, seconds=8)

    assert {"2", "3"} <= set(bot.slack_stub.handshakes)
    assert bot.slack_stub.count("apps.connections.open") >= 5


@pytest.mark.fault
async def test_a_lost_slack_is_found_again(bot: Bot) -> None:
    """When all sockets break, they are opened again by themselves."""
    async with _sockets(bot) as transport:
        await bot.slack_stub.until(lambda: bot.slack_stub.live_sockets() == 2)
        await bot.slack_stub.drop_sockets()

        await bot.slack_stub.until(lambda: bot.slack_stub.live_sockets() == 2)
        await eventually(lambda: transport.is_ready)

    assert bot.slack_stub.count("apps.connections.open") >= 4


async def test_a_refused_app_token_ends_the_start(bot: Bot) -> None:
    """A wrong app-level token is told at once, not tried for ever."""
    bot.slack_stub.refusals["apps.connections.open"] = "invalid_auth"

    with pytest.raises(ConfigurationError, match="DOCKWARDEN_SLACK_APP_TOKEN"):
        async with _sockets(bot):
            pass


async def test_a_stopping_bot_answers_what_it_began(bot: Bot) -> None:
    """A start under way is answered over its socket; what comes later is left to others."""
    release, began = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        began.set()
        await release.wait()

    bot.requests.before = hold
    async with _sockets(bot) as transport:
        await bot.slack_stub.until(lambda: bot.slack_stub.live_sockets() == 2)
        await bot.slack_stub.deliver(
            "e1", "slash_commands", command_body("stop web-1", bot.slack_stub)
        )
        await began.wait()
        await transport.stop_listening()
        await bot.slack_stub.deliver(
            "e2", "slash_commands", command_body("stop web-2", bot.slack_stub)
        )
        release.set()
        assert await bot.runner.drain(5)

    await bot.slack_stub.until(lambda: len(bot.slack_stub.acks) >= 1)
    assert {ack["envelope_id"] for ack in bot.slack_stub.acks} == {"e1"}
    assert [request.container.name for request in bot.requests.started] == ["web-1"]


Post = Callable[..., Awaitable[tuple[int, str]]]


@pytest.fixture(name="signed_bot")
async def _signed_bot(slack_stub: SlackStub) -> AsyncIterator[Bot]:
    async with bot_on(slack_stub, signing_secret=SIGNING_KEY) as bot:
        yield bot


def _transport(bot: Bot, port: int = 0) -> HttpTransport:
    return HttpTransport(bot.app, signing_secret=SIGNING_KEY, address="127.0.0.1", port=port)


@pytest.fixture(name="post")
async def _post(signed_bot: Bot) -> AsyncIterator[Post]:
    transport = _transport(signed_bot)
    await transport.start()
    async with aiohttp.ClientSession() as session:

        async def post(body: str, headers: dict[str, str]) -> tuple[int, str]:
            url = f"http://127.0.0.1:{transport.port}{HTTP_PATH}"
            form = {"Content-Type": "application/x-www-form-urlencoded"}
            async with session.post(url, data=body, headers={**form, **headers}) as response:
                return response.status, await response.text()

        yield post
    await transport.stop_listening()
    await transport.close()


def _signature(body: str, *, key: str = SIGNING_KEY, age: float = 0) -> dict[str, str]:
    timestamp = str(int(time.time() - age))
    digest = hmac.new(key.encode(), f"v0:{timestamp}:{body}".encode(), hashlib.sha256)
    return {
        "X-Slack-Request-Timestamp": timestamp,
        "X-Slack-Signature": f"v0={digest.hexdigest()}",
    }


async def test_a_signed_call_is_answered(signed_bot: Bot, post: Post) -> None:
    """What Slack signed starts a request, whose card is the answer, or is answered at once."""
    for text, is_answered in (("stop web-1", False), ("help", True)):
        body = http_body(command_body(text, signed_bot.slack_stub))
        status, answer = await post(body, _signature(body))
        assert status == 200
        assert bool(answer) is is_answered

    assert len(signed_bot.requests.started) == 1
    assert json.loads(answer)["response_type"] == "ephemeral"


@pytest.mark.fault
@pytest.mark.parametrize(
    "headers",
    [
        # no signature at all
        lambda _body: {},
        # made with another secret
        lambda body: _signature(body, key="guess"),
        # made with none
        lambda body: _signature(body, key=""),
        # of another body
        lambda body: _signature(body + "x"),
        # a recording of six minutes ago, rightly signed
        lambda body: _signature(body, age=360),
        # from a clock six minutes ahead
        lambda body: _signature(body, age=-360),
    ],
)
async def test_a_forged_or_old_call_is_refused(
    signed_bot: Bot,
    post: Post,
    caplog: pytest.LogCaptureFixture,
    headers: Callable[[str], dict[str, str]],
) -> None:
    """What Slack did not sign just now is refused with 401, logged, and starts nothing."""
    body = http_body(command_body("stop web-1", signed_bot.slack_stub))

    status, _ = await post(body, headers(body))

    assert status == 401
    assert signed_bot.requests.started == []
    assert "refused: bad signature" in caplog.text


@pytest.mark.fault
async def test_forged_calls_are_one_line_a_minute(
    signed_bot: Bot, post: Post, caplog: pytest.LogCaptureFixture
) -> None:
    """However many there are, and whatever is in them, the log stays short and names none of it."""
    bodies = ("x" * 1000, "payload={bad", "payload=[]", "payload=" + "[" * 10_000, "ssl_check=0")
    headers = (
        {},
        {"Content-Type": "application/json"},
        {"Content-Type": "text/plain; charset=nonsense"},
        {"X-Slack-Signature": "v0=00", "X-Slack-Request-Timestamp": "soon"},
        {"X-Slack-Signature": "v0=\u00e9", "X-Slack-Request-Timestamp": str(int(time.time()))},
    )
    with caplog.at_level(logging.INFO):
        for body in bodies:
            for extra in headers:
                for _ in range(8):
                    assert (await post(body, extra))[0] == 401

    (line,) = caplog.records
    assert (line.getMessage(), line.levelname) == ("refused: bad signature", "WARNING")
    assert vars(line)["times"] == 1
    assert signed_bot.requests.started == []


@pytest.mark.fault
@pytest.mark.parametrize(
    "sent",
    [
        # no HTTP at all, and nearly
        b"\x16\x03\x01\x02\r\n\r\n",
        b"FOO / HTTP/9.9\r\n\r\n",
        b"POST /slack/events HTTP/1.1\r\nHost: x\r\nContent-Length: abc\r\n\r\n",
        b"POST /slack/events HTTP/1.1\r\nX: " + b"a" * 20_000 + b"\r\n\r\n",
        # a body that is none, breaks off, is too long, or is no text
        b"POST /slack/events HTTP/1.1\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nbad",
        b"POST /slack/events HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf",
        b"POST /slack/events HTTP/1.1\r\nHost: x\r\nContent-Length: 1100000\r\n\r\n"
        + b"x" * 1_100_000,
        b"POST /slack/events HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n\xff\xfe",
        # another way or place
        b"GET /slack/events HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST /elsewhere HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
    ],
)
async def test_what_is_no_call_is_one_line_a_minute(
    signed_bot: Bot, caplog: pytest.LogCaptureFixture, sent: bytes
) -> None:
    """Nobody fills the log with stack traces by sending what cannot be read."""
    transport = _transport(signed_bot)
    await transport.start()
    with caplog.at_level(logging.INFO):
        for _ in range(5):
            await send_bytes(transport.port, sent)
        await transport.stop_listening()
        await transport.close()

    lines = [record for record in caplog.records if record.levelno >= logging.INFO]
    assert len(lines) <= 1
    assert all(line.exc_info is None and "refused" in line.getMessage() for line in lines)


async def test_slacks_look_at_a_certificate_is_answered(post: Post) -> None:
    """It is not signed, and nothing comes of it."""
    assert await post("token=x&ssl_check=1", {}) == (200, "")


@pytest.mark.fault
async def test_a_recorded_call_played_again_starts_nothing(signed_bot: Bot, post: Post) -> None:
    """The same signed bytes sent again at once are one request."""
    body = http_body(command_body("stop web-1", signed_bot.slack_stub))
    headers = _signature(body)

    answers = [await post(body, headers) for _ in range(3)]

    assert [status for status, _ in answers] == [200, 200, 200]
    assert len(signed_bot.requests.started) == 1


async def test_a_taken_port_is_named(signed_bot: Bot) -> None:
    """A port that somebody else has is told with the setting to change."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        transport = _transport(signed_bot, taken.getsockname()[1])
        with pytest.raises(ConfigurationError, match="DOCKWARDEN_HTTP_PORT"):
            await transport.start()
