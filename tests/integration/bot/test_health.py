"""Does the health port answer who may ask, and keep quiet about who sends anything else?"""

from __future__ import annotations

import logging

import aiohttp
import pytest

from bot import health
from tests.rigs.deliveries import send_bytes
from tests.rigs.program import free_port

_BROKEN = (
    b"\x16\x03\x01\x02\r\n\r\n",
    b"FOO / HTTP/9.9\r\n\r\n",
    b"GET /livez HTTP/1.1\r\nHost x\r\n\r\n",
    b"GET /livez HTTP/1.1\r\nX: " + b"a" * 20_000 + b"\r\n\r\n",
    b"POST /livez HTTP/1.1\r\nHost: x\r\nContent-Length: abc\r\n\r\n",
    b"POST /livez HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nbad",
    b"POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 9999999\r\n\r\nhalf",
)


@pytest.mark.fault
async def test_what_is_no_question_is_one_line_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    """Whoever reaches the port fills no log, and the port goes on answering."""
    port = free_port()
    with caplog.at_level(logging.INFO):
        async with health.served(address="127.0.0.1", port=port, what_is_wrong=lambda: "slack"):
            for sent in _BROKEN * 3:
                await send_bytes(port, sent)
            async with (
                aiohttp.ClientSession() as session,
                session.get(f"http://127.0.0.1:{port}/readyz") as answer,
            ):
                assert (answer.status, await answer.text()) == (503, "slack\n")

    (line,) = (record for record in caplog.records if record.levelno >= logging.INFO)
    assert (line.name, line.getMessage()) == ("bot.health", "refused: a call that is no HTTP")
    assert line.exc_info is None
