"""How does a blocking call to the engine show that its worker lives, and what does it leave on?

docker-py blocks its thread, so another one heartbeats. That proves the worker, not the engine:
the activity's own time-out bounds the call.
"""

from __future__ import annotations

import contextlib
import contextvars
import threading
import time
from types import TracebackType
from typing import Final, Self

from temporalio import activity
from temporalio.exceptions import ApplicationError

from workflows.model.errors import ErrorType
from workflows.model.timing import TIMING

_NOTHING_SENT: Final = "nothing sent"


class Heartbeat:
    """Heartbeats while an activity works, and remembers whether it may have changed anything.

    An attempt that fails before it sent anything says so in its last heartbeat, and the next
    attempt can rely on that. A killed worker says nothing: then a request may have been sent,
    and may still be at work in the engine.

    Args:
        interval: seconds between two beats.
        timeout: after as many seconds without one Temporal gives the attempt up.
    """

    def __init__(self, interval: float, timeout: float = TIMING.heartbeat_timeout) -> None:
        info = activity.info()
        self._interval = interval
        self._timeout = timeout
        self._last = time.monotonic()
        self._missed = False
        self._attempt = info.attempt
        self._sent = info.attempt > 1 and list(info.heartbeat_details) != [
            _NOTHING_SENT,
            info.attempt - 1,
        ]
        self._done = threading.Event()
        context = contextvars.copy_context()
        self._thread = threading.Thread(
            target=context.run, args=(self._beat,), name="heartbeat", daemon=True
        )

    @property
    def may_have_sent(self) -> bool:
        """Whether this attempt or an earlier one may have asked the engine to change something."""
        return self._sent

    def sending(self) -> None:
        """Note that the next call changes something.

        Raises:
            ApplicationError: this attempt was given up, because its worker was frozen or cut off.
                Another one may be at work, or all may be over: nothing may be sent any more.
        """
        details = activity.cancellation_details()
        forgotten = details is not None and (details.not_found or details.timed_out)
        if forgotten or self._missed or self._is_silent():
            text = "this attempt was away for so long that it was given up"
            raise ApplicationError(text, type=ErrorType.WORKER_UNAVAILABLE)
        self._sent = True

    def __enter__(self) -> Self:
        """Start to beat."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop to beat; on a failure, leave word when nothing was sent."""
        self._done.set()
        self._thread.join()
        if error is not None and not self._sent:
            activity.heartbeat(_NOTHING_SENT, self._attempt)

    def _beat(self) -> None:
        # The worker's loop may end before this thread: then nobody listens any more.
        with contextlib.suppress(RuntimeError):
            while not self._done.wait(self._interval):
                self._missed = self._missed or self._is_silent()
                self._last = time.monotonic()
                activity.heartbeat()

    def _is_silent(self) -> bool:
        return time.monotonic() - self._last > self._timeout
