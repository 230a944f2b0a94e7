"""Is the container as its request says, and is there exactly the snapshot that it tells of?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from temporalio.client import WorkflowExecutionStatus

from tests.chaos.histories import RequestHistory
from tests.chaos.observations import Observations, Violation, Write, covers
from workflows.model.names import REQUEST_LABEL
from workflows.model.state import RequestState, RequestStatus

_NOTHING_CHANGED: Final = frozenset(
    {
        RequestStatus.REJECTED,
        RequestStatus.EXPIRED,
        RequestStatus.CANCELLED,
        RequestStatus.STALE,
        RequestStatus.FAILED,
    }
)
_DOWN: Final = ("exited", "created")
#: How an operation leaves the container whose end is not how it was before.
_ENDS: Final = {"stop": _DOWN, "start": ("running",), "restart": ("running",)}


def failures(history: RequestHistory, _evidence: Observations) -> Iterator[Violation]:
    """See that no workflow failed: nobody would be told what became of its request."""
    for run in (history.run, *history.operations):
        if run.status is WorkflowExecutionStatus.FAILED:
            yield Violation(
                request_id=history.request.request_id,
                invariant=2,
                expected="no workflow fails",
                found=f"{run.workflow_id}: {run.failure}",
            )


def container_state(history: RequestHistory, observed: Observations) -> Iterator[Violation]:
    """See that the container is as the request's end says."""

    def violation(expected: str, found: object) -> Violation:
        request_id = history.request.request_id
        return Violation(request_id=request_id, invariant=2, expected=expected, found=str(found))

    final = history.final
    if final is None or final.status in _NOTHING_CHANGED:
        changed = [w for w in observed.writes if _is_of(history, w) and (w.status or 0) < 400]
        if final is not None and final.status is RequestStatus.STALE:
            # A commit changes no container; that its image is gone is looked at below.
            changed = [w for w in changed if "/commit?" not in w.line]
        if changed and not _lingers_from_another(history, observed, changed):
            told = final.status if final else "ended from outside"
            yield violation(f"{told}: nothing was changed", [w.line for w in changed])
        return
    if final.status is RequestStatus.NEEDS_PERSON:
        # What is due then is looked at on its own.
        return
    wanted = _wanted(final)
    if wanted is None:
        return
    stood = _stood(history, final, observed)
    if stood is None:
        observed.unjudged += 1
    elif stood not in wanted:
        yield violation(f"{final.status}: the container is {' or '.join(wanted)}", stood)
    else:
        observed.judged += 1


def _is_of(history: RequestHistory, write: Write) -> bool:
    return write.container_id != "" and any(
        covers(run, write) and write.at <= (run.ended or float("inf")) + 1
        for run in history.operations
    )


def _lingers_from_another(
    history: RequestHistory, observed: Observations, changed: list[Write]
) -> bool:
    """Tell whether another request's terminated operation was still at work."""
    others = [
        run for other in observed.histories if other is not history for run in other.operations
    ]
    return all(any(covers(run, write) for run in others) for write in changed)


def _wanted(final: RequestState) -> tuple[str, ...] | None:
    if final.pin is None:
        return None
    if final.status is RequestStatus.SUCCEEDED and final.operation.kind in _ENDS:
        return _ENDS[final.operation.kind]
    if final.status in (RequestStatus.SUCCEEDED, RequestStatus.PUT_BACK):
        return _DOWN if final.pin.state.is_down else (str(final.pin.state.value),)
    return None


def _stood(history: RequestHistory, final: RequestState, observed: Observations) -> str | None:
    """Read how the container stood just after the end; ``None`` when others were at it too."""
    assert final.pin is not None
    container, event_log = final.pin.container_id, observed.event_log
    runs = history.operations
    if not runs:
        return None
    began, ended = runs[0].began, runs[-1].ended or 0.0
    sample = next((s for s in event_log.samples if s.at > ended), None)
    if sample is None:
        return None
    others = [
        write
        for write in observed.writes
        if write.container_id == container and ended < write.at <= sample.at
    ]
    # What was proven is told later: images are tidied first, and Slack may not take it at once.
    proven = max((s.finished_at.timestamp() for s in final.steps if s.finished_at), default=ended)
    disturbed = (
        event_log.touched(container, began, sample.at)
        or event_log.engine_was_down(min(proven, ended) - 8, sample.at)
        or others
    )
    return None if disturbed else sample.states.get(container, "gone")


def images(history: RequestHistory, observed: Observations) -> Iterator[Violation]:
    """See that exactly the snapshot that is told of is there."""
    request_id, final = history.request.request_id, history.final
    found = [
        image
        for image in observed.images
        if (image.get("Labels") or {}).get(REQUEST_LABEL) == request_id
    ]
    told = [(image["Id"], tuple(image["RepoTags"] or ())) for image in found]
    told = [(i, tuple(tag for tag in tags if tag != "<none>:<none>")) for i, tags in told]
    wanted: list[tuple[str, tuple[str, ...]]] = []
    if final is not None and final.snapshot is not None:
        wanted = [(final.snapshot.image_id, (final.snapshot.reference,))]
    needs_image = (
        final is not None
        and final.status is RequestStatus.SUCCEEDED
        and final.operation.snapshot
        and not wanted
    )
    if told != wanted or needs_image:
        yield Violation(
            request_id=request_id,
            invariant=3,
            expected=f"{history.outcome} with images {wanted}",
            found=f"images {told}",
        )
