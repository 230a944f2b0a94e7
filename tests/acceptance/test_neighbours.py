"""Is what people are told of names, and of others that live in a container, so on the engine?"""

from __future__ import annotations

import re

import pytest
from temporalio.client import Client
from temporalio.service import RPCError

from tests.rigs.dockerd import HEARS_TERM
from tests.rigs.local_slack import texts
from tests.rigs.people import People
from tests.rigs.waiting import eventually
from workflows.model.names import STATE_QUERY, ActionId, request_workflow_id
from workflows.model.state import RequestState, RequestStatus


def _commands(card: str, verb: str) -> list[str]:
    return re.findall(rf"`docker {verb} ([0-9a-f]{{12}})`", card)


async def test_others_that_live_in_it_are_named_before_and_after(people: People) -> None:
    """They are left as they are; the command that the last card gives mends each of them."""
    engine = people.engine
    main = engine.run(name="main-1")
    side = engine.run(name="side-1", network=f"container:{main}")
    top = engine.run(name="top-1", processes="container:main-1")
    request = await people.ask("snapshot main-1")
    card = await people.until_card(request, "⏳ *Approval needed*")
    assert "⚠️ `side-1` uses its network" in card
    assert "`top-1` uses its process space" in card
    began = engine.inspect(side)["State"]["StartedAt"]
    await people.approve(request)
    await people.until(request, RequestStatus.SUCCEEDED)
    card = await people.until_card(request, "✅ *Snapshotted and started again*")
    assert "`side-1` *is cut off*" in card
    assert "`top-1` *is down*" in card
    assert engine.inspect(side)["State"]["StartedAt"] == began
    assert engine.state(top) == "exited"
    assert set(_commands(card, "restart")) == {side[:12], top[:12]}
    for container in (side, top):
        engine.api.restart(container, timeout=1)
        assert engine.state(container) == "running"


async def test_a_stop_says_when_they_can_be_mended(people: People) -> None:
    """Whose owner is down cannot be restarted before it."""
    engine = people.engine
    main = engine.run(name="main-1")
    side = engine.run(name="side-1", network=f"container:{main}")
    request = await people.ask("stop main-1")
    await people.approve(request)
    card = await people.until_card(request, "✅ *Stopped*")
    assert "`side-1` *is cut off*: it uses the network of `main-1`, which is down" in card
    assert f"once `main-1` runs again on local: `docker restart {side[:12]}`" in card


async def test_one_that_is_renamed_while_it_is_worked_on(people: People) -> None:
    """It is put back; what is said of it never leads to the container that has its name now."""
    engine = people.engine
    container = engine.run(HEARS_TERM, name="shop-2")
    request = await people.ask("snapshot shop-2 grace=3s")
    await people.approve(request)
    await eventually(lambda: b"told" in engine.api.logs(container), what="the stop was sent")
    engine.api.rename(container, "shop-2-old")
    other = engine.run(name="shop-2")
    began = engine.inspect(other)["State"]["StartedAt"]
    state = await people.until(request, RequestStatus.SUCCEEDED)
    assert state.renamed == "shop-2-old"
    card = await people.until_card(request, "✅ *Snapshotted and started again*")
    assert "`shop-2-old` (asked for as `shop-2`) on *local*" in card
    assert engine.state(container) == "running"
    assert engine.inspect(other)["State"]["StartedAt"] == began


async def test_a_paused_one_is_told_as_what_it_is(people: People) -> None:
    """It is paused again as it was: the plan says so, and so does the end."""
    engine = people.engine
    container = engine.run(name="paused-1")
    engine.api.pause(container)
    request = await people.ask("snapshot paused-1")
    card = await people.until_card(request, "⏳ *Approval needed*")
    assert "it runs again, and is paused again as it was" in card
    await people.approve(request)
    await people.until(request, RequestStatus.SUCCEEDED)
    card = await people.until_card(request, "✅ *Snapshotted and paused again as it was*")
    assert "and paused again as it was" in card
    assert "stays up" not in card
    assert engine.state(container) == "paused"


@pytest.mark.parametrize("length", [260, 900])
async def test_a_name_of_any_length(people: People, client: Client, length: int) -> None:
    """Docker has no upper limit: asked for, approved and done as any other."""
    name = f"long-{'n' * length}"[:length]
    container = people.engine.run(name=name)
    await people.channel.ask("alice", f"stop {name} snapshot")
    workflow_id = request_workflow_id("local", name)
    handle = client.get_workflow_handle(workflow_id)

    async def state() -> RequestState | None:
        try:
            return await handle.query(STATE_QUERY, result_type=RequestState)
        except RPCError:
            return None

    async def is_posted() -> bool:
        seen = await state()
        return seen is not None and seen.card is not None

    await eventually(is_posted, within=20, what="the card was not posted")
    asked = await state()
    assert asked is not None
    assert asked.container.name == name
    card = await people.channel.wait_for_card(asked.request_id, "⏳ *Approval needed*")
    await people.channel.press("bob", card, ActionId.APPROVE)
    done = await people.channel.wait_for_card(asked.request_id, "✅ *Stopped and snapshotted*")
    assert people.engine.state(container) == "exited"
    (image,) = people.engine.api.images(asked.reference)
    assert image["RepoTags"] == [asked.reference]
    assert asked.reference in texts(done)
    posted_at = card["ts"].replace(".", "")
    assert f"/p{posted_at}|card>" in await people.type("alice", "requests recent")
