"""What if a container cannot be put back for so long that the history has to be begun anew?

The operation goes on in a new run between any two tries here. Its request must not notice.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.fakes.fake_docker import IsUp, failure
from tests.rigs.waiting import eventually
from tests.rigs.workers import RequestUnderTest, Workers
from workflows.execution.restore import RestoreProgress
from workflows.execution.workflow import OperateInput
from workflows.model import limits, names
from workflows.model.errors import ErrorType
from workflows.model.limits import Limits
from workflows.model.requests import ContainerState, Intent, OperationSpec
from workflows.model.state import RequestStatus

_FAILURES = 9
_STOPPED_AT = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _between_two_tries(monkeypatch: pytest.MonkeyPatch) -> None:
    """The third event is one too many."""
    monkeypatch.setattr(limits, "LIMITS", Limits(history_events=6))


async def _tried(
    workers: Workers, failures: int, *, times: int, **changes: Any
) -> RequestUnderTest:
    """Approve a request whose container cannot be started, and press *Try now* until it is so."""
    workers.docker.faults["ensure_snapshot"] = [failure(ErrorType.DISK_FULL)]
    workers.docker.faults["ensure_running"] = [
        failure(ErrorType.PORT_BUSY, {"touched": True, "state": "exited"}) for _ in range(failures)
    ]
    under_test = await workers.approved(**changes)
    await under_test.until(RequestStatus.NEEDS_PERSON, within=30)

    async def is_tried() -> bool:
        if workers.docker.fired.count("ensure_running") >= times:
            return True
        await under_test.instruct(Intent.TRY_NOW, "UBOB")
        return False

    await eventually(is_tried, within=60)
    return under_test


async def _is_continued(under_test: RequestUnderTest) -> bool:
    described = await under_test.operation.describe()
    info = described.raw_description.workflow_execution_info
    return described.run_id != info.first_run_id


async def test_the_tries_go_on_and_their_success_is_told(workers: Workers) -> None:
    """One page, one outcome, each try counted, and the images are tidied at the end."""
    workers.docker.stopped_at = _STOPPED_AT
    under_test = await _tried(workers, _FAILURES, times=_FAILURES)
    assert await _is_continued(under_test)
    await under_test.instruct(Intent.TRY_NOW, "UBOB")
    state = await under_test.result()

    assert (state.status, state.attempts) == (RequestStatus.PUT_BACK, _FAILURES)
    assert state.cause is ErrorType.DISK_FULL
    assert workers.docker.state is ContainerState.RUNNING
    assert workers.docker.calls.count("ensure_stopped") == 1
    assert workers.docker.calls.count("sweep_snapshots") == 1
    told = [entry.key for entry in workers.slack.thread]
    assert (told.count("page"), told.count("outcome")) == (1, 1)
    # An end of the container after a try of ours says nothing about people, in any run.
    first, *others = [arg.stopped_at for arg in workers.docker.put_back]
    assert first == _STOPPED_AT
    assert set(others) == {None}


async def test_what_we_started_is_known_in_every_run(workers: Workers) -> None:
    """It is stopped again in the end, and no run takes it for somebody else's."""
    docker = workers.docker
    docker.state = ContainerState.EXITED
    told = {"touched": True, "started_at": _STOPPED_AT.isoformat()}
    docker.gates["ensure_running"] = IsUp(docker)
    docker.faults["ensure_started"] = [failure(ErrorType.UNHEALTHY, told)]
    (policy,) = workers.request().policies
    under_test = await _tried(
        workers,
        _FAILURES,
        times=_FAILURES,
        operation=OperationSpec(kind="start"),
        policies=(replace(policy, operations=("start",)),),
    )
    assert await _is_continued(under_test)
    await under_test.instruct(Intent.TRY_NOW, "UBOB")
    state = await under_test.result()

    assert (state.status, state.attempts) == (RequestStatus.PUT_BACK, _FAILURES)
    assert docker.state is ContainerState.EXITED
    assert state.steps[-1].note == "stopped again"
    assert {(arg.started_by_us, arg.started_at) for arg in docker.put_back} == {(True, _STOPPED_AT)}
    assert docker.calls.count("ensure_started") == 1


async def test_whoever_may_ends_the_tries_in_whatever_run(workers: Workers) -> None:
    """The request passes it on to the run that is at work now, which asks whether it is so."""
    under_test = await _tried(workers, 50, times=5)
    assert await _is_continued(under_test)

    await under_test.instruct(Intent.STOP_TRYING, "UBOB")
    state = await under_test.result()

    assert (state.status, state.closed) == (RequestStatus.NEEDS_PERSON, True)
    assert state.stop_trying_by == "UBOB"


async def test_an_operation_that_is_terminated_in_a_later_run_is_recovered(
    workers: Workers,
) -> None:
    """Its request asks the last run how far it had come, and has the container put back."""
    under_test = await _tried(workers, 6, times=5)
    assert await _is_continued(under_test)
    latest = (await under_test.operation.describe()).run_id

    await workers.client.get_workflow_handle(under_test.operation.id, run_id=latest).terminate()
    state = await under_test.result()

    assert state.status is RequestStatus.PUT_BACK
    assert workers.docker.state is ContainerState.RUNNING


async def test_nobody_starts_an_operation_that_only_goes_on(workers: Workers) -> None:
    """What somebody writes into a start input is no run that Temporal continues."""
    under_test = await workers.start(workers.request())
    waiting = await under_test.until(RequestStatus.WAITING)
    forged = OperateInput(state=waiting, recover=True, resume=RestoreProgress(tries=5))
    handle = await workers.client.start_workflow(
        names.OPERATION_WORKFLOW,
        forged,
        id=under_test.operation.id,
        task_queue=names.CONTROL_TASK_QUEUE,
    )

    with pytest.raises(Exception, match="Workflow execution failed"):
        await handle.result()

    assert workers.docker.calls == ["inspect_container"]
    await under_test.cancel()
    await under_test.result()
