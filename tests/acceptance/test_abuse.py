"""Does anybody get anything decided, or through, who should not?

Against the installed program on real parts: forged, repeated, swapped and foreign deliveries,
people who may not decide, and texts that want to be more than texts.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest

from deploy.laptop.channel import request_of
from deploy.laptop.slack_server import USERS
from tests.fakes.slack_stub import SlackStub
from tests.rigs.deliveries import HttpBot
from tests.rigs.dockerd import DockerEngine
from tests.rigs.installation import CROWD, GRID_USER, Installation
from tests.rigs.local_slack import find_button
from tests.rigs.slack_users import SlackUsers
from tests.rigs.waiting import eventually
from workflows.model import names
from workflows.model.names import ActionId
from workflows.model.state import RequestStatus

# Rows of the fault campaign, on the rig that can strike between the parts.
pytestmark = pytest.mark.fault

ALICE, BOB, CAROL, DAVE = (USERS[name] for name in ("alice", "bob", "carol", "dave"))


@pytest.fixture(scope="module")
async def http_bots(installation: Installation) -> AsyncIterator[tuple[HttpBot, HttpBot]]:
    """Run two more bots, which Slack calls over HTTP."""
    yield await installation.add_http_bot("http-1"), await installation.add_http_bot("http-2")
    await installation.stop("http-1", "http-2")


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param(lambda _bot, _body: {}, id="no signature"),
        pytest.param(
            lambda http_bot, body: http_bot.signature(body, key="guess"), id="another secret"
        ),
        pytest.param(lambda http_bot, body: http_bot.signature(body, key=""), id="no secret"),
        pytest.param(lambda http_bot, body: http_bot.signature(body + "x"), id="another body"),
        pytest.param(
            lambda http_bot, body: http_bot.signature(body, age=360), id="six minutes old"
        ),
        pytest.param(
            lambda http_bot, body: http_bot.signature(body, age=-360), id="six minutes early"
        ),
    ],
)
async def test_what_slack_did_not_sign_just_now_is_refused(
    users: SlackUsers,
    installation: Installation,
    http_bots: tuple[HttpBot, HttpBot],
    headers: Callable[[HttpBot, str], dict[str, str]],
) -> None:
    """A forged or recorded call gets 401, is logged, and nothing comes of it."""
    users.engine.run(name="forged-1")
    body = http_bots[0].command_body(ALICE, "stop forged-1")
    answer = await http_bots[0].post(body, headers(http_bots[0], body))
    assert answer.status == 401
    # The first is a line at once; those behind it are one line a minute.
    assert "refused: bad signature" in installation.log("http-1")
    with pytest.raises(Exception, match="not found"):
        await installation.client.get_workflow_handle(
            names.request_workflow_id(installation.host, "forged-1")
        ).describe()


async def test_one_delivery_twenty_times_through_two_bots(
    users: SlackUsers, installation: Installation, http_bots: tuple[HttpBot, HttpBot]
) -> None:
    """The same signed bytes, at once and in parallel: one request, one card, no words."""
    users.engine.run(name="twenty-1")
    body = http_bots[0].command_body(ALICE, "stop twenty-1")
    headers = http_bots[0].signature(body)
    posted = installation.slack_proxy.count("chat.postMessage")
    answers = await asyncio.gather(*(http_bot.post(body, headers) for http_bot in http_bots * 10))
    assert {answer.status for answer in answers} == {200}
    assert {answer.text for answer in answers} == {""}, "its card is the answer"
    handle = installation.client.get_workflow_handle(
        names.request_workflow_id(installation.host, "twenty-1")
    )
    await eventually(lambda: installation.slack_proxy.count("chat.postMessage") > posted)
    first = await handle.describe()
    again = await asyncio.gather(*(http_bot.post(body, headers) for http_bot in http_bots))
    assert [answer.text for answer in again] == ["", ""]
    assert (await handle.describe()).run_id == first.run_id
    assert installation.slack_proxy.count("chat.postMessage") == posted + 1


async def test_a_copy_of_a_delivery_that_comes_late(
    installation: Installation, http_bots: tuple[HttpBot, HttpBot]
) -> None:
    """Through another bot, after the request was refused and has ended: nothing starts."""
    body = http_bots[0].command_body(ALICE, "stop nowhere-1")
    headers = http_bots[0].signature(body)
    await http_bots[0].post(body, headers)
    handle = installation.client.get_workflow_handle(
        names.request_workflow_id(installation.host, "nowhere-1")
    )
    await handle.result()
    first = await handle.describe()
    answer = await http_bots[1].post(body, headers)
    assert (answer.status, answer.text) == (200, "")
    assert (await handle.describe()).run_id == first.run_id


async def test_a_double_click_is_one_decision(
    users: SlackUsers, http_bots: tuple[HttpBot, HttpBot]
) -> None:
    """One person who clicks twice at once, through two bots, decides once."""
    request = await users.run_and_ask("double")
    answers = await asyncio.gather(*(http_bot.click(BOB, request.card) for http_bot in http_bots))
    assert [answer.status for answer in answers] == [200, 200]
    state = await request.outcome()
    await users.check(request, state, RequestStatus.SUCCEEDED)
    assert [decision.approver_id for decision in state.decisions] == [BOB]


@pytest.fixture
async def stubs() -> AsyncIterator[dict[str, SlackStub]]:
    """Give each of the crowd a stub of its own: what comes to one does not say for whom it is."""
    boxes = {user: SlackStub() for user in CROWD}
    async with AsyncExitStack() as stack:
        for box in boxes.values():
            await box.start()
            stack.push_async_callback(box.close)
        yield boxes


@pytest.mark.alone
async def test_fifty_people_race(
    users: SlackUsers,
    installation: Installation,
    http_bots: tuple[HttpBot, HttpBot],
    stubs: dict[str, SlackStub],
) -> None:
    """Fifty clicks at once, half for and half against: one counts, and 49 people are told."""
    request = await users.run_and_ask("crowd")
    clicks = []
    for number, user in enumerate(CROWD):
        http_bot = http_bots[number // 2 % 2]
        act = (
            http_bot.reject(user, request.card, "no")
            if number % 2
            else http_bot.click(user, request.card, response_url=stubs[user].response_url)
        )
        clicks.append(act)
    answers = await asyncio.gather(*clicks)
    assert {answer.status for answer in answers} == {200}
    state = await request.outcome()
    (decision,) = state.decisions
    assert decision.approver_id in CROWD
    assert state.status is (
        RequestStatus.SUCCEEDED if decision.choice == "approve" else RequestStatus.REJECTED
    )
    stopped = users.engine.state(request.container) == "exited"
    assert stopped == (state.status is RequestStatus.SUCCEEDED)

    def told() -> bool:
        notices = {
            call.payload["user"]
            for call in installation.slack_proxy.calls
            if call.method == "chat.postEphemeral" and call.payload["user"] in CROWD
        }
        heard = {
            user: f"{answer.text} {stubs[user].responses}"
            for user, answer in zip(CROWD, answers, strict=True)
        }
        over = {user for user, words in heard.items() if "is over" in words}
        # What Temporal did not take in time may be lost: then there are no other words.
        unsure = {user for user, words in heard.items() if "ry again" in words}
        assert decision.approver_id not in notices | over
        assert not notices & over
        assert len(unsure) < 5, "nearly all are told for sure"
        return notices | over | unsure | {decision.approver_id} == set(CROWD)

    await eventually(told, what="each of the others is told what became of it, once")


@pytest.mark.parametrize(
    ("user_id", "facts", "words"),
    [
        pytest.param(ALICE, {}, "you asked for this yourself", id="the requester"),
        pytest.param(DAVE, {}, "not among the approvers", id="a member who is no approver"),
        pytest.param(BOB, {"is_restricted": True}, "guests never decide", id="a guest"),
        pytest.param(BOB, {"is_ultra_restricted": True}, "guests never", id="a guest of one room"),
        pytest.param(BOB, {"is_stranger": True}, "guests never decide", id="a stranger"),
        pytest.param(BOB, {"is_bot": True}, "apps never decide", id="a bot"),
        pytest.param(BOB, {"deleted": True}, "account is deactivated", id="somebody who left"),
        pytest.param(BOB, {"team_id": "T0OTHER01"}, "not in the workspace", id="another team's"),
        pytest.param(GRID_USER, {"id": ALICE}, "does not know this account", id="a second id"),
    ],
)
async def test_who_may_not_decide_is_told_and_nothing_happens(
    users: SlackUsers,
    http_bots: tuple[HttpBot, HttpBot],
    user_id: str,
    facts: dict[str, Any],
    words: str,
) -> None:
    """A click of somebody who may not decide is refused in private; the buttons stay."""
    users.installation.slack_proxy.user_facts.fields[user_id] = facts
    request = await users.run_and_ask("refused")
    assert (await http_bots[0].click(user_id, request.card)).status == 200
    notice = await users.refusal(user_id, words, request.request_id)
    assert notice["ephemeral_to"] == user_id
    state = await request.state()
    assert (state.status, state.decisions) == (RequestStatus.WAITING, ())
    assert users.engine.state(request.container) == "running"
    assert find_button(dict(await users.card(request)), ActionId.APPROVE)
    await users.withdraw(request)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        pytest.param(
            {"team": {"id": "T0OTHER01"}, "user": {"id": BOB, "team_id": "T0OTHER01"}},
            None,
            id="another workspace",
        ),
        pytest.param({"user": {"id": BOB, "team_id": "T0OTHER01"}}, None, id="a foreign member"),
        pytest.param(
            {"channel": {"id": "C0ELSE001"}, "container": {"channel_id": "C0ELSE001"}},
            "not on the card of the request",
            id="another channel",
        ),
        pytest.param(
            {"container": {"channel_id": "C0OPS0001", "message_ts": "1.000001"}},
            "not on the card of the request",
            id="another message",
        ),
        pytest.param({"value": "000000000000 local {name}"}, "an earlier request", id="old value"),
        pytest.param({"value": "{id} local ../images/x"}, "Nothing was recorded", id="a path"),
        pytest.param({"value": "x" * 2000}, "Nothing was recorded", id="no value of ours"),
        pytest.param({"value": "{id}  local {name}"}, "Nothing was recorded", id="two spaces"),
    ],
)
async def test_a_payload_from_elsewhere_decides_nothing(
    users: SlackUsers,
    installation: Installation,
    http_bots: tuple[HttpBot, HttpBot],
    changes: dict[str, Any],
    told: str | None,
) -> None:
    """Only this card's own button, in its own channel and workspace, counts."""
    request = await users.run_and_ask("elsewhere")
    if "value" in changes:
        value = changes["value"].format(id=request.request_id, name=request.name)
        changes = {"value": value}
    assert (await http_bots[1].click(BOB, request.card, **changes)).status == 200
    if told == "Nothing was recorded":
        await installation.slack_stub.until(lambda: told in str(installation.slack_stub.responses))
    elif told is not None:
        await users.refusal(BOB, told, request.request_id)
    else:
        assert "refused: other workspace" in installation.log("http-2")
    await users.withdraw(request)
    state = await request.outcome()
    assert (state.status, state.decisions) == (RequestStatus.CANCELLED, ())
    assert users.engine.state(request.container) == "running"


async def test_a_value_swapped_between_two_cards(users: SlackUsers) -> None:
    """The button of one card on another decides neither request, whichever way it is forged."""
    one, two = await users.run_and_ask("swap"), await users.run_and_ask("swap")
    for here, there in ((one, two), (two, one)):
        forged = find_button(dict(here.card), ActionId.APPROVE)
        forged["value"] = find_button(dict(there.card), ActionId.APPROVE)["value"]
        await users.interact(BOB, here.card, forged)
        await users.refusal(BOB, "not on the card of the request", there.request_id)
    injected = find_button(dict(one.card), ActionId.APPROVE) | {"action_id": "request.run"}
    await users.interact(BOB, one.card, injected)
    for request in (one, two):
        assert (await request.state()).decisions == ()
        assert users.engine.state(request.container) == "running"
    await users.approve(one)
    await users.check(one, await one.outcome(), RequestStatus.SUCCEEDED)
    assert users.engine.state(two.container) == "running"
    await users.withdraw(two)


async def test_two_requests_on_one_container(users: SlackUsers, installation: Installation) -> None:
    """Who asks second is shown the way to the first request, and two approvals are one."""
    request = await users.run_and_ask("both")
    way = await request.permalink()
    await installation.channel.ask("carol", f"snapshot {request.name}")
    answer = await users.refusal(CAROL, "not started", f"`{request.name}`")
    assert request.card["ts"].replace(".", "") in way
    assert way in str(answer)
    await asyncio.gather(
        installation.channel.press("bob", request.card, ActionId.APPROVE),
        installation.channel.press("carol", request.card, ActionId.APPROVE),
    )
    state = await request.outcome()
    await users.check(request, state, RequestStatus.SUCCEEDED)
    assert len(state.decisions) == 1
    late = ({BOB, CAROL} - {state.decisions[0].approver_id}).pop()
    await users.refusal(late, "is", request.request_id)
    cards = [
        m for m in await installation.channel.messages() if request_of(m) == request.request_id
    ]
    assert len(cards) == 1


async def test_a_container_under_two_names(users: SlackUsers, engine: DockerEngine) -> None:
    """A container renamed between two requests is never operated on twice at once.

    By its first name it is out of date; by its second one only if the first is just being looked
    at, which locks it.
    """
    container = engine.run("trap 'sleep 1; exit 0' TERM; sleep 1000 & wait", name="name-1")
    (one,) = await users.ask("name-1", command="stop {}")
    engine.api.rename(container, "name-2")
    (two,) = await users.ask("name-2", command="stop {}")
    await users.approve(one, two)
    states = [await request.outcome() for request in (one, two)]
    assert states[0].status is RequestStatus.STALE
    is_done = states[1].status is RequestStatus.SUCCEEDED
    assert is_done or states[1].status is RequestStatus.STALE
    assert engine.state(container) == ("exited" if is_done else "running")
    for request, state in zip((one, two), states, strict=True):
        await users.check(request, state, state.status)
