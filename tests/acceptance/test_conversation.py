"""Can people do everything by command, and machines by Temporal's own tool?"""

from __future__ import annotations

import asyncio
import json
import secrets
from typing import Any

import pytest

from deploy.laptop.slack_server import TEAM_ID, USERS
from tests.rigs.laptop import LaptopProcess
from tests.rigs.people import People
from tests.rigs.request_driver import Request
from tests.rigs.terminal import Terminal
from workflows.model.names import STATE_QUERY, request_workflow_id
from workflows.model.state import RequestStatus

_SCRIPTED = request_workflow_id("local", "script-1")
_VALUE = "hunter2-in-the-environment"


@pytest.fixture(name="terminal")
def _terminal(laptop: LaptopProcess) -> Terminal:
    """Temporal's own tool, on the laptop's server."""
    return Terminal(laptop.ready["temporal"])


async def test_looking_around(people: People) -> None:
    """List and inspect show what runs, in private, and never a value of the environment."""
    people.engine.run(name="seen-1", environment={"PASSWORD": _VALUE}, volumes=("/var/lib/data",))
    people.engine.create(name="seen-2", labels={"dockwarden.protected": "true"})
    listed = await people.type("dave", "list")
    assert "🟢 `seen-1`" in listed
    assert "⚪ `seen-2` · never started · 🔒 protected" in listed
    inspected = await people.type("dave", "inspect seen-1")
    for fact in ("seen-1", "rig/busybox:1", "restart policy", "/var/lib/data"):
        assert fact in inspected
    request = await people.ask('stop seen-1 snapshot reason="look"')
    await people.type("alice", f"cancel {request.request_id}")
    state = await request.outcome()
    everything = str(await people.channel.messages()) + str(state)
    assert _VALUE not in everything
    assert "PASSWORD" not in everything


async def test_deciding_by_command(people: People) -> None:
    """Approve and reject by command obey the buttons' rules; requests and status tell of them."""
    people.engine.run(name="talk-1")
    people.engine.run(name="talk-2")
    first = await people.ask("stop talk-1 snapshot")
    second = await people.ask("stop talk-2")
    assert "Approval needed" in await people.type("dave", f"status {first.request_id}")

    await people.type("alice", f"approve {first.request_id}")
    await people.told("alice", first.request_id, "takes another person")
    await people.type("dave", f"approve {first.request_id}")
    await people.told("dave", first.request_id, "not among the approvers")
    assert people.engine.state(first.container) == "running"

    answer = await people.type("bob", f'approve {first.request_id} "go ahead"')
    assert "Noted: your approval" in answer
    await people.until(first, RequestStatus.SUCCEEDED)
    answer = await people.type("carol", f'reject {second.request_id} "no need"')
    assert "Noted: your rejection" in answer
    await people.until(second, RequestStatus.REJECTED)
    assert people.engine.state(first.container) == "exited"
    assert people.engine.state(second.container) == "running"

    done, rejected = (
        "✅ Stopped and snapshotted · stop and snapshot `talk-1` on `local`",
        "❌ Rejected, nothing was changed · stop `talk-2` on `local`",
    )
    await _listing(people, "alice", "requests mine", done, rejected)
    await first.outcome()
    status = await people.type("dave", f"status {first.request_id}")
    assert "✅ Stopped and snapshotted" in status
    assert f"dockwarden/talk-1:req-{first.request_id}" in status
    late = await people.type("bob", f"reject {first.request_id} late")
    assert "is over: ✅" in late


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("help", "*Dockwarden asks people before it touches a container.*"),
        ("", "*Dockwarden asks people before it touches a container.*"),
        ("help stop", "stop NAME [on HOST] [snapshot[=REF]]"),
        ("requests waiting", "*Requests waiting for approval*: none."),
    ],
)
async def test_asking_for_help(people: People, command: str, says: str) -> None:
    """Help and empty lists are answered in private."""
    assert says in await people.type("dave", command)


async def test_deciding_from_a_terminal(people: People, terminal: Terminal) -> None:
    """A signal from Temporal's own tool passes the same checks, and the query tells the state.

    Where there is a seal key, nobody decides in this way.
    """
    container = people.engine.run(name="script-1")
    request = await people.ask("stop script-1 snapshot")
    await _signal(terminal, request, "alice")
    await people.told("alice", request.request_id, "takes another person")
    await _signal(terminal, request, "dave")
    await people.told("dave", request.request_id, "not among the approvers")
    assert (await _query(terminal))["status"] == "waiting"
    assert people.engine.state(container) == "running"

    await _signal(terminal, request, "bob")
    await people.told("bob", request.request_id, "without the seal")
    assert (await _query(terminal))["status"] == "waiting"
    await people.approve(request)
    await people.until(request, RequestStatus.SUCCEEDED)
    state = await _query(terminal)
    assert state["status"] == "succeeded"
    assert state["request_id"] == request.request_id
    assert [decision["approver_id"] for decision in state["decisions"]] == [USERS["bob"]]
    assert people.engine.state(container) == "exited"


async def test_a_hostile_signal_harms_nothing(people: People, terminal: Terminal) -> None:
    """What is no decision is dropped; the request waits on and can be decided."""
    people.engine.run(name="script-1")
    request = await people.ask("stop script-1")
    for payload in (None, [], "yes", {"choice": "approve"}, {"choice": {"a": 1}}):
        await terminal.signal(_SCRIPTED, payload)
    assert (await _query(terminal))["status"] == "waiting"
    await people.type("bob", f"reject {request.request_id} seen")
    assert (await request.outcome()).status is RequestStatus.REJECTED


async def _signal(terminal: Terminal, request: Request, who: str) -> None:
    decision = {
        "decision_id": secrets.token_hex(8),
        "request_id": request.request_id,
        "approver_id": USERS[who],
        "team_id": TEAM_ID,
        "choice": "approve",
        "comment": "",
        "source": "script",
        "plan_hash": (await _query(terminal))["plan_hash"],
    }
    await terminal.signal(_SCRIPTED, decision)


async def _query(terminal: Terminal) -> dict[str, Any]:
    answer = await terminal.run(
        *("workflow", "query", "--workflow-id", _SCRIPTED, "--name", STATE_QUERY),
        *("--output", "json"),
    )
    (state,) = json.loads(answer)["queryResult"]
    return dict(state)


async def _listing(people: People, who: str, command: str, *lines: str) -> None:
    """Ask for a list until it holds these: Temporal's index follows what happens by a moment."""
    async with asyncio.timeout(10):
        answer = await people.type(who, command)
        while not all(line in answer for line in lines):
            # Whoever types without a pause is told to slow down.
            await asyncio.sleep(0.5)
            answer = await people.type(who, command)
