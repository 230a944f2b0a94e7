"""What do the buttons open, to whom, and what do the forms bring about that were filled in?"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from slack_sdk.models.views import View

from tests.fakes.slack_stub import TEAM, SlackStub
from tests.integration.bot.slack.bot_on_stub import BUTTON, REQUEST, Bot, bot_on, form_body, state
from tests.integration.bot.slack.test_commands import PIN
from workflows.model.names import APPROVE_FORM, ASK_FORM, ActionId
from workflows.model.requests import (
    Choice,
    Fact,
    FactPlace,
    OperationSpec,
    Policy,
    RecordedDecision,
)
from workflows.model.state import RequestState, RequestStatus, StepName, StepState

_POLICY = Policy(name="default", labels={}, approvers=("U0BOB", "U0CAROL"))


def _waits(**changes: Any) -> RequestState:
    """Describe a request that waits for bob, with the plan that its card shows."""
    facts = {
        "status": RequestStatus.WAITING,
        "policy": _POLICY,
        "pin": PIN,
        "steps": (StepState(name=StepName.STOP), StepState(name=StepName.SNAPSHOT)),
        "book_hash": "b" * 64,
    }
    planned = state(**{**facts, **changes})
    assert planned.plan is not None
    return replace(planned, plan_hash=planned.plan.hash)


def _value(of: RequestState) -> str:
    return BUTTON if not of.plan_hash else f"{BUTTON} {of.plan_hash}"


async def _opened(bot: Bot) -> dict[str, Any]:
    await bot.slack_stub.until(lambda: bot.slack_stub.count("views.open"))
    view: dict[str, Any] = bot.slack_stub.calls[-1][1]["view"]
    View(**view).validate_json()
    return view


async def _told(bot: Bot) -> str:
    await bot.slack_stub.until(lambda: bot.slack_stub.responses)
    assert bot.slack_stub.count("views.open") == 0
    return str(bot.slack_stub.responses[-1]["text"])


def _texts(view: dict[str, Any]) -> list[str]:
    return [block["text"]["text"] for block in view["blocks"] if block["type"] == "section"]


def _sent(view: dict[str, Any], reason: str, tag: str | None = None) -> dict[str, Any]:
    body = form_body(view["private_metadata"], reason)
    body["view"]["callback_id"] = view["callback_id"]
    if tag is not None:
        body["view"]["state"]["values"]["tag"] = {"v": {"value": tag}}
    return body


async def test_the_reject_form_says_what_it_is_about(bot: Bot) -> None:
    """Who asked what, when and why, and who reads the answer; nothing is prefilled."""
    bot.requests.deciders = {"U0BOB"}
    bot.requests.state = waits = _waits()
    await bot.click(ActionId.REJECT, _value(waits))

    view = await _opened(bot)
    assert _texts(view) == [
        "*Stop and snapshot `web-1` on `local`*\n<@U0ALICE> asked just now:",
        "“because”",
    ]
    (field,) = (block for block in view["blocks"] if block["type"] == "input")
    assert field["element"]["multiline"] is True
    assert "stays on the card" in field["hint"]["text"]
    assert "initial_value" not in json.dumps(view)
    assert bot.requests.decisions == []
    await bot.dispatch(_sent(view, "too late"))
    (decision,) = bot.requests.decisions
    assert (decision.choice, decision.comment) == (Choice.REJECT, "too late")
    assert (decision.source, decision.plan_hash) == ("form:C0OPS:17.1", waits.plan_hash)


@pytest.mark.parametrize(
    ("changes", "who", "says"),
    [
        ({}, "U0DAVE", "You are not among those who decide about `web-1` on `local`: those are"),
        ({}, "U0ALICE", f"withdraw it, write `/container cancel {REQUEST}`"),
        ({"status": RequestStatus.EXPIRED}, "U0BOB", "nothing left to decide about `web-1`"),
    ],
)
async def test_nobody_writes_what_will_not_count(
    bot: Bot, changes: dict[str, Any], who: str, says: str
) -> None:
    """Whose decision would not count for sure is told so before the form, and why."""
    bot.requests.deciders = {"U0BOB"}
    bot.requests.state = _waits(**changes)
    await bot.click(ActionId.REJECT, user={"id": who, "team_id": TEAM})

    assert says in await _told(bot)


@pytest.mark.fault
async def test_without_an_answer_the_form_opens_and_without_a_form_there_is_a_command(
    slack_stub: SlackStub,
) -> None:
    """What is not known keeps nobody away; where Slack refuses, the command does the same."""
    async with bot_on(slack_stub) as bot:
        await bot.click(ActionId.REJECT)
        assert _texts(await _opened(bot)) == [f"Request `{REQUEST}` for `web-1` on `local`"]
        slack_stub.refusals["views.open"] = "expired_trigger_id"
        await bot.click(ActionId.APPROVE_WITH_COMMENT)
        await slack_stub.until(lambda: slack_stub.responses)
        assert slack_stub.count("views.open") == 2
        assert f"/container approve {REQUEST}" in slack_stub.responses[0]["text"]


async def test_an_approval_with_a_comment_is_of_the_plan_of_its_card(bot: Bot) -> None:
    """The same decision as by the button, with words; of a second one it is said when and who."""
    bot.requests.deciders = {"U0BOB"}
    bot.requests.state = waits = _waits()
    await bot.click(ActionId.APPROVE, _value(waits))
    await bot.click(ActionId.APPROVE_WITH_COMMENT, _value(waits))
    view = await _opened(bot)
    assert view["callback_id"] == APPROVE_FORM
    assert _texts(view)[2] == (
        "Dockwarden will stop, take the snapshot. If a step fails, it is put back as it was. · "
        f"plan `{waits.plan_hash[:8]}`"
    )
    await bot.dispatch(_sent(view, "page me when it is done"))

    button, form = bot.requests.decisions
    assert (form.choice, form.comment) == (Choice.APPROVE, "page me when it is done")
    assert form.plan_hash == waits.plan_hash
    assert form.decision_id == button.decision_id
    given = RecordedDecision(
        decision_id="d",
        approver_id="U0BOB",
        choice=Choice.APPROVE,
        comment="",
        source="card",
        decided_at=datetime(2026, 11, 20, 0, 58, tzinfo=UTC),
    )
    two = replace(_POLICY, required_approvals=2)
    bot.requests.state = replace(waits, decisions=(given,), policy=two)
    await bot.click(ActionId.APPROVE_WITH_COMMENT, _value(waits))
    await bot.slack_stub.until(lambda: bot.slack_stub.responses)
    assert bot.slack_stub.responses[0]["text"] == (
        "You approved this at 00:58 UTC, and each person counts once. It now waits for <@U0CAROL>."
    )


async def test_a_list_decides_as_a_list(bot: Bot) -> None:
    """A button of a private answer is on no card; what it records is said, for the card is away."""
    container = {"channel_id": "C0OPS", "message_ts": "18.1", "is_ephemeral": True}
    bot.requests.deciders = {"U0BOB"}
    bot.requests.state = waits = _waits()
    await bot.click(ActionId.APPROVE, _value(waits), container=container)
    await bot.slack_stub.until(lambda: bot.slack_stub.responses)
    assert "your approval of request" in bot.slack_stub.responses[0]["text"]
    await bot.click(ActionId.REJECT, _value(waits), container=container)
    await bot.dispatch(_sent(await _opened(bot), "no"))

    assert [decision.source for decision in bot.requests.decisions] == ["list", "list"]
    assert {decision.plan_hash for decision in bot.requests.decisions} == {waits.plan_hash}


async def test_details_show_all_to_who_may_read_it(bot: Bot) -> None:
    """Ids whole, steps with the grace, who decides and by what it is judged; typed text by rule."""
    facts = (Fact(label="labels", value="tier=<web>", place=FactPlace.DETAILS),)
    waits = _waits(pin=replace(PIN, facts=facts), channel_id="C0SECRET")
    bot.requests.state = waits
    await bot.click(ActionId.DETAILS, _value(waits))
    hidden = "\n".join(_texts(await _opened(bot)))

    for shown in (PIN.container_id, waits.plan_hash, "b" * 64, "labels `tier=&lt;web&gt;`"):
        assert shown in hidden
    assert "Stop `web-1`: it gets 10 s to end by itself, then it is killed" in hidden
    assert "policy `default`: 1 of <@U0BOB>, <@U0CAROL>, never who asked" in hidden
    assert ("because" in hidden, "Temporal" in hidden, "🔒 It has a reason" in hidden) == (
        False,
        False,
        True,
    )
    await bot.click(ActionId.DETAILS, _value(waits), user={"id": "U0ALICE", "team_id": TEAM})
    await bot.slack_stub.until(lambda: bot.slack_stub.count("views.open") == 2)
    shown = "\n".join(_texts(bot.slack_stub.calls[-1][1]["view"]))
    assert "“because”" in shown
    assert "<http://temporal.test/request/local/web-1|Open in Temporal>" in shown


async def test_request_again_asks_anew_in_the_name_of_who_asks(bot: Bot) -> None:
    """Another person's reason and tag do not come along; the operation does, by the new name."""
    spec = OperationSpec(kind="stop", snapshot=True, snapshot_ref="team/web:1", grace_seconds=7)
    bot.requests.state = before = state(operation=spec, renamed="web-1-old")
    await bot.click(ActionId.AGAIN)
    view = await _opened(bot)

    assert view["title"]["text"] == "Ask again, as you"
    (said,) = _texts(view)
    assert said == (
        "*Stop and snapshot `web-1-old` on `local`*\n<@U0ALICE> asked to stop and snapshot it "
        "just now: ⌛ Expired, nothing was changed.\nThis is a request of its own, *and yours*: "
        "others decide about it, and you cannot."
    )
    assert "initial_value" not in json.dumps(view)
    refused = await bot.dispatch(_sent(view, "INC-1", "Not A Tag"))
    assert "tag" in json.loads(refused.body)["errors"]
    assert bot.requests.started == []
    await bot.dispatch(_sent(view, "INC-1", ""))

    (request,) = bot.requests.started
    assert request.operation == replace(spec, snapshot_ref=None)
    assert request.container == replace(before.container, name="web-1-old")
    assert (request.requester, request.reason, request.channel_id) == ("U0BOB", "INC-1", "C0OPS")
    assert request.request_id != before.request_id
    await bot.click(ActionId.AGAIN, user={"id": "U0ALICE", "team_id": TEAM})
    await bot.slack_stub.until(lambda: bot.slack_stub.count("views.open") == 2)
    own = bot.slack_stub.calls[-1][1]["view"]
    assert own["blocks"][1]["element"]["initial_value"] == "because"


async def test_start_it_again_asks_for_a_start(bot: Bot) -> None:
    """What it was stopped for is no reason to start it."""
    bot.requests.state = before = state()
    await bot.click(ActionId.START_AGAIN)
    view = await _opened(bot)
    assert (view["callback_id"], view["title"]["text"]) == (ASK_FORM, "Start it again, as you")
    await bot.dispatch(_sent(view, ""))

    (request,) = bot.requests.started
    assert (request.operation, request.reason) == (OperationSpec(kind="start"), "")
    assert (request.container, request.requester) == (before.container, "U0BOB")


@pytest.mark.parametrize(
    ("action", "kind", "says"),
    [
        # no card of another operation has the button
        (ActionId.START_AGAIN, "restart", "does not belong"),
        # and what nobody can read is not guessed
        (ActionId.START_AGAIN, "", "/container start web-1"),
        (ActionId.AGAIN, "", "Not started"),
        (ActionId.DETAILS, "", f"/container status {REQUEST}"),
    ],
)
async def test_what_cannot_be_opened_is_told(
    bot: Bot, action: ActionId, kind: str, says: str
) -> None:
    """Nothing is started, and there is a way on."""
    bot.requests.state = state(operation=OperationSpec(kind=kind)) if kind else None
    await bot.click(action)

    assert says in await _told(bot)
    assert bot.requests.started == []


@pytest.mark.parametrize(
    "spoilt",
    [{"operation": ["erase", False, None]}, {"operation": None}, {"container": "../x"}],
)
async def test_a_form_that_is_none_of_ours_asks_for_nothing(
    bot: Bot, spoilt: dict[str, Any]
) -> None:
    """What a form carries is read as strictly as what is typed."""
    good = {"operation": ["stop", False, None], "container": "web-1"}
    metadata = {"v": 1, "request": BUTTON, "channel": "C0OPS", "ts": "17.1", **good, **spoilt}
    view = {"private_metadata": json.dumps(metadata), "callback_id": ASK_FORM}
    answer = await bot.dispatch(_sent(view, "why"))

    assert "does not belong" in json.loads(answer.body)["errors"]["reason"]
    assert bot.requests.started == []
