"""What has come in for a request, in which order is it judged, and what if too much comes?

It is bounded: whoever sends the same again while it waits has sent it once, and beyond a thousand
messages only those whom the request is about are heard.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from workflows.model import limits
from workflows.model.requests import Choice, Decision, Instruction, LifecycleRequest
from workflows.model.state import MAX_HEARD
from workflows.model.terminal import TERMINAL_SOURCE, is_from_terminal
from workflows.signals import MAX_ID_LENGTH

#: So many wishes for something else in place of one request may wait to be judged.
_MOST_REPLACEMENTS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A message, and when this workflow first saw it.

    ``replacement`` is what its sender wants in place of the request that it rejects.
    ``as_before`` marks one that a request of the release before has received: only if it is
    neither joined with others, nor heard before them, nor late by the length of the wait, does
    the history of that request replay. ``by_seal`` tells messages apart by their seals too.
    """

    message: Decision | Instruction
    at: datetime
    replacement: LifecycleRequest | None = None
    as_before: bool = False
    by_seal: bool = False

    @property
    def sender(self) -> str:
        """Whose message it says it is."""
        message = self.message
        return message.approver_id if isinstance(message, Decision) else message.user_id

    @property
    def key(self) -> tuple[str, ...]:
        """What is the same for a message that says the same once more."""
        message = self.message
        said: tuple[str, ...]
        if isinstance(message, Decision):
            said = (message.decision_id, message.approver_id, message.choice, message.source)
        else:
            said = (message.request_id, message.user_id, message.team_id, message.intent)
        if self.by_seal:
            # What bears no seal that holds must not stand for what does.
            said = (*said, message.seal[:MAX_ID_LENGTH])
        # What is typed at a terminal may not count: it never stands for what was pressed in Slack.
        if message.terminal is not None:
            return (*said, message.terminal.host, message.terminal.user)
        return (*said, TERMINAL_SOURCE) if is_from_terminal(message.source) else said

    @property
    def message_id(self) -> str:
        """By what its sender can ask whether it was heard; ``""`` by nothing."""
        message = self.message
        whole = message.decision_id if isinstance(message, Decision) else message.instruction_id
        return whole[:MAX_ID_LENGTH]

    @property
    def is_rejection(self) -> bool:
        """Whether it rejects the request."""
        message = self.message
        return isinstance(message, Decision) and message.choice is Choice.REJECT

    def is_late(self, expires_at: datetime, wait: timedelta) -> bool:
        """Tell whether it came after the deadline.

        What a workflow sees late may have been sent in time, while no worker was running: then
        the sender's clock counts, for as long as people had to decide and no longer. It never
        counts against a message that was seen in time.
        """
        return self.at >= expires_at and (
            not self.was_sent_before(expires_at)
            or (self.at >= expires_at + wait and not self.as_before)
        )

    def was_sent_before(self, moment: datetime) -> bool:
        """Tell whether its sender says that it was sent before a moment."""
        sent_at = self.message.sent_at if isinstance(self.message, Decision) else None
        return sent_at is not None and sent_at < moment


class Inbox:
    """Messages in the order in which they came; instructions first, which is the safe side.

    ``heard`` and ``dropped`` are what the run before has counted; ``replacements`` says how many
    of those that wait want something else in place of the request.
    """

    def __init__(self, *, heard: Iterable[str] = (), dropped: int = 0) -> None:
        self.heard: deque[str] = deque(heard, maxlen=MAX_HEARD)
        self.dropped = dropped
        self.replacements = 0
        self._instructions: deque[Received] = deque()
        self._named: deque[Received] = deque()
        self._others: deque[Received] = deque()
        self._keys: set[tuple[str, ...]] = set()
        self._hears_first: frozenset[str] = frozenset()
        #: Whether anything has come, kept or not: it has made the history longer.
        self.was_reached = False

    def hear_first(self, people: Iterable[str]) -> None:
        """Hear these people before others: who asked, and who is named as an approver.

        What they decide is judged first, and finds room however many others have come.
        """
        self._hears_first = frozenset(people)
        kept = (*self._named, *self._others)
        self._named, self._others = deque(), deque()
        for received in kept:
            self._queue(received).append(received)

    @property
    def takes_replacements(self) -> bool:
        """Whether there is room for one more wish for something else."""
        return self.replacements < _MOST_REPLACEMENTS

    def put(
        self,
        message: Decision | Instruction,
        at: datetime,
        *,
        replacement: LifecycleRequest | None = None,
        as_before: bool = False,
        by_seal: bool = False,
    ) -> bool:
        """Keep a message until it is worked on; false says that there is no room for it."""
        self.was_reached = True
        received = Received(
            message=message,
            at=at,
            replacement=replacement,
            as_before=as_before,
            by_seal=by_seal,
        )
        is_known = not as_before and received.key in self._keys
        if not (is_known or as_before or self._finds_room(received)):
            return self.drop()
        if received.message_id:
            self.heard.append(received.message_id)
        if is_known:
            return True
        if not as_before:
            self._keys.add(received.key)
        self._queue(received).append(received)
        self.replacements += replacement is not None
        return True

    def pass_over(self) -> None:
        """Remember only that something came, which was no message."""
        self.was_reached = True

    def drop(self) -> bool:
        """Count a message for which there is no room; never true."""
        self.was_reached = True
        self.dropped += 1
        return False

    def take(self, expires_at: datetime | None, wait: timedelta) -> Received | None:
        """Take the next message; what came in time before what came after the deadline.

        ``expires_at`` is ``None`` where it makes no difference.
        """
        if self._instructions:
            return self._taken(self._instructions, self._instructions[0])
        for queue in (self._named, self._others):
            for received in queue:
                if expires_at is None or not received.is_late(expires_at, wait):
                    return self._taken(queue, received)
        for queue in (self._named, self._others):
            if queue:
                return self._taken(queue, queue[0])
        return None

    def take_what_stops(self) -> Received | None:
        """Take the next message that may keep a request from being carried out."""
        if self._instructions:
            return self._taken(self._instructions, self._instructions[0])
        for queue in (self._named, self._others):
            for received in queue:
                if received.is_rejection:
                    return self._taken(queue, received)
        return None

    def __bool__(self) -> bool:
        """Whether a message waits."""
        return bool(self._instructions or self._named or self._others)

    def _queue(self, received: Received) -> deque[Received]:
        if isinstance(received.message, Instruction):
            return self._instructions
        is_first = received.sender in self._hears_first and not received.as_before
        return self._named if is_first else self._others

    def _finds_room(self, received: Received) -> bool:
        """Say whether a message is kept; a full inbox keeps one of each who is heard first."""
        return len(self._keys) < limits.LIMITS.inbox or (
            received.sender in self._hears_first
            and all(kept.sender != received.sender for kept in self._queue(received))
        )

    def _taken(self, queue: deque[Received], received: Received) -> Received:
        queue.remove(received)
        self._keys.discard(received.key)
        self.replacements -= received.replacement is not None
        return received
