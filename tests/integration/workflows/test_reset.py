"""What was reset in Temporal goes on, although one of its runs has ended."""

from __future__ import annotations

import threading
import uuid
from typing import Any

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from temporalio.client import WorkflowHandle

from tests.rigs.looks import Looks
from tests.rigs.waiting import eventually
from tests.rigs.workers import Workers
from workflows.model import names
from workflows.model.requests import Choice
from workflows.model.state import RequestStatus
from workflows.reconcile import ReconcileResult


async def _look(workers: Workers) -> ReconcileResult:
    async with Looks(workers.client) as looks:
        return await looks.look()


async def _listed(workers: Workers, handle: WorkflowHandle[Any, Any]) -> None:
    """Wait until Temporal's list knows of the run that has ended."""
    query = f"WorkflowId = '{handle.id}' AND ExecutionStatus = 'Terminated'"

    async def is_known() -> bool:
        return bool([run async for run in workers.client.list_workflows(query)])

    await eventually(is_known)


async def _reset(workers: Workers, handle: WorkflowHandle[Any, Any]) -> None:
    """Reset a workflow to the last task that it did, as ``temporal workflow reset`` does."""
    done = [
        event.event_id
        async for event in handle.fetch_history_events()
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
    ]
    await workers.client.workflow_service.reset_workflow_execution(
        ResetWorkflowExecutionRequest(
            namespace=workers.client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=handle.id),
            workflow_task_finish_event_id=done[-1],
            request_id=uuid.uuid4().hex,
        )
    )


async def test_request_that_was_reset_keeps_its_card(workers: Workers) -> None:
    """A reset ends a run and begins another of the same request: that one is not over."""
    under_test = await workers.start(workers.request())
    await under_test.until(RequestStatus.WAITING)
    await _reset(workers, under_test.handle)
    await _listed(workers, under_test.handle)

    result = await _look(workers)
    drawn = [state.status for state in workers.slack.drawn]
    await under_test.decide("UBOB")
    state = await workers.under_test(under_test.request).result()

    assert under_test.handle.id not in result.recovered
    assert drawn == [RequestStatus.WAITING]
    assert state.status is RequestStatus.SUCCEEDED


async def test_request_that_was_reset_before_another_came_is_not_drawn_again(
    workers: Workers,
) -> None:
    """It was carried out in its second run; a later request has the name by now."""
    request = workers.request()
    attributes = names.request_attributes(
        host=request.container.host,
        container=request.container.name,
        requester=request.requester,
        request_id=request.request_id,
    )
    first = await workers.start(request, search_attributes=attributes)
    await first.until(RequestStatus.WAITING)
    await _reset(workers, first.handle)
    await first.decide("UBOB", Choice.REJECT)
    await workers.under_test(request).result()
    second = await workers.start(workers.request())
    await second.until(RequestStatus.WAITING)
    await _listed(workers, first.handle)

    await _look(workers)

    cards = [s.status for s in workers.slack.drawn if s.request_id == first.request.request_id]
    assert cards[-1] is RequestStatus.REJECTED
    await second.cancel()
    await second.result()


async def test_operation_that_was_reset_is_not_recovered(workers: Workers) -> None:
    """Its second run goes on with the work, and its request follows that one."""
    gate = workers.docker.gates["ensure_snapshot"] = threading.Event()
    under_test = await workers.approved()
    await eventually(workers.docker.entered["ensure_snapshot"].is_set)
    await _reset(workers, under_test.operation)
    await _listed(workers, under_test.operation)

    result = await _look(workers)
    gate.set()
    state = await under_test.result()

    assert under_test.operation.id not in result.recovered
    assert state.status is RequestStatus.SUCCEEDED
    assert "ensure_running" not in workers.docker.calls
