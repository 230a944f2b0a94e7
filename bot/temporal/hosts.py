"""Which hosts are there, which engine has each, and who takes work for it?

Temporal cannot list task queues, but the docker workers announce what they serve; who asks the
queues of a host for work is asked then. A worker of an earlier release announces nothing: of it
only the host that commands mean by default is known.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.client import Client

from bot.temporal.client import bounded
from bot.temporal.errors import BotError, TemporalCall
from bot.temporal.presence import moment, pollers, who_is_there
from workflows.model.hosts import (
    ANNOUNCEMENT_MEMO,
    RECORDS_QUERY,
    UNKNOWN_HOST,
    Announcement,
    nearest_host,
    process_and_engine,
    read_announcement,
)
from workflows.model.names import (
    HOST,
    docker_commit_queue,
    docker_stop_queue,
    docker_task_queue,
)

#: How many records are looked at; who has more hosts than that asks Temporal itself.
MAX_HOSTS = 100
_LIST_WITHIN = timedelta(seconds=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class HostStanding:
    """How one host stands.

    ``engines`` holds one as a rule, none when no worker has announced it, and more while one
    replaces another. ``workers`` are the processes that take its quick work, and ``identities``
    what they tell of themselves; ``last_asked`` is when one last did, ``None`` when that is minutes
    ago or never was.
    """

    host: str
    is_default: bool = False
    engines: tuple[Announcement, ...] = ()
    workers: tuple[str, ...] = ()
    identities: tuple[str, ...] = ()
    takes_stops: bool = False
    takes_commits: bool = False
    last_asked: datetime | None = None


class Hosts:
    """Reads what the docker workers have announced."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def standings(self, *, default: str) -> tuple[HostStanding, ...]:
        """Say how each host stands, and the default one even if nobody announced it.

        ``default`` is the host that a command means when it names none.

        Raises:
            TemporalUnavailableError: Temporal does not answer.
            TemporalMisconfiguredError: Temporal refuses such calls for good.
        """
        engines: dict[str, list[Announcement]] = {default: []}
        for told in await self._records():
            engines.setdefault(told.host, []).append(told)
        found = [self._standing(*one, is_default=one[0] == default) for one in engines.items()]
        return tuple(sorted(await asyncio.gather(*found), key=lambda standing: standing.host))

    async def nearest(self, name: str) -> str:
        """Find the host that may have been meant by a name; ``""`` when none is like it."""
        names = await self.names()
        return "" if name in names else nearest_host(name, names)

    async def names(self) -> frozenset[str]:
        """Name the hosts that are announced; none when Temporal does not say."""
        try:
            return frozenset(told.host for told in await self._records())
        except BotError:
            return frozenset()

    async def _records(self) -> Iterable[Announcement]:
        listing = self._client.list_workflows(
            RECORDS_QUERY, page_size=MAX_HOSTS, limit=MAX_HOSTS, rpc_timeout=_LIST_WITHIN
        )

        async def read() -> list[Announcement]:
            found = [
                read_announcement(
                    await one.memo_value(ANNOUNCEMENT_MEMO, None),
                    workflow_id=one.id,
                    host=one.typed_search_attributes.get(HOST),
                )
                async for one in listing
            ]
            return [told for told in found if told is not None and told.host != UNKNOWN_HOST]

        return await bounded(TemporalCall.READ, read(), _LIST_WITHIN)

    async def _standing(
        self, host: str, engines: list[Announcement], *, is_default: bool
    ) -> HostStanding:
        kind = TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY
        names = (docker_task_queue(host), docker_stop_queue(host), docker_commit_queue(host))
        quick, stops, commits = await asyncio.gather(
            *(pollers(self._client, name, kind) for name in names)
        )
        identities = who_is_there(quick)
        there = {process_and_engine(identity)[0] for identity in identities}
        return HostStanding(
            host=host,
            is_default=is_default,
            engines=tuple(sorted(engines, key=lambda told: told.engine_id)),
            workers=tuple(sorted(there)),
            identities=tuple(identities),
            takes_stops=bool(who_is_there(stops)),
            takes_commits=bool(who_is_there(commits)),
            last_asked=max(map(moment, quick), default=None),
        )


def engine_words(told: Announcement) -> str:
    """Name an engine for people, without mark-up."""
    version = f" ({told.engine_version})" if told.engine_version else ""
    release = f", Dockwarden {told.version}" if told.version else ""
    return f"engine {told.engine_id[:12]}{version}{release}"


def service_words(standing: HostStanding, now: datetime) -> str:
    """Say who takes work for a host, without mark-up."""
    if not standing.workers:
        if standing.last_asked is None:
            return "no worker serves it"
        silent = now - standing.last_asked
        return f"no worker has asked for its work for {silent.total_seconds():.0f} s"
    count = len(standing.workers)
    words = f"served by {count} worker{'s' if count > 1 else ''}"
    idle = [
        name
        for name, taken in (("stops", standing.takes_stops), ("commits", standing.takes_commits))
        if not taken
    ]
    if idle:
        # A worker whose slots are taken asks for no more.
        words += f", which takes no further {' and '.join(idle)} now"
    return words
