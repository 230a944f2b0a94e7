"""How is a container started because people approved it, and when was nothing changed by it?

What our own stop has brought down is started again in whatever state it was approved. What was
found at rest must be as approved still, down to all that it needs, as long as nothing was sent.
"""

from __future__ import annotations

from typing import Any, Final

from temporalio.exceptions import ApplicationError

from activities.docker.answers import ContainerInspect, EngineFacts
from activities.docker.bring_up import BringUp
from activities.docker.engine import Engine
from activities.docker.guard import Guard
from activities.docker.heartbeat import Attempt
from activities.docker.moments import ever, moment
from activities.docker.pin import verify_engine, verify_pin, verify_untouched
from workflows.model.errors import HOPELESS_ERRORS, ErrorType
from workflows.model.requests import ContainerState
from workflows.model.start_ports import RestoreResult, StartInput

#: What another attempt at the start of what rested may find otherwise. What the engine refuses is
#: refused, and what has run and ended is not run once more: whatever it does, it did.
_PASSING: Final = frozenset(
    {ErrorType.ENGINE_UNAVAILABLE, ErrorType.ENGINE_AMBIGUOUS, ErrorType.WORKER_UNAVAILABLE}
)


def start(engine: Engine, arg: StartInput, attempt: Attempt, guard: Guard) -> RestoreResult:
    """See to it that a container runs, and prove that it stays up.

    Raises:
        ApplicationError: it does not. Its one detail says whether anything was changed by it, and
            when the run began that is ours, as far as that is known.
    """
    rested = arg.pin.state.is_down
    work = _Start(engine, arg, attempt) if rested else _StartAgain(engine, arg, attempt)
    try:
        guard.admit(arg)
        return work.run()
    except ApplicationError as error:
        failed = error
    details = {**work.up.sighting(failed), **work.told()}
    final = work.is_final(failed)
    raise ApplicationError(failed.message, details, type=failed.type, non_retryable=final)


class _StartAgain:
    """One attempt to start what our own stop brought down."""

    def __init__(self, engine: Engine, arg: StartInput, attempt: Attempt) -> None:
        self._engine, self._arg = engine, arg
        self.up = BringUp(engine, arg.pin, attempt, wanted=arg.pin.state)

    def run(self) -> RestoreResult:
        """Settle, start, prove."""
        facts = verify_engine(self._engine, self._arg.pin)
        return self.up.back(self.up.find(), facts, self._arg.settle_seconds)

    def told(self) -> dict[str, Any]:
        """Say that something was changed: its stop has."""
        return {"touched": True}

    def is_final(self, failed: ApplicationError) -> bool:
        """Tell whether no other attempt can end better; to give up would be to leave it down."""
        return failed.type in HOPELESS_ERRORS


class _Start:
    """One attempt to start what was found at rest."""

    def __init__(self, engine: Engine, arg: StartInput, attempt: Attempt) -> None:
        self._engine, self._pin, self._attempt = engine, arg.pin, attempt
        self.up = BringUp(engine, arg.pin, attempt, wanted=ContainerState.RUNNING)
        self.up.may_have_started = attempt.may_have_sent or arg.may_have_begun
        self._our_run = ""

    def run(self) -> RestoreResult:
        """Verify, start, prove."""
        facts, seen = self._verified()
        self.up.last = seen
        if seen.state.is_down:
            if self.up.may_have_started and seen.started_at != self._pin.started_at:
                # A run since the approval has ended, and it may have been ours.
                raise self.up.not_so(seen)
            seen = self.up.start(seen)
        self._our_run = seen.started_at
        return self.up.prove(seen, facts)

    def told(self) -> dict[str, Any]:
        """Say whether it may run, or have run, by us; a "no" of the engine has changed nothing."""
        last = self.up.last
        runs = last is not None and not last.state.is_down and self._attempt.may_have_sent
        touched = (
            self.up.started or self.up.may_have_started or self._attempt.may_be_at_work or runs
        )
        began = ever(moment(self._our_run)) if self._our_run else None
        return {"touched": touched, "started_at": began.isoformat() if began else None}

    def is_final(self, failed: ApplicationError) -> bool:
        """Tell whether no other attempt is to be made."""
        return failed.non_retryable or failed.type not in _PASSING

    def _verified(self) -> tuple[EngineFacts, ContainerInspect]:
        if not self.up.may_have_started:
            facts = verify_untouched(self._engine, self._pin, starts=True)
        else:
            # A start of an earlier attempt may have come through: what is up is taken for ours.
            facts = verify_pin(self._engine, self._pin)
        return facts.engine, facts.container
