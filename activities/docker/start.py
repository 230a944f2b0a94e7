"""How does a container come back to the state in which it was approved, and how is that proven?

A stop that was given up may still be at work in the engine: a start in that moment does nothing,
and the stop then wins. So the stop settles first. A start that the engine reports as done proves
nothing either, so the container is watched.
"""

from __future__ import annotations

import time
from typing import Final

from temporalio.exceptions import ApplicationError

from activities.docker.answers import ContainerInspect
from activities.docker.engine import Engine
from activities.docker.errors import failure
from activities.docker.heartbeat import Attempt
from activities.docker.pin import verify_pin
from workflows.model.errors import HOPELESS_ERRORS, ErrorType
from workflows.model.ports import RestoreInput, RestoreResult
from workflows.model.requests import ContainerState

_POLL: Final = 0.2


def restore(engine: Engine, arg: RestoreInput, attempt: Attempt) -> RestoreResult:
    """Bring a container back.

    Raises:
        ApplicationError: it is not back. All but what no repetition can mend may be retried:
            to give up would be to leave a service down.
    """
    try:
        return _Restore(engine, arg, attempt).run()
    except ApplicationError as error:
        failed = error
    # Whoever made the error: whether to try again is said here alone.
    hopeless = failed.type in HOPELESS_ERRORS
    raise ApplicationError(failed.message, type=failed.type, non_retryable=hopeless)


class _Restore:
    """One try to bring a container back. Whether another may follow is said by :func:`restore`."""

    def __init__(self, engine: Engine, arg: RestoreInput, attempt: Attempt) -> None:
        self._engine = engine
        self._pin = arg.pin
        self._settle_seconds = arg.settle_seconds
        self._stopped_at = arg.stopped_at
        self._attempt = attempt
        self._may_have_started = attempt.may_have_sent
        self._started = False

    def run(self) -> RestoreResult:
        """Settle, bring back, prove."""
        seen = verify_pin(self._engine, self._pin, restoring=True)
        if self._pin.state.is_down:
            return RestoreResult(state=seen.state, started=False)
        self._respect_people(seen)
        seen = self._settle(seen)
        if seen.started_at == self._pin.started_at and not seen.state.is_down:
            return self._untouched(seen)
        if seen.state.is_down:
            seen = self._start(seen)
        match self._pin.state, seen.state:
            case ContainerState.PAUSED, ContainerState.PAUSED:
                return self._result(seen)
            case ContainerState.PAUSED, ContainerState.RUNNING:
                return self._pause()
            case _, ContainerState.PAUSED:
                # It ran anew since the approval, so a commit that was cut off paused it.
                self._attempt.sending()
                self._engine.unpause(self._pin.container_id)
                seen = self._look()
        if self._pin.state is ContainerState.RESTARTING:
            return self._await_loop()
        self._watch(seen)
        return self._await_health(seen)

    def _respect_people(self, seen: ContainerInspect) -> None:
        """Leave a container alone that ended once more since our stop, unless we started it."""
        known = self._stopped_at is not None and not self._may_have_started
        if known and seen.state.is_down and seen.finished_at != self._stopped_at:
            raise failure(ErrorType.STOPPED_BY_PERSON, "it was started and stopped again since")

    def _settle(self, seen: ContainerInspect) -> ContainerInspect:
        """Wait until the container rests, or no stop can be at work any more."""
        deadline = time.monotonic() + self._settle_seconds
        while not seen.state.is_down and time.monotonic() < deadline:
            time.sleep(_POLL)
            seen = self._look()
        return seen

    def _untouched(self, seen: ContainerInspect) -> RestoreResult:
        """Report a container that no stop reached; a pause in it is somebody else's."""
        if seen.state.is_up or seen.state is ContainerState.PAUSED:
            return self._result(seen)
        raise self._not_back(seen)

    def _start(self, seen: ContainerInspect) -> ContainerInspect:
        before = seen.started_at
        self._attempt.sending()
        self._engine.start(self._pin.container_id)
        self._started = True
        seen = self._look()
        if seen.started_at == before:
            text = f"the engine reported a start, but the container is {seen.state}"
            raise failure(ErrorType.NOT_RUNNING, text)
        return seen

    def _pause(self) -> RestoreResult:
        self._attempt.sending()
        self._engine.pause(self._pin.container_id)
        seen = self._look()
        if seen.state is not ContainerState.PAUSED:
            raise self._not_back(seen)
        return self._result(seen)

    def _await_loop(self) -> RestoreResult:
        """Accept a crash-looping container as it was: between two crashes, or running."""
        deadline = time.monotonic() + self._engine.timing.verify_running
        while True:
            seen = self._look()
            if seen.state.is_up:
                return self._result(seen)
            if time.monotonic() >= deadline:
                raise self._not_back(seen)
            time.sleep(_POLL)

    def _watch(self, first: ContainerInspect) -> None:
        """See the container stay up for a while."""
        deadline = time.monotonic() + self._engine.timing.verify_running
        seen = first
        while True:
            self._check_same_run(first, seen)
            if time.monotonic() >= deadline:
                return
            time.sleep(_POLL)
            seen = self._look()

    def _await_health(self, first: ContainerInspect) -> RestoreResult:
        """See the container become healthy, unless it was not when it was approved."""
        deadline = time.monotonic() + self._engine.timing.verify_health
        while True:
            seen = self._look()
            self._check_same_run(first, seen)
            if not self._pin.has_healthcheck or self._pin.unhealthy or seen.health == "healthy":
                return self._result(seen)
            if seen.health == "unhealthy" or time.monotonic() >= deadline:
                text = f"it runs again, but its health check says {seen.health or 'nothing'}"
                raise failure(ErrorType.UNHEALTHY, text)
            time.sleep(_POLL)

    def _check_same_run(self, first: ContainerInspect, seen: ContainerInspect) -> None:
        if seen.state is not ContainerState.RUNNING:
            raise self._not_back(seen)
        if (seen.started_at, seen.restart_count) != (first.started_at, first.restart_count):
            text = "it started, ended, and was started again by its restart policy"
            raise failure(ErrorType.NOT_RUNNING, text)

    def _result(self, seen: ContainerInspect) -> RestoreResult:
        ran_anew = seen.started_at != self._pin.started_at
        return RestoreResult(
            state=seen.state,
            started=self._started or (self._may_have_started and ran_anew),
            healthy=seen.health == "healthy" if self._pin.has_healthcheck else None,
        )

    def _not_back(self, seen: ContainerInspect) -> ApplicationError:
        """Say why a container in this state is not back."""
        if seen.state is ContainerState.DEAD:
            text = "the container is dead: the engine can only remove it"
            return failure(ErrorType.CONTAINER_GONE, text)
        text = f"the container is {seen.state}, and was {self._pin.state} when approved"
        if seen.state is ContainerState.EXITED:
            text = f"it did not stay up: it ended with exit code {seen.exit_code}"
        return failure(ErrorType.NOT_RUNNING, text)

    def _look(self) -> ContainerInspect:
        return self._engine.container(self._pin.container_id)
