"""How does a test end an operation and its request from outside, and have them seen to?"""

from __future__ import annotations

import threading
import uuid
from dataclasses import replace

from bot.temporal.sealing import sealed, sealed_start
from tests.rigs.waiting import eventually
from tests.rigs.workers import RequestUnderTest, Workers
from workflows.model import names
from workflows.model.requests import OperationSpec
from workflows.model.seal import NO_KEYS, SealKeys
from workflows.model.state import RequestStatus
from workflows.reconcile import ReconcileResult


async def reconcile(workers: Workers) -> ReconcileResult:
    """Look once after what has ended."""
    return await workers.client.execute_workflow(
        names.RECONCILE_WORKFLOW,
        id=f"reconcile-{uuid.uuid4().hex}",
        task_queue=names.CONTROL_TASK_QUEUE,
        result_type=ReconcileResult,
    )


async def listed(workers: Workers, under_test: RequestUnderTest) -> None:
    """Wait until Temporal's list knows of the ends; it is built beside the workflows."""

    async def known() -> bool:
        ended = workers.client.list_workflows(
            f"WorkflowId = '{under_test.handle.id}' AND ExecutionStatus = 'Terminated'"
        )
        return bool([execution async for execution in ended])

    await eventually(known)


async def terminated(
    workers: Workers, step: str, kind: str = "stop", *, keys: SealKeys = NO_KEYS
) -> RequestUnderTest:
    """Terminate the operation and its request in the middle of a step."""
    gate = workers.docker.gates[step] = threading.Event()
    (policy,) = workers.request().policies
    request = workers.request(
        operation=OperationSpec(kind=kind, snapshot=kind != "start"),
        policies=(replace(policy, operations=(kind,)),),
    )
    under_test = await workers.start(sealed_start(keys, request))
    await under_test.until(RequestStatus.WAITING)
    decision = sealed(keys, under_test.decision("UBOB"))
    await under_test.handle.signal(names.DECIDE_SIGNAL, decision)
    await eventually(workers.docker.entered[step].is_set)
    await workers.stop_control()
    await under_test.handle.terminate()
    await under_test.operation.terminate()
    gate.set()
    await workers.start_control()
    await listed(workers, under_test)
    return under_test
