"""How is a container found by its name, looked at, stopped, and brought back on its engine?

A name means the container that has exactly this name, never one that it resembles: the engine
itself would take a short id, or a part of one, for a container.

Every activity that changes something reads the state first and last: a time-out, a killed worker
or an earlier attempt may have left the engine at work, so nothing but the state is believed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Final

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.docker.answers import ContainerInspect, ContainerListEntry
from activities.docker.capacity import SnapshotCapacity
from activities.docker.engine import Engine
from activities.docker.errors import failure
from activities.docker.heartbeat import Attempt
from activities.docker.pin import verify_pin
from activities.docker.start import restore
from workflows.model.errors import ErrorType, RefusalCode
from workflows.model.image_reference import reference_problem
from workflows.model.names import CONTAINER_NAME
from workflows.model.ports import (
    ContainerList,
    ContainersPort,
    ContainerSummary,
    InspectInput,
    Inspection,
    ListInput,
    RestoreInput,
    RestoreResult,
    StopInput,
)
from workflows.model.requests import ContainerPin, ContainerState
from workflows.model.state import StopResult
from workflows.model.text import short_id
from workflows.model.timing import MAX_GRACE_SECONDS, MIN_GRACE_SECONDS

_SHOWN: Final = 3
_ID_PART: Final = re.compile(r"[0-9a-f]{2,64}")
_KILLED: Final = 137
_USABLE: Final = frozenset(
    {
        ContainerState.CREATED,
        ContainerState.RUNNING,
        ContainerState.PAUSED,
        ContainerState.RESTARTING,
        ContainerState.EXITED,
    }
)
_LOST: Final = frozenset({ContainerState.REMOVING, ContainerState.DEAD})
_REFUSALS: Final = {
    RefusalCode.PROTECTED: "nobody may touch this container through Dockwarden",
    RefusalCode.OWN_CONTAINER: "Dockwarden itself runs in this container",
}


class Containers(ContainersPort):
    """The activities on the containers of one host. ``capacity`` limits snapshots, if given."""

    def __init__(self, engine: Engine, capacity: SnapshotCapacity | None = None) -> None:
        self._engine = engine
        self._capacity = capacity or SnapshotCapacity()

    @activity.defn(name="inspect_container", no_thread_cancel_exception=True)
    def inspect_container(self, arg: InspectInput) -> Inspection:
        """Resolve a name to exactly one container and pin it, or refuse."""
        self._check_host(arg.container.host)
        entry = find_container(self._engine.containers(), arg.container.name)
        seen = self._look(entry.container_id)
        if seen is None or seen.name != entry.name:
            raise failure(
                RefusalCode.UNKNOWN_CONTAINER, "the container is being removed or renamed"
            )
        if arg.for_request:
            self._refuse_unusable(seen, snapshot=bool(arg.reference))
        taken = self._is_taken(arg.reference)
        if arg.for_request and arg.reference and not taken:
            self._capacity.check(self._engine, seen.container_id)
        return Inspection(
            pin=seen.pin(self._engine.engine_id()),
            selectors_met=tuple(
                all(seen.labels.get(name) == value for name, value in selector.items())
                for selector in arg.label_selectors
            ),
            reference_taken=taken,
        )

    @activity.defn(name="list_containers", no_thread_cancel_exception=True)
    def list_containers(self, arg: ListInput) -> ContainerList:
        """List the containers of the host, for people to read."""
        self._check_host(arg.host)
        found = self._engine.containers()
        return ContainerList(
            containers=tuple(
                ContainerSummary(
                    name=entry.name or short_id(entry.container_id),
                    image=entry.image,
                    state=entry.state,
                    protected=self._engine.protection.refusal(
                        container_id=entry.container_id, name=entry.name, labels=entry.labels
                    )
                    is not None,
                )
                for entry in found[: max(arg.limit, 0)]
            ),
            total=len(found),
        )

    @activity.defn(name="ensure_stopped", no_thread_cancel_exception=True)
    def ensure_stopped(self, arg: StopInput) -> StopResult:
        """Verify the pin, then see to it that the container rests."""
        if not MIN_GRACE_SECONDS <= arg.grace_seconds <= MAX_GRACE_SECONDS:
            text = f"the grace takes {MIN_GRACE_SECONDS} to {MAX_GRACE_SECONDS} seconds"
            raise failure(ErrorType.BAD_INPUT, text)
        with Attempt(self._engine.timing.heartbeat_interval) as attempt:
            try:
                return self._stop(arg, attempt)
            except ApplicationError as error:
                failed = error
            if arg.expect_untouched and not attempt.may_have_sent:
                raise failed
            # The workflow asks whether anything may have happened to the container.
            raise ApplicationError(
                failed.message, "touched", type=failed.type, non_retryable=failed.non_retryable
            )

    @activity.defn(name="ensure_running", no_thread_cancel_exception=True)
    def ensure_running(self, arg: RestoreInput) -> RestoreResult:
        """Wait for a stop still at work, bring the container back, and prove that it stays."""
        with Attempt(self._engine.timing.heartbeat_interval) as attempt:
            return restore(self._engine, arg, attempt)

    def _stop(self, arg: StopInput, attempt: Attempt) -> StopResult:
        pin, untouched = arg.pin, arg.expect_untouched and not attempt.may_have_sent
        seen = self._approved(pin, untouched=untouched)
        if arg.for_snapshot and untouched:
            self._capacity.check(self._engine, pin.container_id)
            # That can take long; only what is approved right before the stop is stopped.
            seen = self._approved(pin, untouched=untouched)
        if not seen.state.is_down:
            attempt.sending()
            self._engine.stop(pin.container_id, arg.grace_seconds)
            seen = self._engine.container(pin.container_id)
            _check_not_lost(seen)
        if not seen.state.is_down:
            text = f"the container is {seen.state} after it was stopped"
            raise failure(ErrorType.STATE_CONFLICT, text, repeatable=True)
        return _stop_result(pin, seen)

    def _approved(self, pin: ContainerPin, *, untouched: bool) -> ContainerInspect:
        """Look at the container, which must be as people decided about it."""
        # A stop of ours brings a container down; nothing of ours brings up one that was down.
        may_rest = not pin.state.is_down and not untouched
        seen = verify_pin(self._engine, pin)
        if not may_rest and _situation(seen.state) != _situation(pin.state):
            text = f"the container is {seen.state} now, and was {pin.state} on the card"
            raise failure(ErrorType.CONTAINER_CHANGED, text)
        _check_not_lost(seen)
        return seen

    def _look(self, container_id: str) -> ContainerInspect | None:
        try:
            return self._engine.container(container_id)
        except ApplicationError as error:
            if error.type == ErrorType.CONTAINER_GONE:
                return None
            raise

    def _refuse_unusable(self, seen: ContainerInspect, *, snapshot: bool) -> None:
        protected = self._engine.protection.refusal(
            container_id=seen.container_id, name=seen.name, labels=seen.labels
        )
        if protected is not None:
            raise failure(protected, _REFUSALS[protected])
        if seen.auto_remove:
            text = "it was started with --rm: stopping it would remove it"
            raise failure(RefusalCode.AUTO_REMOVE, text)
        if seen.state not in _USABLE:
            raise failure(RefusalCode.UNUSABLE_STATE, f"the container is {seen.state}")
        if seen.state.is_down and not snapshot:
            raise failure(RefusalCode.ALREADY_STOPPED, f"the container is {seen.state}")

    def _is_taken(self, reference: str) -> bool:
        if not reference:
            return False
        problem = reference_problem(reference)
        if problem:
            raise failure(RefusalCode.BAD_REFERENCE, problem)
        return self._engine.image(reference) is not None

    def _check_host(self, host: str) -> None:
        if host != self._engine.host:
            raise failure(RefusalCode.UNKNOWN_HOST, f"this worker serves {self._engine.host}")


def find_container(containers: Sequence[ContainerListEntry], name: str) -> ContainerListEntry:
    """Find the container of this name. Pure; the words go into a private refusal.

    Raises:
        ApplicationError: a refusal that says which names come near.
    """
    if not CONTAINER_NAME.fullmatch(name):
        text = "a container name takes letters, digits, underscores, dots and hyphens, two or more"
        raise failure(RefusalCode.BAD_REQUEST, text)
    named = {entry.name: entry for entry in containers if entry.name}
    if name in named:
        return named[name]
    begun = sorted(
        entry.name
        for entry in named.values()
        if entry.name.startswith(name)
        or (_ID_PART.fullmatch(name) and entry.container_id.startswith(name))
    )
    if len(begun) > 1:
        text = f"it could be {_either(begun)}; write the whole name"
        raise failure(RefusalCode.AMBIGUOUS_CONTAINER, text)
    near = begun or _near(tuple(named), name)
    hint = f"; did you mean {_either(near)}?" if near else ""
    raise failure(RefusalCode.UNKNOWN_CONTAINER, f"no container has this name{hint}")


def _near(names: Sequence[str], name: str) -> list[str]:
    lowered = {candidate.lower(): candidate for candidate in sorted(names)}
    close = get_close_matches(name.lower(), lowered, n=_SHOWN, cutoff=0.6)
    return [lowered[candidate] for candidate in close]


def _either(names: Sequence[str]) -> str:
    """Join names: ``a``, ``a or b``, ``a, b, c or 4 more``."""
    shown = [*names[:_SHOWN]]
    if len(names) > _SHOWN:
        shown.append(f"{len(names) - _SHOWN} more")
    return " or ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)


def _situation(state: ContainerState) -> str:
    """Name what people decided about: a crash-looping container is as up as a running one."""
    if state.is_up:
        return "up"
    return "down" if state.is_down else state


def _check_not_lost(seen: ContainerInspect) -> None:
    if seen.state in _LOST:
        text = f"the container is {seen.state}: it can neither be committed nor started"
        raise failure(ErrorType.CONTAINER_GONE, text)


def _stop_result(pin: ContainerPin, seen: ContainerInspect) -> StopResult:
    """Tell the truth after any number of attempts: it was running if it was when approved."""
    was_running = not pin.state.is_down
    ended = seen.state is ContainerState.EXITED
    return StopResult(
        was_running=was_running,
        exit_code=seen.exit_code if ended else None,
        graceful=not (was_running and seen.exit_code == _KILLED),
        restarted_since=seen.started_at != pin.started_at,
        stopped_at=seen.finished_at if was_running and ended else None,
    )
