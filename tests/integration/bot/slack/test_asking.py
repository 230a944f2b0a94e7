"""How does what somebody types become a request, whatever the operation is?"""

from __future__ import annotations

import inspect
import itertools
import re
from pathlib import Path

import pytest

from bot import service
from tests.fakes.slack_stub import TEAM, SlackStub
from tests.integration.bot.slack.bot_on_stub import Bot, bot_on
from workflows.host_query import HostQueryResult
from workflows.model.names import ActionId
from workflows.model.requests import ContainerRef, OperationSpec, Policy
from workflows.rules import Rule

_BOT = Path(service.__file__).parent


async def test_a_stop_starts_a_request(bot: Bot) -> None:
    """A command becomes one request with all that it named, and nobody reads a line about it."""
    answer = await bot.command(
        'stop web-1 on edge snapshot=team/web:1 grace=30s reason="why"', trigger_id="once"
    )

    (request,) = bot.requests.started
    assert request.container == ContainerRef(host="edge", name="web-1")
    assert request.operation.kind == "stop"
    assert request.operation.snapshot
    assert request.operation.snapshot_ref == "team/web:1"
    assert request.operation.grace_seconds == 30
    assert (request.requester, request.team_id, request.channel_id) == ("U0ALICE", TEAM, "C0OPS")
    assert (request.reason, request.delivery_id) == ("why", "once")
    assert request.policies == (), "the rules are the judge's"
    assert re.fullmatch(r"[0-9a-f]{12}", request.request_id)
    assert answer == {}, "the card is the answer"
    assert bot.slack_stub.responses == []


async def test_nothing_stands_between_a_command_and_the_service(bot: Bot) -> None:
    """On its way it passes the listener, the sub-command and the service, and no other hands."""
    way: list[str] = []

    async def note() -> None:
        frames = [Path(frame.filename) for frame in reversed(inspect.stack())]
        way.extend(str(file.relative_to(_BOT)) for file in frames if file.is_relative_to(_BOT))

    bot.requests.before = note
    await bot.command("stop web-1")

    files = [file for file, _ in itertools.groupby(way)]
    assert files == ["slack/listener.py", "slack/commands.py", "slack/listener.py", "service.py"]


_RULES = (
    Rule(kinds=("start",), policy=Policy(name="no", labels={}, approvers=("U0DAVE",))),
    Rule(
        kinds=("stop", "snapshot"),
        policy=Policy(
            name="p", labels={}, approvers=("U0ALICE", "U0BOB"), approver_groups=("S0OPS",)
        ),
    ),
)


@pytest.mark.parametrize(
    ("rules", "where"),
    [
        (_RULES, "Ask in a channel where <!subteam^S0OPS> or <@U0BOB> is, and the app too"),
        (None, "Ask in a channel where those are who decide, and the app too"),
    ],
)
async def test_nothing_is_asked_for_where_nobody_could_decide(
    bot: Bot, rules: tuple[Rule, ...] | None, where: str
) -> None:
    """Nobody else reads a direct message: it is refused at once, with where to ask."""
    bot.requests.looked = HostQueryResult(rules=rules)

    assert await bot.command("snapshot svc-3", channel_id="D0ALICE") == {}

    await bot.slack_stub.until(lambda: bot.slack_stub.responses)
    (answer,) = bot.slack_stub.responses
    assert answer["text"].startswith("🚫 `snapshot svc-3`: not started, for nobody who decides")
    assert where in answer["text"]
    assert bot.requests.started == []


async def test_what_a_refusal_offers_is_asked_for_by_whoever_presses(bot: Bot) -> None:
    """The button is judged like what is typed, and what it stood on has done its work."""
    await bot.click(
        f"{ActionId.ASK}.1",
        'stop cache-1 on edge snapshot grace=9s reason="a \\"b\\" & <!here>"',
        container={"type": "message", "channel_id": "C0OPS", "is_ephemeral": True},
    )

    (request,) = bot.requests.started
    assert request.container == ContainerRef(host="edge", name="cache-1")
    assert request.operation == OperationSpec(kind="stop", snapshot=True, grace_seconds=9)
    assert (request.requester, request.reason) == ("U0BOB", 'a "b" & <!here>')
    await bot.slack_stub.until(lambda: bot.slack_stub.responses)
    assert bot.slack_stub.responses == [{"delete_original": True}]


@pytest.mark.parametrize("value", ["approve 3f9a1c2b4d5e", "stop web-1 on", "help", "stop ../x"])
async def test_a_forged_offer_asks_for_nothing(bot: Bot, value: str) -> None:
    """A button asks for what can be asked for, and decides nothing."""
    await bot.click(f"{ActionId.ASK}.0", value)

    assert (bot.requests.started, bot.requests.decisions) == ([], [])
    await bot.slack_stub.until(lambda: bot.slack_stub.responses)
    assert "does not belong" in bot.slack_stub.responses[0]["text"]


async def test_a_snapshot_always_makes_one(bot: Bot) -> None:
    """The sub-command snapshot asks for an image without being told twice."""
    await bot.command("snapshot web-1 as team/web:1")

    (request,) = bot.requests.started
    assert request.operation.kind == "snapshot"
    assert request.operation.snapshot
    assert request.operation.snapshot_ref == "team/web:1"


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("start web-1", OperationSpec(kind="start")),
        ("restart web-1 grace=3s", OperationSpec(kind="restart", grace_seconds=3)),
        (
            "restart web-1 snapshot=team/web:1",
            OperationSpec(kind="restart", snapshot=True, snapshot_ref="team/web:1"),
        ),
    ],
)
async def test_what_is_new_starts_a_request(
    slack_stub: SlackStub, text: str, spec: OperationSpec
) -> None:
    """Where a policy names it, an operation of the catalogue needs no handler of its own."""
    async with bot_on(slack_stub) as bot:
        await bot.command(text)

    (request,) = bot.requests.started
    assert request.operation == spec
