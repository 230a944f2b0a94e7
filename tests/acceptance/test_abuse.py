"""Does anybody get anything decided, or through, who should not?

Against the installed program on real parts: forged, repeated, swapped and foreign deliveries,
people who may not decide, and texts that want to be more than texts.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest

from deploy.laptop.channel import request_of
from deploy.laptop.slack_server import USERS
from tests.fakes.slack_stub import SlackStub
from tests.rigs.deliveries import Door
from tests.rigs.dockerd import DockerRig
from tests.rigs.installation import CROWD, GRID_USER, Town
from tests.rigs.local_slack import find_button
from tests.rigs.slack_users import Counter
from tests.rigs.waiting import eventually
from workflows.model import names
from workflows.model.names import ActionId
from workflows.model.state import RequestStatus

ALICE, BOB, CAROL, DAVE = (USERS[name] for name in ("alice", "bob", "carol", "dave"))


@pytest.fixture(scope="module")
async def doors(town: Town) -> AsyncIterator[tuple[Door, Door]]:
    """Run two more bots, which Slack calls over HTTP."""
    yield await town.add_door("http-1"), await town.add_door("http-2")
    await town.stop("http-1", "http-2")


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param(lambda _door, _body: {}, id="no signature"),
        pytest.param(lambda door, body: door.signature(body, key="guess"), id="another secret"),
        pytest.param(lambda door, body: door.signature(body, key=""), id="no secret"),
        pytest.param(lambda door, body: door.signature(body + "x"), id="another body"),
        pytest.param(lambda door, body: door.signature(body, age=360), id="six minutes old"),
        pytest.param(lambda door, body: door.signature(body, age=-360), id="six minutes early"),
    ],
)
async def test_what_slack_did_not_sign_just_now_is_refused(
    counter: Counter,
    town: Town,
    doors: tuple[Door, Door],
    headers: Callable[[Door, str], dict[str, str]],
) -> None:
    """A forged or recorded call gets 401, is logged, and nothing comes of it."""
    counter.rig.run(name="forged-1")
    body = doors[0].command_body(ALICE, "stop forged-1")
    refused = town.log("http-1").count("refused: bad signature")
    answer = await doors[0].post(body, headers(doors[0], body))
    assert answer.status == 401
    assert town.log("http-1").count("refused: bad signature") == refused + 1
    with pytest.raises(Exception, match="not found"):
        await town.client.get_workflow_handle(
            names.request_workflow_id(town.host, "forged-1")
        ).describe()


async def test_one_delivery_twenty_times_through_two_bots(
    counter: Counter, town: Town, doors: tuple[Door, Door]
) -> None:
    """The same signed bytes, at once and in parallel: one request, one card, few answers."""
    counter.rig.run(name="twenty-1")
    body = doors[0].command_body(ALICE, "stop twenty-1")
    headers = doors[0].signature(body)
    posted = town.proxy.count("chat.postMessage")
    answers = await asyncio.gather(*(door.post(body, headers) for door in doors * 10))
    assert {answer.status for answer in answers} == {200}
    spoken = [json.loads(answer.text) for answer in answers if answer.text]
    (words,) = spoken
    assert "is being prepared" in str(words)
    handle = town.client.get_workflow_handle(names.request_workflow_id(town.host, "twenty-1"))
    await eventually(lambda: town.proxy.count("chat.postMessage") > posted)
    first = await handle.describe()
    again = await asyncio.gather(*(door.post(body, headers) for door in doors))
    assert [answer.text for answer in again] == ["", ""]
    assert (await handle.describe()).run_id == first.run_id
    assert town.proxy.count("chat.postMessage") == posted + 1


async def test_a_copy_of_a_delivery_that_comes_late(town: Town, doors: tuple[Door, Door]) -> None:
    """Through another bot, after the request was refused and has ended: nothing starts."""
    body = doors[0].command_body(ALICE, "stop nowhere-1")
    headers = doors[0].signature(body)
    await doors[0].post(body, headers)
    handle = town.client.get_workflow_handle(names.request_workflow_id(town.host, "nowhere-1"))
    await handle.result()
    first = await handle.describe()
    answer = await doors[1].post(body, headers)
    assert (answer.status, answer.text) == (200, "")
    assert (await handle.describe()).run_id == first.run_id


async def test_a_double_click_is_one_decision(counter: Counter, doors: tuple[Door, Door]) -> None:
    """One person who clicks twice at once, through two bots, decides once."""
    request = await counter.run_and_ask("double")
    answers = await asyncio.gather(*(door.click(BOB, request.card) for door in doors))
    assert [answer.status for answer in answers] == [200, 200]
    state = await request.outcome()
    await counter.check(request, state, RequestStatus.SUCCEEDED)
    assert [decision.approver_id for decision in state.decisions] == [BOB]


@pytest.fixture
async def mailboxes() -> AsyncIterator[dict[str, SlackStub]]:
    """Give each of the crowd a mailbox: what comes to one does not say for whom it is."""
    boxes = {user: SlackStub() for user in CROWD}
    async with AsyncExitStack() as stack:
        for box in boxes.values():
            await box.start()
            stack.push_async_callback(box.close)
        yield boxes


async def test_fifty_people_race(
    counter: Counter, town: Town, doors: tuple[Door, Door], mailboxes: dict[str, SlackStub]
) -> None:
    """Fifty clicks at once, half for and half against: one counts, and 49 people are told."""
    request = await counter.run_and_ask("crowd")
    clicks = []
    for number, user in enumerate(CROWD):
        door = doors[number // 2 % 2]
        act = (
            door.reject(user, request.card, "no")
            if number % 2
            else door.click(user, request.card, response_url=mailboxes[user].response_url)
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
    stopped = counter.rig.state(request.container) == "exited"
    assert stopped == (state.status is RequestStatus.SUCCEEDED)

    def told() -> bool:
        notices = {
            call.payload["user"]
            for call in town.proxy.calls
            if call.method == "chat.postEphemeral" and call.payload["user"] in CROWD
        }
        heard = {
            user: f"{answer.text} {mailboxes[user].responses}"
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
    counter: Counter,
    doors: tuple[Door, Door],
    user_id: str,
    facts: dict[str, Any],
    words: str,
) -> None:
    """A click of somebody who may not decide is refused in private; the buttons stay."""
    counter.town.proxy.people.fields[user_id] = facts
    request = await counter.run_and_ask("refused")
    assert (await doors[0].click(user_id, request.card)).status == 200
    notice = await counter.refusal(user_id, words, request.request_id)
    assert notice["ephemeral_to"] == user_id
    state = await request.state()
    assert (state.status, state.decisions) == (RequestStatus.WAITING, ())
    assert counter.rig.state(request.container) == "running"
    assert find_button(dict(await counter.card(request)), ActionId.APPROVE)
    await counter.withdraw(request)


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
    counter: Counter,
    town: Town,
    doors: tuple[Door, Door],
    changes: dict[str, Any],
    told: str | None,
) -> None:
    """Only this card's own button, in its own channel and workspace, counts."""
    request = await counter.run_and_ask("elsewhere")
    if "value" in changes:
        value = changes["value"].format(id=request.request_id, name=request.name)
        changes = {"value": value}
    assert (await doors[1].click(BOB, request.card, **changes)).status == 200
    if told == "Nothing was recorded":
        await town.mailbox.until(lambda: told in str(town.mailbox.responses))
    elif told is not None:
        await counter.refusal(BOB, told, request.request_id)
    else:
        assert "refused: other workspace" in town.log("http-2")
    await counter.withdraw(request)
    state = await request.outcome()
    assert (state.status, state.decisions) == (RequestStatus.CANCELLED, ())
    assert counter.rig.state(request.container) == "running"


async def test_a_value_swapped_between_two_cards(counter: Counter) -> None:
    """The button of one card on another decides neither request, whichever way it is forged."""
    one, two = await counter.run_and_ask("swap"), await counter.run_and_ask("swap")
    for here, there in ((one, two), (two, one)):
        forged = find_button(dict(here.card), ActionId.APPROVE)
        forged["value"] = find_button(dict(there.card), ActionId.APPROVE)["value"]
        await counter.interact(BOB, here.card, forged)
        await counter.refusal(BOB, "not on the card of the request", there.request_id)
    injected = find_button(dict(one.card), ActionId.APPROVE) | {"action_id": "request.run"}
    await counter.interact(BOB, one.card, injected)
    for request in (one, two):
        assert (await request.state()).decisions == ()
        assert counter.rig.state(request.container) == "running"
    await counter.approve(one)
    await counter.check(one, await one.outcome(), RequestStatus.SUCCEEDED)
    assert counter.rig.state(two.container) == "running"
    await counter.withdraw(two)


async def test_two_requests_on_one_container(counter: Counter, town: Town) -> None:
    """Who asks second is shown the way to the first request, and two approvals are one."""
    request = await counter.run_and_ask("both")
    await town.channel.ask("carol", f"snapshot {request.name}")
    answer = await counter.refusal(CAROL, "is still open", request.request_id)
    assert request.card["ts"].replace(".", "") in str(answer)
    await asyncio.gather(
        town.channel.press("bob", request.card, ActionId.APPROVE),
        town.channel.press("carol", request.card, ActionId.APPROVE),
    )
    state = await request.outcome()
    await counter.check(request, state, RequestStatus.SUCCEEDED)
    assert len(state.decisions) == 1
    late = ({BOB, CAROL} - {state.decisions[0].approver_id}).pop()
    await counter.refusal(late, "is", request.request_id)
    cards = [m for m in await town.channel.messages() if request_of(m) == request.request_id]
    assert len(cards) == 1


async def test_a_container_under_two_names(counter: Counter, engine_rig: DockerRig) -> None:
    """A container renamed between two requests is never operated on twice at once."""
    container = engine_rig.run("trap 'sleep 1; exit 0' TERM; sleep 1000 & wait", name="name-1")
    (one,) = await counter.ask("name-1", command="stop {}")
    engine_rig.api.rename(container, "name-2")
    (two,) = await counter.ask("name-2", command="stop {}")
    await counter.approve(one, two)
    states = [await request.outcome() for request in (one, two)]
    assert engine_rig.state(container) == "exited"
    assert sorted(s.status for s in states) == [RequestStatus.STALE, RequestStatus.SUCCEEDED]
    for request, state in zip((one, two), states, strict=True):
        await counter.check(request, state, state.status)
