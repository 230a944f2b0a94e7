"""What became of each request, by Temporal's own histories?"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import EventType, WorkflowTaskFailedCause
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowQueryFailedError
from temporalio.service import RPCError

from tests.chaos.system import HOST, OTHER_HOST
from workflows.execution.workflow import OperateInput
from workflows.model.names import (
    DECIDE_SIGNAL,
    OPERATION_WORKFLOW,
    RECONCILE_WORKFLOW,
    REPLACE_SIGNAL,
    REQUEST_WORKFLOW,
    STATE_QUERY,
    request_workflow_id,
)
from workflows.model.ports import NotifyInput, PublishInput
from workflows.model.requests import (
    Decision,
    Instruction,
    Intent,
    LifecycleRequest,
    Replacement,
)
from workflows.model.state import RequestState

#: The server's own: something came while the task was at work, and it is done once more.
_HARMLESS: Final = (
    WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND,
    WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_FORCE_CLOSE_COMMAND,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Private notices that went out together: who was told which refusal."""

    at: float
    to: tuple[tuple[str, str], ...]
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of one workflow."""

    workflow_id: str
    run_id: str
    status: WorkflowExecutionStatus
    began: float
    ended: float | None
    activities: tuple[tuple[str, float], ...] = ()
    decisions: tuple[tuple[Decision, float], ...] = ()
    instructions: tuple[tuple[Instruction, float], ...] = ()
    state: RequestState | None = None
    request: LifecycleRequest | None = None
    operate: OperateInput | None = None
    failure: str = ""
    told: tuple[Told, ...] = ()
    events: int = 0


@dataclass(slots=True, kw_only=True)
class RequestHistory:
    """One request, with all operations that were begun for it, oldest first.

    ``run`` is all of its own runs as if they were one, and ``runs`` are these.
    """

    request: LifecycleRequest
    run: Run
    runs: list[Run] = field(default_factory=list)
    operations: list[Run] = field(default_factory=list)
    #: Decisions that no process of ours has sent, and when.
    forged: list[tuple[Decision, float]] = field(default_factory=list)
    #: What the reconciliation had drawn on the card of a request that could not do it.
    reconciled: RequestState | None = None

    @property
    def final(self) -> RequestState | None:
        """The last state: that of a workflow that ended by itself, or what was told for it."""
        given_up_at = self.run.ended or float("inf")
        after = [r.state for r in self.operations if r.began > given_up_at and r.state]
        if after and after[-1].closed:
            # Terminated too often for its request, and taken up by the reconciliation.
            return after[-1]
        if self.run.state is not None and self.run.state.closed:
            return self.run.state
        closed = [run.state for run in self.operations if run.state and run.state.closed]
        return closed[-1] if closed else self.reconciled

    @property
    def outcome(self) -> str:
        """What it came to, in one word."""
        final = self.final
        if final is not None and final.refusal is not None:
            return f"refused: {final.refusal.code}"
        if final is not None:
            by_whom = " (told by the reconciliation)" if final is self.reconciled else ""
            return f"{final.status.value}{by_whom}"
        return f"ended from outside while {self.run.state.status.value if self.run.state else '?'}"

    @property
    def ended(self) -> float:
        """When its last workflow ended."""
        runs = (self.run, *self.operations)
        return max(run.ended or float("inf") for run in runs)


async def read_histories(client: Client, names: Iterable[str]) -> list[RequestHistory]:
    """Read all requests about these containers."""
    runs: list[Run] = []
    query = f"WorkflowType IN ('{REQUEST_WORKFLOW}', '{OPERATION_WORKFLOW}')"
    async for execution in client.list_workflows(query):
        assert execution.status is not None
        run = Run(
            workflow_id=execution.id,
            run_id=execution.run_id,
            status=execution.status,
            began=execution.start_time.timestamp(),
            ended=execution.close_time.timestamp() if execution.close_time else None,
        )
        runs.append(await _complete(client, run))
    ours = {request_workflow_id(host, name) for host in (HOST, OTHER_HOST) for name in names}
    histories: dict[str, RequestHistory] = {}
    for run in sorted(runs, key=lambda run: run.began):
        if run.request is not None and run.workflow_id in ours:
            request_id = run.request.request_id
            history = histories.setdefault(request_id, RequestHistory(request=run.request, run=run))
            history.runs.append(run)
            history.run = _joined(history.runs)
    for run in sorted(runs, key=lambda run: run.began):
        if run.operate is not None:
            histories[run.operate.state.request_id].operations.append(run)
    async for state in _reconciled(client):
        if state.request_id in histories:
            histories[state.request_id].reconciled = state
    return list(histories.values())


def _joined(runs: list[Run]) -> Run:
    """Take the runs of one request, each of which continues the one before, as one."""
    return replace(
        runs[-1],
        began=runs[0].began,
        activities=tuple(activity for run in runs for activity in run.activities),
        decisions=tuple(decision for run in runs for decision in run.decisions),
        instructions=tuple(instruction for run in runs for instruction in run.instructions),
    )


async def _reconciled(client: Client) -> AsyncIterator[RequestState]:
    """Read what the reconciliation had drawn, oldest first."""
    looks = [run async for run in client.list_workflows(f"WorkflowType = '{RECONCILE_WORKFLOW}'")]
    for look in sorted(looks, key=lambda look: look.start_time):
        handle = client.get_workflow_handle(look.id, run_id=look.run_id)
        async for event in handle.fetch_history_events():
            scheduled = event.activity_task_scheduled_event_attributes
            if scheduled.activity_type.name == "publish":
                payloads = scheduled.input.payloads
                (drawn,) = await client.data_converter.decode(payloads, [PublishInput])
                # The watchdog draws as well, on cards of what is still open.
                if drawn.state.closed:
                    yield drawn.state


async def _complete(client: Client, run: Run) -> Run:
    handle = client.get_workflow_handle(run.workflow_id, run_id=run.run_id)
    decode = client.data_converter.decode
    activities: list[tuple[str, float]] = []
    told: list[Told] = []
    events = 0
    received: list[tuple[Decision | Instruction, float]] = []
    found: dict[str, Any] = {}
    async for event in handle.fetch_history_events():
        at, events = _seconds(event.event_time.ToDatetime()), event.event_id
        match event.event_type:
            case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED:
                started = event.workflow_execution_started_event_attributes
                is_request = started.workflow_type.name == REQUEST_WORKFLOW
                kind = LifecycleRequest if is_request else OperateInput
                (value,) = await decode(started.input.payloads, [kind])
                found["request" if is_request else "operate"] = value
            case EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
                scheduled = event.activity_task_scheduled_event_attributes
                activities.append((scheduled.activity_type.name, at))
                if scheduled.activity_type.name == "notify":
                    told.append(await _told(client, scheduled.input.payloads, at))
            case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED:
                signaled = event.workflow_execution_signaled_event_attributes
                sent = await _sent(client, signaled.signal_name, signaled.input.payloads)
                received += [] if sent is None else [(sent, at)]
            case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED:
                result = event.workflow_execution_completed_event_attributes.result
                (found["state"],) = await decode(result.payloads, [RequestState])
            case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED:
                failed = event.workflow_execution_failed_event_attributes
                found["failure"] = failed.failure.message
    if "state" not in found:
        try:
            found["state"] = await handle.query(STATE_QUERY, result_type=RequestState)
        except (RPCError, WorkflowQueryFailedError) as error:
            found["failure"] = f"{found.get('failure', '')} no state: {error}"
    return replace(
        run,
        activities=tuple(activities),
        decisions=tuple((sent, at) for sent, at in received if isinstance(sent, Decision)),
        instructions=tuple((sent, at) for sent, at in received if isinstance(sent, Instruction)),
        told=tuple(told),
        events=events,
        **found,
    )


async def _told(client: Client, payloads: Sequence[Payload], at: float) -> Told:
    (sent,) = await client.data_converter.decode(payloads, [NotifyInput])
    to = tuple((notice.user_id, str(notice.refusal.code)) for notice in sent.notices)
    return Told(at=at, to=to, size=sum(len(payload.data) for payload in payloads))


async def _sent(
    client: Client, name: str, payloads: Sequence[Payload]
) -> Decision | Instruction | None:
    """Read what a person sent with a signal; one of an odd shape was sent by nobody."""
    kinds = {DECIDE_SIGNAL: Decision, REPLACE_SIGNAL: Replacement}
    if not payloads or name not in (*kinds, *Intent):
        return None
    kind = kinds.get(name, Instruction)
    try:
        (sent,) = await client.data_converter.decode(payloads[:1], [kind])
    except (ValueError, TypeError, RuntimeError):
        return None
    if isinstance(sent, Replacement):
        return sent.decision
    return replace(sent, intent=Intent(name)) if isinstance(sent, Instruction) else sent


async def read_task_failures(client: Client) -> list[str]:
    """Read which workflow tasks failed by what our code did, in whatever workflow."""
    found = []
    async for execution in client.list_workflows():
        handle = client.get_workflow_handle(execution.id, run_id=execution.run_id)
        async for event in handle.fetch_history_events():
            if event.event_type is EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED:
                failed = event.workflow_task_failed_event_attributes
                if failed.cause not in _HARMLESS:
                    cause = WorkflowTaskFailedCause.Name(failed.cause)
                    found.append(f"{execution.id}: {cause}, {failed.failure.message[:300]}")
    return list(dict.fromkeys(found))


def _seconds(naive: datetime) -> float:
    return naive.timestamp() if naive.tzinfo else (naive - datetime(1970, 1, 1)).total_seconds()  # noqa: DTZ001 - protobuf gives UTC without saying so
