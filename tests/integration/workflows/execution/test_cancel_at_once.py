"""What if a cancel comes with something else: the start, the end, or the telling of an end?"""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.bridge.proto.workflow_commands import WorkflowCommand
from temporalio.client import Client
from temporalio.service import RPCError

from tests.rigs.dev_server import temporal_server
from tests.rigs.waiting import eventually
from tests.rigs.workers import RequestUnderTest, Workers
from workflows.model import names
from workflows.model.requests import Choice, ContainerState, OperationSpec
from workflows.model.state import RequestState, RequestStatus, StepName, StepStatus


@pytest.fixture(scope="module", name="client")
async def _client() -> AsyncIterator[Client]:
    """Run a server for this room alone: tests of the reconciliation would find its wreckage."""
    async with temporal_server() as env:
        yield env.client


def _never(_command: WorkflowCommand) -> bool:
    return False


class _GivenUpError(Exception):
    """A task was held until the server had given it to somebody else."""


class _Pause(ThreadPoolExecutor):
    """Runs workflow tasks; holds those of a run, from when it has given a command like this.

    What was held is never run: the SDK gives it up after two seconds and evicts its workflow,
    which is not made for two threads at once. The next try of the task has all that has come.
    """

    def __init__(self, is_awaited: Callable[[WorkflowCommand], bool] = _never) -> None:
        super().__init__(8)
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
        is_eviction = any(job.HasField("remove_from_cache") for job in activation.jobs)
        if activation.run_id == self._paused and not (is_eviction or self.go_on.is_set()):
            self.held += 1
            self.go_on.wait(30)
            raise _GivenUpError
        completion = fn(activation)
        if any(self._is_awaited(command) for command in completion.successful.commands):
            self._paused = activation.run_id
        return completion


async def test_a_cancel_that_comes_with_the_start(workers: Workers) -> None:
    """The request hears of both at once: it still follows its operation to the end."""
    pause = _Pause(lambda command: command.HasField("start_child_workflow_execution"))
    under_test, stopping = await _stopping(workers, pause)
    await _cancel(under_test, pause)
    await eventually(lambda: _is_told(under_test))
    stopping.set()
    await _check_put_back(under_test)


async def test_a_cancel_that_comes_with_the_end(workers: Workers) -> None:
    """The operation was terminated, and its request hears how far it had come: it puts back."""
    pause = _Pause(lambda command: command.schedule_activity.activity_type == "last_state")
    under_test, stopping = await _stopping(workers, pause)
    await under_test.operation.terminate()
    stopping.set()
    await eventually(lambda: workers.docker.state.is_down)
    await _cancel(under_test, pause)
    await _check_put_back(under_test)


@pytest.mark.parametrize("by_signal", [False, True], ids=["the terminal", "the requester"])
async def test_a_cancel_that_comes_with_a_terminate(workers: Workers, *, by_signal: bool) -> None:
    """A cancel of an operation that is gone does no harm: it is put back all the same."""
    pause = _Pause()
    under_test, stopping = await _stopping(workers, pause)
    pause.hold((await under_test.handle.describe()).run_id)
    if by_signal:
        await under_test.cancel()
        await under_test.operation.terminate()
    else:
        await under_test.handle.cancel()
        await under_test.operation.terminate()
    stopping.set()
    await eventually(lambda: workers.docker.state.is_down)
    await eventually(lambda: _has_timed_out(under_test), within=20)
    pause.go_on.set()
    await _check_put_back(under_test)


@pytest.mark.parametrize("activity", ["ensure_stopped", "ensure_snapshot"])
async def test_a_cancel_that_comes_with_a_result(workers: Workers, activity: str) -> None:
    """The step is done and told so; what it found is not lost; then all is put back."""
    pause = _Pause(lambda command: command.schedule_activity.activity_type == activity)
    await _with(workers, pause)
    under_test = await workers.approved(task_timeout=timedelta(seconds=1))
    await eventually(lambda: activity in workers.docker.calls and bool(pause.held))
    await under_test.operation.cancel()
    await eventually(lambda: _has_timed_out(under_test, of_operation=True), within=20)
    pause.go_on.set()
    state = await _check_put_back(under_test)

    done = [step.name for step in state.steps if step.status is StepStatus.DONE]
    names = {"ensure_stopped": 1, "ensure_snapshot": 2}
    assert done == [*list(StepName)[: names[activity]], StepName.PUT_BACK]
    assert StepStatus.RUNNING not in {step.status for step in state.steps}
    assert bool(state.snapshot) == (activity != "ensure_stopped")


async def test_a_cancel_that_comes_with_the_result_of_a_start(workers: Workers) -> None:
    """What rested runs by us, and that is not lost: it is stopped again."""
    is_start = "ensure_started"
    pause = _Pause(lambda command: command.schedule_activity.activity_type == is_start)
    await _with(workers, pause)
    workers.docker.state = ContainerState.EXITED
    (policy,) = workers.request().policies
    under_test = await workers.approved(
        task_timeout=timedelta(seconds=1),
        operation=OperationSpec(kind="start"),
        policies=(replace(policy, operations=("start",)),),
    )
    await eventually(lambda: is_start in workers.docker.calls and bool(pause.held))
    await under_test.operation.cancel()
    await eventually(lambda: _has_timed_out(under_test, of_operation=True), within=20)
    pause.go_on.set()
    state = await under_test.result()

    assert state.status is RequestStatus.PUT_BACK
    assert [step.status for step in state.steps] == [StepStatus.DONE] * 2
    assert workers.docker.state is ContainerState.EXITED


async def test_a_terminate_while_the_end_is_told(workers: Workers) -> None:
    """What was done and over stays so; only its last card is still to be drawn."""
    under_test = await workers.start(workers.request())
    await under_test.until(RequestStatus.WAITING)
    workers.slack.may_publish.clear()
    await under_test.decide("UBOB")
    await eventually(lambda: _is_closed(under_test))
    await under_test.operation.terminate()
    await eventually(lambda: _is_told_of_the_end(under_test))
    workers.slack.may_publish.set()
    state = await under_test.result()

    assert state.status is RequestStatus.SUCCEEDED
    assert workers.slack.drawn[-1].status is RequestStatus.SUCCEEDED
    assert "ensure_running" not in workers.docker.calls
    assert workers.docker.state.is_down


async def _is_closed(under_test: RequestUnderTest) -> bool:
    try:
        state = await under_test.operation.query(names.STATE_QUERY, result_type=RequestState)
    except RPCError:
        return False
    return state.closed


async def _is_told_of_the_end(under_test: RequestUnderTest) -> bool:
    return "CHILD_WORKFLOW_EXECUTION_TERMINATED" in await under_test.events(under_test.handle)


async def test_a_cancel_while_a_rejection_is_shown(workers: Workers) -> None:
    """What people have decided stays decided, and its last card is drawn."""
    under_test = await workers.start(workers.request())
    await under_test.until(RequestStatus.WAITING)
    workers.slack.publishing.clear()
    workers.slack.may_publish.clear()
    await under_test.decide("UBOB", Choice.REJECT)
    await workers.slack.publishing.wait()
    await under_test.handle.cancel()
    await eventually(lambda: _has_heard(under_test))
    assert (await under_test.events(under_test.handle))[-1] == "WORKFLOW_TASK_COMPLETED", (
        "it still shows it"
    )
    workers.slack.may_publish.set()
    state = await under_test.result()

    assert state.status is RequestStatus.REJECTED
    assert {card.status for card in workers.slack.drawn[1:]} == {RequestStatus.REJECTED}


async def _has_heard(under_test: RequestUnderTest) -> bool:
    events = await under_test.events(under_test.handle)
    _, _, since = " ".join(events).partition("WORKFLOW_EXECUTION_CANCEL_REQUESTED")
    return "WORKFLOW_TASK_COMPLETED" in since


async def _with(workers: Workers, pause: _Pause) -> None:
    await workers.stop_control()
    await workers.start_control(workflow_task_executor=pause)


async def _stopping(workers: Workers, pause: _Pause) -> tuple[RequestUnderTest, threading.Event]:
    """Approve a request, and hold the stop until the event is set."""
    await _with(workers, pause)
    stopping = workers.docker.gates["ensure_stopped"] = threading.Event()
    under_test = await workers.approved(task_timeout=timedelta(seconds=1))
    await eventually(lambda: "ensure_stopped" in workers.docker.calls)
    return under_test, stopping


async def _cancel(under_test: RequestUnderTest, pause: _Pause) -> None:
    """Cancel while a task is held; when that has timed out, the next one holds both."""
    await eventually(lambda: bool(pause.held))
    await under_test.handle.cancel()
    await eventually(lambda: _has_timed_out(under_test), within=20)
    pause.go_on.set()


async def _check_put_back(under_test: RequestUnderTest) -> RequestState:
    state = await under_test.result()
    assert state.status is RequestStatus.PUT_BACK
    assert under_test.workers.slack.drawn[-1].status is RequestStatus.PUT_BACK
    assert under_test.workers.docker.state.is_up
    return state


async def _has_timed_out(under_test: RequestUnderTest, *, of_operation: bool = False) -> bool:
    held = under_test.operation if of_operation else under_test.handle
    ended = {"WORKFLOW_TASK_TIMED_OUT", "WORKFLOW_TASK_FAILED"}
    return bool(ended & set(await under_test.events(held)))


async def _is_told(under_test: RequestUnderTest) -> bool:
    told = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED
    return told in [event.event_type async for event in under_test.operation.fetch_history_events()]
