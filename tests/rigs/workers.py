"""Real workers on a real Temporal server, between a fake Docker and a fake Slack."""

from __future__ import annotations

import asyncio
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from temporalio import activity
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowHandle
from temporalio.worker import Worker

from activities.temporal.askers import Askers
from activities.temporal.queues import Queues
from activities.temporal.stuck import Watchdog
from activities.temporal.visibility import Visibility
from tests.fakes.fake_docker import FakeDocker
from tests.fakes.fake_slack import FakeSlack
from tests.rigs.given_policies import GivenPolicies
from tests.rigs.waiting import eventually
from workflows.engine import EngineWorkflow
from workflows.execution.workflow import OperationWorkflow
from workflows.host_query import HostQueryWorkflow
from workflows.last_word import LastWordWorkflow
from workflows.model import names
from workflows.model.asker_ports import OpenRequests, OpenRequestsInput
from workflows.model.requests import (
    Choice,
    ContainerRef,
    Decision,
    Instruction,
    Intent,
    LifecycleRequest,
    OperationSpec,
    Policy,
)
from workflows.model.seal import NO_KEYS, SealKeys
from workflows.model.state import RequestState, RequestStatus
from workflows.reconcile import ReconcileWorkflow
from workflows.request.workflow import ContainerLifecycleWorkflow
from workflows.sandbox import workflow_runner

PRODUCT_WORKFLOWS: list[type] = [
    ContainerLifecycleWorkflow,
    OperationWorkflow,
    EngineWorkflow,
    HostQueryWorkflow,
    LastWordWorkflow,
    ReconcileWorkflow,
]
DOCKER_QUEUES = (names.docker_task_queue, names.docker_stop_queue, names.docker_commit_queue)

_TO_STOP = 60
#: So many seconds the SDK gives a workflow task in these workers; its own limit is two.
_SLOWEST_TASK = 20


async def is_tried_again(workflow: WorkflowHandle[Any, Any]) -> bool:
    """Tell whether an attempt of an activity of a workflow was given up for another one."""
    pending = (await workflow.describe()).raw_description.pending_activities
    if any(activity.attempt > 1 for activity in pending):
        return True
    history = await workflow.fetch_history()
    return any(
        event.HasField("activity_task_timed_out_event_attributes") for event in history.events
    )


class QueuesUnderTest(Queues):
    """Temporal's real queues; ``is_gone`` says of a host at once what takes a server a minute."""

    is_gone = False

    async def _is_polled(self, host: str) -> bool:
        return not self.is_gone and await super()._is_polled(host)


class AskersUnderTest(Askers):
    """Temporal's real list; ``fault`` is raised instead, as where it cannot be read."""

    fault: Exception | None = None

    @activity.defn(name="count_open_requests")
    async def count_open_requests(self, arg: OpenRequestsInput) -> OpenRequests:
        """Count, or fail."""
        if self.fault is not None:
            raise self.fault
        return await super().count_open_requests(arg)


class Workers:
    """The workers of one fake Docker host and one fake Slack, on a real server."""

    def __init__(
        self,
        client: Client,
        *,
        open_requests: int = 0,
        at_once: int = 8,
        keys: SealKeys = NO_KEYS,
    ) -> None:
        self.client = client
        self.askers = AskersUnderTest(client, limit=open_requests)
        self.docker: FakeDocker = FakeDocker(f"h{uuid.uuid4().hex[:8]}", keys)
        self.slack = FakeSlack(keys)
        for user_id in ("UALICE", "UBOB", "UCAROL", "UDAVE"):
            self.slack.person(user_id)
        self.queues = QueuesUnderTest(client)
        self.policies = GivenPolicies(keys)
        self._at_once = at_once
        self._threads = ThreadPoolExecutor(2 * at_once)
        self._control = AsyncExitStack()
        self._docker = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Start both workers."""
        await self.start_control()
        await self.start_docker()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop both workers."""
        for gate in self.docker.gates.values():
            gate.set()
        # A test that ran out of time has no time limit left for its end.
        async with asyncio.timeout(_TO_STOP):
            await self.stop_control()
            await self.stop_docker()
        self._threads.shutdown()

    async def start_control(self, workflows: list[type] | None = None, **options: Any) -> None:
        """Start the worker of workflows and Slack."""
        ledger, watchdog = Visibility(self.client), Watchdog(self.client)
        worker = Worker(
            self.client,
            task_queue=names.CONTROL_TASK_QUEUE,
            workflows=workflows or PRODUCT_WORKFLOWS,
            workflow_runner=workflow_runner(),
            activities=[
                *self.slack.activities,  # type: ignore[list-item]  # bound methods
                *self.policies.activities,  # type: ignore[list-item]
                ledger.find_ended_runs,
                ledger.last_state,
                self.queues.queue_place,
                self.askers.count_open_requests,
                watchdog.find_stuck_runs,
                watchdog.end_stuck_run,
            ],
            **options,
        )
        # A worker that has found a workflow task too slow may never end (the SDK tries for ever
        # to evict it), and with it this process. On a machine that is loaded the SDK's two
        # seconds are no measure; tests/faults/people/test_flood.py holds them with a process.
        worker._workflow_worker._deadlock_timeout_seconds = _SLOWEST_TASK  # type: ignore[union-attr]
        await self._control.enter_async_context(worker)

    async def stop_control(self) -> None:
        """Stop the worker of workflows and Slack."""
        await self._control.aclose()

    async def start_docker(self) -> None:
        """Start the worker of the host, on all of its queues."""
        for name_queue in DOCKER_QUEUES:
            worker = Worker(
                self.client,
                task_queue=name_queue(self.docker.name),
                activities=self.host_activities,  # type: ignore[arg-type]  # bound methods
                activity_executor=self._threads,
                max_concurrent_activities=self._at_once,
            )
            await self._docker.enter_async_context(worker)

    @property
    def host_activities(self) -> list[object]:
        """What the worker of the host serves."""
        return self.docker.activities

    async def stop_docker(self) -> None:
        """Stop the worker of the host."""
        await self._docker.aclose()

    def request(self, **changes: Any) -> LifecycleRequest:
        """Make a request of alice for a stop with a snapshot, which bob or carol decide."""
        policy = Policy(
            name="default",
            labels={},
            approvers=("UBOB", "UCAROL"),
            required_approvals=changes.pop("required_approvals", 1),
            expires_after_seconds=changes.pop("expires_after_seconds", 900),
        )
        request = LifecycleRequest(
            request_id=uuid.uuid4().hex[:12],
            operation=OperationSpec(kind="stop", snapshot=True),
            container=ContainerRef(host=self.docker.name, name="web-1"),
            requester="UALICE",
            team_id="T1",
            channel_id="C1",
            policies=(policy,),
            delivery_id="d1",
            reason="because",
        )
        request = replace(request, **changes)
        self.slack.requests.add(request.request_id)
        self.policies.give(request)
        return request

    async def start(self, request: LifecycleRequest, **options: Any) -> RequestUnderTest:
        """Start a request's workflow, as a door does: with no rules of its own."""
        self.policies.give(request)
        workflow_id = names.request_workflow_id(request.container.host, request.container.name)
        handle = await self.client.start_workflow(
            names.REQUEST_WORKFLOW,
            replace(request, policies=()),
            id=workflow_id,
            task_queue=names.CONTROL_TASK_QUEUE,
            result_type=RequestState,
            **options,
        )
        return RequestUnderTest(self, request, handle)

    def under_test(self, request: LifecycleRequest) -> RequestUnderTest:
        """Give a request that something else has started."""
        workflow_id = names.request_workflow_id(request.container.host, request.container.name)
        handle = self.client.get_workflow_handle(workflow_id, result_type=RequestState)
        return RequestUnderTest(self, request, handle)

    async def approved(
        self, *, task_timeout: timedelta | None = None, **changes: Any
    ) -> RequestUnderTest:
        """Start a request, and have bob approve it as soon as it waits."""
        under_test = await self.start(self.request(**changes), task_timeout=task_timeout)
        await under_test.until(RequestStatus.WAITING)
        await under_test.decide("UBOB")
        return under_test


class RequestUnderTest:
    """One request that these workers serve."""

    def __init__(
        self, workers: Workers, request: LifecycleRequest, handle: WorkflowHandle[Any, RequestState]
    ) -> None:
        self.workers = workers
        self.request = request
        self.handle = handle
        #: Of the plan that people have seen; known once the request waits.
        self.plan_hash = ""

    async def state(self) -> RequestState:
        """Ask the request for its state."""
        return await self.handle.query(names.STATE_QUERY, result_type=RequestState)

    async def until(self, status: RequestStatus, *, within: float = 15) -> RequestState:
        """Wait until the request has a status; while waiting, until the card is posted too."""

        async def reached() -> bool:
            state = await self.state()
            posted = state.card is not None or status is not RequestStatus.WAITING
            return state.status is status and posted

        await eventually(reached, within=within, what=f"the request never became {status}")
        state = await self.state()
        self.plan_hash = state.plan_hash
        return state

    def decision(self, who: str, choice: Choice = Choice.APPROVE, **changes: Any) -> Decision:
        """Make a decision."""
        decision = Decision(
            decision_id=f"{who}.{choice}",
            request_id=self.request.request_id,
            approver_id=who,
            team_id="T1",
            choice=choice,
            comment="no" if choice is Choice.REJECT else "",
            source="test",
            sent_at=datetime.now(UTC),
            plan_hash=self.plan_hash,
        )
        return replace(decision, **changes)

    async def decide(self, who: str, choice: Choice = Choice.APPROVE, **changes: Any) -> None:
        """Send a decision, about the plan that the request shows by then."""
        if not self.plan_hash:
            self.plan_hash = (await self.state()).plan_hash
        await self.handle.signal(names.DECIDE_SIGNAL, self.decision(who, choice, **changes))

    async def cancel(self, who: str = "UALICE") -> None:
        """Ask for a cancel, as its requester or as somebody else."""
        await self.instruct(Intent.CANCEL, who)

    async def instruct(self, intent: Intent, who: str = "UALICE") -> None:
        """Send an instruction, as the requester or as somebody else."""
        instruction = Instruction(
            request_id=self.request.request_id,
            user_id=who,
            team_id="T1",
            instruction_id=uuid.uuid4().hex,
        )
        await self.handle.signal(intent.value, instruction)

    async def result(self) -> RequestState:
        """Wait for the request's end."""
        return await asyncio.wait_for(self.handle.result(), 60)

    @property
    def operation(self) -> WorkflowHandle[Any, Any]:
        """The operation's workflow."""
        container_id = self.workers.docker.pin.container_id
        return self.workers.client.get_workflow_handle(
            names.operation_workflow_id(self.workers.docker.name, container_id)
        )

    async def events(self, handle: WorkflowHandle[Any, Any]) -> list[str]:
        """Name the events of a history."""
        return [
            EventType.Name(event.event_type).removeprefix("EVENT_TYPE_")
            async for event in handle.fetch_history_events()
        ]
