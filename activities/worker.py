"""How are activities and workflows put together into a worker process?

Two kinds, in one process or in several: *control* (workflows, Slack) and *docker* (one engine).
A docker worker needs no Slack token, a control worker no access to an engine. A docker worker
serves nothing until its engine is known to be its host's.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from importlib import metadata
from pathlib import Path

import aiohttp
from temporalio.client import Client
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError
from temporalio.worker import Worker

from activities.docker.capacity import SnapshotCapacity
from activities.docker.containers import Containers
from activities.docker.dependents import DependentsLook
from activities.docker.engine import Engine
from activities.docker.guard import Guard
from activities.docker.protection import Protection, own_container_id
from activities.docker.snapshots import Snapshots
from activities.docker.underway import Underway
from activities.policies.judge import Judge, OwnBook, read_own
from activities.slack.client import SlackClient, call, slack_client
from activities.slack.directory import Directory
from activities.slack.messages import Messages
from activities.temporal.askers import Askers
from activities.temporal.hosts import RELEASED_AFTER, Claim, Hosts, process_name
from activities.temporal.queues import Queues, control_workers
from activities.temporal.schedules import ensure_reconciliation
from activities.temporal.seals import warn_of_misfits
from activities.temporal.stuck import Watchdog
from activities.temporal.visibility import Visibility
from activities.watch import (
    AWAY,
    OwnThread,
    Problem,
    Sight,
    Watch,
    beside,
    first,
    running,
    temporal_watched,
)
from workflows.engine import EngineWorkflow
from workflows.execution.workflow import OperationWorkflow
from workflows.host_query import HostQueryWorkflow
from workflows.last_word import LastWordWorkflow
from workflows.model.errors import ErrorType
from workflows.model.hosts import Announcement, poller_identity
from workflows.model.names import (
    CONTROL_TASK_QUEUE,
    docker_commit_queue,
    docker_stop_queue,
    docker_task_queue,
)
from workflows.model.seal import NO_KEYS, SealKeys
from workflows.reconcile import ReconcileWorkflow
from workflows.request.workflow import ContainerLifecycleWorkflow
from workflows.sandbox import workflow_runner

_log = logging.getLogger(__name__)

#: Each stop may become a put-back that waits for it to settle; looks are answered beside them.
_LOOKS_AT_ONCE = 16
#: Work that takes minutes comes one by one: more pollers would only wait.
_SLOW_POLLERS = 2
_STICKY = timedelta(seconds=3)
_ENGINE_EVERY = 15.0
_TOKEN_EVERY = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerConfig:
    """What a worker process serves, and with what.

    ``serve`` holds ``control``, ``docker`` or both; ``graceful_seconds`` is how long a shutdown
    waits for running activities, and must exceed the longest stop. ``stops_at_once`` is how many
    stops, and how many commits, run beside each other; ``open_requests`` how many requests of one
    person may wait. ``seal_keys`` verify what other processes of ours send, and ``policies`` is
    the book by which a control worker judges. ``command`` is the slash command that private advice
    names, and ``plain_markup`` says that this Slack draws less than Slack itself. The limits of
    snapshots are explained in :class:`activities.docker.capacity.SnapshotCapacity`.
    """

    serve: frozenset[str]
    host: str
    docker_base_url: str
    protected_names: tuple[str, ...]
    snapshots_per_container: int
    min_free_mb: int
    data_root: Path | None
    stops_at_once: int
    open_requests: int
    slack_token: str
    slack_api_url: str
    command: str
    temporal_ui: str
    namespace: str
    graceful_seconds: int
    released_after: timedelta = RELEASED_AFTER
    plain_markup: bool = False
    seal_keys: SealKeys = NO_KEYS
    policies: Path = Path("policies.toml")


async def run_worker(
    client: Client,
    config: WorkerConfig,
    stop: asyncio.Event,
    begun: Callable[[Sequence[Problem]], None],
) -> None:
    """Serve until ``stop`` is set, then finish what runs.

    ``begun`` is called with what can be wrong; the log says when all is served for the first time.
    """
    problems: list[Problem] = []
    async with AsyncExitStack() as stack:
        problems.append(await stack.enter_async_context(temporal_watched(client)))
        tenure = Tenure()
        serving: set[asyncio.Task[None]] = set()
        if "docker" in config.serve:
            watched = _engine_watched(client, config, tenure)
            problems.append(await stack.enter_async_context(watched))
            host = _serve_while_ours(client, config, tenure)
            serving.add(await stack.enter_async_context(beside(host)))
        else:
            tenure.served.set()
        # Left first: no workflow may send a step to a docker worker that takes none any more.
        if "control" in config.serve:
            own = read_own(config.policies)
            problems.append(lambda: f"policies: {own.problem}" if own.problem else "")
            session = await stack.enter_async_context(aiohttp.ClientSession())
            slack = slack_client(
                config.slack_token,
                config.slack_api_url,
                session,
                plain_markup=config.plain_markup,
            )
            await stack.enter_async_context(_control_worker(client, config, slack, own))
            problems.append(await stack.enter_async_context(_token_watched(slack)))
            await _start_reconciliation(client, stop)
        begun(problems)
        if await first(stop, tenure.served, serving) is tenure.served:
            what = ",".join(sorted(config.serve))
            _log.info("ready", extra={"role": "worker", "serve": what, "host": config.host})
            await stack.enter_async_context(beside(warn_of_misfits(client, config.seal_keys)))
            await first(stop, stop, serving)


class Tenure:
    """Whether the engine is known to be this host's; ``served`` is set once it was served."""

    def __init__(self) -> None:
        self.engine_id = ""
        self.served, self.ours, self.lost = asyncio.Event(), asyncio.Event(), asyncio.Event()

    def take(self, claim: Claim) -> None:
        """Note what became of the last claim."""
        self.engine_id = claim.record.engine_id
        gone, come = (self.ours, self.lost) if claim.problem else (self.lost, self.ours)
        gone.clear()
        come.set()


async def _start_reconciliation(client: Client, stop: asyncio.Event) -> None:
    """See to it that Temporal has the schedule; one that went away meanwhile is waited for."""
    while not stop.is_set():
        try:
            await ensure_reconciliation(client)
        except RPCError as error:
            if error.status not in AWAY:
                raise
        else:
            return
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), 1)


def _control_worker(
    client: Client, config: WorkerConfig, slack: SlackClient, own: OwnBook
) -> Worker:
    messages = Messages(
        slack,
        temporal_ui=config.temporal_ui,
        namespace=config.namespace,
        command=config.command,
    )
    directory = Directory(slack, keys=config.seal_keys)
    visibility, queues = Visibility(client), Queues(client)
    watchdog, askers = Watchdog(client), Askers(client, limit=config.open_requests)
    judge = Judge(own, partial(control_workers, client), keys=config.seal_keys)
    fingerprint = config.seal_keys.fingerprint
    return Worker(
        client,
        task_queue=CONTROL_TASK_QUEUE,
        identity=poller_identity(process_name(client), book=own.hash, seal=fingerprint),
        workflows=[
            ContainerLifecycleWorkflow,
            OperationWorkflow,
            EngineWorkflow,
            HostQueryWorkflow,
            LastWordWorkflow,
            ReconcileWorkflow,
        ],
        workflow_runner=workflow_runner(),
        # How long a click waits when the worker that knew its request was killed.
        sticky_queue_schedule_to_start_timeout=_STICKY,
        activities=[
            messages.publish,
            messages.notify,
            directory.look_up_person,
            directory.list_group_members,
            visibility.find_ended_runs,
            visibility.last_state,
            queues.queue_place,
            askers.count_open_requests,
            judge.find_policies,
            judge.seal_plan,
            judge.explain,
            judge.readable,
            watchdog.find_stuck_runs,
            watchdog.end_stuck_run,
        ],
        graceful_shutdown_timeout=timedelta(seconds=config.graceful_seconds),
    )


async def _serve_while_ours(client: Client, config: WorkerConfig, tenure: Tenure) -> None:
    """Take work for the engine as long as no other host has it."""
    while True:
        await tenure.ours.wait()
        async with _docker_workers(client, config, tenure.engine_id):
            tenure.served.set()
            await tenure.lost.wait()


@asynccontextmanager
async def _docker_workers(
    client: Client, config: WorkerConfig, engine_id: str
) -> AsyncIterator[None]:
    """Serve one engine: what is slow has a queue, slots and threads of its own.

    Temporal gives slots to a worker and not to a kind of activity, so that sixteen long stops
    would let nobody look, and no container be put back.
    """
    engine = _engine(config, own_container=own_container_id())
    capacity = SnapshotCapacity(
        snapshots_per_container=config.snapshots_per_container,
        min_free_mb=config.min_free_mb,
        data_root=config.data_root,
    )
    guard, underway = Guard(config.host, config.seal_keys), Underway()
    containers = Containers(engine, guard, capacity, underway=underway)
    snapshots = Snapshots(engine, guard, underway=underway)
    stops = config.stops_at_once
    quick: list[Callable[..., object]] = [
        containers.inspect_container,
        containers.list_containers,
        containers.ensure_running,
        containers.ensure_started,
        DependentsLook(engine, guard).look_at_dependents,
        snapshots.ensure_tag,
        snapshots.sweep_snapshots,
        # A control worker of the release before sends these here too, and so does an operation
        # that was under way when it was replaced.
        containers.ensure_stopped,
        snapshots.ensure_snapshot,
    ]
    queues: tuple[tuple[str, list[Callable[..., object]], int, int | None], ...] = (
        (docker_task_queue(config.host), quick, stops + _LOOKS_AT_ONCE, None),
        (docker_stop_queue(config.host), [containers.ensure_stopped], stops, _SLOW_POLLERS),
        (docker_commit_queue(config.host), [snapshots.ensure_snapshot], stops, _SLOW_POLLERS),
    )
    who = poller_identity(process_name(client), engine_id, seal=config.seal_keys.fingerprint)
    async with AsyncExitStack() as stack:
        workers = []
        for queue, activities, slots, pollers in queues:
            worker = Worker(
                client,
                task_queue=queue,
                identity=who,
                activities=activities,
                activity_executor=stack.enter_context(ThreadPoolExecutor(slots, queue)),
                max_concurrent_activities=slots,
                max_concurrent_activity_task_polls=pollers,
                graceful_shutdown_timeout=timedelta(seconds=config.graceful_seconds),
            )
            workers.append(await stack.enter_async_context(worker))
        try:
            yield
        finally:
            _log.info("taking no more work for the engine, finishing what runs")
            # All at once, so that the drain takes as long as the longest of them.
            await asyncio.gather(*(worker.shutdown() for worker in workers))


def _engine(config: WorkerConfig, *, own_container: str | None = None) -> Engine:
    protection = Protection(name_patterns=config.protected_names, own_container=own_container)
    return Engine(base_url=config.docker_base_url, host=config.host, protection=protection)


@asynccontextmanager
async def _engine_watched(
    client: Client, config: WorkerConfig, tenure: Tenure
) -> AsyncIterator[Problem]:
    """Look at the engine meanwhile, and at whose it is."""
    # With connections of its own: where a look fails, those of its engine are closed.
    engine, thread = _engine(config), OwnThread("engine-watch")
    hosts = Hosts(client, released_after=config.released_after)
    version = metadata.version("dockwarden")

    async def look() -> Sight:
        try:
            facts = await thread.call(engine.facts)
        except Exception as error:  # noqa: BLE001 - whatever is wrong, an operator wants one line
            why = getattr(error, "message", type(error).__name__)
            away = getattr(error, "type", "") == ErrorType.ENGINE_UNAVAILABLE
            return Sight(
                event=f"{why}; requests for {config.host} are refused until it does",
                problem="no answer" if away else why,
                facts={"address": config.docker_base_url},
            )
        announcement = Announcement(
            host=config.host,
            engine_id=facts.unique_id,
            engine_version=facts.version,
            version=version,
        )
        try:
            claim = await hosts.claim(announcement)
        except Exception as error:  # noqa: BLE001 - the next look may end better, this one must not
            # What was known to be ours is served on.
            if not tenure.ours.is_set():
                return _unclaimed(error)
        else:
            tenure.take(claim)
            if claim.problem:
                return Sight(event=claim.event, problem=claim.problem)
        return Sight(
            event="engine is there",
            facts={
                "version": facts.version,
                "storage_driver": facts.storage_driver,
                **({"warning": facts.warning} if facts.warning else {}),
            },
        )

    watch = Watch(look, every=_ENGINE_EVERY, until_known="not asked yet")
    try:
        async with running(watch):
            yield lambda: f"engine: {watch.problem}" if watch.problem else ""
    finally:
        thread.leave()


def _unclaimed(error: Exception) -> Sight:
    """Say that nothing is served because nobody knows yet whose the engine is."""
    if isinstance(error, RPCError) and error.status in AWAY:
        event = "nothing is served until Temporal says whose the engine is"
        return Sight(event=event, problem="not announced yet")
    event = "nothing is served: Temporal refuses the announcement of the engine; run `check`"
    return Sight(event=event, problem="not announced", facts={"why": str(error)})


@asynccontextmanager
async def _token_watched(slack: SlackClient) -> AsyncIterator[Problem]:
    """Ask Slack meanwhile whether it takes our token; each call that people cause tells it too."""

    async def look() -> Sight | None:
        try:
            await call(slack.auth_test, "auth.test")
        except ApplicationError:
            if not slack.health.refused:
                # A Slack that is away says nothing about the token.
                return None
        refused = slack.health.refused
        if not refused:
            return Sight(event="Slack takes the bot token")
        event = "Slack refuses the bot token; no card is drawn until it takes it again"
        return Sight(event=event, problem=refused, facts={"why": refused})

    async with running(Watch(look, every=_TOKEN_EVERY)):
        yield lambda: f"slack: {slack.health.refused}" if slack.health.refused else ""
