"""What if a cancel comes with something else: the start, the end, or the telling of an end?"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from typing import Any

from temporalio.api.enums.v1 import EventType
from temporalio.bridge.proto.workflow_commands import WorkflowCommand

from tests.rigs.temporal import Play, Stage
from tests.rigs.waiting import eventually
from workflows.models import Choice
from workflows.state import RequestStatus


class _Pause(ThreadPoolExecutor):
    """Runs workflow tasks; holds those of a run from when it has given a command like this."""

    def __init__(self, is_awaited: Callable[[WorkflowCommand], bool]) -> None:
        super().__init__(4)
        self._is_awaited = is_awaited
        self.go_on = threading.Event()
        self.held = 0
        self._paused = ""

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
    await _cancel(play, pause)
    stopping.set()
    await _check_put_back(play)


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


async def _stopping(stage: Stage, pause: _Pause) -> tuple[Play, threading.Event]:
    """Approve a request, and hold the stop until the event is set."""
    await stage.stop_control()
    await stage.start_control(workflow_task_executor=pause)
    stopping = stage.host.gates["ensure_stopped"] = threading.Event()
    play = await stage.start(stage.request(), task_timeout=timedelta(seconds=1))
    await play.until(RequestStatus.WAITING)
    await play.decide("UBOB")
    await eventually(lambda: "ensure_stopped" in stage.host.calls)
    return play, stopping


async def _cancel(play: Play, pause: _Pause) -> None:
    """Cancel while a task is held; when that has timed out, the next one holds both."""
    await eventually(lambda: bool(pause.held))
    await play.handle.cancel()
    await eventually(lambda: _has_timed_out(play), within=20)
    pause.go_on.set()


async def _check_put_back(play: Play) -> None:
    state = await play.result()
    assert state.status is RequestStatus.PUT_BACK
    assert play.stage.office.drawn[-1].status is RequestStatus.PUT_BACK
    assert play.stage.host.state.is_up


async def _has_timed_out(play: Play) -> bool:
    return "WORKFLOW_TASK_TIMED_OUT" in await play.events(play.handle)


async def _is_told(play: Play) -> bool:
    told = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED
    return told in [event.event_type async for event in play.operation.fetch_history_events()]
