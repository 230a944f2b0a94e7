"""How are activities and workflows put together into a worker process?

Two kinds, in one process or in several: *control* (workflows, Slack) and *docker* (one engine).
A docker worker needs no Slack token, a control worker no access to an engine.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import aiohttp
from temporalio.client import Client
from temporalio.worker import Worker

from activities.docker.capacity import SnapshotCapacity
from activities.docker.containers import Containers
from activities.docker.engine import Engine
from activities.docker.protection import Protection, own_container_id
from activities.docker.snapshots import Snapshots
from activities.slack.client import slack_client
from activities.slack.directory import Directory
from activities.slack.messages import Messages
from activities.temporal.schedules import ensure_reconciliation
from activities.temporal.stuck import Watch
from activities.temporal.visibility import Visibility
from workflows.execution.workflow import OperationWorkflow
from workflows.host_query import HostQueryWorkflow
from workflows.model.names import CONTROL_TASK_QUEUE, docker_task_queue
from workflows.reconcile import ReconcileWorkflow
from workflows.request.workflow import ContainerLifecycleWorkflow
from workflows.sandbox import workflow_runner

#: Commits block their thread for minutes; looks must still be answered beside them.
_DOCKER_THREADS = 16
_STICKY = timedelta(seconds=3)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerConfig:
    """What a worker process serves, and with what.

    ``serve`` holds ``control``, ``docker`` or both; ``graceful_seconds`` is how long a shutdown
    waits for running activities, and must exceed the longest stop. ``command`` is the slash
    command that private advice names. The limits of snapshots are explained in
    :class:`activities.docker.capacity.SnapshotCapacity`.
    """

    serve: frozenset[str]
    host: str
    docker_base_url: str
    protected_names: tuple[str, ...]
    snapshots_per_container: int
    min_free_mb: int
    data_root: Path | None
    slack_token: str
    slack_api_url: str
    command: str
    temporal_ui: str
    namespace: str
    graceful_seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineReport:
    """Whether an engine can be used as it is, and in one line how it is or what is wrong."""

    usable: bool
    words: str


async def run_worker(
    client: Client, config: WorkerConfig, stop: asyncio.Event, ready: Callable[[], None]
) -> None:
    """Serve until ``stop`` is set, then finish what runs.

    ``ready`` is called once the workers poll.
    """
    async with AsyncExitStack() as stack:
        if "docker" in config.serve:
            threads = stack.enter_context(ThreadPoolExecutor(_DOCKER_THREADS, "docker"))
            await stack.enter_async_context(_docker_worker(client, config, threads))
        # Left first: no workflow may send a step to a docker worker that takes none any more.
        if "control" in config.serve:
            session = await stack.enter_async_context(aiohttp.ClientSession())
            await stack.enter_async_context(_control_worker(client, config, session))
            await ensure_reconciliation(client)
        ready()
        await stop.wait()


def check_docker(base_url: str, min_free_mb: int, data_root: Path | None) -> EngineReport:
    """Say how the engine is, for ``dockwarden check``."""
    engine = Engine(base_url=base_url, host="check", protection=Protection())
    capacity = SnapshotCapacity(min_free_mb=min_free_mb, data_root=data_root)
    try:
        facts = engine.facts()
        disk = capacity.describe(engine)
    except Exception as error:  # noqa: BLE001 - whatever is wrong, an operator wants one line
        words = f"{getattr(error, 'message', 'cannot be used')} ({base_url})"
        return EngineReport(usable=False, words=words)
    words = (
        f"{facts.version}, API {facts.api_version}, storage driver {facts.storage_driver}, "
        f"{disk.words}"
    )
    if facts.warning:
        return EngineReport(usable=False, words=f"{words}: {facts.warning}")
    return EngineReport(usable=disk.enough, words=words)


def _control_worker(client: Client, config: WorkerConfig, session: aiohttp.ClientSession) -> Worker:
    slack = slack_client(config.slack_token, config.slack_api_url, session)
    messages = Messages(
        slack,
        temporal_ui=config.temporal_ui,
        namespace=config.namespace,
        command=config.command,
    )
    directory, visibility, watch = Directory(slack), Visibility(client), Watch(client)
    return Worker(
        client,
        task_queue=CONTROL_TASK_QUEUE,
        workflows=[
            ContainerLifecycleWorkflow,
            OperationWorkflow,
            HostQueryWorkflow,
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
            watch.find_stuck_runs,
            watch.end_stuck_run,
        ],
        graceful_shutdown_timeout=timedelta(seconds=config.graceful_seconds),
    )


def _docker_worker(client: Client, config: WorkerConfig, threads: ThreadPoolExecutor) -> Worker:
    protection = Protection(name_patterns=config.protected_names, own_container=own_container_id())
    engine = Engine(base_url=config.docker_base_url, host=config.host, protection=protection)
    capacity = SnapshotCapacity(
        snapshots_per_container=config.snapshots_per_container,
        min_free_mb=config.min_free_mb,
        data_root=config.data_root,
    )
    containers, snapshots = Containers(engine, capacity), Snapshots(engine)
    return Worker(
        client,
        task_queue=docker_task_queue(config.host),
        activities=[
            containers.inspect_container,
            containers.list_containers,
            containers.ensure_stopped,
            containers.ensure_running,
            snapshots.ensure_snapshot,
            snapshots.ensure_tag,
            snapshots.sweep_snapshots,
        ],
        activity_executor=threads,
        max_concurrent_activities=_DOCKER_THREADS,
        graceful_shutdown_timeout=timedelta(seconds=config.graceful_seconds),
    )
