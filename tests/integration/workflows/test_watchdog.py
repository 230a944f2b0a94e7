"""What goes on in name only is told once, and no container stays down because of it."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from temporalio import activity
from temporalio.api.common.v1 import Payload, Payloads, WorkflowType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import StartWorkflowExecutionRequest
from temporalio.client import Client, WorkflowExecutionStatus

from tests.fakes.fake_docker import failure
from tests.fakes.fake_slack import FakeSlack
from tests.rigs import misfits
from tests.rigs.dev_server import temporal_server
from tests.rigs.looks import AT_ONCE, PAGE_ONLY, REPORTED_AFTER, Looks
from tests.rigs.waiting import eventually
from tests.rigs.workers import RequestUnderTest, Workers
from workflows.model import names
from workflows.model.errors import ErrorType, RefusalCode
from workflows.model.ports import PublishInput, ThreadKind
from workflows.model.requests import ContainerState
from workflows.model.state import CardRef, RequestStatus, StepName, StepStatus


@pytest.fixture(scope="module", name="client")
async def _client() -> AsyncIterator[Client]:
    """Give a server that reports a run at its first failed task; by default it is the fifth."""
    async with temporal_server(settings=[f"{REPORTED_AFTER}=1"]) as env:
        yield env.client


async def _reported(workers: Workers, workflow_id: str) -> None:
    """Wait until Temporal lists a run as one whose tasks fail."""

    async def is_listed() -> bool:
        runs = workers.client.list_workflows(
            f"WorkflowId = '{workflow_id}' AND TemporalReportedProblems IS NOT NULL"
        )
        return bool([run async for run in runs])

    await eventually(is_listed, within=30)


async def _waiting(workers: Workers) -> RequestUnderTest:
    under_test = await workers.start(workers.request())
    await under_test.until(RequestStatus.WAITING)
    return under_test


async def _misfit(workers: Workers, workflows: list[type]) -> None:
    """Replace the release that serves."""
    await workers.stop_control()
    await workers.start_control(workflows)


async def _mended(workers: Workers) -> None:
    await workers.stop_control()
    await workers.start_control()


async def _stuck_request(workers: Workers) -> RequestUnderTest:
    """Have a waiting request meet a release that does not fit it."""
    under_test = await _waiting(workers)
    await _misfit(workers, misfits.OTHER_REQUEST)
    await under_test.decide("UBOB")
    await _reported(workers, under_test.handle.id)
    return under_test


async def _stuck_operation(workers: Workers, workflows: list[type]) -> RequestUnderTest:
    """Have an operation meet a release that does not fit it, once its container is down."""
    gate = workers.docker.gates["ensure_snapshot"] = threading.Event()
    under_test = await _waiting(workers)
    await under_test.decide("UBOB")
    await eventually(workers.docker.entered["ensure_snapshot"].is_set)
    await _misfit(workers, workflows)
    gate.set()
    await _reported(workers, under_test.operation.id)
    assert workers.docker.state is ContainerState.EXITED

    async def is_idle() -> bool:
        return not (await under_test.operation.describe()).raw_description.pending_activities

    await eventually(is_idle)
    return under_test


def _pages(workers: Workers) -> list[str]:
    return [entry.key for entry in workers.slack.thread if entry.kind is ThreadKind.STUCK]


async def test_stuck_request_is_told_once(workers: Workers) -> None:
    """Its card stays where it is, its thread calls for help; it is not ended and goes on later."""
    under_test = await _stuck_request(workers)
    posted = workers.slack.drawn[0]
    run_id = (await under_test.handle.describe()).run_id

    async with Looks(workers.client) as looks:
        first = await looks.look()
        await looks.look()
        told = len(_pages(workers))
        await _mended(workers)
        state = await under_test.result()
        after = await looks.look()

    assert told == len(_pages(workers)) == 1
    assert first.watched is not None
    assert run_id in first.watched.told
    assert after.watched is not None
    assert run_id in after.watched.told
    page = next(drawn for drawn in workers.slack.drawn if drawn.paged)
    assert (page.request_id, page.status) == (posted.request_id, RequestStatus.WAITING)
    assert page.card is not None
    assert page.pin == posted.pin
    assert state.status is RequestStatus.SUCCEEDED


class SlowPages(FakeSlack):
    """A Slack to which a call for help takes long."""

    def __init__(self) -> None:
        super().__init__()
        self.may_page = asyncio.Event()
        self.paging = asyncio.Event()

    @activity.defn(name="publish")
    async def publish(self, arg: PublishInput) -> CardRef:
        """Hold up whatever calls for help."""
        if arg.state.paged and arg.state.request_id in self.requests:
            self.paging.set()
            await self.may_page.wait()
        return await super().publish(arg)


async def test_last_card_is_not_hidden_by_a_late_page(workers: Workers) -> None:
    """The request came to life while the page was posted: its card shows how it ended."""
    slack = SlowPages()
    slack.people = workers.slack.people
    workers.slack = slack
    await _mended(workers)
    under_test = await _stuck_request(workers)

    async with Looks(workers.client) as looks:
        look = asyncio.create_task(looks.look())
        await slack.paging.wait()
        await _mended(workers)
        state = await under_test.result()
        slack.may_page.set()
        await look

    assert state.status is RequestStatus.SUCCEEDED
    assert [drawn.status for drawn in slack.drawn if drawn.paged] == [RequestStatus.WAITING]
    assert slack.drawn[-1].status is RequestStatus.SUCCEEDED
    assert slack.drawn[-1].closed


async def test_stuck_run_is_told_when_slack_is_back(workers: Workers) -> None:
    """A call for help that Slack did not take is made the next time."""
    under_test = await _stuck_request(workers)
    workers.slack.publish_faults = [
        failure(ErrorType.SLACK_FORBIDDEN),
        failure(ErrorType.SLACK_UNAVAILABLE),
    ]

    async with Looks(workers.client) as looks:
        await looks.look()
        await looks.look()
        none = len(_pages(workers))
        await looks.look()

    assert none == 0
    assert len(_pages(workers)) == 1
    await under_test.handle.terminate()


async def test_failing_for_a_moment_is_no_reason_to_page(workers: Workers) -> None:
    """A worker that was replaced in the middle of something is not told to anybody."""
    under_test = await _stuck_request(workers)

    async with Looks(workers.client, replace(AT_ONCE, page_after=60)) as looks:
        result = await looks.look()

    assert _pages(workers) == []
    assert result.watched is not None
    assert result.watched.told == ()
    await under_test.handle.terminate()


async def test_request_that_is_stuck_before_its_card(workers: Workers) -> None:
    """It is told in the request's channel, with what the requester has asked for."""
    await _misfit(workers, misfits.OTHER_REQUEST)
    under_test = await workers.start(workers.request())
    await _reported(workers, under_test.handle.id)

    async with Looks(workers.client) as looks:
        await looks.look()

    assert len(_pages(workers)) == 1
    (told,) = workers.slack.drawn
    assert told.request_id == under_test.request.request_id
    assert told.channel_id == under_test.request.channel_id
    assert told.workflow_id == under_test.handle.id
    assert told.card is None
    await under_test.handle.terminate()


async def test_stuck_request_that_was_terminated_leaves_no_dead_buttons(workers: Workers) -> None:
    """Nobody can ask it, for the release is as it was: its card is redrawn by its history."""
    under_test = await _stuck_request(workers)
    await under_test.handle.terminate()

    async def is_redrawn() -> bool:
        async with Looks(workers.client) as looks:
            await looks.look()
        return workers.slack.drawn[-1].status is RequestStatus.CANCELLED

    await eventually(is_redrawn, within=30)
    assert workers.slack.drawn[-1].closed
    assert workers.slack.drawn[-1].card is not None


async def test_stuck_operation_is_ended_and_its_request_puts_the_container_back(
    workers: Workers,
) -> None:
    """An upgrade that does not fit: people hear, and a mended release puts the container back."""
    under_test = await _stuck_operation(workers, misfits.OTHER_OPERATION)
    stuck = (await under_test.operation.describe()).run_id

    async with Looks(workers.client) as looks:
        result = await looks.look()
        await eventually(lambda: bool(_pages(workers)))
        page = next(state for state in workers.slack.drawn if state.paged)
        await _mended(workers)
        state = await under_test.result()

    ended = await workers.client.get_workflow_handle(
        under_test.operation.id, run_id=stuck
    ).describe()
    assert ended.status is WorkflowExecutionStatus.TERMINATED
    assert result.watched is not None
    assert result.watched.ended == (under_test.operation.id,)
    assert {step.name: step.status for step in page.steps} == {
        StepName.STOP: StepStatus.DONE,
        StepName.SNAPSHOT: StepStatus.DONE,
    }
    assert state.status is RequestStatus.PUT_BACK
    assert workers.docker.state is ContainerState.RUNNING


async def test_stuck_operation_of_a_stuck_request_is_recovered(workers: Workers) -> None:
    """Neither fits: the recovery is started from what the history of the operation tells."""
    under_test = await _stuck_operation(workers, misfits.OTHER_RELEASE)
    stuck = (await under_test.operation.describe()).run_id
    await under_test.cancel()
    await _reported(workers, under_test.handle.id)

    async with Looks(workers.client) as looks:
        await looks.look()
        assert (await under_test.operation.describe()).run_id != stuck
        await _mended(workers)
        await under_test.operation.result()

    assert workers.docker.state is ContainerState.RUNNING
    assert workers.slack.drawn[-1].status is RequestStatus.PUT_BACK
    assert len(_pages(workers)) == 1, "the operation alone draws, as long as it is at work"


async def test_stuck_operation_is_paged_before_it_is_ended(workers: Workers) -> None:
    """Ended is only what could do nothing for longer than it takes to look into it."""
    under_test = await _stuck_operation(workers, misfits.OTHER_OPERATION)
    run_id = (await under_test.operation.describe()).run_id

    async with Looks(workers.client, PAGE_ONLY) as looks:
        await looks.look()
        await looks.look()

    assert len(_pages(workers)) == 1
    assert await _runs(under_test, run_id)
    await _mended(workers)
    assert (await under_test.result()).status is RequestStatus.SUCCEEDED


@pytest.mark.parametrize("what", ["runs", "is another", "is not seen"])
async def test_operation_is_not_ended_unless_its_container_is_down(
    workers: Workers, what: str
) -> None:
    """What nobody knows for certain is left to people."""
    under_test = await _stuck_operation(workers, misfits.OTHER_OPERATION)
    run_id = (await under_test.operation.describe()).run_id
    pin = workers.docker.pin
    if what == "runs":
        workers.docker.state = ContainerState.RUNNING
    elif what == "is another":
        workers.docker.pin = replace(pin, container_id="d" * 64)
    else:
        workers.docker.faults["inspect_container"] = [failure(RefusalCode.UNKNOWN_CONTAINER)]

    async with Looks(workers.client) as looks:
        result = await looks.look()

    workers.docker.pin = pin
    assert len(_pages(workers)) == 1
    assert result.watched is not None
    assert result.watched.ended == ()
    assert await _runs(under_test, run_id)
    await under_test.handle.terminate()
    await under_test.operation.terminate()


async def test_start_with_inputs_that_nobody_can_read_is_logged(
    workers: Workers, caplog: pytest.LogCaptureFixture
) -> None:
    """Nobody can tell whose it is: the log says which workflow holds the name, and what to do."""
    workflow_id = names.request_workflow_id(workers.docker.name, "web-1")
    broken = Payload(metadata={"encoding": b"json/plain"}, data=b"{")
    payloads = [broken, broken]
    await workers.client.workflow_service.start_workflow_execution(
        StartWorkflowExecutionRequest(
            namespace=workers.client.namespace,
            workflow_id=workflow_id,
            workflow_type=WorkflowType(name=names.REQUEST_WORKFLOW),
            task_queue=TaskQueue(name=names.CONTROL_TASK_QUEUE),
            input=Payloads(payloads=payloads),
            request_id="two",
        )
    )
    await _reported(workers, workflow_id)

    with caplog.at_level(logging.ERROR):
        async with Looks(workers.client) as looks:
            await looks.look()
            await looks.look()

    said = [record.getMessage() for record in caplog.records if workflow_id in record.getMessage()]
    assert len([line for line in said if "is stuck" in line and "terminate it" in line]) == 1
    assert workers.slack.drawn == []
    await workers.client.get_workflow_handle(workflow_id).terminate()


async def _runs(under_test: RequestUnderTest, run_id: str) -> bool:
    """Tell whether a run of the operation is still there."""
    found = await under_test.operation.describe()
    return found.run_id == run_id and found.status is WorkflowExecutionStatus.RUNNING
