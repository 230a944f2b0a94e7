"""How does a container come back to the state in which it was approved?

What was up is brought up again after our stop. What rested is stopped again, if it was we who
started it. What people did to it meanwhile is theirs.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Final

from temporalio.exceptions import ApplicationError

from activities.docker.answers import ContainerInspect
from activities.docker.bring_up import POLL, BringUp
from activities.docker.engine import Engine
from activities.docker.errors import failure
from activities.docker.guard import Guard
from activities.docker.heartbeat import Attempt
from activities.docker.moments import moment
from activities.docker.pin import refuse, verify_engine
from activities.docker.preflight import lost
from workflows.model.errors import HOPELESS_ERRORS, ErrorType
from workflows.model.start_ports import RestoreInput, RestoreResult

#: What a mere look can find; to look again at once would find the same.
_NOT_BACK: Final = frozenset({ErrorType.NOT_RUNNING, ErrorType.NOT_STOPPED, ErrorType.UNHEALTHY})


def restore(engine: Engine, arg: RestoreInput, attempt: Attempt, guard: Guard) -> RestoreResult:
    """Bring a container back, or only look whether it is.

    Raises:
        ApplicationError: it is not back. All but what no repetition can mend may be retried:
            to give up would be to leave a service down. Its one detail says whether anything
            was sent, and what the engine says of the container, if it does.
    """
    work = _Restore(engine, arg, attempt)
    try:
        guard.admit(arg)
        return work.run()
    except ApplicationError as error:
        failed = error
    details = {"touched": attempt.may_have_sent, **work.up.sighting(failed)}
    # Whoever made the error: whether to try again is said here alone.
    final = failed.type in HOPELESS_ERRORS or (arg.look_only and failed.type in _NOT_BACK)
    raise ApplicationError(failed.message, details, type=failed.type, non_retryable=final)


class _Restore:
    """One try to bring a container back. Whether another may follow is said by :func:`restore`."""

    def __init__(self, engine: Engine, arg: RestoreInput, attempt: Attempt) -> None:
        self._engine = engine
        self._arg = arg
        self._pin = arg.pin
        self._attempt = attempt
        self.up = BringUp(engine, arg.pin, attempt, wanted=arg.pin.state, look_only=arg.look_only)

    def run(self) -> RestoreResult:
        """Settle, bring back, prove."""
        facts = verify_engine(self._engine, self._pin)
        seen = self.up.find()
        if not self._pin.state.is_down:
            self._respect_people(seen)
            return self.up.back(seen, facts, self._arg.settle_seconds)
        return self._stop_again(seen) if self._arg.started_by_us else self.up.result(seen)

    def _respect_people(self, seen: ContainerInspect) -> None:
        """Leave a container alone that ended once more since our stop, unless we started it."""
        stopped_at = self._arg.stopped_at
        known = stopped_at is not None and not self.up.may_have_started
        if known and seen.state.is_down and seen.finished_at != stopped_at:
            raise failure(ErrorType.STOPPED_BY_PERSON, "it was started and stopped again since")

    def _stop_again(self, seen: ContainerInspect) -> RestoreResult:
        """Stop what rested and runs by a start of ours."""
        if not self._arg.look_only:
            seen = self._settle(seen)
        refuse(lost(seen))
        if seen.state.is_down or not self._is_our_run(seen):
            return self.up.result(seen)
        if not self._arg.look_only:
            grace = self._arg.grace_seconds
            self._attempt.send(lambda: self._engine.stop(self._pin.container_id, grace))
            seen = self.up.look()
            refuse(lost(seen))
        if not seen.state.is_down:
            text = f"the container is {seen.state}, and was {self._pin.state} when approved"
            raise failure(ErrorType.NOT_STOPPED, text)
        return replace(self.up.result(seen), stopped=True)

    def _settle(self, seen: ContainerInspect) -> ContainerInspect:
        """Wait until the container is up, or no start can be at work any more."""
        deadline = time.monotonic() + self._arg.settle_seconds
        while seen.state.is_down and time.monotonic() < deadline:
            time.sleep(POLL)
            seen = self.up.look()
        return seen

    def _is_our_run(self, seen: ContainerInspect) -> bool:
        """Tell the run that our start began from one that a person did, in doubt ours.

        A restart policy goes on with ours: the engine counts what it restarts from each start on.
        """
        ours = self._arg.started_at
        return ours is None or seen.restart_count > 0 or moment(seen.started_at) == ours
