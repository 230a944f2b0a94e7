"""What does a request look like that waits, where nothing else about it matters?"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from workflows.model.requests import ContainerRef, OperationSpec
from workflows.model.state import RequestState, RequestStatus

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def waiting(**facts: Any) -> RequestState:
    """Describe a request that Alice has made at noon, with these facts besides."""
    return RequestState(
        request_id="0123456789ab",
        status=RequestStatus.WAITING,
        operation=OperationSpec(kind="stop"),
        container=ContainerRef(host="local", name="web-1"),
        requester="UALICE",
        team_id="T1",
        channel_id="C1",
        reason="",
        requested_at=NOON,
        workflow_id="request/local/web-1",
        **facts,
    )
