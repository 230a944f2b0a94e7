"""Does what counts still get through while somebody floods commands, or clicks?"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from collections import Counter
from datetime import UTC, datetime

import pytest

from deploy.laptop.slack_server import USERS
from tests.rigs.installation import CROWD, Installation
from tests.rigs.slack_users import SlackUsers
from workflows.model.limits import LIMITS
from workflows.model.names import DECIDE_SIGNAL
from workflows.model.requests import Choice, Decision

_COMMANDS = 500
_SECONDS = 10.0
_CLICKS = 3_000
#: So many of them are buttons that were pressed.
_PRESSES = 500
_AT_ONCE = 20


@pytest.mark.alone
async def test_a_click_during_a_flood_of_commands(
    users: SlackUsers, installation: Installation
) -> None:
    """Five hundred commands in ten seconds are answered politely, and a click within two."""
    request = await users.run_and_ask("flooded", "stop {} snapshot")
    users.engine.run(name="flood-1")
    # What an installation has whose operator set nothing.
    limits = {f"DOCKWARDEN_{name}": "" for name in ("COMMANDS_PER_PERSON", "CLICKS_PER_REQUEST")}
    http_bot = await installation.add_http_bot("flooded", **limits)
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
        took = time.monotonic() - began
    finally:
        await installation.stop("flooded")
    assert took < 2 * _SECONDS
    assert {status for status, _, _ in answers} == {200}
    assert max(seconds for _, _, seconds in answers) < 3
    kinds = Counter(_kind(text) for _, text, _ in answers)
    assert kinds["limited"] > 0
    assert kinds["other"] == 0, kinds
    assert kinds["slow"] < _COMMANDS / 20, kinds
    assert kinds["started"] == 1 or kinds["slow"]
    await users.check_snapshotted(request, state)


@pytest.mark.alone
async def test_thousands_of_refused_clicks_while_the_worker_is_frozen(
    users: SlackUsers, installation: Installation
) -> None:
    """One approval comes behind three thousand clicks that may not count: it is carried out."""
    request = await users.run_and_ask("clicked", "stop {} snapshot")
    state = await request.state()
    http_bot = await installation.add_http_bot("clicked")
    worker = installation.supervisor.pids()["worker"]
    os.kill(worker, signal.SIGSTOP)
    try:

        async def press(first: int) -> None:
            for number in range(first, _PRESSES, _AT_ONCE):
                who = (USERS["dave"], *CROWD)[number % (1 + len(CROWD))]
                assert (await http_bot.click(who, dict(request.card))).status == 200

        async def send(first: int) -> None:
            for number in range(first, _CLICKS - _PRESSES, _AT_ONCE):
                # As no button does: whoever reaches Temporal can send what he likes.
                decision = Decision(
                    decision_id=f"sent-{number}",
                    request_id=request.request_id,
                    approver_id=f"U0SENT{number:04}",
                    team_id=state.team_id,
                    choice=Choice.APPROVE,
                    sent_at=datetime.now(UTC),
                    plan_hash=state.plan_hash,
                )
                await request.handle.signal(DECIDE_SIGNAL, decision)

        await asyncio.gather(*(press(first) for first in range(_AT_ONCE)))
        await asyncio.gather(*(send(first) for first in range(_AT_ONCE)))
        assert (await http_bot.click(USERS["bob"], dict(request.card))).status == 200
    finally:
        began = time.monotonic()
        os.kill(worker, signal.SIGCONT)
    outcome = await request.outcome()
    took = time.monotonic() - began
    await installation.stop("clicked")

    await users.check_snapshotted(request, outcome)
    assert took < 30
    assert [decision.approver_id for decision in outcome.decisions] == [USERS["bob"]]
    events = (await request.handle.fetch_history()).events
    assert _CLICKS < len(events) < LIMITS.history_events


def _kind(text: str) -> str:
    if not text:
        # Its card is the answer.
        return "started"
    said = json.dumps(json.loads(text))
    marks = {
        "Too many commands": "limited",
        "not started, for": "open",
        "Your requests": "listed",
        "no requests": "listed",
        "not confirmed": "slow",
        "takes longer than usual": "slow",
    }
    return next((kind for mark, kind in marks.items() if mark in said), "other")
