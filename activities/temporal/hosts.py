"""Whose is the engine that a docker worker sees, and may the worker serve it?

One engine is one host, or its containers would have two locks; and one host is one engine, or
approved work would land on another one, and a container that is down would be looked for where it
never was. So a worker serves nothing until its engine is known to be its host's. What stands in
the way is waited out for an hour without anybody who serves it, or ended by a person.
"""

from __future__ import annotations

import logging
import os
import socket
import time
import uuid
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Final

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.client import Client, WorkflowExecution, WorkflowExecutionStatus
from temporalio.common import SearchAttributePair, TypedSearchAttributes, WorkflowIDConflictPolicy
from temporalio.service import RPCError, RPCStatusCode

from activities.temporal.queues import last_polls, still_there_since
from workflows.model.hosts import (
    ANNOUNCEMENT_MEMO,
    RECORDS_QUERY,
    Announcement,
    process_and_engine,
    read_announcement,
)
from workflows.model.names import (
    CONTROL_TASK_QUEUE,
    ENGINE_WORKFLOW,
    HOST,
    docker_task_queue,
    engine_workflow_id,
)

_log = logging.getLogger(__name__)

#: How long nobody may have served a host before its engine, or its name, is another's.
RELEASED_AFTER: Final = timedelta(hours=1)
_CALL_WITHIN: Final = timedelta(seconds=5)
_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")
_PROCESS_SPACE: Final = Path("/proc/self/ns/pid")


class Standing(StrEnum):
    """How an engine and a host belong together."""

    OURS = "ours"
    OTHER_HOST = "the engine is another host's"
    OTHER_ENGINE = "the host has another engine"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Whether a worker may serve; ``record`` is what stands in the way when it may not."""

    standing: Standing
    record: Announcement
    namespace: str

    @property
    def problem(self) -> str:
        """What is wrong, in a few words; empty when nothing is."""
        match self.standing:
            case Standing.OTHER_HOST:
                return f"already served as host {self.record.host}"
            case Standing.OTHER_ENGINE:
                return f"host {self.record.host} has another engine, {self.record.engine_id}"
        return ""

    @property
    def event(self) -> str:
        """What the log says: who is in the way, and what to do."""
        release = (
            "if that one is gone for good, this worker takes over when nobody has served it for an "
            f"hour, or at once after: temporal workflow terminate --namespace {self.namespace} "
            f"--workflow-id {engine_workflow_id(self.record.engine_id)}"
        )
        if self.standing is Standing.OTHER_HOST:
            return (
                f"nothing is served: this engine is host {self.record.host} already. Start this "
                f"worker with --host {self.record.host}; or, if its machine was cloned, give the "
                f"engine an id of its own (docs/operating.md); {release}"
            )
        return (
            f"nothing is served: host {self.record.host} is another engine already. Start this "
            f"worker with a --host of its own; {release}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Record:
    """A record as Temporal has it; the ``rank`` says which of two was there first."""

    told: Announcement
    run_id: str
    rank: tuple[datetime, str]


class Hosts:
    """Announces the engine of one docker worker, and says whether the worker may serve it.

    Args:
        client: reaches Temporal; its identity names this process.
        released_after: how long nobody may have served what stands in the way.
    """

    def __init__(self, client: Client, *, released_after: timedelta = RELEASED_AFTER) -> None:
        self._client = client
        self._process = process_name(client)
        self._released_after = released_after
        self._announced = ""
        #: Since when nobody was seen to serve a record, by its run.
        self._silent: dict[str, float] = {}
        #: When each poller of a host was there last, by the server's clock, at the look before.
        self._polled: dict[str, dict[str, datetime]] = {}

    async def claim(self, wanted: Announcement) -> Claim:
        """Announce an engine, unless it is another host's, or the host has another one.

        Raises:
            RPCError: Temporal does not answer, or refuses such calls.
        """
        try:
            return await self._claim(wanted)
        except RPCError:
            # Somebody may have been there unseen.
            self._silent.clear()
            raise

    async def _claim(self, wanted: Announcement) -> Claim:
        own = await self._find(wanted.engine_id)
        while own is not None and own.told.host != wanted.host:
            if not await self._release(own):
                return self._says(Standing.OTHER_HOST, own)
            own = await self._find(wanted.engine_id)
        if rival := await self._rival(wanted, own):
            if own is not None:
                await self._end(own, "the host has another engine")
            return self._says(Standing.OTHER_ENGINE, rival)
        if own is None or self._is_outdated(own, wanted):
            own = await self._announce(wanted, own)
        if own is None or own.told.host != wanted.host:
            # Another worker was quicker; the next look says whose it is now.
            return await self._claim(wanted)
        self._announced = wanted.engine_id
        return self._says(Standing.OURS, own)

    def _says(self, standing: Standing, record: _Record) -> Claim:
        return Claim(standing=standing, record=record.told, namespace=self._client.namespace)

    def _is_outdated(self, own: _Record, wanted: Announcement) -> bool:
        """Tell whether the record says what was true before this process began.

        Once a process: two workers of different releases would correct each other for ever.
        """
        told, said = own.told, self._announced == wanted.engine_id
        versions = (told.version, told.engine_version)
        return not said and versions != (wanted.version, wanted.engine_version)

    async def _announce(self, wanted: Announcement, outdated: _Record | None) -> _Record | None:
        since = outdated.told.since if outdated is not None else None
        told = replace(wanted, since=since or datetime.now(UTC), machine=_machine())
        conflict = WorkflowIDConflictPolicy
        await self._client.start_workflow(
            ENGINE_WORKFLOW,
            id=engine_workflow_id(wanted.engine_id),
            task_queue=CONTROL_TASK_QUEUE,
            id_conflict_policy=(
                conflict.USE_EXISTING if outdated is None else conflict.TERMINATE_EXISTING
            ),
            memo={ANNOUNCEMENT_MEMO: told},
            search_attributes=TypedSearchAttributes([SearchAttributePair(HOST, wanted.host)]),
            static_summary=f"the engine of {wanted.host}",
            rpc_timeout=_CALL_WITHIN,
        )
        return await self._find(wanted.engine_id)

    async def _find(self, engine_id: str) -> _Record | None:
        """Read the record of an engine; the describing call never lags behind."""
        handle = self._client.get_workflow_handle(engine_workflow_id(engine_id))
        try:
            found = await handle.describe(rpc_timeout=_CALL_WITHIN)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND or "amespace" in error.message:
                raise
            return None
        return await _record(found) if found.status is WorkflowExecutionStatus.RUNNING else None

    async def _rival(self, wanted: Announcement, own: _Record | None) -> _Record | None:
        """Find a record by which the host has another engine, and which was there first."""
        query = f"{RECORDS_QUERY} AND {HOST.name} = '{wanted.host}'"
        async for found in self._client.list_workflows(query, rpc_timeout=_CALL_WITHIN):
            rival = await _record(found)
            if rival is None or rival.told.engine_id == wanted.engine_id:
                continue
            # Of two that announced at once one gives way, and it is the same one for both.
            if rival.told.host != wanted.host or (own is not None and own.rank < rival.rank):
                continue
            if not await self._release(rival, wanted.engine_id):
                return rival
        return None

    async def _release(self, record: _Record, engine_id: str = "") -> bool:
        """Release what nobody has served for long; an engine that was replaced, at once.

        It was when the machine, and the host's name, are those of this worker.
        """
        if await self._is_served(record.told.host, engine_id):
            self._silent.pop(record.run_id, None)
            return False
        since = self._silent.setdefault(record.run_id, time.monotonic())
        was_replaced = bool(engine_id) and record.told.machine == _machine()
        waited = time.monotonic() - since >= self._released_after.total_seconds()
        if was_replaced or waited:
            await self._end(record, "nobody serves it" if waited else "the engine was replaced")
        return was_replaced or waited

    async def _end(self, record: _Record, why: str) -> None:
        """End this very record: one that was made meanwhile is somebody else's."""
        workflow_id = engine_workflow_id(record.told.engine_id)
        handle = self._client.get_workflow_handle(workflow_id, run_id=record.run_id)
        try:
            await handle.terminate(reason=why, rpc_timeout=_CALL_WITHIN)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
        self._silent.pop(record.run_id, None)
        facts = {"host": record.told.host, "engine": record.told.engine_id, "why": why}
        _log.warning("the record of an engine is released", extra=facts)

    async def _is_served(self, host: str, engine_id: str) -> bool:
        """Tell whether another process serves a host, on another engine than this one."""
        kind = TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY
        polled = await last_polls(self._client, docker_task_queue(host), kind)
        recently = still_there_since()
        before, self._polled[host] = self._polled.get(host, {}), polled
        for identity, at in polled.items():
            process, served = process_and_engine(identity)
            # The server's clock may be far behind ours: who polls again is there all the same.
            is_there = at >= recently or at > before.get(identity, at)
            is_like_us = process == self._process or (bool(engine_id) and served == engine_id)
            if is_there and not is_like_us and not _has_ended(process):
                return True
        return False


async def _record(found: WorkflowExecution) -> _Record | None:
    told = read_announcement(
        await found.memo_value(ANNOUNCEMENT_MEMO, None),
        workflow_id=found.id,
        host=found.typed_search_attributes.get(HOST),
    )
    if told is None:
        return None
    return _Record(told=told, run_id=found.run_id, rank=(told.since or found.start_time, found.id))


def process_name(client: Client) -> str:
    """Name this process: by the SDK's name, the boot of its machine, and its process space.

    Machines that were cloned go by one name, and so do containers that use the host's network; a
    number of a process means nothing outside of its space.
    """
    number, _, machine = client.service_client.config.identity.partition("@")
    return f"{number}@{machine}/{_boot()}/{_process_space()}"


def _machine() -> str:
    return f"{socket.gethostname()}/{_boot()}"


@cache
def _boot() -> str:
    """Tell this machine since its start from every other one."""
    try:
        return _BOOT_ID.read_text(encoding="ascii")[:8]
    except OSError:
        return uuid.uuid4().hex[:8]


def _process_space() -> str:
    """Tell the process space of this process from every other one of this machine."""
    try:
        return f"{_PROCESS_SPACE.stat().st_ino:x}"
    except OSError:
        return ""


def _has_ended(process: str) -> bool:
    """Tell of a process of this space that it ended: Temporal lists it for a minute more."""
    number, _, place = process.partition("@")
    if place != f"{_machine()}/{_process_space()}" or not number.isdecimal():
        return False
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
