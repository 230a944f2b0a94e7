"""What do scripts read with ``--json``? One object for a command, whose names never change.

Fields are only ever added. Times are ISO 8601 in UTC, ids as Slack and Docker write them; what is
not known is ``null``.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from bot.temporal.errors import RequestSummary
from bot.temporal.hosts import HostStanding
from bot.work_list import Item, WorkPage
from workflows.model.listing import ContainerList
from workflows.model.requests import ContainerPin, FactPlace, RecordedDecision
from workflows.model.state import Refusal, RequestState, StepState
from workflows.model.terminal import Terminal
from workflows.rules import Rule

Json = dict[str, Any]


def request(state: RequestState) -> Json:
    """Describe a request whose workflow has answered."""
    policy, snapshot = state.policy, state.snapshot
    return {
        "id": state.request_id,
        "status": state.status.value,
        "closed": state.closed,
        "operation": state.operation.kind,
        "with_snapshot": state.operation.snapshot,
        "container": state.name_now,
        "host": state.container.host,
        "requester": state.requester,
        "terminal": _terminal(state.terminal),
        "reason": state.reason,
        "requested_at": _time(state.requested_at),
        "expires_at": _time(state.expires_at),
        "finished_at": _time(state.finished_at),
        "policy": policy.name if policy else None,
        "approvals_needed": policy.required_approvals if policy else None,
        "approvals": [_decision(decision) for decision in state.approvals],
        "rejection": _decision(state.rejection) if state.rejection else None,
        "cancelled_by": state.cancel_requested_by or None,
        "cancelled_at_terminal": _terminal(state.cancel_terminal),
        "refusal": refusal(state.refusal),
        "steps": [_step(step) for step in state.steps],
        "snapshot": (snapshot.reference or None) if snapshot else None,
        "image_id": snapshot.image_id if snapshot else None,
        "down_seconds": state.down_seconds,
        "error": state.cause.value if state.cause else None,
        "error_text": state.cause_text or None,
        "tries": state.attempts,
        "next_try_at": _time(state.next_try_at),
        "card": state.card.permalink or None if state.card else None,
        "channel": state.channel_id,
        "workflow_id": state.workflow_id,
        "run_id": state.run_id,
    }


def summary(row: RequestSummary) -> Json:
    """Describe a request as Temporal's list knows it: a few of the fields of :func:`request`."""
    return {
        "id": row.request_id,
        "status": row.status,
        "closed": not row.open,
        "operation_words": row.operation or None,
        "container": row.container,
        "host": row.host,
        "requester": row.requester,
        "requested_at": _time(row.started_at),
        "workflow_id": row.workflow_id,
        "run_id": row.run_id,
    }


def requests(page: WorkPage) -> Json:
    """Describe a list of requests; ``total`` counts those too that are not listed."""
    return {"requests": [_listed(item) for item in page.items], "total": page.total}


def _listed(item: Item) -> Json:
    """Add to a summary what the request itself has told in time; ``null`` where it has not."""
    state = item.state
    policy = state.policy if state is not None else None
    return {
        **summary(item.summary),
        "refusal": refusal(state.refusal) if state is not None else None,
        "expires_at": _time(state.expires_at) if state is not None else None,
        "approvals_given": len(state.approvals) if state is not None else None,
        "approvals_needed": policy.required_approvals if policy is not None else None,
        "card": (state.card.permalink or None) if state is not None and state.card else None,
    }


def refusal(refused: Refusal | None) -> Json | None:
    """Describe why something does not count."""
    if refused is None:
        return None
    return {"code": refused.code.value, "detail": refused.detail or None}


def containers(host: str, found: ContainerList) -> Json:
    """Describe the containers of a host."""
    listed = [
        {
            "name": one.name,
            "image": one.image,
            "state": one.state,
            "protected": one.protected,
            "standing": one.standing or None,
            "health": one.health or None,
            "compose": one.part_of or None,
            "ports": one.ports or None,
            "snapshots": one.snapshots if found.of else None,
        }
        for one in found.containers
    ]
    return {"host": host, "containers": listed, "total": found.total}


def container(host: str, pin: ContainerPin) -> Json:
    """Describe one container."""
    return {
        "host": host,
        "container": {
            "name": pin.name,
            "id": pin.container_id,
            "state": pin.state.value,
            "image": pin.image,
            "image_id": pin.image_id,
            "started_at": pin.started_at or None,
            "restart_policy": pin.restart_policy or "no",
            "removed_when_stopped": pin.auto_remove,
            "has_health_check": pin.has_healthcheck,
            "stop_timeout_seconds": pin.stop_timeout_seconds,
            "facts": [
                {
                    "label": one.label,
                    "value": one.value,
                    "place": one.place.value,
                    "at": _time(one.at),
                }
                for one in pin.told(*FactPlace)
            ],
            "mounts": [{"type": one.type, "destination": one.destination} for one in pin.mounts],
        },
    }


def rules(told: Sequence[Rule] | None) -> Json:
    """Describe who may ask for what, and who decides; ``null``: not known now."""
    if told is None:
        return {"rules": None}
    return {
        "rules": [
            {
                "operations": list(rule.kinds),
                "policy": policy.name if policy else None,
                "requesters": [*policy.requester_groups, *policy.requesters] if policy else [],
                "approvers": [*policy.approver_groups, *policy.approvers] if policy else [],
                "required_approvals": policy.required_approvals if policy else None,
            }
            for rule in told
            for policy in (rule.policy,)
        ]
    }


def hosts(standings: Sequence[HostStanding]) -> Json:
    """Describe the hosts, and who serves them."""
    return {
        "hosts": [
            {
                "name": one.host,
                "default": one.is_default,
                "engines": [
                    {"id": told.engine_id, "version": told.engine_version} for told in one.engines
                ],
                "workers": list(one.workers),
                "takes_stops": one.takes_stops,
                "takes_snapshots": one.takes_commits,
                "last_asked": _time(one.last_asked),
            }
            for one in standings
        ]
    }


def _decision(decision: RecordedDecision) -> Json:
    return {
        "by": decision.approver_id,
        "at": _time(decision.decided_at),
        "comment": decision.comment or None,
        "terminal": _terminal(decision.terminal),
    }


def _step(step: StepState) -> Json:
    took = None
    if step.started_at is not None and step.finished_at is not None:
        took = (step.finished_at - step.started_at).total_seconds()
    return {
        "name": step.name.value,
        "status": step.status.value,
        "seconds": took,
        "note": step.note or None,
        "error": step.error.value if step.error else None,
    }


def _terminal(terminal: Terminal | None) -> Json | None:
    if terminal is None:
        return None
    return {
        "host": terminal.host,
        "user": terminal.user,
        "logged_in_as": terminal.logged_in_as or None,
    }


def _time(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).isoformat(timespec="milliseconds")
