"""What is done about a request or an operation that goes on in name only?

People are told, once about each: neither a mended worker nor a decision can be had without them.
Ended is only an operation that has left its container down and can do nothing any more; whoever
looks after ended operations then puts the container back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError

from workflows import activity_options, failures
from workflows.model.errors import ErrorType
from workflows.model.ports import (
    ContainersPort,
    EndedRun,
    InspectInput,
    LastStateInput,
    MessagesPort,
    PublishInput,
    ThreadEntry,
    ThreadKind,
    VisibilityPort,
)
from workflows.model.state import RequestState
from workflows.model.watchdog_ports import (
    EndStuckInput,
    Round,
    StuckInput,
    StuckRun,
    StuckRuns,
    WatchdogPort,
    WatchLimits,
)
from workflows.request import planning

#: A look comes every minute; after a longer gap nobody knows whether a worker was there.
_GAP = timedelta(minutes=5)
#: About so many runs it is remembered that people were told, and so many ends.
_MOST_TOLD = 1000
_MOST_ENDED = 100
#: What is stuck again after this many ends needs another release, and no further end.
_ENDS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What one look leaves to the next: ``told`` are runs, ``ended`` workflow ids."""

    told: tuple[str, ...] = ()
    ended: tuple[str, ...] = ()
    round: Round | None = None
    served_since: datetime | None = None
    looked_at: datetime | None = None


async def watch(
    last: Watched, limits: WatchLimits, put_back: Callable[[EndedRun], Awaitable[bool]]
) -> Watched:
    """Look once; ``put_back`` takes up an operation that was ended."""
    now = workflow.now()
    is_gap = last.looked_at is None or now - last.looked_at > _GAP
    served_since = now if is_gap or last.served_since is None else last.served_since
    last = replace(last, served_since=served_since, looked_at=now)
    try:
        found = await workflow.execute_activity_method(
            WatchdogPort.find_stuck_runs,
            StuckInput(limits=limits, told=last.told, served_since=served_since, round=last.round),
            **activity_options.ask_temporal(),
        )
    except ActivityError as error:
        kind = str(failures.error_type(error))
        workflow.logger.warning("stuck runs not looked for", extra={"error_type": kind})
        return last
    told = await asyncio.gather(*(_is_told(run) for run in found.runs))
    patience = timedelta(seconds=limits.end_after)
    down = [run for run in found.runs if _may_be_ended(run, last, patience)]
    ended = await asyncio.gather(*(_end(run, put_back) for run in down))
    return replace(
        last,
        told=_remembered(last.told, found, told),
        ended=(
            *last.ended,
            *(run.workflow_id for run, is_ended in zip(down, ended, strict=True) if is_ended),
        )[-_MOST_ENDED:],
        round=found.round,
    )


def _remembered(before: tuple[str, ...], found: StuckRuns, told: list[bool]) -> tuple[str, ...]:
    """Keep of whom people were told, those that are still stuck longest."""
    new = [run.run_id for run, is_told in zip(found.runs, told, strict=True) if is_told]
    now = tuple(dict.fromkeys((*found.still, *new)))
    return (*(run_id for run_id in before if run_id not in now), *now)[-_MOST_TOLD:]


async def _is_told(run: StuckRun) -> bool:
    """Tell people about a run, unless they were; false when Slack could not be reached."""
    if run.told:
        return True
    workflow.logger.error(
        "%r is stuck: %s since %s; %s",
        run.workflow_id,
        "its tasks fail" if run.is_failing else "it should have expired",
        run.since.isoformat(timespec="seconds"),
        "see its last failure in Temporal, then mend the release or terminate it",
    )
    state = _last_known(run)
    if state is None:
        # What began it cannot be read, so there is no channel either.
        return True
    entry = ThreadEntry(
        key=f"stuck.{run.run_id[-12:]}",
        kind=ThreadKind.STUCK,
        user_id=state.requester,
        at=run.since,
    )
    try:
        await _publish(replace(state, paged=True), entry)
        await _make_good(run, state)
    except ActivityError as error:
        error_type = failures.error_type(error)
        workflow.logger.error("nobody was told", extra={"error_type": str(error_type)})
        return error_type is ErrorType.SLACK_REFUSED
    return True


async def _publish(state: RequestState, *thread: ThreadEntry) -> None:
    await workflow.execute_activity_method(
        MessagesPort.publish,
        PublishInput(state=state, thread=thread),
        **activity_options.publish(),
    )


async def _make_good(run: StuckRun, drawn: RequestState) -> None:
    """Draw a run that has come to life meanwhile as it is: its last card may have been hidden."""
    if not run.is_operation and drawn.operation_workflow_id:
        return
    now = await workflow.execute_activity_method(
        VisibilityPort.last_state,
        LastStateInput(workflow_id=run.workflow_id, run_id=run.run_id),
        **activity_options.ask_temporal(),
    )
    if now.state is not None and now.state.revision > drawn.revision:
        await _publish(now.state)


def _last_known(run: StuckRun) -> RequestState | None:
    if run.state is not None or run.request is None:
        return run.state
    first = planning.first_state(run.request)
    return replace(first, workflow_id=run.workflow_id, run_id=run.run_id, requested_at=run.since)


def _may_be_ended(run: StuckRun, last: Watched, patience: timedelta) -> bool:
    """Tell whether an operation could do nothing for so long although a worker was there.

    One that never did a task has touched nothing; its like would be stuck as well.
    """
    now = workflow.now()
    return (
        run.is_operation
        and run.is_failing
        and run.idle
        and run.has_worked
        and run.state is not None
        and run.state.pin is not None
        and now - run.since >= patience
        and last.served_since is not None
        and now - last.served_since >= patience
        and last.ended.count(run.workflow_id) < _ENDS
    )


async def _end(run: StuckRun, put_back: Callable[[EndedRun], Awaitable[bool]]) -> bool:
    """End an operation whose container is down, and have it put back."""
    state = run.state
    if state is None or not await _is_down(state):
        return False
    arg = EndStuckInput(
        workflow_id=run.workflow_id,
        run_id=run.run_id,
        request_workflow_id=state.workflow_id,
        since=run.since,
    )
    try:
        end = await workflow.execute_activity_method(
            WatchdogPort.end_stuck_run, arg, **activity_options.ask_temporal()
        )
    except ActivityError as error:
        kind = str(failures.error_type(error))
        workflow.logger.warning("a stuck operation not ended", extra={"error_type": kind})
        return False
    if end.ended and not end.followed:
        await put_back(
            EndedRun(workflow_id=run.workflow_id, run_id=run.run_id, is_operation=True, state=state)
        )
    return end.ended


async def _is_down(state: RequestState) -> bool:
    """Ask the engine whether exactly the approved container rests; what is unknown does not."""
    pin = state.pin
    if pin is None or pin.state.is_down:
        return False
    container = replace(state.container, name=pin.name)
    try:
        seen = await workflow.execute_activity_method(
            ContainersPort.inspect_container,
            InspectInput(container=container, for_request=False),
            **activity_options.look(container.host),
        )
    except ActivityError as error:
        kind = str(failures.error_type(error))
        workflow.logger.warning("container not looked at", extra={"error_type": kind})
        return False
    return seen.pin.container_id == pin.container_id and seen.pin.state.is_down
