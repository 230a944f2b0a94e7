"""What if a request is cancelled in the very moment in which its operation starts?"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from typing import Any

from temporalio.api.enums.v1 import EventType

from tests.rigs.temporal import Play, Stage
from tests.rigs.waiting import eventually
from workflows.state import RequestStatus


class _Pause(ThreadPoolExecutor):
    """Runs workflow tasks; holds those of a run from when it has started a child."""

    def __init__(self) -> None:
        super().__init__(4)
        self.go_on = threading.Event()
        self.held = 0
        self._started = ""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run one task of a workflow; the SDK gives what came as the only argument."""
        return super().submit(self._run, fn, *args, **kwargs)

    def _run(self, fn: Callable[..., Any], activation: Any) -> Any:
        if activation.run_id == self._started and not self.go_on.is_set():
            self.held += 1
            self.go_on.wait(30)
        completion = fn(activation)
        commands = completion.successful.commands
        if any(command.HasField("start_child_workflow_execution") for command in commands):
            self._started = activation.run_id
        return completion


async def test_a_cancel_that_comes_with_the_start(stage: Stage) -> None:
    """The request hears of both at once: it still follows its operation to the end."""
    pause = _Pause()
    await stage.stop_control()
    await stage.start_control(workflow_task_executor=pause)
    stopping = stage.host.gates["ensure_stopped"] = threading.Event()
    play = await stage.start(stage.request(), task_timeout=timedelta(seconds=1))
    await play.until(RequestStatus.WAITING)
    await play.decide("UBOB")
    await eventually(lambda: pause.held and "ensure_stopped" in stage.host.calls)
    await play.handle.cancel()
    # Only then does one task hold both.
    await eventually(lambda: _has_timed_out(play), within=20)
    pause.go_on.set()
    await eventually(lambda: _is_told(play))
    stopping.set()
    state = await play.result()

    assert state.status is RequestStatus.PUT_BACK
    assert stage.office.drawn[-1].status is RequestStatus.PUT_BACK
    assert stage.host.state.is_up


async def _has_timed_out(play: Play) -> bool:
    return "WORKFLOW_TASK_TIMED_OUT" in await play.events(play.handle)


async def _is_told(play: Play) -> bool:
    told = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED
    return told in [event.event_type async for event in play.operation.fetch_history_events()]
