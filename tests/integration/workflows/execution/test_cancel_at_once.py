"""What if a cancel comes with something else: the start, the end, or the telling of an end?"""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.bridge.proto.workflow_commands import WorkflowCommand
from temporalio.client import Client
from temporalio.service import RPCError

from tests.rigs.dev_server import temporal_server
from tests.rigs.waiting import eventually
from tests.rigs.workers import Play, Stage
from workflows.model import names
from workflows.model.requests import CancelRequest, Choice
from workflows.model.state import RequestState, RequestStatus, StepName, StepStatus


@pytest.fixture(scope="module", name="client")
async def _client() -> AsyncIterator[Client]:
    """Run a server for this room alone: tests of the reconciliation would find its wreckage."""
    async with temporal_server() as env:
        yield env.client


def _never(_command: WorkflowCommand) -> bool:
    return False


class _Pause(ThreadPoolExecutor):
    """Runs workflow tasks; holds those of a run, from when it has given a command like this."""

    def __init__(self, is_awaited: Callable[[WorkflowCommand], bool] = _never) -> None:
        super().__init__(4)
        self._is_awaited = is_awaited
        self.go_on = threading.Event()
        self.held = 0
        self._paused = ""

    def hold(self, run_id: str) -> None:
        """Hold the tasks of this run from now on."""
        self._paused = run_id

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run one task of a workflow; the SDK gives what came as the only argument."""
        return super().submit(self._run, fn, *args, **kwargs)

    def _run(self, fn: Callable[..., Any], activation: Any) -> Any:
        if activation.run_id == self._paused and not self.go_on.is_set():
            self.held += 1
            self.go_on.wait(30)
        completion = fn(activation)
        if any(self._is_awaited(command) for command in completion.successful.commands):
            self._paused = activation.run_id
        return completion


async def test_a_cancel_that_comes_with_the_start(stage: Stage) -> None:
    """The request hears of both at once: it still follows its operation to the end."""
    pause = _Pause(lambda command: command.HasField("start_child_workflow_execution"))
    play, stopping = await _stopping(stage, pause)
    await _cancel(play, pause)
    await eventually(lambda: _is_told(play))
    stopping.set()
    await _check_put_back(play)


async def test_a_cancel_that_comes_with_the_end(stage: Stage) -> None:
    """The operation was terminated, and its request hears how far it had come: it puts back."""
    pause = _Pause(lambda command: command.schedule_activity.activity_type == "last_state")
    play, stopping = await _stopping(stage, pause)
    await play.operation.terminate()
    stopping.set()
    await eventually(lambda: stage.host.state.is_down)
    await _cancel(play, pause)
    await _check_put_back(play)


@pytest.mark.parametrize("by_signal", [False, True], ids=["the terminal", "the requester"])
async def test_a_cancel_that_comes_with_a_terminate(stage: Stage, *, by_signal: bool) -> None:
    """A cancel of an operation that is gone does no harm: it is put back all the same."""
    pause = _Pause()
    play, stopping = await _stopping(stage, pause)
    pause.hold((await play.handle.describe()).run_id)
    if by_signal:
        await _cancel_as_requester(play)
        await play.operation.terminate()
    else:
        await play.handle.cancel()
        await play.operation.terminate()
    stopping.set()
    await eventually(lambda: stage.host.state.is_down)
    await eventually(lambda: _has_timed_out(play), within=20)
    pause.go_on.set()
    await _check_put_back(play)


@pytest.mark.parametrize("activity", ["ensure_stopped", "ensure_snapshot", "ensure_tag"])
async def test_a_cancel_that_comes_with_a_result(stage: Stage, activity: str) -> None:
    """The step is done and told so; what it found is not lost; then all is put back."""
    pause = _Pause(lambda command: command.schedule_activity.activity_type == activity)
    await _with(stage, pause)
    play = await _approved(stage)
    await eventually(lambda: activity in stage.host.calls and bool(pause.held))
    await play.operation.cancel()
    await eventually(lambda: _has_timed_out(play, of_operation=True), within=20)
    pause.go_on.set()
    state = await _check_put_back(play)

    done = [step.name for step in state.steps if step.status is StepStatus.DONE]
    names = {"ensure_stopped": 1, "ensure_snapshot": 2, "ensure_tag": 3}
    assert done == [*list(StepName)[: names[activity]], StepName.PUT_BACK]
    assert StepStatus.RUNNING not in {step.status for step in state.steps}
    assert bool(state.snapshot) == (activity != "ensure_stopped")


async def test_a_terminate_while_the_end_is_told(stage: Stage) -> None:
    """What was done and over stays so; only its last card is still to be drawn."""
    play = await stage.start(stage.request())
    await play.until(RequestStatus.WAITING)
    stage.office.may_publish.clear()
    await play.decide("UBOB")
    await eventually(lambda: _is_closed(play))
    await play.operation.terminate()
    await eventually(lambda: _is_told_of_the_end(play))
    stage.office.may_publish.set()
    state = await play.result()

    assert state.status is RequestStatus.SUCCEEDED
    assert stage.office.drawn[-1].status is RequestStatus.SUCCEEDED
    assert "ensure_running" not in stage.host.calls
    assert stage.host.state.is_down


async def _is_closed(play: Play) -> bool:
    try:
        state = await play.operation.query(names.STATE_QUERY, result_type=RequestState)
    except RPCError:
        return False
    return state.closed


async def _is_told_of_the_end(play: Play) -> bool:
    return "CHILD_WORKFLOW_EXECUTION_TERMINATED" in await play.events(play.handle)


async def _cancel_as_requester(play: Play) -> None:
    cancel = CancelRequest(request_id=play.request.request_id, user_id="UALICE", team_id="T1")
    await play.handle.signal(names.CANCEL_SIGNAL, cancel)


async def test_a_cancel_while_a_rejection_is_shown(stage: Stage) -> None:
    """What people have decided stays decided, and its last card is drawn."""
    play = await stage.start(stage.request())
    await play.until(RequestStatus.WAITING)
    stage.office.publishing.clear()
    stage.office.may_publish.clear()
    await play.decide("UBOB", Choice.REJECT)
    await stage.office.publishing.wait()
    await play.handle.cancel()
    await eventually(lambda: _has_heard(play))
    assert (await play.events(play.handle))[-1] == "WORKFLOW_TASK_COMPLETED", "it still shows it"
    stage.office.may_publish.set()
    state = await play.result()

    assert state.status is RequestStatus.REJECTED
    assert {card.status for card in stage.office.drawn[1:]} == {RequestStatus.REJECTED}


async def _has_heard(play: Play) -> bool:
    events = await play.events(play.handle)
    _, _, since = " ".join(events).partition("WORKFLOW_EXECUTION_CANCEL_REQUESTED")
    return "WORKFLOW_TASK_COMPLETED" in since


async def _with(stage: Stage, pause: _Pause) -> None:
    await stage.stop_control()
    await stage.start_control(workflow_task_executor=pause)


async def _approved(stage: Stage) -> Play:
    play = await stage.start(stage.request(), task_timeout=timedelta(seconds=1))
    await play.until(RequestStatus.WAITING)
    await play.decide("UBOB")
    return play


async def _stopping(stage: Stage, pause: _Pause) -> tuple[Play, threading.Event]:
    """Approve a request, and hold the stop until the event is set."""
    await _with(stage, pause)
    stopping = stage.host.gates["ensure_stopped"] = threading.Event()
    play = await _approved(stage)
    await eventually(lambda: "ensure_stopped" in stage.host.calls)
    return play, stopping


async def _cancel(play: Play, pause: _Pause) -> None:
    """Cancel while a task is held; when that has timed out, the next one holds both."""
    await eventually(lambda: bool(pause.held))
    await play.handle.cancel()
    await eventually(lambda: _has_timed_out(play), within=20)
    pause.go_on.set()


async def _check_put_back(play: Play) -> RequestState:
    state = await play.result()
    assert state.status is RequestStatus.PUT_BACK
    assert play.stage.office.drawn[-1].status is RequestStatus.PUT_BACK
    assert play.stage.host.state.is_up
    return state


async def _has_timed_out(play: Play, *, of_operation: bool = False) -> bool:
    held = play.operation if of_operation else play.handle
    ended = {"WORKFLOW_TASK_TIMED_OUT", "WORKFLOW_TASK_FAILED"}
    return bool(ended & set(await play.events(held)))


async def _is_told(play: Play) -> bool:
    told = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED
    return told in [event.event_type async for event in play.operation.fetch_history_events()]
