"""How does a wish become a request?"""

from __future__ import annotations

import hashlib
import logging
from datetime import UTC, datetime

from bot import policy_book as policies
from bot.slack import replies
from bot.slack.listener import Exchange
from bot.temporal.requests import Gateway
from workflows.model.requests import (
    CancelRequest,
    Choice,
    ContainerRef,
    Decision,
    LifecycleRequest,
    OperationSpec,
)

_log = logging.getLogger(__name__)


class Requesting:
    """Starts requests, whichever door they come through."""

    def __init__(self, gateway: Gateway, book: policies.PolicyBook) -> None:
        self._gateway = gateway
        self._book = book

    async def ask(
        self, exchange: Exchange, operation: OperationSpec, container: ContainerRef, reason: str
    ) -> None:
        """Start a request of the one who asks, then say so in private."""
        what = operation.words
        candidates = policies.matching(self._book, operation.kind, container.host, container.name)
        if not candidates:
            reply = replies.no_policy(what=what, container=container.name, host=container.host)
            await exchange.tell(reply)
            return
        request = LifecycleRequest(
            request_id=exchange.request_id,
            operation=operation,
            container=container,
            requester=exchange.user_id,
            team_id=exchange.team_id,
            channel_id=exchange.channel_id,
            policies=candidates,
            delivery_id=exchange.trigger_id,
            reason=reason,
        )
        if not await self._gateway.start(request):
            # Who asked hears of the copy that started it.
            await exchange.acknowledge()
            return
        _log.info(
            "request started",
            extra={
                "request_id": request.request_id,
                "operation": what,
                "host": container.host,
                "container": container.name,
                "user": request.requester,
                "team": request.team_id,
                "channel": request.channel_id,
                "policy_book": self._book.hash,
            },
        )
        await exchange.tell(
            replies.started(
                request_id=request.request_id,
                what=what,
                container=container.name,
                host=container.host,
            )
        )


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
