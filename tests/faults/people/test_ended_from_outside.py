"""What becomes of a container when its request is cancelled or terminated at any step?

By people in Slack, and by Temporal's own command line, which knows no mercy.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, Final

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowExecutionStatus

from tests.rigs.docker_proxy import Moment
from tests.rigs.dockerd import IGNORES_TERM
from tests.rigs.held_calls import held, until_held
from tests.rigs.installation import Installation
from tests.rigs.request_driver import Request
from tests.rigs.slack_proxy import Fault
from tests.rigs.slack_users import SlackUsers
from tests.rigs.terminal import Terminal
from tests.rigs.waiting import eventually
from workflows.model.names import RECONCILE_SCHEDULE, ActionId, operation_workflow_id
from workflows.model.ports import MessagesPort
from workflows.model.state import RequestState, RequestStatus, StepName

#: Takes two seconds to stop, and holds enough for a commit of a moment.
_LARGE: Final = (
    "dd if=/dev/zero of=/large bs=1M count=150 2>/dev/null; touch /ready; "
    'trap "sleep 2; exit 0" TERM; sleep 100000 & wait $!'
)
#: Which call to the engine each of the longer steps makes.
_CALLS: Final = {StepName.STOP: "^POST .*/stop", StepName.SNAPSHOT: "^POST .*/commit"}


@pytest.fixture
async def terminal(installation: Installation) -> AsyncIterator[Terminal]:
    """Give the command line of Temporal, whose schedule looks only when it is told."""
    schedule = installation.client.get_schedule_handle(RECONCILE_SCHEDULE)
    await schedule.pause()
    yield Terminal(installation.temporal_address)
    await schedule.unpause()


@pytest.mark.parametrize("step", _CALLS)
@pytest.mark.parametrize("by", ["the requester", "the terminal"])
async def test_a_cancel_at_each_step(
    users: SlackUsers, terminal: Terminal, by: str, step: StepName
) -> None:
    """A cancel waits for the step under way; then the container is back, verified."""
    async with _at_step(users, step) as request:
        began = users.engine.inspect(request.container)["State"]["StartedAt"]
        if by == "the requester":
            await users.cancel(request)
        else:
            await terminal.cancel(request.handle.id)
        await users.until_told(request)
    state = await request.last_state()
    await users.check(request, state, RequestStatus.PUT_BACK)
    assert users.engine.state(request.container) == "running"
    assert users.engine.inspect(request.container)["State"]["StartedAt"] != began
    _no_loose_image(users, request)


@pytest.mark.parametrize("step", _CALLS)
@pytest.mark.parametrize("which", ["request", "operation", "both"])
async def test_a_terminate_at_each_step(
    users: SlackUsers, installation: Installation, terminal: Terminal, which: str, step: StepName
) -> None:
    """Whatever is terminated: the container comes back or the work ends, as the card says."""
    async with _at_step(users, step) as request:
        operation = operation_workflow_id(installation.host, request.container)
        if which in ("request", "both"):
            await terminal.terminate(request.handle.id)
        if which in ("operation", "both"):
            await terminal.terminate(operation)
    if which == "both":
        await _put_right(installation, terminal, operation)
    state = await _outcome(installation, operation)
    await users.check(request, state, state.status)
    assert state.closed
    runs = users.engine.state(request.container) == "running"
    assert state.status is (RequestStatus.PUT_BACK if runs else RequestStatus.SUCCEEDED)
    if which != "request":
        assert runs
    _no_loose_image(users, request)


async def test_a_terminated_wait_leaves_no_dead_buttons(
    users: SlackUsers, terminal: Terminal
) -> None:
    """A request that is terminated while it waits: the schedule says so on its card."""
    request = await users.run_and_ask("terminated")
    await terminal.terminate(request.handle.id)

    async def told() -> bool:
        await terminal.reconcile()
        await asyncio.sleep(0.3)
        return "⏹️" in str(await users.card(request))

    await eventually(told)
    assert "request.approve" not in str(await users.card(request))
    assert users.engine.state(request.container) == "running"


async def test_a_reset_wait_keeps_its_card(users: SlackUsers, terminal: Terminal) -> None:
    """A run has ended, but the request has not: its card stays, and it is carried out."""
    request = await users.run_and_ask("reset")
    before = (await request.handle.describe()).run_id
    await terminal.reset(request.handle.id)
    latest = users.client.get_workflow_handle(request.handle.id, result_type=RequestState)
    assert (await latest.describe()).run_id != before
    ended = users.client.get_workflow_handle(request.handle.id, run_id=before)

    async def is_seen() -> bool:
        return before in await terminal.seen_by_a_look(users.client)

    await eventually(is_seen, within=30)
    assert (await ended.describe()).status is WorkflowExecutionStatus.TERMINATED
    assert "⏹️" not in str(await users.card(request))
    request = replace(request, handle=latest)
    await users.approve(request)
    state = await request.last_state()
    await users.check(request, state, RequestStatus.SUCCEEDED)
    assert users.engine.state(request.container) == "exited"


async def test_what_a_person_stopped_meanwhile_stays_stopped(
    users: SlackUsers, installation: Installation, terminal: Terminal
) -> None:
    """A container that somebody started and stopped again after a terminate is left alone."""
    async with _at_step(users, StepName.SNAPSHOT) as request:
        operation = operation_workflow_id(installation.host, request.container)
        await terminal.terminate(request.handle.id)
        await terminal.terminate(operation)
    await eventually(lambda: users.engine.state(request.container) == "exited", within=30)
    users.engine.api.start(request.container)
    users.engine.api.stop(request.container, timeout=0)
    await _put_right(installation, terminal, operation)
    state = await _outcome(installation, operation)
    await users.check(request, state, RequestStatus.NEEDS_PERSON)
    assert state.closed
    assert users.engine.state(request.container) == "exited"


@pytest.mark.parametrize("command", ["stop {} grace=3s", "stop {} snapshot grace=3s"])
async def test_a_cancel_while_the_engine_waits_to_kill(
    users: SlackUsers, installation: Installation, terminal: Terminal, command: str
) -> None:
    """A container that ignores the stop is killed after its grace; then the cancel takes hold."""
    request = await users.run_and_ask("ignores", command, script=IGNORES_TERM)
    with held(installation.docker_proxy, _CALLS[StepName.STOP], Moment.UNDERWAY) as come:
        await users.approve(request)
        await until_held(come)
        await terminal.cancel(request.handle.id)
        await users.until_told(request)
    await users.check(request, await request.last_state(), RequestStatus.PUT_BACK)
    assert users.engine.state(request.container) == "running"


async def test_a_cancel_while_the_card_is_being_posted(
    users: SlackUsers, installation: Installation
) -> None:
    """Slack has the card, the workflow does not know yet: it is told as cancelled all the same."""
    late = installation.slack_proxy.inject(
        "chat.postMessage", Fault.LATE_ANSWER, seconds=6, when=_is_card
    )
    request = await users.run_and_ask("posting")
    await request.handle.cancel()
    state = await request.last_state()
    assert late.fired == 1
    asked, cancelled, posted = None, None, None
    async for event in request.handle.fetch_history_events():
        scheduled = event.activity_task_scheduled_event_attributes.activity_type.name
        completed = event.activity_task_completed_event_attributes.scheduled_event_id
        if scheduled == MessagesPort.publish.__name__:
            asked = asked or event.event_id
        elif event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED:
            cancelled = event.event_id
        elif completed and completed == asked:
            posted = event.event_id
    assert None not in (asked, cancelled, posted)
    assert (asked or 0) < (cancelled or 0) < (posted or 0)
    await users.check(request, state, RequestStatus.CANCELLED)
    assert users.engine.state(request.container) == "running"


def _is_card(payload: Mapping[str, Any]) -> bool:
    return ActionId.APPROVE in str(payload)


@asynccontextmanager
async def _at_step(users: SlackUsers, step: StepName) -> AsyncIterator[Request]:
    """Bring a request to a step, whose call the engine has; its answer is held meanwhile."""
    request = await users.run_and_ask("ended", "stop {} snapshot", script=_LARGE)
    await eventually(lambda: _is_large(users, request), within=30)
    with held(users.installation.docker_proxy, _CALLS[step], Moment.UNDERWAY) as come:
        await users.approve(request)
        await until_held(come)
        yield request


def _is_large(users: SlackUsers, request: Request) -> bool:
    made = users.engine.api.diff(request.container) or []
    return any(change["Path"] == "/ready" for change in made)


async def _put_right(installation: Installation, terminal: Terminal, operation: str) -> None:
    """Let the schedule look, until it has found what was terminated."""
    handle = installation.client.get_workflow_handle(operation)
    await terminal.reconcile_until_taken_up(handle, (await handle.describe()).run_id)


async def _outcome(installation: Installation, operation: str) -> RequestState:
    """Wait for the end of the operation's last run."""

    async def found() -> RequestState | None:
        handle = installation.client.get_workflow_handle(operation, result_type=RequestState)
        try:
            state = await handle.query("state", result_type=RequestState)
        except Exception:  # noqa: BLE001 - between two runs
            return None
        return state if state.closed else None

    async def closed() -> bool:
        return await found() is not None

    await eventually(closed, within=60)
    state = await found()
    assert state is not None
    return state


def _no_loose_image(users: SlackUsers, request: Request) -> None:
    """See that each image of the request has its tag, and that there is one at most."""
    images = users.images(request)
    assert len(images) <= 1
    assert all(image["RepoTags"] not in (None, [], ["<none>:<none>"]) for image in images)
