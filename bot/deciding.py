"""How does an act of a person become a decision or a cancel?"""

from __future__ import annotations

import hashlib
import logging
from datetime import UTC, datetime

from bot.slack.listener import Exchange
from workflows.model.requests import CancelRequest, Choice, Decision

_log = logging.getLogger(__name__)


def decision(
    exchange: Exchange, request_id: str, choice: Choice, *, source: str, comment: str = ""
) -> Decision:
    """Write down what one person decides; the same act always gets the same id."""
    place = source if ":" in source else f"{source}:{request_id}"
    position = place.partition(":")[2]
    act = f"{exchange.team_id}|{position}|{exchange.user_id}|{choice}"
    made = Decision(
        decision_id=hashlib.sha256(act.encode()).hexdigest(),
        request_id=request_id,
        approver_id=exchange.user_id,
        team_id=exchange.team_id,
        choice=choice,
        comment=comment,
        source=source,
        sent_at=datetime.now(UTC),
    )
    _log.info(
        "decision received",
        extra={
            "request_id": request_id,
            "decision_id": made.decision_id[:12],
            "choice": choice,
            "user": made.approver_id,
            "team": made.team_id,
            "source": source,
        },
    )
    return made


def cancellation(exchange: Exchange, request_id: str, *, source: str) -> CancelRequest:
    """Write down that one person wants to cancel."""
    _log.info(
        "cancel received",
        extra={
            "request_id": request_id,
            "user": exchange.user_id,
            "team": exchange.team_id,
            "source": source,
        },
    )
    return CancelRequest(
        request_id=request_id, user_id=exchange.user_id, team_id=exchange.team_id, source=source
    )
