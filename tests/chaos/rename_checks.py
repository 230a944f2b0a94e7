"""Is a container known by its id, whatever it is called, and what took its name left alone?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from temporalio.client import WorkflowExecutionStatus

from tests.chaos.event_log import Action, Newcomer
from tests.chaos.histories import RequestHistory
from tests.chaos.observations import LINGERS, Observations, Violation, cards_of, covers
from tests.chaos.plan import RENAMES
from workflows.model.state import RequestState, RequestStatus

_ENDED_WELL: Final = (RequestStatus.SUCCEEDED, RequestStatus.PUT_BACK)
#: Each of these looks at the container again, and tells what it is called.
_MOVES: Final = frozenset({"start", "stop", "pause", "unpause"})
#: So long an engine that was asked to start it may take after it hung up.
_SLOW_START: Final = 5.0
_TELLS_NAME: Final = frozenset(
    {"ensure_stopped", "ensure_snapshot", "ensure_tag", "ensure_started", "ensure_running"}
)


def renamed_before(history: RequestHistory, observed: Observations) -> Iterator[Violation]:
    """See that what was renamed between the card and the operation is out of date, untouched."""
    final, posted = history.final, [at for name, at in history.run.activities if name == "publish"]
    if final is None or final.pin is None or not posted or not history.operations:
        return
    begun = history.operations[0].began
    before = [
        action
        for action in _renames(observed, final.pin.container_id)
        if posted[0] < action.began and action.ended < begun
    ]
    written = [
        write.line
        for write in observed.writes
        if ("/stop" in write.line or "/commit" in write.line)
        and write.container_id == final.pin.container_id
        and any(covers(run, write) and write.at <= (run.ended or 0) for run in history.operations)
    ]
    if before and (written or final.status is RequestStatus.SUCCEEDED):
        yield _violation(
            history,
            f"renamed before the operation ({before[-1].note}): out of date, nothing changed",
            f"{history.outcome}, {written}",
        )


def named_wrongly(history: RequestHistory, observed: Observations) -> Iterator[Violation]:
    """See that the card calls a container what the engine called it when it was last looked at."""
    final = history.final
    if final is None or final.pin is None or final.status not in _ENDED_WELL:
        return
    looks = [at for run in history.operations for name, at in run.activities if name in _TELLS_NAME]
    renames = [
        action
        for action in _renames(observed, final.pin.container_id)
        if history.run.began < action.began < history.ended
    ]
    known = [action for action in renames if looks and action.ended < looks[-1]]
    if not known or renames[-1] is not known[-1]:
        return
    name = known[-1].renamed
    shown = [str(card.get("blocks")) for card in cards_of(history, observed)]
    if final.name_now != name or (_is_last(final, history) and shown and name not in shown[0]):
        yield _violation(
            history,
            f"it is called {name} ({known[-1].note})",
            f"{final.name_now}; card {shown[0][:300] if shown else 'none'}",
        )


def newcomers_touched(history: RequestHistory, observed: Observations) -> Iterator[Violation]:
    """See that what took a name after it was asked about is not what the operation works on."""
    for action in observed.event_log.actions:
        newcomer = action.newcomer
        if newcomer is None or history.run.began > newcomer.since:
            continue
        card = [at for name, at in history.run.activities if name == "publish"]
        pinned = [
            run.workflow_id
            for run in history.operations
            if run.operate is not None
            and run.operate.state.pin is not None
            and run.operate.state.pin.container_id == newcomer.container_id
        ]
        if pinned and card and card[0] < newcomer.since:
            yield _violation(history, f"the new {newcomer.name} is left alone", str(pinned))
        is_about_it = history.request.container.name == newcomer.name
        if is_about_it and (moved := _moved(newcomer, action.ended, observed)):
            yield _violation(history, f"the new {newcomer.name} is left alone", str(moved))


def _moved(newcomer: Newcomer, started: float, observed: Observations) -> list[str]:
    """List what was done to it by nobody who may: people, the engine, an operation on itself."""
    event_log, container_id = observed.event_log, newcomer.container_id
    operations = [run for history in observed.histories for run in history.operations]
    writes = [
        write.line
        for write in observed.writes
        if write.container_id == container_id and not any(covers(run, write) for run in operations)
    ]
    times = [
        (event["Action"], event["timeNano"] / 1e9)
        for event in event_log.events
        if event["Actor"]["ID"] == container_id and event["Action"] in _MOVES
    ]
    pinned = [
        run
        for run in operations
        if run.operate is not None
        and run.operate.state.pin is not None
        and run.operate.state.pin.container_id == container_id
    ]
    return writes + [
        f"{what} at {at:.3f}"
        for what, at in times
        if at > started + _SLOW_START
        and not event_log.touched(container_id, at - 1, at + 1)
        and not event_log.engine_was_down(at - 1, at + 1)
        and not any(run.began <= at <= (run.ended or at) + LINGERS for run in pinned)
    ]


def _renames(observed: Observations, container_id: str) -> list[Action]:
    return [
        action
        for action in observed.event_log.actions
        if action.planned.move in RENAMES and action.renamed and action.container_id == container_id
    ]


def _is_last(final: RequestState, history: RequestHistory) -> bool:
    """Say whether the card is what this state drew, and not lost with what was terminated."""
    runs = (history.run, *history.operations)
    return final.closed and all(
        run.status is not WorkflowExecutionStatus.TERMINATED for run in runs
    )


def _violation(history: RequestHistory, expected: str, found: str) -> Violation:
    return Violation(
        request_id=history.request.request_id, invariant=8, expected=expected, found=found
    )
