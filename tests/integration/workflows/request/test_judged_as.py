"""As what is a wish judged for a container that was found so, and by which policy?"""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.fakes.fake_docker import failure
from tests.rigs.workers import Workers
from workflows.model.errors import RefusalCode
from workflows.model.requests import ContainerState, LifecycleRequest, OperationSpec
from workflows.model.state import CautionCode, RequestState, RequestStatus, StepName


def _request(
    workers: Workers, operation: OperationSpec, *policies: tuple[str, ...]
) -> LifecycleRequest:
    """Ask by policies that are about these operations."""
    (policy,) = workers.request().policies
    made = [
        replace(policy, name=f"policy-{number}", operations=operations)
        for number, operations in enumerate(policies or (("*",),))
    ]
    return workers.request(operation=operation, policies=tuple(made))


async def _waiting(workers: Workers, request: LifecycleRequest) -> RequestState:
    under_test = await workers.start(request)
    state = await under_test.until(RequestStatus.WAITING)
    await under_test.cancel()
    await under_test.result()
    return state


async def _refused(workers: Workers, request: LifecycleRequest) -> tuple[RefusalCode, str]:
    state = await (await workers.start(request)).result()
    assert state.status is RequestStatus.REJECTED
    assert state.refusal is not None
    assert workers.slack.drawn == []
    return state.refusal.code, state.refusal.detail


@pytest.mark.parametrize(
    ("kind", "found", "code"),
    [
        ("start", ContainerState.RUNNING, RefusalCode.ALREADY_RUNNING),
        ("start", ContainerState.RESTARTING, RefusalCode.ALREADY_RUNNING),
        ("start", ContainerState.PAUSED, RefusalCode.UNUSABLE_STATE),
        ("stop", ContainerState.EXITED, RefusalCode.ALREADY_STOPPED),
        ("stop", ContainerState.CREATED, RefusalCode.ALREADY_STOPPED),
    ],
)
async def test_what_makes_no_sense_is_refused(
    workers: Workers, kind: str, found: ContainerState, code: RefusalCode
) -> None:
    """In private, and before anybody is asked."""
    workers.docker.state = found

    refused = await _refused(workers, _request(workers, OperationSpec(kind=kind)))

    assert refused == (code, f"the container is {found}")


@pytest.mark.parametrize("snapshot", [False, True])
async def test_a_restart_of_what_rests_is_judged_as_a_start(
    workers: Workers, *, snapshot: bool
) -> None:
    """It says so, keeps its snapshot, and goes by the policy for starts."""
    workers.docker.state = ContainerState.EXITED
    operation = OperationSpec(kind="restart", snapshot=snapshot, grace_seconds=7)

    state = await _waiting(workers, _request(workers, operation, ("restart",), ("start",)))

    assert state.operation == replace(operation, kind="start")
    assert state.policy is not None
    assert state.policy.name == "policy-1"
    assert [caution.code for caution in state.cautions] == [CautionCode.ASKED_AS_START]
    made = (StepName.STOP, StepName.SNAPSHOT) if snapshot else ()
    assert [step.name for step in state.steps] == [*made, StepName.START]
    assert (state.grace_seconds, bool(state.reference)) == (7, snapshot)


async def test_a_restart_of_what_runs_is_one(workers: Workers) -> None:
    """It goes by the policy for restarts, and nothing is to be said of it."""
    operation = OperationSpec(kind="restart")

    state = await _waiting(workers, _request(workers, operation, ("start",), ("restart",)))

    assert state.operation == operation
    assert state.policy is not None
    assert state.policy.name == "policy-1"
    assert state.cautions == ()
    assert [step.name for step in state.steps] == [StepName.STOP, StepName.START]


@pytest.mark.parametrize(
    ("kind", "found", "covered"),
    [
        ("restart", ContainerState.EXITED, ("restart",)),
        ("restart", ContainerState.RUNNING, ("start",)),
        ("start", ContainerState.EXITED, ()),
        ("restart", ContainerState.RUNNING, ()),
    ],
)
async def test_no_policy_covers_more_than_it_names(
    workers: Workers, kind: str, found: ContainerState, covered: tuple[str, ...]
) -> None:
    """Whatever was sent along: one that names none means stops and snapshots."""
    workers.docker.state = found

    code, _ = await _refused(workers, _request(workers, OperationSpec(kind=kind), covered))

    assert code is RefusalCode.NO_POLICY


@pytest.mark.parametrize("kind", ["start", "restart", "snapshot"])
async def test_a_worker_that_knows_no_start_is_told_by_name(workers: Workers, kind: str) -> None:
    """It could not do the last step; what only stops, it can."""
    workers.docker.knows_starts = False
    workers.docker.state = ContainerState.EXITED if kind == "start" else ContainerState.RUNNING
    operation = OperationSpec(kind=kind, snapshot=kind == "snapshot")

    refused = await _refused(workers, _request(workers, operation))

    assert refused == (RefusalCode.OLD_WORKER, workers.docker.name)
    workers.docker.state = ContainerState.RUNNING
    assert await _waiting(workers, workers.request(operation=OperationSpec(kind="stop")))


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("start", RefusalCode.OLD_WORKER),
        ("restart", RefusalCode.OLD_WORKER),
        ("stop", RefusalCode.ALREADY_STOPPED),
    ],
)
async def test_a_worker_that_judges_by_itself_is_an_old_one(
    workers: Workers, kind: str, code: RefusalCode
) -> None:
    """It takes every request for a stop: true of a stop, and nonsense to whoever wants a start."""
    workers.docker.faults["inspect_container"] = [failure(RefusalCode.ALREADY_STOPPED)]

    told, _ = await _refused(workers, _request(workers, OperationSpec(kind=kind)))

    assert told is code
