"""How does a blocking call to the engine show that its worker lives, and what does it leave on?

docker-py blocks its thread, so another one heartbeats. That proves the worker, not the engine:
the activity's own time-out bounds the call. :class:`Heartbeat` beats; an :class:`Attempt` beats
and knows, over all attempts of its activity, whether the engine may have been asked to change
something.
"""

from __future__ import annotations

import contextlib
import contextvars
import threading
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.docker.errors import failure
from workflows.model.errors import ErrorType
from workflows.model.timing import TIMING

_NOTHING_SENT: Final = "nothing sent"
_SENT: Final = "sent"
_ANSWERED: Final = "answered"
_T = TypeVar("_T")


class Attempt:
    """One attempt of an activity that changes something, and what is known of those before it.

    An attempt that fails says in its last heartbeat whether it sent nothing, or whether all that
    it sent was answered, and the next attempt can rely on that: a "no" of the engine is a no. A
    killed worker says nothing more, nor does one whose request got no answer: then it may still be
    at work in the engine. A call with a name is told before it is sent, and so is the image that
    was made by one: what follows on it is no reason to wait for it, or to make another.

    Args:
        interval: seconds between two beats.
        timeout: after as many seconds without one Temporal gives the attempt up.
    """

    def __init__(self, interval: float, timeout: float = TIMING.heartbeat_timeout) -> None:
        info = activity.info()
        self._heartbeat = Heartbeat(interval, timeout)
        self._number = info.attempt
        last, known = _read(info.heartbeat_details, of_attempt=info.attempt - 1)
        self._sent = info.attempt > 1 and last != _NOTHING_SENT
        self._unheard = self._sent and last != _ANSWERED
        self._call = ""
        self.image_id = known.get("image_id", "")

    @property
    def may_have_sent(self) -> bool:
        """Whether this attempt or an earlier one may have asked the engine to change something."""
        return self._sent

    @property
    def may_be_at_work(self) -> bool:
        """Whether the engine may still be at work on a request that it has not answered."""
        return self._unheard

    def send(self, change: Callable[[], _T], call: str = "") -> _T:
        """Make a call that changes something; one with a name is told of first.

        Raises:
            ApplicationError: the call failed, or this attempt was given up, because its worker
                was frozen or cut off. Another one may be at work, or all may be over: nothing
                may be sent any more.
        """
        self._check_not_given_up()
        before = self._unheard
        self._sent = self._unheard = True
        if call:
            self._call = call
            self._tell()
        try:
            result = change()
        except ApplicationError as error:
            self._unheard = before or error.type == ErrorType.ENGINE_AMBIGUOUS
            raise
        self._unheard = before
        return result

    def settled(self) -> None:
        """Note that what was not answered has been waited for, and can come no more."""
        self._unheard = False

    def made(self, image_id: str) -> None:
        """Note which image there is by what was sent, whatever comes after it."""
        self.image_id = image_id
        self._tell()

    def _tell(self) -> None:
        word = _NOTHING_SENT
        if self._sent:
            word = _SENT if self._unheard else _ANSWERED
        known = {"call": self._call, "image_id": self.image_id}
        told = {name: value for name, value in known.items() if value}
        self._heartbeat.tell(word, self._number, *([told] if told else []))

    def _check_not_given_up(self) -> None:
        details = activity.cancellation_details()
        forgotten = details is not None and (details.not_found or details.timed_out)
        if forgotten or self._heartbeat.was_missed:
            text = "this attempt was away for so long that it was given up"
            raise failure(ErrorType.WORKER_UNAVAILABLE, text, repeatable=True)

    def __enter__(self) -> Self:
        """Start to beat."""
        self._heartbeat.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop to beat; on a failure, leave word of what cannot be at work any more."""
        self._heartbeat.__exit__(kind, error, traceback)
        if error is not None and not self._unheard:
            self._tell()


class Heartbeat:
    """Beats from a thread of its own while an activity blocks; see :class:`Attempt`."""

    def __init__(self, interval: float, timeout: float = TIMING.heartbeat_timeout) -> None:
        self._interval = interval
        self._timeout = timeout
        self._last = time.monotonic()
        self._missed = False
        self._details: tuple[object, ...] = ()
        self._done = threading.Event()
        context = contextvars.copy_context()
        self._thread = threading.Thread(
            target=context.run, args=(self._beat,), name="heartbeat", daemon=True
        )

    @property
    def was_missed(self) -> bool:
        """Whether so much time passed without a beat, now or before, that Temporal gave up."""
        return self._missed or time.monotonic() - self._last > self._timeout

    def tell(self, *details: object) -> None:
        """Beat now, and say this with each beat from now on."""
        self._details = details
        activity.heartbeat(*details)

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
        """Stop to beat."""
        self._done.set()
        self._thread.join()

    def _beat(self) -> None:
        # The worker's loop may end before this thread: then nobody listens any more.
        with contextlib.suppress(RuntimeError):
            while not self._done.wait(self._interval):
                self._missed = self.was_missed
                self._last = time.monotonic()
                activity.heartbeat(*self._details)


def _read(details: Sequence[Any], *, of_attempt: int) -> tuple[str, dict[str, str]]:
    """Read what the attempt before has told, and nothing of one before that."""
    match list(details):
        case [str() as word, number, *more] if number == of_attempt:
            known = more[0] if more and isinstance(more[0], dict) else {}
            return word, known
    return "", {}
