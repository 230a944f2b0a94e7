"""Does a heartbeat beat, and does it tell the next attempt whether anything was sent?"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from temporalio import activity
from temporalio.activity import ActivityCancellationDetails
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.docker.heartbeat import Attempt, Heartbeat
from workflows.model.errors import ErrorType


def _environment(attempt: int = 1, details: tuple[Any, ...] = ()) -> ActivityEnvironment:
    environment = ActivityEnvironment()
    environment.info = replace(environment.info, attempt=attempt, heartbeat_details=list(details))
    return environment


def test_it_beats_from_another_thread_until_the_end() -> None:
    """A blocked activity is seen to live, and a finished one is silent."""
    environment, twice = _environment(), threading.Event()
    threads: list[int] = []

    def note(*_: object) -> None:
        threads.append(threading.get_ident())
        if len(threads) == 2:
            twice.set()

    environment.on_heartbeat = note

    def work() -> None:
        with Heartbeat(0.01):
            assert twice.wait(5)

    environment.run(work)
    assert threading.get_ident() not in threads
    assert "heartbeat" not in [thread.name for thread in threading.enumerate()]


@pytest.mark.parametrize(
    ("number", "details", "may_have_sent", "may_be_at_work"),
    [
        (1, (), False, False),
        (2, (), True, True),
        (2, ("nothing sent", 1), False, False),
        (3, ("nothing sent", 1), True, True),
        (3, ("nothing sent", 2), False, False),
        (2, ("answered", 1), True, False),
        (3, ("answered", 1), True, True),
        (2, ("sent", 1, {"call": "commit"}), True, True),
        (2, ("answered", 1, {"call": "commit", "image_id": "i"}), True, False),
        (2, ("nothing sent", 1, {"image_id": "i"}), False, False),
    ],
)
def test_only_clear_word_of_the_attempt_before_is_believed(
    number: int, details: tuple[Any, ...], *, may_have_sent: bool, may_be_at_work: bool
) -> None:
    """A killed worker leaves no word, or that of an older attempt: then something may be sent."""

    def work() -> None:
        with Attempt(60) as attempt:
            assert attempt.may_have_sent is may_have_sent
            assert attempt.may_be_at_work is may_be_at_work

    _environment(number, details).run(work)


@pytest.mark.parametrize(("number", "known"), [(2, "i"), (3, "")])
def test_an_image_is_known_from_the_attempt_before(number: int, known: str) -> None:
    """Of an older one another attempt may have made something else of it since."""
    told = ("sent", 1, {"call": "tag", "image_id": "i"})

    def work() -> None:
        with Attempt(60) as attempt:
            assert attempt.image_id == known

    _environment(number, told).run(work)


def test_each_beat_tells_what_was_sent() -> None:
    """A beat that said nothing would take the place of the one that did."""
    environment, thrice, beats = _environment(), threading.Event(), list[tuple[Any, ...]]()

    def note(*details: Any) -> None:
        beats.append(details)
        if len(beats) == 3:
            thrice.set()

    environment.on_heartbeat = note

    def work() -> None:
        with Attempt(0.01) as attempt:
            attempt.send(lambda: thrice.wait(5), "commit")

    environment.run(work)
    assert beats[-2:] == [("sent", 1, {"call": "commit"})] * 2


def _fail_with(kind: ErrorType) -> Callable[[Attempt], None]:
    def call() -> None:
        raise ApplicationError("no", type=kind)

    return lambda attempt: attempt.send(call)


@pytest.mark.parametrize(
    ("act", "word"),
    [
        (lambda _: None, "nothing sent"),
        (lambda attempt: attempt.send(lambda: None), "answered"),
        (_fail_with(ErrorType.ENGINE_ERROR), "answered"),
        (_fail_with(ErrorType.ENGINE_UNAVAILABLE), "answered"),
        (_fail_with(ErrorType.ENGINE_AMBIGUOUS), ""),
    ],
)
def test_a_failure_leaves_word_of_what_is_not_at_work(
    act: Callable[[Attempt], object], word: str
) -> None:
    """The last heartbeat before the failure tells the next attempt; a lost answer leaves none."""
    environment, beats = _environment(), []
    environment.on_heartbeat = lambda *details: beats.append(details)

    def work() -> None:
        with Attempt(60) as attempt:
            act(attempt)
            raise LookupError

    with pytest.raises((LookupError, ApplicationError)):
        environment.run(work)
    assert beats == ([(word, 1)] if word else [])


@pytest.mark.parametrize("settled", [False, True])
def test_an_answer_says_nothing_of_a_call_before_it(*, settled: bool) -> None:
    """What an earlier attempt sent may still be at work, until it was waited for."""
    environment, beats = _environment(2, ()), []
    environment.on_heartbeat = lambda *details: beats.append(details)

    def work() -> None:
        with Attempt(60) as attempt:
            if settled:
                attempt.settled()
            _fail_with(ErrorType.ENGINE_ERROR)(attempt)

    with pytest.raises(ApplicationError):
        environment.run(work)
    assert beats == ([("answered", 2)] if settled else [])


@pytest.mark.parametrize("interval", [60, 0.2])
def test_an_attempt_that_was_frozen_sends_nothing_more(interval: float) -> None:
    """Whether or not it has beaten again since: Temporal has begun another one."""
    environment, beaten = _environment(), threading.Event()
    environment.on_heartbeat = lambda *_: beaten.set()

    def work() -> None:
        with Attempt(interval, timeout=0.1) as attempt:
            # A worker that is frozen sees its clock leap.
            beaten.wait(0.5)
            assert not attempt.may_have_sent
            attempt.send(lambda: None)

    with pytest.raises(ApplicationError, match="given up") as caught:
        environment.run(work)
    assert (caught.value.type, caught.value.non_retryable) == (
        ErrorType.WORKER_UNAVAILABLE,
        False,
    )
    assert beaten.is_set()


@pytest.mark.parametrize(
    ("told", "sends"),
    [
        (ActivityCancellationDetails(not_found=True), False),
        (ActivityCancellationDetails(timed_out=True), False),
        # The step under way is finished, whoever cancels.
        (ActivityCancellationDetails(cancel_requested=True), True),
        (ActivityCancellationDetails(worker_shutdown=True), True),
    ],
)
def test_an_attempt_that_temporal_forgot_sends_nothing_more(
    told: ActivityCancellationDetails, *, sends: bool
) -> None:
    """A worker that was cut off learns by its next heartbeat that nobody waits for it."""
    environment = _environment()

    @activity.defn(name="work", no_thread_cancel_exception=True)
    def work() -> bool:
        environment.cancel(told)
        with Attempt(60) as attempt:
            with contextlib.suppress(ApplicationError):
                attempt.send(lambda: None)
            return attempt.may_have_sent

    assert environment.run(work) is sends
