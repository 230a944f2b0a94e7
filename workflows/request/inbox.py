"""Which messages of people wait to be worked on, and which of them came in time?

Signal handlers only put things here: they never raise and never wait, so no message can wedge
or fail a workflow, and none is lost while the workflow is busy with another.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import datetime

from workflows.model.requests import CancelRequest, Decision


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A message, and when this workflow first saw it."""

    message: Decision | CancelRequest
    at: datetime

    def is_late(self, deadline: datetime) -> bool:
        """Tell whether it came after the deadline.

        What a workflow sees late may have been sent in time, while no worker was running: then
        the sender's clock counts. It never counts against a message that was seen in time.
        """
        sent_at = self.message.sent_at if isinstance(self.message, Decision) else None
        return self.at >= deadline and (sent_at is None or sent_at >= deadline)


class Inbox:
    """Messages in the order in which they came; cancellations first, which is the safe side."""

    def __init__(self) -> None:
        self._decisions: deque[Received] = deque()
        self._cancels: deque[Received] = deque()

    def put(self, message: Decision | CancelRequest, at: datetime) -> None:
        """Keep a message until it is worked on."""
        queue = self._cancels if isinstance(message, CancelRequest) else self._decisions
        queue.append(Received(message=message, at=at))

    def take(self, deadline: datetime | None) -> Received | None:
        """Take the next message; what came in time before what came after the deadline."""
        if self._cancels:
            return self._cancels.popleft()
        if not self._decisions:
            return None
        in_time = (d for d in self._decisions if deadline is None or not d.is_late(deadline))
        chosen = next(in_time, self._decisions[0])
        self._decisions.remove(chosen)
        return chosen

    def __bool__(self) -> bool:
        """Whether a message waits."""
        return bool(self._cancels or self._decisions)
