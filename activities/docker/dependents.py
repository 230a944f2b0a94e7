"""Which other containers live in this one, and what did its stop do to them?

They use its network, its IPC space or its process space. As measured with Docker 20.10: who uses
its network runs on with nothing but a loopback, also when the owner is started again, for that has
a new network; who uses its IPC space runs on in the old one; who uses its process space is killed
with it by the kernel, and a restart policy tries once to start it, in vain while the owner is
down. A restart mends all of them, once the owner runs. Dockwarden never touches them.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.docker.advice import restart
from activities.docker.answers import ContainerInspect, ContainerListEntry
from activities.docker.engine import Engine
from activities.docker.guard import Guard
from activities.docker.moments import moment
from activities.docker.pin import verify_engine
from activities.docker.refused_start import LINK, NETWORK, OWNED, PROCESSES
from workflows.model.dependent_ports import DependentsInput, DependentsPort
from workflows.model.dependents import Dependent, Dependents, Fate
from workflows.model.requests import ContainerPin, ContainerState

#: So many are remembered; people are shown fewer, and told how many more there are.
MAX_DEPENDENTS: Final = 20
#: A host may run thousands, and each first look is a question to the engine.
_MOST_LOOKS: Final = 1000
_MOST_REMEMBERED: Final = 20_000
_ALIVE: Final = frozenset({ContainerState.RUNNING, ContainerState.PAUSED})
#: The kernel kills a process space at once; the engine notices a moment later.
_END_NOTICED_WITHIN: Final = 2
_POLL: Final = 0.05
_Uses = tuple[tuple[str, str], ...]


class Neighbours:
    """The containers of one engine, and who of them lives in whom.

    The engine's list tells of the network alone, and Podman's not even that, so each is looked at.
    Once: whom a container uses is settled when it is made, by id, and never changes.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._uses: dict[str, _Uses] = {}

    def dependents(
        self, seen: ContainerInspect, listed: Sequence[ContainerListEntry]
    ) -> Dependents:
        """Find the running containers that live in a container, or in one that does.

        It takes no longer than two questions to the engine may take. One that is there but cut off
        already, because its owner was started anew since, has nothing to lose.
        """
        others = [
            one for one in listed if one.container_id != seen.container_id and one.state in _ALIVE
        ]
        deadline = time.monotonic() + self._engine.timing.inspect_http
        uses, unseen = self._all_uses(others, deadline)
        found = [
            one
            for one in _closure(seen, others, uses)
            if not self._was_cut_off(one, seen.started_at, deadline)
        ]
        return Dependents(
            found=tuple(found[:MAX_DEPENDENTS]),
            more=max(len(found) - MAX_DEPENDENTS, 0),
            unseen=unseen,
        )

    def _all_uses(
        self, others: Sequence[ContainerListEntry], deadline: float
    ) -> tuple[dict[str, _Uses], int]:
        """Say whom each of them uses, and of how many there was no time to ask that."""
        if len(self._uses) > _MOST_REMEMBERED:
            self._uses = {}
        uses, looks, unseen = {}, 0, 0
        # Who shows in the list already comes first, for there may be no time for all.
        for one in sorted(others, key=lambda other: not _in_list(other)):
            known = self._uses.get(one.container_id)
            if known is None and looks < _MOST_LOOKS and time.monotonic() < deadline:
                looks += 1
                known = self._look_up(one.container_id)
            unseen += known is None
            uses[one.container_id] = _in_list(one) if known is None else known
        return uses, unseen

    def _look_up(self, container_id: str) -> _Uses | None:
        try:
            inspected = self._engine.find(container_id)
        except ApplicationError:
            # What is wrong with one of them keeps nobody from asking for another.
            return None
        uses = inspected.owners if inspected is not None else ()
        self._uses[container_id] = uses
        return uses

    def _was_cut_off(self, one: Dependent, owner_started_at: str, deadline: float) -> bool:
        if time.monotonic() >= deadline:
            return False
        try:
            inspected = self._engine.find(one.container_id)
        except ApplicationError:
            return False
        return inspected is None or moment(inspected.started_at) < moment(owner_started_at)


def network_users(engine: Engine, seen: ContainerInspect) -> tuple[Dependent, ...]:
    """Find by one question who is in the network of a container; it is worth no failure."""
    try:
        listed = engine.containers()
    except ApplicationError:
        return ()
    users = [
        _dependent(one, NETWORK)
        for one in listed
        if one.network_mode == f"{OWNED}{seen.container_id}" and one.state in _ALIVE
    ]
    return tuple(users[:MAX_DEPENDENTS])


class DependentsLook(DependentsPort):
    """The activity that looks at those that live in a container of one host."""

    def __init__(self, engine: Engine, guard: Guard) -> None:
        self._engine = engine
        self._guard = guard

    @activity.defn(name="look_at_dependents", no_thread_cancel_exception=True)
    def look_at_dependents(self, arg: DependentsInput) -> Dependents:
        """Say what became of them; nothing of them is changed."""
        self._guard.admit_look()
        verify_engine(self._engine, arg.pin)
        owner = self._engine.find(arg.pin.container_id)
        deadline = time.monotonic() + self._engine.timing.inspect_http
        found = tuple(self._with_fate(owner, one, arg.pin, deadline) for one in arg.known.found)
        return replace(arg.known, found=found)

    def _with_fate(
        self, owner: ContainerInspect | None, one: Dependent, pin: ContainerPin, deadline: float
    ) -> Dependent:
        name, fate = one.name, Fate.NOT_KNOWN
        patience = min(deadline, time.monotonic() + _END_NOTICED_WITHIN)
        while time.monotonic() < deadline:
            try:
                seen = self._engine.find(one.container_id)
            except ApplicationError:
                break
            name, fate = (seen.name, _fate(owner, seen, pin)) if seen else (name, Fate.GONE)
            # Nothing outlives its process space.
            ends = one.space == PROCESSES and fate is Fate.CUT_OFF
            if not ends or time.monotonic() >= patience:
                break
            time.sleep(_POLL)
        return replace(one, name=name, fate=fate)


def _fate(owner: ContainerInspect | None, seen: ContainerInspect, pin: ContainerPin) -> Fate:
    if seen.state not in _ALIVE:
        return Fate.DOWN
    began = moment(seen.started_at)
    if began < moment(pin.started_at):
        return Fate.UNHARMED  # by us: it was cut off long before
    if owner is None or owner.state.is_down or began < moment(owner.started_at):
        return Fate.CUT_OFF
    return Fate.UNHARMED


def _closure(
    seen: ContainerInspect,
    others: Sequence[ContainerListEntry],
    uses: dict[str, _Uses],
) -> list[Dependent]:
    """Follow who lives in whom, those nearest first: in that order they can be restarted."""
    found: dict[str, Dependent] = {}
    owners: list[tuple[str, str]] = [(seen.container_id, seen.name)]
    while owners:
        nearest = [
            _dependent(one, space)
            for one in others
            if one.container_id not in found
            if (space := _used(uses[one.container_id], owners))
        ]
        found |= {one.container_id: one for one in nearest}
        owners = [(one.container_id, one.name) for one in nearest]
    return list(found.values())


def _dependent(one: ContainerListEntry, space: str) -> Dependent:
    return Dependent(
        name=one.name,
        container_id=one.container_id,
        space=space,
        restart=restart(one.container_id),
    )


def _used(uses: Iterable[tuple[str, str]], owners: Iterable[tuple[str, str]]) -> str:
    """Name what one uses of any of these: the process space first, whose end is its own."""
    references = {reference for owner in owners for reference in owner}
    spaces = [space for space, owner in uses if owner in references and space != LINK]
    return PROCESSES if PROCESSES in spaces else next(iter(spaces), "")


def _in_list(one: ContainerListEntry) -> _Uses:
    mode = one.network_mode
    return ((NETWORK, mode.removeprefix(OWNED)),) if mode.startswith(OWNED) else ()
