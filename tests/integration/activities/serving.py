"""How do tests run a whole docker worker beside themselves, and see what it says of itself?"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from temporalio.client import Client

from activities.watch import Problem
from activities.worker import WorkerConfig, run_worker
from tests.rigs.dockerd import DockerEngine


def config_of(engine: DockerEngine, host: str, **changes: Any) -> WorkerConfig:
    """Describe a docker worker of this host and engine."""
    facts: dict[str, Any] = {
        "serve": frozenset({"docker"}),
        "host": host,
        "docker_base_url": engine.base_url,
        "protected_names": (),
        "snapshots_per_container": 20,
        "min_free_mb": 0,
        "data_root": None,
        "stops_at_once": 1,
        "open_requests": 10,
        "slack_token": "",
        "slack_api_url": "http://127.0.0.1:1/",
        "command": "/container",
        "temporal_ui": "",
        "namespace": "default",
        "graceful_seconds": 60,
    }
    return WorkerConfig(**{**facts, **changes})


class Serving:
    """A worker that runs beside the test; ``wrong`` says what ``/readyz`` would, empty nothing."""

    def __init__(self) -> None:
        self.stop = asyncio.Event()
        self.problems: Sequence[Problem] | None = None

    @property
    def wrong(self) -> str:
        """What is wrong, in words."""
        if self.problems is None:
            return "not begun"
        return "; ".join(words for problem in self.problems if (words := problem()))


@asynccontextmanager
async def serving(client: Client, config: WorkerConfig) -> AsyncIterator[Serving]:
    """Run a worker meanwhile."""
    worker = Serving()

    def begun(problems: Sequence[Problem]) -> None:
        worker.problems = problems

    working = asyncio.create_task(run_worker(client, config, worker.stop, begun))
    try:
        yield worker
    finally:
        worker.stop.set()
        await asyncio.wait_for(working, 60)
