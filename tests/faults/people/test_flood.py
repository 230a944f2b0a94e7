"""Does a click still get through while somebody floods the commands?"""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter

import pytest

from deploy.laptop.slack_server import USERS
from tests.rigs.installation import CROWD, Installation
from tests.rigs.slack_users import SlackUsers

_COMMANDS = 500
_SECONDS = 10.0


@pytest.mark.alone
async def test_a_click_during_a_flood_of_commands(
    users: SlackUsers, installation: Installation
) -> None:
    """Five hundred commands in ten seconds are answered politely, and a click within two."""
    request = await users.run_and_ask("flooded", "stop {} snapshot")
    users.engine.run(name="flood-1")
    http_bot = await installation.add_http_bot("flooded")
    began = time.monotonic()

    async def one(number: int) -> tuple[int, str, float]:
        await asyncio.sleep(number * _SECONDS / _COMMANDS)
        # One person types most of it; the others are many.
        user = USERS["dave"] if number % 2 else CROWD[number // 2 % len(CROWD)]
        answer = await http_bot.command(user, "stop flood-1" if number % 5 else "requests mine")
        return answer.status, answer.text, answer.seconds

    flood = asyncio.gather(*(one(number) for number in range(_COMMANDS)))
    try:
        await asyncio.sleep(_SECONDS * 0.8)
        assert not flood.done()
        answer = await http_bot.click(USERS["bob"], dict(request.card))
        assert answer.status == 200
        assert answer.seconds < 2
        state = await request.outcome()
        answers = await flood
    finally:
        await installation.stop("flooded")
    assert time.monotonic() - began < 2 * _SECONDS
    assert {status for status, _, _ in answers} == {200}
    assert max(seconds for _, _, seconds in answers) < 3
    kinds = Counter(_kind(text) for _, text, _ in answers)
    assert kinds["limited"] > 0
    assert kinds["other"] == 0, kinds
    assert kinds["slow"] < _COMMANDS / 20, kinds
    assert kinds["started"] == 1 or kinds["slow"]
    await users.check_snapshotted(request, state)


def _kind(text: str) -> str:
    said = json.dumps(json.loads(text)) if text else ""
    marks = {
        "Too many commands": "limited",
        "You hear more here": "started",
        "is still open": "open",
        "Your requests": "listed",
        "no requests": "listed",
        "Not confirmed": "slow",
        "takes longer than usual": "slow",
    }
    return next((kind for mark, kind in marks.items() if mark in said), "other")
