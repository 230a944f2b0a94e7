"""Does a click or a form come too soon after those before it, and who is told?

Each click that goes on is an event in the history of a request, for good, and a history that is
full ends its request. So one person can click on one request only so often, and on all of them
together; whoever works off sixty cards at night never meets either limit. What is dropped costs
the person no further click, and is told.
"""

from __future__ import annotations

import json
import logging
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bot.counted import CountedLine
from bot.slack import replies
from bot.slack.listener import Kind, SlackRequest
from bot.slack.mrkdwn import Reply
from bot.slack.rates import Bucket, Buckets, Clock, Rate
from workflows.model.names import parse_button_value

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Limit:
    """One limit as it applies to one click; ``request_id`` is empty for that of a person."""

    bucket: Bucket
    number: int
    request_id: str


class ClickRate:
    """Limits clicks and forms, per person and request and per person; 0 limits nothing."""

    def __init__(self, *, per_request: int, per_person: int, clock: Clock = time.monotonic) -> None:
        self._numbers = (per_request, per_person)
        self._clock = clock
        self._requests = Buckets(Rate.a_minute(per_request), clock) if per_request else None
        self._people = Buckets(Rate.a_minute(per_person), clock) if per_person else None
        self._dropped = CountedLine(_log, "refused: too many clicks")

    def allows(self, slack_request: SlackRequest) -> bool:
        """Count a delivery if it is within all limits; commands have their own."""
        if slack_request.kind is Kind.COMMAND:
            return True
        now = self._clock()
        limits = list(self._limits(slack_request))
        if any(limit.bucket.wait(now) for limit in limits):
            return False
        for limit in limits:
            limit.bucket.take(now)
        return True

    def words(self, slack_request: SlackRequest) -> Reply | None:
        """Say what was dropped and until when; who goes on clicking is told nothing more.

        A form is always told, for without words it would close as if it were taken.
        """
        now = self._clock()
        limit = max(self._limits(slack_request), key=lambda each: each.bucket.wait(now))
        self._dropped.note(user=slack_request.user_id, request_id=limit.request_id)
        if limit.bucket.told and slack_request.kind is Kind.CLICK:
            return None
        limit.bucket.told = True
        seconds = math.ceil(limit.bucket.wait(now))
        return replies.too_many_clicks(limit.number, seconds, request_id=limit.request_id)

    def _limits(self, slack_request: SlackRequest) -> Iterator[_Limit]:
        per_request, per_person = self._numbers
        request_id = _request_id(slack_request)
        if self._requests is not None and request_id:
            bucket = self._requests.of(f"{slack_request.user_id} {request_id}")
            yield _Limit(bucket=bucket, number=per_request, request_id=request_id)
        if self._people is not None:
            bucket = self._people.of(slack_request.user_id)
            yield _Limit(bucket=bucket, number=per_person, request_id="")


def _request_id(slack_request: SlackRequest) -> str:
    """Read which request a button or a form is about; ``""`` when it is not one of ours."""
    value = slack_request.button_value
    try:
        if slack_request.kind is Kind.FORM:
            metadata: dict[str, Any] = json.loads(slack_request.body["view"]["private_metadata"])
            value = metadata["request"]
        return parse_button_value(value).request_id
    except (ValueError, KeyError, TypeError, AttributeError):
        return ""
