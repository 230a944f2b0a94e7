"""Is what runs stopped and started again, snapshotted in between, and put back if that fails?"""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from tests.fakes.fake_docker import failure
from tests.rigs.waiting import eventually
from tests.rigs.workers import RequestUnderTest, Workers
from workflows.model.errors import ErrorType
from workflows.model.requests import ContainerState, OperationSpec
from workflows.model.state import RequestState, RequestStatus, StepName, StepStatus

_RESTART = OperationSpec(kind="restart")
_WITH_SNAPSHOT = OperationSpec(kind="restart", snapshot=True)
_BOTH = pytest.mark.parametrize(
    "operation", [_RESTART, _WITH_SNAPSHOT], ids=["restart", "with a snapshot"]
)
_STEPS = ("ensure_stopped", "ensure_snapshot", "tag", "ensure_started")


async def _approved(workers: Workers, operation: OperationSpec) -> RequestUnderTest:
    (policy,) = workers.request().policies
    policies = (replace(policy, operations=("restart",)),)
    return await workers.approved(operation=operation, policies=policies)


async def _held(
    workers: Workers, operation: OperationSpec, at: str
) -> tuple[RequestUnderTest, threading.Event]:
    gate = workers.docker.gates[at] = threading.Event()
    under_test = await _approved(workers, operation)
    await eventually(workers.docker.entered[at].is_set)
    return under_test, gate


def _status(state: RequestState, name: StepName) -> StepStatus:
    return next(step.status for step in state.steps if step.name is name)


@_BOTH
@pytest.mark.parametrize("was", [ContainerState.RUNNING, ContainerState.PAUSED])
async def test_it_is_as_it_was(
    workers: Workers, operation: OperationSpec, was: ContainerState
) -> None:
    """Down and up again; what was paused is paused again."""
    workers.docker.state = was

    state = await (await _approved(workers, operation)).result()

    assert state.status is RequestStatus.SUCCEEDED
    between = ["ensure_snapshot", "tag"] * operation.snapshot
    assert workers.docker.calls[1:] == ["ensure_stopped", *between, "ensure_started"]
    assert workers.docker.state is was
    assert list(workers.docker.images.values()) == [state.reference] * operation.snapshot
    assert not state.started_by_us


@pytest.mark.parametrize("step", _STEPS[:3])
async def test_what_fails_before_the_start_is_put_back(workers: Workers, step: str) -> None:
    """It runs again, and then the images are tidied, if any can have been made."""
    workers.docker.faults[step] = [failure(ErrorType.ENGINE_FORBIDDEN, "touched")]

    state = await (await _approved(workers, _WITH_SNAPSHOT)).result()

    assert workers.docker.fired == [step]
    assert state.status is RequestStatus.PUT_BACK
    undos = [call for call in workers.docker.calls if call not in (*_STEPS, "inspect_container")]
    assert undos == ["ensure_running", *["sweep_snapshots"] * (step != "ensure_stopped")]
    assert workers.docker.state is ContainerState.RUNNING
    assert workers.docker.images == {}


@_BOTH
async def test_a_start_that_fails_is_made_good(workers: Workers, operation: OperationSpec) -> None:
    """All that was asked for is done, only the start came late."""
    workers.docker.faults["ensure_started"] = [failure(ErrorType.PORT_BUSY, {"touched": True})]

    state = await (await _approved(workers, operation)).result()

    assert workers.docker.fired == ["ensure_started"]
    assert (state.status, state.cause) == (RequestStatus.SUCCEEDED, None)
    assert _status(state, StepName.START) is StepStatus.FAILED
    assert _status(state, StepName.PUT_BACK) is StepStatus.DONE
    assert [arg.started_by_us for arg in workers.docker.put_back] == [False]
    assert workers.docker.state is ContainerState.RUNNING
    assert len(workers.docker.images) == operation.snapshot


@pytest.mark.parametrize("step", _STEPS)
async def test_a_cancel_at_each_step(workers: Workers, step: str) -> None:
    """The step ends and all is put back; of the last nothing is left to be cancelled."""
    under_test, gate = await _held(workers, _WITH_SNAPSHOT, step)

    await under_test.cancel()
    await eventually(lambda: any(s.cancel_requested_by for s in workers.slack.drawn))
    gate.set()
    state = await under_test.result()

    is_last = step == "ensure_started"
    assert state.status is (RequestStatus.SUCCEEDED if is_last else RequestStatus.PUT_BACK)
    assert workers.docker.state is ContainerState.RUNNING
    assert ("ensure_running" in workers.docker.calls) is not is_last


@pytest.mark.parametrize("step", _STEPS)
async def test_a_terminate_at_each_step(workers: Workers, step: str) -> None:
    """Its request has it put back; where only the start was cut off, all was done."""
    under_test, gate = await _held(workers, _WITH_SNAPSHOT, step)

    await under_test.operation.terminate()
    gate.set()
    state = await under_test.result()

    is_last = step == "ensure_started"
    assert state.status is (RequestStatus.SUCCEEDED if is_last else RequestStatus.PUT_BACK)
    assert workers.docker.state is ContainerState.RUNNING


async def test_one_that_comes_up_before_its_commit_is_stopped_again(workers: Workers) -> None:
    """The work begins anew after what its step says, and its undo is registered once."""
    workers.docker.faults["ensure_snapshot"] = [failure(ErrorType.NOT_STOPPED)] * 3

    state = await (await _approved(workers, _WITH_SNAPSHOT)).result()

    assert (state.status, state.cause) == (RequestStatus.PUT_BACK, ErrorType.NOT_STOPPED)
    assert workers.docker.calls.count("ensure_stopped") == 3
    assert workers.docker.calls.count("ensure_running") == 1
    assert workers.docker.calls.count("sweep_snapshots") == 1
    assert "ensure_started" not in workers.docker.calls
