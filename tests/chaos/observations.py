"""What is held against the invariants, and what is found not to hold?"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from deploy.laptop.channel import request_of
from tests.chaos.event_log import EventLog
from tests.chaos.histories import RequestHistory, Run
from tests.rigs.docker_proxy import Exchange

#: An activity whose workflow was terminated ends by itself within this time.
LINGERS: Final = 60.0
_WRITES: Final = re.compile(
    r"^POST [^ ]*/containers/([0-9a-f]{64})/(?:stop|start|pause|unpause)\b"
    r"|^POST [^ ]*/commit\?(?:[^ ]*&)?container=([0-9a-f]{64})"
    r"|^POST [^ ]*/images/[^ ]+/tag\b|^DELETE [^ ]*/images/"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """What does not hold."""

    request_id: str
    invariant: int
    expected: str
    found: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """A write of the product that reached the proxy; ``container_id`` is ``""`` for images."""

    at: float
    ended: float | None
    line: str
    status: int | None
    container_id: str


@dataclass(slots=True, kw_only=True)
class Observations:
    """All that the checks look at."""

    histories: list[RequestHistory]
    writes: list[Write]
    event_log: EventLog
    messages: list[dict[str, Any]]
    images: list[dict[str, Any]]
    bystander: str
    #: Workflow tasks that failed by our own code, and payloads that Slack would not have taken.
    task_failures: list[str] = field(default_factory=list)
    unfit_payloads: list[str] = field(default_factory=list)
    #: When the bot told whom that a click or a command did not arrive.
    turned_away: list[tuple[float, str]] = field(default_factory=list)
    #: How many containers could be held against their request, and for how many others did it
    #: at the same time.
    judged: int = 0
    unjudged: int = 0


def writes_of(exchanges: list[Exchange]) -> Iterator[Write]:
    """Pick the writes out of what passed the proxy."""
    offset = time.time() - time.monotonic()
    for exchange in exchanges:
        if exchange.line.startswith(("GET ", "HEAD ")):
            continue
        found = _WRITES.search(exchange.line)
        container = next((g for g in found.groups() if g), "") if found else "?"
        yield Write(
            at=exchange.began + offset,
            ended=exchange.ended + offset if exchange.ended else None,
            line=exchange.line,
            status=exchange.status,
            container_id=container,
        )


def turned_away(log: str) -> list[tuple[float, str]]:
    """Read out of the bot's log whom it told that something was not done."""
    found = re.findall(r"(?m)^(\S+Z) warning bot\.slack\.listener: not done .*?user=(\w+)", log)
    return [(datetime.fromisoformat(at).timestamp(), user) for at, user in found]


def covers(run: Run, write: Write) -> bool:
    """Tell whether an operation can have made a write."""
    assert run.operate is not None
    assert run.operate.state.pin is not None
    if not run.began <= write.at <= (run.ended or float("inf")) + LINGERS:
        return False
    return write.container_id in ("", run.operate.state.pin.container_id)


def cards_of(history: RequestHistory, observed: Observations) -> list[dict[str, Any]]:
    """Give the cards of a request that there are in Slack."""
    return [m for m in observed.messages if request_of(m) == history.request.request_id]
