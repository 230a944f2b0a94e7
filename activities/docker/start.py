"""How does a container come back to the state in which it was approved, and how is that proven?

A stop that was given up may still be at work in the engine: a start in that moment does nothing,
and the stop then wins. So the stop settles first. A start that the engine reports as done proves
nothing either, so the container is watched.
"""

from __future__ import annotations

import time
from typing import Any, Final

from temporalio.exceptions import ApplicationError

from activities.docker.answers import ContainerInspect, EngineFacts, ever, moment
from activities.docker.dependents import network_users
from activities.docker.engine import Engine
from activities.docker.errors import failure
from activities.docker.heartbeat import Attempt
from activities.docker.pin import find_pinned, verify_engine
from activities.docker.published import moved_ports
from workflows.model.errors import HOPELESS_ERRORS, ErrorType
from workflows.model.ports import RestoreInput, RestoreResult
from workflows.model.requests import ContainerState

#: What ends so was killed; by whom, the code does not say.
KILLED: Final = 137
_POLL: Final = 0.2
#: What the engine itself may take to run a health check that is due, in seconds.
_HEALTH_SLACK: Final = 5
#: Then another look would only wait for the same silence again.
_ENGINE_AWAY: Final = frozenset(
    {
        ErrorType.ENGINE_UNAVAILABLE,
        ErrorType.ENGINE_AMBIGUOUS,
        ErrorType.ENGINE_FORBIDDEN,
        ErrorType.WRONG_ENGINE,
    }
)
#: What a mere look can find; to look again at once would find the same.
_NOT_BACK: Final = frozenset({ErrorType.NOT_RUNNING, ErrorType.UNHEALTHY})


def restore(engine: Engine, arg: RestoreInput, attempt: Attempt) -> RestoreResult:
    """Bring a container back, or only look whether it is.

    Raises:
        ApplicationError: it is not back. All but what no repetition can mend may be retried:
            to give up would be to leave a service down. Its one detail says whether anything
            was sent, and what the engine says of the container, if it does.
    """
    work = _Restore(engine, arg, attempt)
    try:
        return work.run()
    except ApplicationError as error:
        failed = error
    details = {"touched": attempt.may_have_sent, **work.sighting(failed)}
    # Whoever made the error: whether to try again is said here alone.
    final = failed.type in HOPELESS_ERRORS or (arg.look_only and failed.type in _NOT_BACK)
    raise ApplicationError(failed.message, details, type=failed.type, non_retryable=final)


class _Restore:
    """One try to bring a container back. Whether another may follow is said by :func:`restore`."""

    def __init__(self, engine: Engine, arg: RestoreInput, attempt: Attempt) -> None:
        self._engine = engine
        self._pin = arg.pin
        self._settle_seconds = arg.settle_seconds
        self._stopped_at = arg.stopped_at
        self._look_only = arg.look_only
        self._attempt = attempt
        self._may_have_started = attempt.may_have_sent
        self._started = False
        self._last: ContainerInspect | None = None

    def run(self) -> RestoreResult:
        """Settle, bring back, prove."""
        facts = verify_engine(self._engine, self._pin)
        # Being out of bounds by now is no reason to leave it down.
        seen = self._last = find_pinned(self._engine, self._pin)
        if self._pin.state.is_down:
            return self._result(seen)
        self._respect_people(seen)
        if not self._look_only:
            seen = self._settle(seen)
        if seen.started_at == self._pin.started_at and not seen.state.is_down:
            return self._untouched(seen)
        if self._look_only:
            self._check_back(seen)
        elif seen.state.is_down:
            seen = self._start(seen)
        match self._pin.state, seen.state:
            case ContainerState.PAUSED, ContainerState.PAUSED:
                return self._result(seen)
            case ContainerState.PAUSED, ContainerState.RUNNING:
                return self._pause()
            case _, ContainerState.PAUSED:
                # It ran anew since the approval, so a commit that was cut off paused it.
                self._attempt.send(lambda: self._engine.unpause(self._pin.container_id))
                seen = self._look()
        if self._pin.state is ContainerState.RESTARTING:
            return self._await_loop()
        self._watch(seen)
        return self._await_health(seen, facts)

    def sighting(self, failed: ApplicationError) -> dict[str, Any]:
        """Say how the engine described the container last, in this try; nothing if it did not."""
        if self._last is not None and failed.type not in _ENGINE_AWAY:
            try:
                self._look()
            except ApplicationError as error:
                if error.type == ErrorType.CONTAINER_GONE:
                    return {}
        if self._last is None:
            return {}
        since = ever(self._last.finished_at) if self._last.state.is_down else None
        return {
            "state": str(self._last.state),
            "since": since.isoformat() if since else None,
            "name": self._last.name,
        }

    def _check_back(self, seen: ContainerInspect) -> None:
        """See that a container is in the state in which it was approved, without doing anything."""
        up = seen.state.is_up and self._pin.state.is_up
        if not up and seen.state is not self._pin.state:
            raise self._not_back(seen)

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
        self._attempt.send(lambda: self._engine.start(self._pin.container_id))
        self._started = True
        seen = self._look()
        if seen.started_at == before:
            text = f"the engine reported a start, but the container is {seen.state}"
            raise failure(ErrorType.NOT_RUNNING, text)
        return seen

    def _pause(self) -> RestoreResult:
        self._attempt.send(lambda: self._engine.pause(self._pin.container_id))
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

    def _await_health(self, first: ContainerInspect, facts: EngineFacts) -> RestoreResult:
        """See the container become healthy, unless it was not when it was approved.

        A verdict that is still to come is waited for as long as its check takes, and not at all
        when it cannot come in our time: no verdict is neither a failure nor a proof.
        """
        deadline = time.monotonic() + self._health_wait(first, facts)
        while True:
            seen = self._look()
            self._check_same_run(first, seen)
            if not self._pin.has_healthcheck or self._pin.unhealthy or seen.health == "healthy":
                return self._result(seen)
            if seen.health == "unhealthy":
                raise failure(ErrorType.UNHEALTHY, "it runs again, but its health check fails")
            if time.monotonic() >= deadline:
                return self._result(seen)
            time.sleep(_POLL)

    def _health_wait(self, seen: ContainerInspect, facts: EngineFacts) -> float:
        longest, check = self._engine.timing.verify_health, seen.health_check
        if self._look_only or check.first_verdict(facts) > longest:
            return 0
        return min(longest, check.last_verdict + _HEALTH_SLACK)

    def _check_same_run(self, first: ContainerInspect, seen: ContainerInspect) -> None:
        if seen.state is not ContainerState.RUNNING:
            raise self._not_back(seen)
        if (seen.started_at, seen.restart_count) != (first.started_at, first.restart_count):
            by_policy = seen.restart_count != first.restart_count
            by = " by its restart policy" if by_policy else ""
            text = f"it started, ended, and was started again{by}"
            raise failure(ErrorType.NOT_RUNNING, text)

    def _result(self, seen: ContainerInspect) -> RestoreResult:
        ran_anew = seen.started_at != self._pin.started_at
        was_up = not self._pin.state.is_down
        has_verdict = seen.health in ("healthy", "unhealthy")
        expects_verdict = was_up and self._pin.has_healthcheck and seen.state.is_up
        return RestoreResult(
            state=seen.state,
            started=was_up and (self._started or (self._may_have_started and ran_anew)),
            healthy=seen.health == "healthy" if expects_verdict and has_verdict else None,
            health_pending=expects_verdict and not has_verdict,
            ended_at=ever(seen.finished_at),
            started_at=ever(moment(seen.started_at)),
            name=seen.name,
            users=network_users(self._engine, seen) if self._started else (),
            moved_ports=moved_ports(self._pin.chosen_ports, seen.chosen_ports),
        )

    def _not_back(self, seen: ContainerInspect) -> ApplicationError:
        """Say why a container in this state is not back."""
        if seen.state is ContainerState.DEAD:
            text = "the container is dead: the engine can only remove it"
            return failure(ErrorType.CONTAINER_GONE, text)
        text = f"the container is {seen.state}, and was {self._pin.state} when approved"
        if seen.state is ContainerState.EXITED and seen.started_at != self._pin.started_at:
            text = f"it ended with exit code {seen.exit_code}"
            if seen.out_of_memory and seen.exit_code == KILLED:
                text += ", and the engine says that it ran out of memory"
        return failure(ErrorType.NOT_RUNNING, text)

    def _look(self) -> ContainerInspect:
        self._last = self._engine.container(self._pin.container_id)
        return self._last
