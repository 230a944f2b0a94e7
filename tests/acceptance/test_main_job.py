"""Does the one job work from the command to the engine: ask, decide, stop, snapshot, tag?"""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.rigs.dockerd import HEARS_TERM, IGNORES_TERM, IMAGE, STOPS_AT_ONCE
from tests.rigs.people import People
from tests.rigs.waiting import eventually
from workflows.model.names import REQUEST_LABEL, ActionId
from workflows.model.state import RequestStatus, StepName, StepStatus

#: From a click to a stopped container with its tagged snapshot, as the product promises.
_PROMISED_SECONDS = 2.0
#: What was measured stays here after a run; git leaves it out.
_ARTEFACTS = Path(__file__).parents[1] / "artefacts"


async def test_the_promise(people: People) -> None:
    """Alice asks, her own Approve is refused in private, bob approves; it is stopped and kept."""
    container = people.engine.run(name="web-1")
    request = await people.ask('stop web-1 snapshot reason="CVE-2026-1"')
    await people.told("alice", request.request_id, "You hear more here")
    card = await people.until_card(request, "⏳ *Approval needed*")
    for fact in (container[:12], IMAGE, "CVE-2026-1", "*Afterwards* it is down"):
        assert fact in card

    await people.approve(request, "alice")
    assert "takes another person" in await people.told("alice", request.request_id, "not count")
    assert (await request.state()).status is RequestStatus.WAITING
    assert people.engine.state(container) == "running"

    await people.approve(request)
    state = await people.until(request, RequestStatus.SUCCEEDED)
    assert people.engine.state(container) == "exited"
    (image,) = people.images(request)
    assert image["RepoTags"] == [f"dockwarden/web-1:req-{request.request_id}"]
    assert state.snapshot
    assert state.snapshot.image_id == image["Id"]
    card = await people.until_card(request, "✅ *Stopped and snapshotted*")
    assert "<@U0BOB0001>" in card
    rows = [b for b in (await people.card(request))["blocks"] if b["type"] == "actions"]
    assert [one["action_id"] for row in rows for one in row["elements"]] == [ActionId.START_AGAIN]


@pytest.mark.alone
async def test_two_seconds_from_the_click(people: People) -> None:
    """From a click to a stopped container with a tagged snapshot it takes less than two seconds.

    Judged by the middle one of five: one may meet another program that wants the machine.
    """
    took = []
    for number in range(5):
        people.engine.run(name=f"quick-{number}")
        request = await people.ask(f"stop quick-{number} snapshot")
        await people.approve(request)
        clicked = time.monotonic()
        await people.until(request, RequestStatus.SUCCEEDED)
        took.append(time.monotonic() - clicked)
        assert people.engine.state(request.container) == "exited"
        assert len(people.images(request)) == 1
    _ARTEFACTS.mkdir(exist_ok=True)
    middle = statistics.median(took)
    told = f"from the click: p50 {middle:.2f} s, slowest {max(took):.2f} s\n"
    (_ARTEFACTS / "click.txt").write_text(told, encoding="utf-8")
    assert middle < _PROMISED_SECONDS, took


@dataclass(frozen=True, kw_only=True)
class Case:
    """One way to ask, and what the engine has to say in the end."""

    command: str
    runs: bool = True
    script: str = STOPS_AT_ONCE
    ends: str = "exited"
    tag: str = ""
    images: int = 1
    card: str


CASES = {
    "snapshot of a running one": Case(
        command="snapshot {}", ends="running", card="✅ *Snapshotted and started again*"
    ),
    "snapshot of a stopped one": Case(
        command="snapshot {}", runs=False, ends="created", card="✅ *Snapshotted*"
    ),
    "snapshot under a name": Case(
        command="snapshot {} as team/kept:v1",
        runs=False,
        ends="created",
        tag="team/kept:v1",
        card="✅ *Snapshotted*",
    ),
    "stop only": Case(command="stop {}", images=0, card="✅ *Stopped*"),
    "stop of a stopped one": Case(
        command="stop {} snapshot",
        runs=False,
        ends="created",
        card="✅ *Snapshotted, was stopped already*",
    ),
    "stop and snapshot under a name": Case(
        command="stop {} snapshot=team/kept:v2", tag="team/kept:v2", card="✅ *Stopped and"
    ),
    "stop with a grace": Case(
        command="stop {} grace=1s", script=IGNORES_TERM, images=0, card="✅ *Stopped*"
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
async def test_every_way_to_ask(people: People, case: Case) -> None:
    """Each form of the command ends as it says, by the word of the engine."""
    make = people.engine.run if case.runs else people.engine.create
    container = make(case.script, name="case-1")
    started = people.engine.inspect(container)["State"]["StartedAt"]
    request = await people.ask(case.command.format("case-1"))
    await people.approve(request)
    await people.until(request, RequestStatus.SUCCEEDED)
    await people.until_card(request, case.card)
    after = people.engine.inspect(container)["State"]
    assert after["Status"] == case.ends
    assert (after["StartedAt"] != started) == (case.ends == "running")
    images = people.images(request)
    assert len(images) == case.images
    for image in images:
        assert image["RepoTags"] == [case.tag or f"dockwarden/case-1:req-{request.request_id}"]
        assert image["Labels"][REQUEST_LABEL] == request.request_id


async def test_a_kill_after_the_grace_is_told(people: People) -> None:
    """A container that does not end by itself within its grace is killed, and the card says so."""
    people.engine.run(IGNORES_TERM, name="deaf-1")
    request = await people.ask("stop deaf-1 grace=1s")
    assert "it gets 1 s to end by itself" in await people.until_card(request, "⏳")
    await people.approve(request)
    state = await people.until(request, RequestStatus.SUCCEEDED)
    assert people.engine.inspect(request.container)["State"]["ExitCode"] == 137
    assert "kill" in state.steps[0].note


async def test_a_tag_taken_meanwhile_puts_it_back(people: People) -> None:
    """When the tag was given away since the card, the container runs again as it did before."""
    container = people.engine.run(name="back-1")
    before = people.engine.inspect(container)
    request = await people.ask("stop back-1 snapshot=team/taken:v1")
    people.engine.api.tag(IMAGE, "team/taken", "v1")
    await people.approve(request)
    state = await people.until(request, RequestStatus.PUT_BACK)
    after = people.engine.inspect(container)
    assert after["State"]["Status"] == "running"
    assert after["State"]["StartedAt"] != before["State"]["StartedAt"]
    assert people.engine.api.inspect_image("team/taken:v1")["Id"] == before["Image"]
    assert [i for i in people.images(request) if i["Id"] != before["Image"]] == []
    made = next(step for step in state.steps if step.name is StepName.SNAPSHOT)
    assert made.status is StepStatus.FAILED
    card = await people.until_card(request, "↩️ *Failed and put back*")
    assert "a tag is never moved" in card


async def test_two_people_are_two_people(people: People) -> None:
    """Where two approvals are asked for, one person counts once, and the second decides."""
    container = people.engine.run(name="careful-1")
    request = await people.ask('stop careful-1 reason="two of us"')
    await people.approve(request)
    await people.until_card(request, "⏳ *1 more approval needed*")
    await people.type("bob", f"approve {request.request_id}")
    await people.told("bob", request.request_id, "each person counts once")
    assert people.engine.state(container) == "running"
    await people.approve(request, "carol")
    await people.until(request, RequestStatus.SUCCEEDED)
    assert people.engine.state(container) == "exited"


async def test_a_rejection_by_the_form(people: People) -> None:
    """The form's reason is on the card, the buttons are gone, and nothing was touched."""
    container = people.engine.run(name="kept-1")
    request = await people.ask("stop kept-1 snapshot")
    await people.reject(request, "not during the <!channel> sale")
    card = await people.until_card(request, "❌ *Rejected* by <@U0BOB0001>")
    assert "“not during the <!channel> sale”" in card
    why = next(b for b in (await people.card(request))["blocks"] if b["block_id"][:3] == "why")
    assert why["elements"][1]["type"] == "plain_text"
    assert people.engine.state(container) == "running"
    assert people.images(request) == []
    await request.outcome()
    await people.channel.press("carol", request.card, ActionId.APPROVE)
    assert "is over" in await people.told("carol", request.request_id)


async def test_cancelling_a_waiting_one(people: People) -> None:
    """Only the requester cancels a waiting request; then nothing was touched."""
    container = people.engine.run(name="doubt-1")
    request = await people.ask("stop doubt-1")
    await people.press("bob", request, ActionId.CANCEL)
    await people.told("bob", request.request_id, "can do that")
    await people.press("alice", request, ActionId.CANCEL)
    await people.until(request, RequestStatus.CANCELLED)
    await people.until_card(request, "⏹️ *Cancelled*")
    assert people.engine.state(container) == "running"


async def test_cancelling_a_running_one(people: People) -> None:
    """A cancel while it stops waits for the stop, then puts the container back."""
    container = people.engine.run(HEARS_TERM, name="doubt-2")
    request = await people.ask("stop doubt-2 snapshot grace=60s")
    await people.approve(request)
    await people.until_card(request, "🔄 *Working*")
    await eventually(lambda: b"told" in people.engine.api.logs(container), what="no stop has begun")
    await people.type("alice", f"cancel {request.request_id}")
    await request.until_cancelled()
    assert (await request.state()).status is RequestStatus.RUNNING
    people.engine.api.kill(container)
    await people.until(request, RequestStatus.PUT_BACK)
    assert people.engine.state(container) == "running"
    await people.until_card(request, "↩️ *Cancelled* by <@U0ALICE01> *and put back*")


async def test_another_container_of_the_same_name_is_left_alone(people: People) -> None:
    """What was created anew since the card is not what was approved: nothing is touched."""
    people.engine.run(name="twin-1")
    request = await people.ask("stop twin-1 snapshot")
    people.engine.api.remove_container("twin-1", force=True)
    container = people.engine.run(name="twin-1")
    await people.approve(request)
    await people.until(request, RequestStatus.STALE)
    await people.until_card(request, "⚠️ *Out of date*")
    assert people.engine.state(container) == "running"
    assert people.images(request) == []


async def test_nobody_answers(people: People) -> None:
    """A request that nobody answers in time expires, and a late click is told so."""
    container = people.engine.run(name="hasty-1")
    request = await people.ask("stop hasty-1")
    await people.until(request, RequestStatus.EXPIRED)
    await people.until_card(request, "⌛ *Expired*")
    await request.outcome()
    await people.channel.press("bob", request.card, ActionId.APPROVE)
    assert "is over: ⌛ Expired" in await people.told("bob", request.request_id)
    assert people.engine.state(container) == "running"
