"""What does a run's history tell when the run itself cannot be asked?

A workflow whose code fails answers no query, neither while it runs nor after it was terminated.
But whatever it drew stands in its history with the whole state, and so does each answer of the
engine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final, TypeVar

from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import EventType, TimeoutType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client

from workflows.model.continued import ContinuedRequest
from workflows.model.names import OPERATION_WORKFLOW, REQUEST_ID_FORM, REQUEST_WORKFLOW
from workflows.model.ports import (
    BegunWith,
    ContainersPort,
    MessagesPort,
    PublishInput,
    SnapshotsPort,
)
from workflows.model.requests import LifecycleRequest
from workflows.model.start_ports import StartPort
from workflows.model.state import (
    CardRef,
    RequestState,
    RequestStatus,
    SnapshotResult,
    StepName,
    StepState,
    StepStatus,
    StopResult,
)

T = TypeVar("T")

_PUBLISH: Final = MessagesPort.publish.__name__
_RUNNING: Final = ContainersPort.ensure_running.__name__
_STEPS: Final = {
    ContainersPort.ensure_stopped.__name__: StepName.STOP,
    StartPort.ensure_started.__name__: StepName.START,
    SnapshotsPort.ensure_snapshot.__name__: StepName.SNAPSHOT,
    SnapshotsPort.ensure_tag.__name__: StepName.TAG,
}
#: What changes a container that nothing of ours has touched yet.
_FIRST: Final = frozenset(
    {ContainersPort.ensure_stopped.__name__, StartPort.ensure_started.__name__}
)
_OPEN: Final = frozenset({StepStatus.TODO, StepStatus.QUEUED, StepStatus.RUNNING})


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a history tells. ``request`` and ``state`` are ``None`` where it holds none.

    ``failing_since`` is when its tasks began to fail, ``None`` when the last one did not.
    ``operation_id`` names the workflow of the operation that a request has begun, and
    ``has_begun`` says of an operation that a stop or a start was sent.
    """

    request: LifecycleRequest | None = None
    state: RequestState | None = None
    recover: bool = False
    operation_id: str = ""
    failing_since: datetime | None = None
    has_worked: bool = False
    has_begun: bool = False

    @property
    def request_id(self) -> str:
        """The request that this is about, ``""`` when that cannot be read."""
        known = self.state or self.request
        return known.request_id if known is not None else ""


@dataclass(slots=True)
class _Reading:
    """What has been read of a history so far; payloads are decoded once, at its end."""

    workflow_type: str = ""
    begun_with: Sequence[Payload] = ()
    is_continued: bool = False
    drawn: Payload | None = None
    ended_with: Payload | None = None
    card: Payload | None = None
    scheduled: dict[int, str] = field(default_factory=dict)
    marks: dict[StepName, StepState] = field(default_factory=dict)
    answers: dict[str, Payload] = field(default_factory=dict)
    operation_id: str = ""
    failing_since: datetime | None = None
    has_worked: bool = False

    def read(self, event: HistoryEvent) -> None:  # noqa: C901 - one case for each kind of event
        """Take in one event."""
        at = moment(event.event_time)
        match event.event_type:
            case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED:
                started = event.workflow_execution_started_event_attributes
                self.workflow_type = started.workflow_type.name
                self.begun_with = started.input.payloads
                self.is_continued = bool(started.continued_execution_run_id)
            case EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
                self.failing_since, self.has_worked = None, True
            case EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED:
                self.failing_since = self.failing_since or at
            case EventType.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT:
                timed_out = event.workflow_task_timed_out_event_attributes
                if timed_out.timeout_type == TimeoutType.TIMEOUT_TYPE_START_TO_CLOSE:
                    self.failing_since = self.failing_since or at
            case EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
                self._schedule(event, at)
            case EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
                self._complete(event, at)
            case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED:
                result = event.workflow_execution_completed_event_attributes.result.payloads
                self.ended_with = result[0] if len(result) == 1 else None
            case EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED:
                child = event.start_child_workflow_execution_initiated_event_attributes
                if child.workflow_type.name == OPERATION_WORKFLOW:
                    self.operation_id = child.workflow_id

    def _schedule(self, event: HistoryEvent, at: datetime) -> None:
        scheduled = event.activity_task_scheduled_event_attributes
        name = self.scheduled[event.event_id] = scheduled.activity_type.name
        if name == _PUBLISH and len(scheduled.input.payloads) == 1:
            self.drawn = scheduled.input.payloads[0]
        step = self._step(name)
        if step is not None:
            self.marks[step] = StepState(name=step, status=StepStatus.RUNNING, started_at=at)

    def _complete(self, event: HistoryEvent, at: datetime) -> None:
        completed = event.activity_task_completed_event_attributes
        name = self.scheduled.get(completed.scheduled_event_id, "")
        if len(completed.result.payloads) != 1:
            return
        if name == _PUBLISH:
            self.card = completed.result.payloads[0]
        self.answers[name] = completed.result.payloads[0]
        step = self._step(name)
        if step is not None:
            begun = self.marks.get(step, StepState(name=step))
            self.marks[step] = replace(begun, status=StepStatus.DONE, finished_at=at)

    def _step(self, activity: str) -> StepName | None:
        """Name the step of an activity."""
        if activity == _RUNNING:
            return StepName.PUT_BACK
        return _STEPS.get(activity)


async def read_history(client: Client, workflow_id: str, run_id: str) -> Told:
    """Read all that the history of one run tells.

    Raises:
        RPCError: Temporal does not know this run, or cannot be asked.
    """
    reading, handle = _Reading(), client.get_workflow_handle(workflow_id, run_id=run_id)
    async for event in handle.fetch_history_events():
        reading.read(event)
    told = await _begun_with(client, reading)
    drawn = await _decoded(client, reading.drawn, PublishInput)
    # The last card may have been drawn within a workflow task, of which the history tells nothing.
    ended = await _decoded(client, reading.ended_with, RequestState)
    state = ended or (drawn.state if drawn is not None else told.state)
    if state is not None and state.status is RequestStatus.WAITING and reading.operation_id:
        # From the approval on it is the operation that draws.
        state = replace(state, status=RequestStatus.RUNNING)
    return replace(
        told,
        state=await _with_answers(client, reading, state) if state is not None else None,
        operation_id=reading.operation_id,
        failing_since=reading.failing_since,
        has_worked=reading.has_worked,
        has_begun=not _FIRST.isdisjoint(reading.scheduled.values()),
    )


def moment(stamp: Timestamp) -> datetime:
    """Give a time of Temporal's as Python's."""
    return stamp.ToDatetime(UTC)


async def _begun_with(client: Client, reading: _Reading) -> Told:
    """Read the start input; anybody who reaches Temporal can start a workflow with anything."""
    if len(reading.begun_with) != 1:
        return Told()
    (payload,) = reading.begun_with
    told = Told()
    if reading.workflow_type == REQUEST_WORKFLOW:
        told = Told(request=await _decoded(client, payload, LifecycleRequest))
        continued = await _decoded(client, payload, ContinuedRequest)
        if reading.is_continued and continued is not None and continued.carried is not None:
            told = replace(told, state=continued.carried.state)
    elif reading.workflow_type == OPERATION_WORKFLOW:
        begun = await _decoded(client, payload, BegunWith)
        told = Told(state=begun.state, recover=begun.recover) if begun is not None else Told()
    return told if REQUEST_ID_FORM.fullmatch(told.request_id) else Told()


async def _with_answers(client: Client, reading: _Reading, state: RequestState) -> RequestState:
    """Add to a state what the engine and Slack have answered since."""
    rested = state.pin is not None and state.pin.state.is_down
    started = StartPort.ensure_started.__name__
    card = await _decoded(client, reading.card, CardRef)
    stopped = await _answer(client, reading, ContainersPort.ensure_stopped.__name__, StopResult)
    made = await _answer(client, reading, SnapshotsPort.ensure_snapshot.__name__, SnapshotResult)
    tagged = await _answer(client, reading, SnapshotsPort.ensure_tag.__name__, SnapshotResult)
    return replace(
        state,
        card=card or state.card,
        steps=_with_marks(state.steps, reading.marks),
        stopped_at=stopped.stopped_at if stopped is not None else state.stopped_at,
        started_by_us=state.started_by_us or (rested and started in reading.scheduled.values()),
        snapshot=state.snapshot if state.closed else tagged or made or state.snapshot,
    )


def _with_marks(
    steps: tuple[StepState, ...], marks: dict[StepName, StepState]
) -> tuple[StepState, ...]:
    """Bring steps up to date that were last drawn before their end; those drawn as over stay."""
    names = [step.name for step in steps]
    # In the history of an earlier release, what starts again as planned is what puts back.
    if StepName.START in names and StepName.START not in marks:
        marks = {
            StepName.START if name is StepName.PUT_BACK else name: mark
            for name, mark in marks.items()
        }
    known = tuple(
        replace(
            step,
            status=marks[step.name].status,
            started_at=step.started_at or marks[step.name].started_at,
            finished_at=marks[step.name].finished_at,
        )
        if step.name in marks and step.status in _OPEN
        else step
        for step in steps
    )
    added = (replace(mark, name=name) for name, mark in marks.items() if name not in names)
    return (*known, *added)


async def _answer(client: Client, reading: _Reading, activity: str, kind: type[T]) -> T | None:
    return await _decoded(client, reading.answers.get(activity), kind)


async def _decoded(client: Client, payload: Payload | None, kind: type[T]) -> T | None:
    if payload is None:
        return None
    try:
        (value,) = await client.data_converter.decode([payload], [kind])
    except Exception:  # noqa: BLE001 - what somebody else wrote can fail in any way
        return None
    return value if isinstance(value, kind) else None
