"""How is a container found by its name, looked at, stopped, started and brought back?

A name means the container that has exactly this name, never one that it resembles: the engine
itself would take a short id, or a part of one, for a container.

Every activity that changes something reads the state first and last: a time-out, a killed worker
or an earlier attempt may have left the engine at work, so nothing but the state is believed.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from difflib import get_close_matches
from typing import Final

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.docker.answers import ContainerInspect, ContainerListEntry
from activities.docker.around import neighbours
from activities.docker.beside import Asked, Beside
from activities.docker.bring_up import KILLED
from activities.docker.capacity import SnapshotCapacity
from activities.docker.dependents import Neighbours
from activities.docker.engine import Engine
from activities.docker.errors import failure
from activities.docker.guard import Guard
from activities.docker.heartbeat import Attempt
from activities.docker.listed import summary
from activities.docker.measured import RecentSizes
from activities.docker.orchestrators import run_by
from activities.docker.pin import (
    look_around,
    protection,
    refuse,
    verify_pin,
    verify_untouched,
)
from activities.docker.preflight import (
    Facts,
    Obstacle,
    bounds_words,
    cautions,
    lost,
    nothing_to_stop,
    other_situation,
    refusal,
)
from activities.docker.restore import restore
from activities.docker.start import start
from activities.docker.underway import Underway
from workflows.model.dependents import NO_DEPENDENTS, Dependents
from workflows.model.errors import ErrorType, RefusalCode
from workflows.model.image_reference import reference_problem
from workflows.model.listing import ContainerList, ListInput
from workflows.model.names import CONTAINER_NAME
from workflows.model.ports import ContainersPort, InspectInput, Inspection, StopInput
from workflows.model.requests import ContainerPin, ContainerState, Fact
from workflows.model.start_ports import RestoreInput, RestoreResult, StartInput, StartPort
from workflows.model.state import StepName, StopResult
from workflows.model.text import short_id
from workflows.model.timing import MAX_GRACE_SECONDS
from workflows.model.words import RECREATED, REMOVED
from workflows.operations import catalog

_SHOWN: Final = 3
_ID_PART: Final = re.compile(r"[0-9a-f]{2,64}")
#: By so much of a second a clock of ours and one of the engine may count differently.
_IMPRECISION: Final = 0.2
#: A commit is begun right after its stop, or there is none; its worker may be restarted in between.
_COMMIT_BEGINS_WITHIN: Final = 60


class Containers(ContainersPort, StartPort):
    """The activities on the containers of one host.

    ``capacity`` limits snapshots, if given; ``underway`` is shared with those that make them.
    """

    def __init__(
        self,
        engine: Engine,
        guard: Guard,
        capacity: SnapshotCapacity | None = None,
        *,
        underway: Underway | None = None,
    ) -> None:
        self._engine = engine
        self._guard = guard
        self._capacity = capacity or SnapshotCapacity()
        self._underway = underway or Underway()
        self._neighbours = Neighbours(engine)
        self._sizes = RecentSizes()
        self._beside = Beside(engine, self._capacity, self._sizes)

    @activity.defn(name="inspect_container", no_thread_cancel_exception=True)
    def inspect_container(self, arg: InspectInput) -> Inspection:
        """Resolve a name to exactly one container and pin it, or refuse."""
        self._guard.admit_look()
        self._check_host(arg.container.host)
        found = self._engine.containers()
        entry = find_container(found, arg.container.name)
        seen = self._engine.find(entry.container_id)
        if seen is None or seen.name != entry.name:
            raise failure(
                RefusalCode.UNKNOWN_CONTAINER, "the container is being removed or renamed"
            )
        asked = self._beside.ask(seen, for_snapshot=bool(arg.reference))
        facts = Facts(engine=self._engine.facts(), container=seen)
        pin = seen.pin(facts.engine.engine_id)
        if arg.for_request:
            facts = _about_to(arg, replace(facts, for_snapshot=bool(arg.reference)), pin)
            facts = look_around(self._engine, facts, found)
            refuse(refusal(facts))
            if arg.operation is None:
                refuse(nothing_to_stop(facts))
        taken = self._is_taken(arg.reference)
        if arg.for_request and not taken:
            refuse(self._shortage(facts, asked))
        told = (
            *self._bounds(seen, arg),
            *pin.facts,
            *neighbours(seen, found),
            *self._beside.facts(seen, facts.engine, asked),
        )
        seen_now = Inspection(
            # One of an earlier release knows fewer places, and reads the fields beside the facts.
            pin=replace(pin, facts=told if arg.knows_places else ()),
            selectors_met=tuple(
                all(seen.labels.get(name) == value for name, value in selector.items())
                for selector in arg.label_selectors
            ),
            reference_taken=taken,
            three_queues=True,
            starts=True,
            cautions=cautions(facts, self._engine.timing.verify_health) if arg.for_request else (),
            dependents=self._dependents(facts, found) if arg.for_request else NO_DEPENDENTS,
        )
        return self._guard.sealed(arg, seen_now)

    @activity.defn(name="list_containers", no_thread_cancel_exception=True)
    def list_containers(self, arg: ListInput) -> ContainerList:
        """List the containers of the host, for people to read."""
        self._guard.admit_look()
        self._check_host(arg.host)
        found = self._engine.containers()
        kept = self._beside.kept()
        listed = [summary(one, kept, protected=self._is_protected(one)) for one in found]
        wanted = [one for one in listed if arg.wanted.matches(one.name, one.state, one.health)]
        shown = tuple(wanted[: max(arg.limit, 0)])
        return ContainerList(containers=shown, total=len(wanted), of=len(found))

    @activity.defn(name="ensure_stopped", no_thread_cancel_exception=True)
    def ensure_stopped(self, arg: StopInput) -> StopResult:
        """Verify the pin, then see to it that the container rests."""
        if not 0 <= arg.grace_seconds <= MAX_GRACE_SECONDS:
            text = f"the grace takes 0 to {MAX_GRACE_SECONDS} seconds"
            raise failure(ErrorType.BAD_INPUT, text)
        with Attempt(self._engine.timing.heartbeat_interval) as attempt:
            try:
                return self._stop(arg, attempt)
            except ApplicationError as error:
                failed = error
            self._underway.over(arg.pin.container_id)
            if arg.expect_untouched and not attempt.may_have_sent:
                raise self._explained(arg.pin, failed)
            # The workflow asks whether anything may have happened to the container.
            raise ApplicationError(
                failed.message, "touched", type=failed.type, non_retryable=failed.non_retryable
            )

    @activity.defn(name="ensure_running", no_thread_cancel_exception=True)
    def ensure_running(self, arg: RestoreInput) -> RestoreResult:
        """Wait for a stop still at work, bring the container back, and prove that it stays."""
        with Attempt(self._engine.timing.heartbeat_interval) as attempt:
            return restore(self._engine, arg, attempt, self._guard)

    @activity.defn(name="ensure_started", no_thread_cancel_exception=True)
    def ensure_started(self, arg: StartInput) -> RestoreResult:
        """Verify the pin, then see to it that the container runs, and prove that it stays up."""
        with Attempt(self._engine.timing.heartbeat_interval) as attempt:
            return start(self._engine, arg, attempt, self._guard)

    def _stop(self, arg: StopInput, attempt: Attempt) -> StopResult:
        self._guard.admit(arg)
        pin, took = arg.pin, 0.0
        untouched = arg.expect_untouched and not attempt.may_have_sent
        seen = self._unchanged(arg) if untouched else self._stopped_by_us(pin)
        if not seen.state.is_down:
            began = time.monotonic()
            attempt.send(lambda: self._engine.stop(pin.container_id, arg.grace_seconds))
            took = time.monotonic() - began
            seen = self._engine.container(pin.container_id)
            refuse(lost(seen))
        if not seen.state.is_down:
            text = f"the container is {seen.state} after it was stopped"
            raise failure(ErrorType.STATE_CONFLICT, text, repeatable=True)
        return _stop_result(pin, seen, had_its_grace=took >= arg.grace_seconds - _IMPRECISION)

    def _explained(self, pin: ContainerPin, failed: ApplicationError) -> ApplicationError:
        """Say of a container that is gone whether another one has its name now."""
        if failed.type != ErrorType.CONTAINER_GONE:
            return failed
        try:
            found = {entry.name: entry.container_id for entry in self._engine.containers()}
        except ApplicationError:
            return failed
        other = found.get(pin.name)
        if other == pin.container_id:
            return failed
        text = f"{RECREATED}, as {short_id(other)}" if other else REMOVED
        return failure(ErrorType.CONTAINER_GONE, text)

    def _unchanged(self, arg: StopInput) -> ContainerInspect:
        """Look at a container that nothing of ours has touched: it must be as approved.

        What can take long is asked first: only what is approved right before the stop is stopped,
        and only what is free then is free.
        """
        engine, capacity, container = self._engine, self._capacity, arg.pin.container_id
        limited = arg.for_snapshot and capacity.is_limited
        crowd = capacity.too_many(engine, container) if limited else None
        size = 0
        if limited and capacity.min_free_mb:
            believed = engine.timing.size_kept_at_stop
            size = self._sizes.written_bytes(engine, container, within=believed)
        facts = verify_untouched(engine, arg.pin, for_snapshot=arg.for_snapshot, starts=arg.starts)
        refuse(crowd)
        if limited:
            lapses = engine.timing.stop_attempt(arg.grace_seconds) + _COMMIT_BEGINS_WITHIN
            refuse(
                self._underway.promise(
                    container,
                    size,
                    lapses,
                    lambda promised: capacity.too_full(engine, facts.engine, size, promised),
                )
            )
        return facts.container

    def _stopped_by_us(self, pin: ContainerPin) -> ContainerInspect:
        """Look at a container that a stop of ours may have reached already."""
        seen = verify_pin(self._engine, pin).container
        # A stop of ours brings a container down; nothing of ours brings up one that was down.
        if pin.state.is_down:
            refuse(other_situation(seen, pin))
        refuse(lost(seen))
        return seen

    def _dependents(self, facts: Facts, found: Sequence[ContainerListEntry]) -> Dependents:
        """Find those that a stop cuts off; what rests already has none."""
        seen = facts.container
        has_any = facts.stops and not seen.state.is_down
        return self._neighbours.dependents(seen, found) if has_any else NO_DEPENDENTS

    def _is_protected(self, entry: ContainerListEntry) -> bool:
        return bool(
            self._engine.protection.refusal(
                container_id=entry.container_id, name=entry.name, labels=entry.labels
            )
        )

    def _bounds(self, seen: ContainerInspect, arg: InspectInput) -> Iterator[Fact]:
        """Say at a look what would refuse a request for a container, whatever it asks for."""
        if arg.for_request:
            return
        if code := protection(self._engine, seen):
            words = bounds_words(seen, code)
            yield Fact(label=f"protected {words}" if code is RefusalCode.PROTECTED else words)
        if words := run_by(seen.labels):
            yield Fact(label=words)

    def _shortage(self, facts: Facts, asked: Asked) -> Obstacle | None:
        """Say why there is no room for a snapshot; anybody can ask it as often as they like."""
        if not facts.for_snapshot:
            return None
        container = facts.container.container_id
        return self._capacity.shortage(self._engine, facts.engine, container, asked.size)

    def _is_taken(self, reference: str) -> bool:
        if not reference:
            return False
        problem = reference_problem(reference)
        if problem:
            raise failure(RefusalCode.BAD_REFERENCE, problem)
        try:
            return self._engine.image(reference) is not None
        except ApplicationError as error:
            if error.type != ErrorType.BAD_ENGINE_REQUEST:
                raise
        # Older engines know no host of capitals without a dot, and none of IPv6.
        raise failure(RefusalCode.BAD_REFERENCE, "this engine does not take it")

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


def _about_to(arg: InspectInput, facts: Facts, pin: ContainerPin) -> Facts:
    """Say with the facts whether what is asked for stops this container, and whether it starts it.

    An operation that this release does not know may do both.
    """
    if arg.operation is None:
        return facts
    if catalog.find(arg.operation.kind) is None:
        return replace(facts, starts=True)
    return replace(
        facts,
        stops=catalog.has_step(StepName.STOP, arg.operation, pin),
        starts=catalog.has_step(StepName.START, arg.operation, pin),
    )


def _stop_result(pin: ContainerPin, seen: ContainerInspect, *, had_its_grace: bool) -> StopResult:
    """Tell the truth after any number of attempts: it was running if it was when approved.

    A container can end with a kill's exit code by itself, so only a stop that took all of its
    grace is known to have killed it.
    """
    was_running = not pin.state.is_down
    ended = seen.state is ContainerState.EXITED
    return StopResult(
        was_running=was_running,
        exit_code=seen.exit_code if ended else None,
        graceful=not (was_running and seen.exit_code == KILLED and had_its_grace),
        restarted_since=seen.started_at != pin.started_at,
        stopped_at=seen.finished_at if was_running and ended else None,
        name=seen.name,
    )
