"""Does the word that a failed attempt leaves in its heartbeat really reach the next one?"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.exceptions import ApplicationError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities.docker.heartbeat import Attempt
from tests.rigs.dev_server import temporal_server


@activity.defn(name="fail_once", no_thread_cancel_exception=True)
def fail_once(sends: bool) -> bool:
    """Fail at first, after some heartbeats; then tell what is known about the first attempt."""
    with Attempt(0.01) as attempt:
        if activity.info().attempt == 1:
            # The server has had a heartbeat without a word, and others are held back.
            activity.wait_for_worker_shutdown_sync(timedelta(seconds=0.2))
            if sends:
                attempt.send(lambda: None)
            raise ApplicationError("not yet")
        return attempt.may_have_sent


@workflow.defn(name="FailOnce")
class FailOnce:
    """Runs the activity."""

    @workflow.run
    async def run(self, sends: bool) -> bool:
        """Run the activity until it succeeds."""
        return await workflow.execute_activity(
            fail_once,
            sends,
            start_to_close_timeout=timedelta(seconds=30),
            heartbeat_timeout=timedelta(seconds=10),
        )


async def _run(client: Client, *, sends: bool) -> bool:
    with ThreadPoolExecutor(1) as threads:
        async with Worker(
            client,
            task_queue="attempts",
            workflows=[FailOnce],
            activities=[fail_once],
            activity_executor=threads,
            workflow_runner=UnsandboxedWorkflowRunner(),
        ):
            return await client.execute_workflow(
                FailOnce.run, sends, id=f"fail-once-{sends}", task_queue="attempts"
            )


@pytest.mark.fault
async def test_the_next_attempt_knows_whether_anything_was_sent() -> None:
    """The server passes the last word on, though heartbeats are held back by the SDK."""
    async with temporal_server() as env:
        assert await _run(env.client, sends=True) is True
        assert await _run(env.client, sends=False) is False
