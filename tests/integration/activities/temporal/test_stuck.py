"""A server that reports nothing is looked through, run by run; nobody is told too early."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import pytest
from temporalio import workflow
from temporalio.client import Client, WorkflowHandle
from temporalio.common import RawValue
from temporalio.testing import ActivityEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities.temporal.stuck import Watchdog
from tests.rigs import misfits
from tests.rigs.looks import AT_ONCE
from tests.rigs.waiting import eventually
from tests.rigs.workers import RequestUnderTest, Workers
from workflows.model import names
from workflows.model.requests import LifecycleRequest
from workflows.model.state import RequestState, RequestStatus
from workflows.model.watchdog_ports import EndStuckInput, Round, StuckInput, StuckRuns, WatchLimits

LONG_AGO = datetime.now(UTC) - timedelta(days=1)
ONE_SECOND = timedelta(seconds=1)


@workflow.defn(name=names.REQUEST_WORKFLOW, sandboxed=False)
class Sleeper:
    """A request that should have expired and waits on, as if its timer had been lost."""

    states: ClassVar[dict[str, RequestState]] = {}

    @workflow.run
    async def run(self, _: RawValue) -> None:
        """Wait for ever."""
        await workflow.wait_condition(lambda: False)

    @workflow.query(name=names.STATE_QUERY)
    def state(self) -> RequestState:
        """Tell of a request that waits."""
        return self.states[workflow.info().workflow_id]


async def _look(
    client: Client,
    limits: WatchLimits = AT_ONCE,
    *,
    told: tuple[str, ...] = (),
    served_since: datetime = LONG_AGO,
    through: Round | None = None,
) -> StuckRuns:
    arg = StuckInput(limits=limits, told=told, served_since=served_since, round=through)
    return await ActivityEnvironment().run(Watchdog(client).find_stuck_runs, arg)


async def _attempts(handle: WorkflowHandle[Any, Any], wanted: int) -> None:
    """Wait until a task was tried so often."""

    async def tried() -> bool:
        found = await handle.describe()
        return found.raw_description.pending_workflow_task.attempt >= wanted

    await eventually(tried, within=30)


async def _stuck(workers: Workers) -> RequestUnderTest:
    await workers.stop_control()
    await workers.start_control(misfits.OTHER_REQUEST)
    under_test = await workers.start(workers.request(), task_timeout=ONE_SECOND)
    await _attempts(under_test.handle, AT_ONCE.attempts)
    return under_test


async def test_stuck_request_is_found_by_the_round(workers: Workers) -> None:
    """Its task was tried again and again; what is only slow has not failed."""
    under_test = await _stuck(workers)
    limits = replace(AT_ONCE, attempts=100)

    found, too_few = await _look(workers.client), await _look(workers.client, limits)

    (run,) = [run for run in found.runs if run.workflow_id == under_test.handle.id]
    assert run.request == replace(under_test.request, policies=())
    assert run.state is None
    assert run.is_failing
    assert not run.has_worked
    assert under_test.handle.id not in [run.workflow_id for run in too_few.runs]
    await under_test.handle.terminate()


async def test_request_that_was_told_of_is_only_counted(workers: Workers) -> None:
    """It is said that it is still stuck, and nothing more."""
    under_test = await _stuck(workers)
    run_id = (await under_test.handle.describe()).run_id

    found = await _look(workers.client, told=(run_id, "of old"))

    assert found.still == (run_id,)
    assert run_id not in [run.run_id for run in found.runs]
    await under_test.handle.terminate()


@pytest.mark.parametrize("expired_for", [timedelta(hours=1), timedelta(seconds=-60)])
async def test_request_that_waits_past_its_expiry_is_found(
    workers: Workers, expired_for: timedelta
) -> None:
    """It answers that it waits, although its time has passed; one whose time has not may wait."""
    request = workers.request()
    workflow_id = names.request_workflow_id(request.container.host, request.container.name)
    Sleeper.states[workflow_id] = _state(request, workflow_id, datetime.now(UTC) - expired_for)
    await workers.stop_control()
    async with _serving(workers.client, Sleeper):
        under_test = await workers.start(request)
        limits = replace(AT_ONCE, overdue_after=0.001)
        found = await _look(workers.client, limits)
        # Ahead of the look, however long the look takes to begin.
        just_back = datetime.now(UTC) + timedelta(minutes=1)
        worker_was_away = await _look(workers.client, limits, served_since=just_back)
        under_way = await _look(workers.client, replace(limits, overdue_after=600))
    await under_test.handle.terminate()

    is_found = workflow_id in [run.workflow_id for run in found.runs]
    assert is_found is (expired_for > timedelta(0))
    assert all(not run.is_failing for run in found.runs if run.workflow_id == workflow_id)
    others = (*worker_was_away.runs, *under_way.runs)
    assert workflow_id not in [run.workflow_id for run in others]


async def test_the_round_goes_on_where_it_was(workers: Workers) -> None:
    """However many wait: so many are looked at in one go, then there is a pause."""
    request = workers.request()
    await workers.stop_control()
    asked = [
        await workers.start(replace(request, container=replace(request.container, name=f"web-{n}")))
        for n in range(3)
    ]
    limits = replace(AT_ONCE, unreported=1, overdue_after=600, round_every=600)

    async def look(through: Round | None) -> Round:
        found = await _look(workers.client, limits, through=through)
        assert found.round is not None
        return found.round

    rounds = [await look(None)]
    while rounds[-1].at is not None:
        rounds.append(await look(rounds[-1]))
    resting = await look(rounds[-1])
    due = replace(rounds[-1], began=datetime.now(UTC) - timedelta(seconds=601))
    again = await look(due)

    stops = [through.at for through in rounds if through.at is not None]
    assert len(stops) == len(set(stops)) >= len(asked)
    assert stops == sorted(stops, reverse=True)
    assert len({through.began for through in rounds}) == 1
    assert resting == rounds[-1]
    assert again.began > due.began
    for under_test in asked:
        await under_test.handle.terminate()


async def test_operation_that_came_to_life_is_not_ended(workers: Workers) -> None:
    """What is to be ended is asked for once more: it must be the same run, as stuck as it was."""
    await workers.stop_control()
    await workers.start_control(misfits.OTHER_OPERATION)
    client, watch = workers.client, Watchdog(workers.client)
    workflow_id = names.operation_workflow_id(workers.docker.name, "c" * 64)
    handle = await client.start_workflow(
        names.OPERATION_WORKFLOW,
        {},
        id=workflow_id,
        task_queue=names.CONTROL_TASK_QUEUE,
        task_timeout=ONE_SECOND,
    )
    await _attempts(handle, 2)
    (run,) = [r for r in (await _look(client)).runs if r.workflow_id == workflow_id]
    right = EndStuckInput(
        workflow_id=workflow_id, run_id=run.run_id, request_workflow_id="none", since=run.since
    )

    async def ended(arg: EndStuckInput) -> tuple[bool, bool]:
        end = await ActivityEnvironment().run(watch.end_stuck_run, arg)
        return end.ended, end.followed

    assert await ended(replace(right, since=run.since - ONE_SECOND)) == (False, False)
    assert await ended(right) == (True, False)
    assert await ended(right) == (False, False)


def _state(request: LifecycleRequest, workflow_id: str, expires_at: datetime) -> RequestState:
    return RequestState(
        request_id=request.request_id,
        status=RequestStatus.WAITING,
        operation=request.operation,
        container=request.container,
        requester=request.requester,
        team_id=request.team_id,
        channel_id=request.channel_id,
        reason=request.reason,
        requested_at=expires_at,
        workflow_id=workflow_id,
        expires_at=expires_at,
    )


def _serving(client: Client, cls: type) -> Worker:
    return Worker(
        client,
        task_queue=names.CONTROL_TASK_QUEUE,
        workflows=[cls],
        workflow_runner=UnsandboxedWorkflowRunner(),
    )
