"""What comes of it when somebody goes past Slack and speaks with Temporal directly?"""

from __future__ import annotations

import dataclasses
import json
import uuid
from typing import Any

import pytest
from temporalio.client import WorkflowFailureError
from temporalio.converter import DataConverter

from deploy.laptop.slack_server import CHANNEL_ID, TEAM_ID, USERS
from tests.rigs.installation import Installation
from tests.rigs.slack_users import SlackUsers
from tests.rigs.terminal import Terminal
from workflows.model.errors import ErrorType, RefusalCode
from workflows.model.names import (
    CANCEL_SIGNAL,
    CONTROL_TASK_QUEUE,
    DECIDE_SIGNAL,
    OPERATION_WORKFLOW,
    PROGRESS_SIGNAL,
    PROTECTED_LABEL,
    REQUEST_WORKFLOW,
    STOP_TRYING_SIGNAL,
    TRY_NOW_SIGNAL,
    operation_workflow_id,
    request_workflow_id,
)
from workflows.model.state import RequestState, RequestStatus

# Rows of the fault campaign, on the rig that can strike between the parts.
pytestmark = pytest.mark.fault

ALICE, BOB, CAROL, DAVE = (USERS[name] for name in ("alice", "bob", "carol", "dave"))


@pytest.fixture
def terminal(installation: Installation) -> Terminal:
    """Give the command line of the installation's Temporal."""
    return Terminal(installation.temporal_address)


def _request(name: str, **changes: Any) -> dict[str, Any]:
    policy = {"name": "forged", "labels": {}, "approvers": [DAVE]}
    return {
        "request_id": uuid.uuid4().hex[:12],
        "operation": {"kind": "stop", "snapshot": True},
        "container": {"host": "local", "name": name},
        "requester": ALICE,
        "team_id": TEAM_ID,
        "channel_id": CHANNEL_ID,
        "policies": [policy],
        "delivery_id": "forged",
        **changes,
    }


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        pytest.param("shielded-1", {PROTECTED_LABEL: "true"}, id="by its label"),
        pytest.param("guarded-1", {}, id="by the operator's list"),
    ],
)
async def test_neither_door_leads_to_a_protected_container(
    users: SlackUsers,
    installation: Installation,
    terminal: Terminal,
    name: str,
    labels: dict[str, str],
) -> None:
    """A command in Slack gets no card, and a start that is not the bot's is not even looked at."""
    container = users.engine.run(name=name, labels=labels)
    workflow_id = request_workflow_id(installation.host, name)
    await installation.channel.ask("alice", f"stop {name}")
    await users.refusal(ALICE, "is protected", name)
    await terminal.start(REQUEST_WORKFLOW, workflow_id, _request(name))
    handle = installation.client.get_workflow_handle(workflow_id, result_type=RequestState)
    state = await handle.result()
    assert state.refusal is not None
    assert state.refusal.code is RefusalCode.NOT_SEALED
    assert installation.slack_proxy.count("chat.postMessage") == 0
    assert users.engine.state(container) == "running"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"container": {"host": "local", "name": "../images/x"}}, "container.name"),
        ({"policies": [{"name": "p", "labels": {}, "approvers": []}]}, "a policy has no approver"),
        ({"operation": {"kind": "stop", "grace_seconds": 10**9}}, "grace_seconds"),
        ({"reason": "x" * 100_000}, "reason takes up to"),
        ({"request_id": "nice"}, "request_id takes 12"),
        ({"container": {"host": "local", "name": "other"}}, "does not name this container"),
        ({"requester": None}, "not a request"),
    ],
)
async def test_a_start_that_is_no_request_fails_at_once(
    users: SlackUsers,
    installation: Installation,
    terminal: Terminal,
    changes: dict[str, Any],
    says: str,
) -> None:
    """An impossible input ends the workflow with words, instead of being tried for ever."""
    workflow_id = request_workflow_id(installation.host, "typed-1")
    run_id = await terminal.start(REQUEST_WORKFLOW, workflow_id, _request("typed-1", **changes))
    handle = installation.client.get_workflow_handle(workflow_id, run_id=run_id)
    with pytest.raises(WorkflowFailureError) as failure:
        await handle.result()
    assert says in str(failure.value.cause)
    assert users.engine.images() == set()


async def test_a_signal_of_somebody_who_may_not_decide(
    users: SlackUsers, terminal: Terminal
) -> None:
    """Signals from the terminal are judged like clicks, and rubbish among them is dropped.

    One in the name of who may decide, and of the right plan, lacks the seal of the bot.
    """
    request = await users.run_and_ask("signalled")
    decision = {
        "decision_id": "forged",
        "request_id": request.request_id,
        "approver_id": DAVE,
        "team_id": TEAM_ID,
        "choice": "approve",
        "source": "script",
        "plan_hash": (await request.state()).plan_hash,
    }
    for rubbish in ("rubbish", {"choice": "perhaps"}, [], {**decision, "choice": "run"}):
        await terminal.signal(request.handle.id, rubbish)
    for changes in (
        {},
        {"approver_id": ALICE},
        {"request_id": "0" * 12},
        {"approver_id": "<!here>"},
    ):
        await terminal.signal(request.handle.id, decision | changes)
    await terminal.signal(request.handle.id, decision | {"approver_id": BOB, "team_id": "T1"})
    await users.refusal(DAVE, "not among the approvers", request.request_id)
    await users.refusal(ALICE, "you asked for this yourself", request.request_id)
    await users.refusal(BOB, "not in the workspace", request.request_id)
    state = await request.state()
    assert (state.status, state.decisions) == (RequestStatus.WAITING, ())
    assert users.engine.state(request.container) == "running"
    await terminal.signal(request.handle.id, decision | {"approver_id": BOB})
    await users.refusal(BOB, "without the seal", request.request_id)
    assert (await request.state()).decisions == ()
    await users.approve(request)
    await users.check(request, await request.outcome(), RequestStatus.SUCCEEDED)


async def test_a_forged_word_of_the_operation_changes_nothing(
    users: SlackUsers, terminal: Terminal
) -> None:
    """The operation's own signal is believed only while there is an operation."""
    request = await users.run_and_ask("progress")
    told = _told(await request.state(), status="needs_person")
    await terminal.signal(request.handle.id, told, PROGRESS_SIGNAL)
    await terminal.signal(request.handle.id, "rubbish", PROGRESS_SIGNAL)
    assert (await request.state()).status is RequestStatus.WAITING
    await users.withdraw(request)
    await users.check(request, await request.outcome(), RequestStatus.CANCELLED)


@pytest.mark.parametrize("changes", [{}, {"status": "running"}])
async def test_an_operation_cannot_be_started_by_hand(
    users: SlackUsers, installation: Installation, terminal: Terminal, changes: dict[str, Any]
) -> None:
    """An operation runs only for its own approved request: nothing else touches the container."""
    request = await users.run_and_ask("handmade", command="stop {} snapshot")
    state = _told(await request.state(), **changes)
    workflow_id = operation_workflow_id(installation.host, request.container)
    for argument in ({"state": state}, {"state": state, "recover": True}):
        run_id = await terminal.start(OPERATION_WORKFLOW, workflow_id, argument)
        with pytest.raises(WorkflowFailureError) as failure:
            await installation.client.get_workflow_handle(workflow_id, run_id=run_id).result()
        assert getattr(failure.value.cause, "type", "") == ErrorType.BAD_INPUT
    assert users.engine.state(request.container) == "running"
    assert users.engine.images() == set()
    assert (await request.state()).status is RequestStatus.WAITING
    await users.withdraw(request)
    await users.check(request, await request.outcome(), RequestStatus.CANCELLED)


def _told(state: RequestState, **changes: Any) -> dict[str, Any]:
    payload = DataConverter.default.payload_converter.to_payload(dataclasses.replace(state))
    written: dict[str, Any] = json.loads(payload.data)
    return written | changes


async def test_signals_and_starts_without_input_hold_nothing_up(
    users: SlackUsers, installation: Installation, terminal: Terminal
) -> None:
    """As somebody types them who forgot ``--input``: at a waiting request, and while it works."""
    request = await users.run_and_ask("mute", "stop {} snapshot")
    signals = (DECIDE_SIGNAL, CANCEL_SIGNAL, STOP_TRYING_SIGNAL, TRY_NOW_SIGNAL, PROGRESS_SIGNAL)
    for signal in signals:
        await terminal.run(
            "workflow", "signal", "--workflow-id", request.handle.id, "--name", signal
        )
    operation = operation_workflow_id(installation.host, request.container)
    await terminal.run(
        *("workflow", "start", "--type", OPERATION_WORKFLOW, "--workflow-id", operation),
        *("--task-queue", CONTROL_TASK_QUEUE),
    )
    with pytest.raises(WorkflowFailureError):
        await installation.client.get_workflow_handle(operation).result()

    await users.approve(request)
    await users.check_snapshotted(request, await request.outcome())
