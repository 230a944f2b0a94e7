"""Does a docker worker change anything that its operation does not ask for, or without a permit?"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio import workflow
from temporalio.client import ActivityFailureError, Client, WorkflowFailureError
from temporalio.exceptions import ActivityError, ApplicationError
from temporalio.worker import Worker

from activities.docker.engine import Engine
from activities.docker.protection import Protection
from bot.temporal.sealing import sealed, sealed_start
from tests.integration.activities.serving import Serving, config_of, serving
from tests.rigs.dev_server import temporal_server
from tests.rigs.dockerd import DockerEngine
from tests.rigs.waiting import eventually
from tests.rigs.workers import Workers
from workflows.execution.workflow import OperateInput
from workflows.model import names
from workflows.model.errors import ErrorType
from workflows.model.plan import PERMIT_SEAL, permit_for, permit_parts
from workflows.model.ports import InspectInput, StopInput
from workflows.model.requests import (
    Choice,
    ContainerPin,
    ContainerRef,
    OperationSpec,
    Policy,
    RecordedDecision,
)
from workflows.model.seal import SealKeys
from workflows.model.state import RequestState, RequestStatus, StepName, find_step

_HOST = "shared"
_OTHERS = "others"
_OLD, _NEW = SealKeys(("o" * 32,)), SealKeys(("n" * 32,))
_NO_KEY = "the control worker has no seal key, and this process has one"
_WITHIN = timedelta(seconds=30)


@workflow.defn(name="Approved", sandboxed=False)
class Approved:
    """A request that people have approved, as far as its operation can see."""

    def __init__(self) -> None:
        self._state: RequestState | None = None

    @workflow.run
    async def run(self, arg: OperateInput) -> RequestState:
        """Have the operation carry it out."""
        self._state, pin = arg.state, arg.state.pin
        assert pin is not None
        return await workflow.execute_child_workflow(
            names.OPERATION_WORKFLOW,
            arg,
            id=names.operation_workflow_id(_HOST, pin.container_id),
            task_queue=names.CONTROL_TASK_QUEUE,
            result_type=RequestState,
        )

    @workflow.signal
    def hurry(self) -> None:
        """Remember that a person wants the next try at once."""
        assert self._state is not None
        self._state = replace(self._state, tries_asked=1)

    @workflow.query(name=names.STATE_QUERY)
    def state(self) -> RequestState | None:
        """Say so, when the operation asks."""
        return self._state


@workflow.defn(name="Mine", sandboxed=False)
class Mine:
    """A workflow of somebody who can write to the namespace."""

    @workflow.run
    async def run(self, arg: StopInput) -> None:
        """Stop a container."""
        await workflow.execute_activity(
            "ensure_stopped",
            arg,
            task_queue=names.docker_stop_queue(_HOST),
            start_to_close_timeout=_WITHIN,
        )


@workflow.defn(name=names.OPERATION_WORKFLOW, sandboxed=False)
class MineUnderItsName(Mine):
    """One that calls itself an operation."""

    @workflow.run
    async def run(self, arg: StopInput) -> None:
        """Stop a container."""
        await super().run(arg)


@pytest.fixture(scope="module", name="client")
async def _client() -> AsyncIterator[Client]:
    async with (
        temporal_server() as env,
        Worker(env.client, task_queue=_OTHERS, workflows=[Approved, Mine, MineUnderItsName]),
    ):
        yield env.client


@pytest.fixture(name="container")
def _container(engine: DockerEngine) -> Any:
    yield engine.run()
    engine.clear()


def _pin(engine: DockerEngine, container: str) -> ContainerPin:
    reached = Engine(base_url=engine.base_url, host=_HOST, protection=Protection())
    try:
        return reached.container(container).pin(reached.facts().engine_id)
    finally:
        reached.close()


async def _served(worker: Serving) -> None:
    await eventually(lambda: worker.wrong == "", within=60)


async def test_nobody_but_its_operation_changes_a_container(
    client: Client, engine: DockerEngine, container: str
) -> None:
    """Not an activity by itself, nor a workflow of another kind or with another id."""
    pin = _pin(engine, container)
    stop, look = StopInput(pin=pin, grace_seconds=1), ContainerRef(host=_HOST, name=pin.name)
    of_it, of_another = (
        names.operation_workflow_id(_HOST, one) for one in (pin.container_id, "c" * 64)
    )
    async with serving(client, config_of(engine, _HOST)) as worker:
        await _served(worker)
        for activity, arg, queue in (
            ("ensure_stopped", stop, names.docker_stop_queue(_HOST)),
            ("inspect_container", InspectInput(container=look), names.docker_task_queue(_HOST)),
        ):
            handle: Any = await client.start_activity(
                activity,
                arg,
                id=uuid.uuid4().hex,
                task_queue=queue,
                start_to_close_timeout=_WITHIN,
            )
            with pytest.raises(ActivityFailureError) as alone:
                await asyncio.wait_for(handle.result(), 30)
            assert _kind(alone.value.cause) == ErrorType.NOT_PERMITTED
        for run, workflow_id in ((Mine.run, of_it), (MineUnderItsName.run, of_another)):
            with pytest.raises(WorkflowFailureError) as caught:
                await client.execute_workflow(run, stop, id=workflow_id, task_queue=_OTHERS)
            failed = caught.value.cause
            assert isinstance(failed, ActivityError)
            assert _kind(failed.cause) == ErrorType.NOT_PERMITTED
    assert engine.state(container) == "running"


async def test_with_a_key_nothing_is_begun_without_a_permit(
    client: Client, engine: DockerEngine, container: str, caplog: pytest.LogCaptureFixture
) -> None:
    """An operation without one ends with nothing changed; with that of its approval all is done.

    The worker has said at its start that the control worker has no key to give one with.
    """
    state = _approved(_pin(engine, container))
    async with Workers(client, keys=_NEW) as workers, serving(client, _config(engine, _NEW)) as one:
        await _served(one)
        await eventually(lambda: "do not fit, so" in caplog.text and _NO_KEY in caplog.text)
        refused = await _carried_out(client, OperateInput(state=state))
        assert engine.state(container) == "running"
        wanted = workers.request(container=state.container, operation=state.operation)
        request = await workers.start(sealed_start(_NEW, wanted))
        await request.until(RequestStatus.WAITING)
        approval = sealed(_NEW, request.decision("UBOB"))
        await request.handle.signal(names.DECIDE_SIGNAL, approval)
        done = await request.result()

    assert (refused.status, refused.cause) == (RequestStatus.FAILED, ErrorType.NOT_PERMITTED)
    assert not refused.paged
    assert done.status is RequestStatus.SUCCEEDED
    assert engine.state(container) == "exited"


async def test_a_put_back_with_another_key_pages_until_that_is_mended(
    client: Client, engine: DockerEngine, container: str
) -> None:
    """What an operation that was ended has left down waits for the key, and is not given up."""
    state = _permitted(_approved(_pin(engine, container)), _OLD)
    engine.api.stop(container, timeout=1)
    async with Workers(client) as workers:
        workers.slack.requests.add(state.request_id)
        async with serving(client, _config(engine, _NEW)) as worker:
            await _served(worker)
            request = await client.start_workflow(
                Approved.run,
                OperateInput(state=state, recover=True),
                id=state.workflow_id,
                task_queue=_OTHERS,
            )
            await eventually(lambda: any(drawn.paged for drawn in workers.slack.drawn), within=60)
            assert engine.state(container) == "exited"
        both = SealKeys((*_NEW.keys, *_OLD.keys))
        async with serving(client, _config(engine, both)) as worker:
            await _served(worker)
            await request.signal(Approved.hurry)
            operation = names.operation_workflow_id(_HOST, _id(state))
            await client.get_workflow_handle(operation).signal(names.TRY_NOW_SIGNAL)
            ended = await asyncio.wait_for(request.result(), 60)

    told = next(drawn for drawn in workers.slack.drawn if drawn.paged)
    put_back = find_step(told.steps, StepName.PUT_BACK)
    assert put_back is not None
    assert put_back.error is ErrorType.NOT_PERMITTED
    assert ended.status is RequestStatus.PUT_BACK
    assert engine.state(container) == "running"


def _config(engine: DockerEngine, keys: SealKeys) -> Any:
    return config_of(engine, _HOST, seal_keys=keys, graceful_seconds=5)


def _kind(error: BaseException | None) -> str | None:
    assert isinstance(error, ApplicationError)
    return error.type


def _id(state: RequestState) -> str:
    assert state.pin is not None
    return state.pin.container_id


def _approved(pin: ContainerPin) -> RequestState:
    now, request_id = datetime.now(UTC), uuid.uuid4().hex[:12]
    yes = RecordedDecision(
        decision_id="d1",
        approver_id="UBOB",
        choice=Choice.APPROVE,
        comment="",
        source="test",
        decided_at=now,
    )
    return RequestState(
        request_id=request_id,
        status=RequestStatus.RUNNING,
        operation=OperationSpec(kind="stop"),
        container=ContainerRef(host=_HOST, name=pin.name),
        requester="UALICE",
        team_id="T1",
        channel_id="C1",
        reason="",
        requested_at=now,
        workflow_id=f"approved/{request_id}",
        pin=pin,
        policy=Policy(name="default", labels={}, approvers=("UBOB",)),
        grace_seconds=1,
        expires_at=now + timedelta(minutes=15),
        decisions=(yes,),
    )


def _permitted(state: RequestState, keys: SealKeys) -> RequestState:
    assert state.plan is not None
    permit = permit_for(state.plan)
    seal = keys.seal(PERMIT_SEAL, *permit_parts(permit))
    return replace(state, permit=replace(permit, seal=seal))


async def _carried_out(client: Client, arg: OperateInput) -> RequestState:
    return await client.execute_workflow(
        Approved.run, arg, id=arg.state.workflow_id, task_queue=_OTHERS
    )
