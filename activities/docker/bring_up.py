"""How is a container brought up, and how is it proven that it stays up?

A stop that was given up may still be at work in the engine: a start in that moment does nothing,
and the stop then wins. So the stop settles first. A start that the engine reports as done proves
nothing either, so the container is watched. A step that starts and the undo of a stop share this.
"""

from __future__ import annotations

import time
from typing import Any, Final

from temporalio.exceptions import ApplicationError

from activities.docker.answers import ContainerInspect, EngineFacts
from activities.docker.dependents import network_users
from activities.docker.engine import Engine
from activities.docker.errors import failure
from activities.docker.heartbeat import Attempt
from activities.docker.moments import ever, moment
from activities.docker.pin import find_pinned
from activities.docker.published import moved_ports
from workflows.model.errors import ErrorType
from workflows.model.requests import ContainerPin, ContainerState
from workflows.model.start_ports import RestoreResult

#: What ends so was killed; by whom, the code does not say.
KILLED: Final = 137
POLL: Final = 0.2
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


class BringUp:
    """One attempt to have a container up.

    Args:
        engine: the engine of its host.
        pin: the container as it was approved.
        attempt: the attempt of the activity.
        wanted: the state that it is to be in.
        look_only: whether nothing may be done but look.
    """

    def __init__(
        self,
        engine: Engine,
        pin: ContainerPin,
        attempt: Attempt,
        *,
        wanted: ContainerState,
        look_only: bool = False,
    ) -> None:
        self._engine = engine
        self._pin = pin
        self._attempt = attempt
        self._wanted = wanted
        self._look_only = look_only
        self.may_have_started = attempt.may_have_sent
        self.started = False
        self.last: ContainerInspect | None = None

    def find(self) -> ContainerInspect:
        """Look at the container for the first time, on an engine that was verified."""
        # Being out of bounds by now is no reason to leave it down.
        self.last = find_pinned(self._engine, self._pin)
        return self.last

    def look(self) -> ContainerInspect:
        """Look at it again."""
        self.last = self._engine.container(self._pin.container_id)
        return self.last

    def back(
        self, seen: ContainerInspect, facts: EngineFacts, settle_seconds: int
    ) -> RestoreResult:
        """Have it as it was, after a stop of ours that may still be at work for so long."""
        if not self._look_only:
            seen = self._settle(seen, settle_seconds)
        if seen.started_at == self._pin.started_at and not seen.state.is_down:
            return self._untouched(seen)
        if self._look_only:
            self._check_back(seen)
        elif seen.state.is_down:
            seen = self.start(seen)
        return self.prove(seen, facts)

    def start(self, seen: ContainerInspect) -> ContainerInspect:
        """Start what is down."""
        before = seen.started_at
        self._attempt.send(lambda: self._engine.start(self._pin.container_id))
        self.started = True
        seen = self.look()
        if seen.started_at == before:
            text = f"the engine reported a start, but the container is {seen.state}"
            raise failure(ErrorType.NOT_RUNNING, text)
        return seen

    def prove(self, seen: ContainerInspect, facts: EngineFacts) -> RestoreResult:
        """See that it stays in the state that is wanted, pausing it if need be."""
        match self._wanted, seen.state:
            case ContainerState.PAUSED, ContainerState.PAUSED:
                return self.result(seen)
            case ContainerState.PAUSED, ContainerState.RUNNING:
                return self._pause()
            case _, ContainerState.PAUSED if not self._pin.state.is_down:
                # It ran anew since the approval, so a commit that was cut off paused it.
                self._attempt.send(lambda: self._engine.unpause(self._pin.container_id))
                seen = self.look()
        if self._wanted is ContainerState.RESTARTING:
            return self._await_loop()
        self._watch(seen)
        return self._await_health(seen, facts)

    def result(self, seen: ContainerInspect) -> RestoreResult:
        """Say how it is, which was verified."""
        ran_anew = seen.started_at != self._pin.started_at
        is_to_be_up = not self._wanted.is_down
        has_verdict = seen.health in ("healthy", "unhealthy")
        expects_verdict = is_to_be_up and self._pin.has_healthcheck and seen.state.is_up
        return RestoreResult(
            state=seen.state,
            started=is_to_be_up and (self.started or (self.may_have_started and ran_anew)),
            healthy=seen.health == "healthy" if expects_verdict and has_verdict else None,
            health_pending=expects_verdict and not has_verdict,
            ended_at=ever(seen.finished_at),
            started_at=ever(moment(seen.started_at)),
            name=seen.name,
            users=network_users(self._engine, seen) if self.started else (),
            moved_ports=moved_ports(self._pin.chosen_ports, seen.chosen_ports),
        )

    def not_so(self, seen: ContainerInspect) -> ApplicationError:
        """Say why a container in this state is not as it is to be."""
        if seen.state is ContainerState.DEAD:
            text = "the container is dead: the engine can only remove it"
            return failure(ErrorType.CONTAINER_GONE, text)
        text = f"the container is {seen.state}, and was {self._pin.state} when approved"
        if self._wanted is not self._pin.state:
            text = f"the container is {seen.state} after its start"
        if seen.state is ContainerState.EXITED and seen.started_at != self._pin.started_at:
            text = f"it ended with exit code {seen.exit_code}"
            if seen.out_of_memory and seen.exit_code == KILLED:
                text += ", and the engine says that it ran out of memory"
        return failure(ErrorType.NOT_RUNNING, text)

    def sighting(self, failed: ApplicationError) -> dict[str, Any]:
        """Say how the engine described the container last, in this try; nothing if it did not."""
        if self.last is not None and failed.type not in _ENGINE_AWAY:
            try:
                self.look()
            except ApplicationError as error:
                if error.type == ErrorType.CONTAINER_GONE:
                    return {}
        if self.last is None:
            return {}
        since = ever(self.last.finished_at) if self.last.state.is_down else None
        return {
            "state": str(self.last.state),
            "since": since.isoformat() if since else None,
            "name": self.last.name,
        }

    def _settle(self, seen: ContainerInspect, seconds: int) -> ContainerInspect:
        """Wait until the container rests, or no stop can be at work any more."""
        deadline = time.monotonic() + seconds
        while not seen.state.is_down and time.monotonic() < deadline:
            time.sleep(POLL)
            seen = self.look()
        return seen

    def _untouched(self, seen: ContainerInspect) -> RestoreResult:
        """Report a container that no stop reached; a pause in it is somebody else's."""
        if seen.state.is_up or seen.state is ContainerState.PAUSED:
            return self.result(seen)
        raise self.not_so(seen)

    def _check_back(self, seen: ContainerInspect) -> None:
        """See that a container is in the state that is wanted, without doing anything."""
        up = seen.state.is_up and self._wanted.is_up
        if not up and seen.state is not self._wanted:
            raise self.not_so(seen)

    def _pause(self) -> RestoreResult:
        self._attempt.send(lambda: self._engine.pause(self._pin.container_id))
        seen = self.look()
        if seen.state is not ContainerState.PAUSED:
            raise self.not_so(seen)
        return self.result(seen)

    def _await_loop(self) -> RestoreResult:
        """Accept a crash-looping container as it was: between two crashes, or running."""
        deadline = time.monotonic() + self._engine.timing.verify_running
        while True:
            seen = self.look()
            if seen.state.is_up:
                return self.result(seen)
            if time.monotonic() >= deadline:
                raise self.not_so(seen)
            time.sleep(POLL)

    def _watch(self, first: ContainerInspect) -> None:
        """See the container stay up for a while."""
        deadline = time.monotonic() + self._engine.timing.verify_running
        seen = first
        while True:
            self._check_same_run(first, seen)
            if time.monotonic() >= deadline:
                return
            time.sleep(POLL)
            seen = self.look()

    def _await_health(self, first: ContainerInspect, facts: EngineFacts) -> RestoreResult:
        """See the container become healthy, unless it was not when it was approved.

        A verdict that is still to come is waited for as long as its check takes, and not at all
        when it cannot come in our time: no verdict is neither a failure nor a proof.
        """
        deadline = time.monotonic() + self._health_wait(first, facts)
        while True:
            seen = self.look()
            self._check_same_run(first, seen)
            if not self._pin.has_healthcheck or self._pin.unhealthy or seen.health == "healthy":
                return self.result(seen)
            if seen.health == "unhealthy":
                again = "" if self._pin.state.is_down else " again"
                text = f"it runs{again}, but its health check fails"
                raise failure(ErrorType.UNHEALTHY, text)
            if time.monotonic() >= deadline:
                return self.result(seen)
            time.sleep(POLL)

    def _health_wait(self, seen: ContainerInspect, facts: EngineFacts) -> float:
        longest, check = self._engine.timing.verify_health, seen.health_check
        if self._look_only or check.first_verdict(facts) > longest:
            return 0
        return min(longest, check.last_verdict + _HEALTH_SLACK)

    def _check_same_run(self, first: ContainerInspect, seen: ContainerInspect) -> None:
        if seen.state is not ContainerState.RUNNING:
            raise self.not_so(seen)
        if (seen.started_at, seen.restart_count) != (first.started_at, first.restart_count):
            by_policy = seen.restart_count != first.restart_count
            by = " by its restart policy" if by_policy else ""
            text = f"it started, ended, and was started again{by}"
            raise failure(ErrorType.NOT_RUNNING, text)
