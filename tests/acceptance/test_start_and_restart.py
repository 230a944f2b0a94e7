"""Do people get a container started, and restarted, from the command to the engine?

What each refuses stands in ``test_refusals.py``.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from deploy.laptop.slack_server import USERS
from tests.rigs.people import People
from workflows.model.names import REQUEST_LABEL, ActionId
from workflows.model.state import RequestStatus

_UP, _DOWN = "running", "exited"


@dataclass(frozen=True, kw_only=True)
class Case:
    """One way to ask, for a container that is found so, and what comes of it."""

    command: str
    found: str
    asked: str
    card: str
    tag: str = ""


CASES = {
    "start": Case(
        command="start {} reason=patched", found=_DOWN, asked="start", card="✅ *Started*"
    ),
    "restart": Case(command="restart {}", found=_UP, asked="restart", card="✅ *Restarted*"),
    "restart with a snapshot": Case(
        command="restart {} snapshot=team/before:v1 grace=3s",
        found=_UP,
        asked="restart",
        card="✅ *Snapshotted and restarted*",
        tag="team/before:v1",
    ),
    # what is stopped is started, and the card says so before anybody approves it
    "restart of a stopped one": Case(
        command="restart {}", found=_DOWN, asked="start", card="✅ *Started*"
    ),
    "restart of a stopped one with a snapshot": Case(
        command="restart {} snapshot=team/before:v2",
        found=_DOWN,
        asked="start",
        card="✅ *Snapshotted and started*",
        tag="team/before:v2",
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
async def test_it_runs_anew(people: People, case: Case) -> None:
    """Nothing happens before the approval; then it was started anew, by the engine's word."""
    container = people.engine.run(name="again-1")
    if case.found == _DOWN:
        people.engine.api.stop(container, timeout=5)
    before = people.engine.inspect(container)["State"]

    request = await people.ask(case.command.format("again-1"))
    state = await request.state()
    assert state.operation.kind == case.asked
    assert people.engine.inspect(container)["State"] == before
    await people.approve(request)
    await people.until(request, RequestStatus.SUCCEEDED)

    await people.until_card(request, case.card)
    after = people.engine.inspect(container)["State"]
    assert after["Status"] == _UP
    assert after["StartedAt"] > before["StartedAt"]
    images = people.images(request)
    assert [image["RepoTags"] for image in images] == ([[case.tag]] if case.tag else [])
    for image in images:
        assert image["Labels"][REQUEST_LABEL] == request.request_id


async def test_what_was_stopped_is_started_by_its_card(people: People) -> None:
    """The final card of a stop asks for the start, as whoever presses it; once it runs, not."""
    container = people.engine.run(name="back-1")
    stopped = await people.ask('stop back-1 reason="while it is patched"')
    await people.approve(stopped)
    await people.until_card(stopped, "✅ *Stopped*")

    started = await people.ask_by(ActionId.START_AGAIN, stopped, "carol")
    state = await started.state()
    assert (state.operation.kind, state.requester, state.reason) == ("start", USERS["carol"], "")
    assert people.engine.state(container) == _DOWN
    await people.approve(started, "carol")
    await people.told("carol", started.request_id, "takes another person")
    await people.approve(started)
    await people.until_card(started, "✅ *Started*")
    await started.outcome()
    assert people.engine.state(container) == _UP

    await people.send_form(ActionId.START_AGAIN, stopped, "carol")
    answer = await people.told("carol", "`start back-1`: `back-1` on `local` runs already.")
    assert "To restart it: `/container restart back-1 on local`" in answer


async def test_another_word_for_it_starts_nothing(people: People) -> None:
    """Who types what Docker has reads what there is, and the right text for this container."""
    container = people.engine.run(name="down-1")
    people.engine.api.stop(container, timeout=5)

    answer = await people.type("alice", "up down-1")

    assert "Dockwarden cannot make a container. There is start, which" in answer
    assert "/container start down-1" in answer
    assert people.engine.state(container) == _DOWN
