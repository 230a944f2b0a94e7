"""Is whatever cannot be asked for refused in private, in words that say what to do?"""

from __future__ import annotations

import time
from functools import partial
from typing import Any

import pytest

from deploy.laptop.channel import headline, request_of
from deploy.laptop.slack_server import USERS
from tests.rigs.people import People
from tests.rigs.waiting import eventually
from workflows.model.names import PROTECTED_LABEL, ActionId
from workflows.model.state import RequestStatus

#: A host without a worker is told within seconds.
_SOON = 20.0


_PLAIN: dict[str, Any] = {"name": "plain-1"}
_ROWS: list[tuple[str, str, dict[str, Any]]] = [
    ("stop nothing-1", "there is no container `nothing-1` on `local`", _PLAIN),
    ("stop plain", "Did you mean `plain-1`?", _PLAIN),
    ("stop shop", "Did you mean `shop-1` or `shop-2`?", {"name": "shop-1"}),
    ("stop ../../images/prune", "is no container name", _PLAIN),
    ("stop plain-1;reboot", "is no container name", _PLAIN),
    (
        "stop brief-1",
        "`stop brief-1`: `brief-1` was started with `--rm`",
        {"name": "brief-1", "auto_remove": True},
    ),
    (
        "stop kept-1",
        "is protected, by its label",
        {"name": "kept-1", "labels": {PROTECTED_LABEL: "true"}},
    ),
    ("stop plain-1 on elsewhere", "no policy covers", _PLAIN),
    ("stop careful-9", "asks for a reason", {"name": "careful-9"}),
    ("stop lonely-1", "too few people who could approve", {"name": "lonely-1"}),
    ("stop plain-1 snapshot=Team/Upper", "is no image name", _PLAIN),
    ("stop plain-1 snapshot=rig/busybox:1", "a tag is never moved", _PLAIN),
    ("stop plain-1 grace=2h", "is no time", _PLAIN),
    ("stop plain-1 snapshoot", "Did you mean snapshot?", _PLAIN),
    ('stop plain-1 reason="open', "A quote is opened and not closed", _PLAIN),
    ("stpo plain-1", "Did you mean stop?", _PLAIN),
    ("stop", "The name of the container is missing", _PLAIN),
    ("kill plain-1", "Dockwarden cannot kill a container. There is stop", _PLAIN),
    ("logs plain-1", "There is inspect, which shows one container", _PLAIN),
    ("start plain-1", "`start plain-1`: `plain-1` on `local` runs already.", _PLAIN),
    ("start plain-1 grace=3s", "“grace” belongs to the sub-commands stop, ", _PLAIN),
    ("approve 000000000000", "`approve 000000000000`: there is no request", _PLAIN),
    ("approve bob", "there is no request for `bob` on `local`", _PLAIN),
]


@pytest.mark.parametrize(("command", "says", "made"), _ROWS, ids=[row[0] for row in _ROWS])
async def test_a_refusal_is_private_and_clear(
    people: People, command: str, says: str, made: dict[str, Any]
) -> None:
    """One person is told what is wrong; there is no card, and no container was touched."""
    container = people.engine.run(**made)
    if made["name"] == "shop-1":
        people.engine.create(name="shop-2")
    before = {message["ts"] for message in await people.channel.messages()}
    await people.channel.ask("alice", command)
    await people.told("alice", says)
    new = [m for m in await people.channel.messages() if m["ts"] not in before]
    # What an earlier test has asked for may still be answered.
    told = [m.get("ephemeral_to") for m in new if says in str(m)]
    assert told == [USERS["alice"]], "it is told once"
    assert not [m for m in new if request_of(m)]
    assert people.engine.state(container) == "running"


async def _is_gone(people: People, ts: str) -> bool:
    return ts not in {message["ts"] for message in await people.channel.messages()}


async def test_what_was_meant_is_one_press_away(people: People) -> None:
    """The button of a refusal asks for the name that comes near, and takes the refusal with it."""
    people.engine.run(name="cache-1")
    await people.channel.ask("alice", "stop cach-1 snapshot reason=the disk is full")
    refusal = await people.channel.wait_for(
        "the refusal", lambda m: "Did you mean `cache-1`?" in str(m.get("text"))
    )
    before = {message["ts"] for message in await people.channel.messages()}

    await people.channel.press("alice", refusal, f"{ActionId.ASK}.0")

    card = await people.channel.wait_for(
        "its card", lambda m: m["ts"] not in before and bool(request_of(m))
    )
    assert "`cache-1`" in headline(card)
    assert "the disk is full" in str(card)
    await eventually(partial(_is_gone, people, refusal["ts"]))
    assert not [m for m in await people.channel.messages() if m["ts"] not in before | {card["ts"]}]
    await people.channel.press("alice", card, ActionId.CANCEL)
    await people.channel.wait_for_card(request_of(card), "⏹️ *Cancelled*")


async def test_a_second_request_is_led_to_the_first(people: People) -> None:
    """Somebody who asks about a container with an open request gets the link to its card."""
    people.engine.run(name="wanted-1")
    first = await people.ask("stop wanted-1")
    way = await first.permalink()
    answer = await people.type("carol", "snapshot wanted-1")
    assert f"not started, for <@{USERS['alice']}> asked to stop `wanted-1` on `local`" in answer
    assert f"⏳ Approval needed, by <@{USERS['bob']}> or <@{USERS['carol']}>" in answer
    assert f"<{way}|See its card>" in answer
    await people.type("alice", f"cancel {first.request_id}")
    await first.outcome()


async def test_an_approver_takes_the_place_of_a_stranger(people: People) -> None:
    """An emergency is not locked out: the stranger's card is over, and another is decided about."""
    people.engine.run(name="urgent-1")
    first = await people.ask("stop urgent-1 reason=tidying")
    answer = await people.type("bob", "snapshot urgent-1")
    assert "put their own in its place" in answer

    await people.channel.ask("dave", "snapshot urgent-1 replace")
    await people.told("dave", first.request_id, "not among the approvers")
    assert (await first.state()).status is RequestStatus.WAITING

    before = {message["ts"] for message in await people.channel.messages()}
    await people.channel.ask("bob", 'snapshot urgent-1 replace reason="it leaks"')

    card = await people.channel.wait_for(
        "the card of the urgent request",
        lambda message: message["ts"] not in before and bool(request_of(message)),
    )
    await people.channel.press("carol", card, ActionId.APPROVE)
    await people.channel.wait_for_card(request_of(card), "✅ *Snapshotted and started again*")
    old = await people.channel.wait_for_card(first.request_id, "❌ *Rejected*")
    assert f"by <@{USERS['bob']}>" in headline(old)
    assert people.engine.state(first.container) == "running"
    listed = await people.type("alice", "requests mine")
    assert "❌ Rejected or refused · stop `urgent-1` on `local`" in listed
    assert first.request_id in listed


async def test_a_host_that_nobody_serves_is_told_within_seconds(people: People) -> None:
    """A host without a live worker is said to be so, with what to do, before anybody is asked."""
    asked = time.monotonic()
    await people.channel.ask("alice", "stop web-1 on nowhere")
    told = await people.told("alice", "`stop web-1`: ", "nowhere")
    assert time.monotonic() - asked < _SOON
    assert "no Dockwarden worker serves the host `nowhere`" in told
    assert "dockwarden worker --host nowhere" in told
