"""Was anything written before an approval, or to anything but the pinned container?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tests.chaos.histories import RequestHistory
from tests.chaos.observations import LINGERS, Observations, Violation, covers
from workflows.model.requests import Choice

_MUTATING: Final = frozenset(
    {
        "ensure_stopped",
        "ensure_snapshot",
        "ensure_tag",
        "ensure_started",
        "ensure_running",
        "sweep_snapshots",
    }
)
_ON_CONTAINER: Final = frozenset({"commit", "stop", "pause", "unpause", "rename", "update"})


def unexplained_writes(observed: Observations) -> Iterator[Violation]:
    """Find writes that belong to no approved operation on that container."""
    operations = [run for history in observed.histories for run in history.operations]
    for write in observed.writes:
        covering = [run for run in operations if covers(run, write)]
        if not covering:
            found = f"{write.line} at {write.at:.3f}"
            yield Violation(
                request_id="-",
                invariant=1,
                expected="every write belongs to an approved operation on that container",
                found=found,
            )


def unexplained_events(observed: Observations) -> Iterator[Violation]:
    """Hold the events of the engine against what went through the proxy and what people did."""
    for event in observed.event_log.events:
        container, at = event["Actor"]["ID"], event["timeNano"] / 1e9
        if event["Type"] != "container" or event["Action"] not in _ON_CONTAINER:
            continue
        by_us = any(
            write.container_id == container and write.at - 1 <= at <= write.at + LINGERS
            for write in observed.writes
        )
        by_people = observed.event_log.touched(container, at - 1, at + 1, renames=True)
        # Without live-restore a starting engine ends what outlived the one before it.
        by_engine = event["Action"] == "stop" and observed.event_log.engine_was_down(at, at)
        if by_engine:
            continue
        if (not by_us and not by_people) or container == observed.bystander:
            yield Violation(
                request_id="-",
                invariant=1,
                expected="every event has a call of the product or an act of a person",
                found=f"{event['Action']} of {container[:12]} at {at:.3f}",
            )


def authority(history: RequestHistory) -> Iterator[Violation]:
    """See that each operation was approved before, by enough people who may decide."""

    def violation(expected: str, found: object) -> Violation:
        request_id = history.request.request_id
        return Violation(request_id=request_id, invariant=1, expected=expected, found=str(found))

    early = [name for name, _ in history.run.activities if name in _MUTATING]
    if early:
        yield violation("a request itself changes nothing", early)
    signals = {(d.approver_id, d.choice) for d, _ in history.run.decisions}
    for run in history.operations:
        assert run.operate is not None
        state = run.operate.state
        approvers = {decision.approver_id for decision in state.approvals}
        policy = state.policy
        if policy is None or len(approvers) < policy.required_approvals:
            yield violation("enough approvals before the operation", approvers)
            continue
        strangers = approvers - set(policy.approvers) | (approvers & {history.request.requester})
        if strangers:
            yield violation("only those who may decide", strangers)
        unsaid = {a for a in approvers if (a, Choice.APPROVE) not in signals}
        if unsaid:
            yield violation("each approval was sent by its person", unsaid)
        sent = [at for d, at in history.run.decisions if d.approver_id in approvers]
        if not unsaid and run.began < min(sent, default=0.0):
            yield violation("the operation begins after the approval", run.began)
