"""How long may each activity take, how often is it tried, and what does a cancel do to it?

The one table of all activities. Steps that change something wait for their own end when they are
cancelled (``WAIT_CANCELLATION_COMPLETED``): with the SDK's default the workflow would start the
container while the abandoned stop is still at work, and the stop would win.
"""

from __future__ import annotations

from datetime import timedelta

from temporalio.common import RetryPolicy
from temporalio.workflow import (
    ActivityCancellationType,
    ActivityConfig,
    LocalActivityConfig,
)

from workflows.model.names import docker_commit_queue, docker_stop_queue, docker_task_queue
from workflows.model.timing import TIMING

_WAIT = ActivityCancellationType.WAIT_CANCELLATION_COMPLETED
_HEARTBEAT = timedelta(seconds=TIMING.heartbeat_timeout)

#: A live worker takes a task within milliseconds; a host that nobody serves shows by this.
HOST_ANSWERS_WITHIN = timedelta(seconds=5)
#: Whoever asks what the rules are waits so long at most.
EXPLAINED_WITHIN = timedelta(seconds=2)
#: An approved stop waits this long for a worker that is being restarted.
WORKER_RETURNS_WITHIN = timedelta(minutes=5)
#: A container that is down must not wait long in silence: then people are paged.
PAGE_WITHIN = timedelta(seconds=30)
#: While a container is down no more than 20 s go by on tries that cannot work: so many, with 1,
#: 2, 4 and 8 s between them.
_TRIES_WHILE_DOWN = 5


def look(host: str) -> ActivityConfig:
    """Read from an engine for a person who waits for the answer.

    A hung engine ends the first of the calls by its own limit; a slow one may need them all.
    """
    return ActivityConfig(
        task_queue=docker_task_queue(host),
        start_to_close_timeout=timedelta(seconds=TIMING.look_attempt()),
        schedule_to_start_timeout=HOST_ANSWERS_WITHIN,
        schedule_to_close_timeout=timedelta(seconds=2 * TIMING.look_attempt()),
        retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=500), maximum_attempts=3),
    )


def look_at_dependents(host: str) -> ActivityConfig:
    """Look at others when all is done; the outcome waits for it, so it is not tried for long."""
    config = look(host)
    config["retry_policy"] = RetryPolicy(maximum_attempts=1)
    config["summary"] = "those that live in it"
    return config


def stop(host: str, grace_seconds: int, *, turn_within: timedelta) -> ActivityConfig:
    """Stop a container, in one attempt: the workflow itself makes the next.

    ``turn_within`` is how long it may wait in its queue. Before the first attempt nothing was
    touched; after it the container may be down.
    """
    attempt = timedelta(seconds=TIMING.stop_attempt(grace_seconds))
    config = _step(docker_stop_queue(host), attempt, "stop")
    config["schedule_to_start_timeout"] = turn_within
    config["retry_policy"] = RetryPolicy(maximum_attempts=1)
    return config


def commit(host: str) -> ActivityConfig:
    """Commit a container; as long as a large file system takes."""
    attempt = timedelta(seconds=TIMING.commit_attempt())
    return _step(docker_commit_queue(host), attempt, "docker commit")


def tag(host: str) -> ActivityConfig:
    """Tag a snapshot."""
    attempt = timedelta(seconds=TIMING.tag_http + 4 * TIMING.inspect_http)
    return _step(docker_task_queue(host), attempt, "docker tag")


def sweep(
    host: str, settle_seconds: int = 0, *, host_answers_within: timedelta = WORKER_RETURNS_WITHIN
) -> ActivityConfig:
    """Remove images that a late commit left, or will leave in that time."""
    config = tag(host)
    config["schedule_to_start_timeout"] = host_answers_within
    config["start_to_close_timeout"] = timedelta(
        seconds=settle_seconds + TIMING.tag_http + 4 * TIMING.inspect_http
    )
    config["summary"] = "tidy images"
    return config


def start(host: str, grace_seconds: int) -> ActivityConfig:
    """Start a container again; if it cannot be, it is put back, which is tried for longer."""
    attempt = timedelta(seconds=TIMING.start_attempt(grace_seconds))
    config = _step(docker_task_queue(host), attempt, "docker start")
    config["retry_policy"] = RetryPolicy(
        initial_interval=timedelta(seconds=1), backoff_coefficient=3, maximum_attempts=3
    )
    return config


def start_once(host: str, grace_seconds: int) -> ActivityConfig:
    """Start what rested, in one attempt: the workflow itself makes the next."""
    config = start(host, grace_seconds)
    config["retry_policy"] = RetryPolicy(maximum_attempts=1)
    return config


def restore(host: str, grace_seconds: int, *, worker_within: timedelta) -> ActivityConfig:
    """Put a container back, in one attempt: the workflow repeats it without end."""
    config = start(host, grace_seconds)
    config["schedule_to_start_timeout"] = worker_within
    config["retry_policy"] = RetryPolicy(maximum_attempts=1)
    config["summary"] = "put it back"
    return config


def publish_first() -> ActivityConfig:
    """Post a card: without it nobody can decide, so it is tried for a while."""
    return _publish(timedelta(minutes=10), "card")


def publish() -> ActivityConfig:
    """Draw a card; whoever draws it makes a new try with what has become of the request since."""
    return _publish(timedelta(minutes=1), "card")


def publish_last() -> ActivityConfig:
    """Draw the last card; what Slack does not take by then is left to a workflow of its own."""
    return _publish(timedelta(minutes=5), "final card")


def _publish(within: timedelta, summary: str) -> ActivityConfig:
    return ActivityConfig(
        start_to_close_timeout=timedelta(seconds=30),
        schedule_to_close_timeout=within,
        heartbeat_timeout=timedelta(seconds=15),
        retry_policy=RetryPolicy(
            initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=30)
        ),
        cancellation_type=_WAIT,
        summary=summary,
    )


def notify() -> ActivityConfig:
    """Tell people in private."""
    return ActivityConfig(
        start_to_close_timeout=timedelta(seconds=60),
        schedule_to_close_timeout=timedelta(minutes=5),
        heartbeat_timeout=timedelta(seconds=15),
        retry_policy=RetryPolicy(
            initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=30)
        ),
        summary="private notice",
    )


def look_up(summary: str) -> ActivityConfig:
    """Ask Slack who somebody is; a decision waits for the answer, so it is tried for a while."""
    return ActivityConfig(
        start_to_close_timeout=timedelta(seconds=15),
        schedule_to_close_timeout=timedelta(minutes=5),
        retry_policy=RetryPolicy(
            initial_interval=timedelta(milliseconds=500), maximum_interval=timedelta(seconds=15)
        ),
        summary=summary,
    )


def find_policies() -> LocalActivityConfig:
    """Read the policy book in the worker that judges; nothing of a request begins before that.

    The workflow hears nothing meanwhile, so it is not tried for long.
    """
    return LocalActivityConfig(
        start_to_close_timeout=timedelta(seconds=2),
        schedule_to_close_timeout=timedelta(seconds=5),
        retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=200), maximum_attempts=3),
        summary="which policies could apply",
    )


def explain_policies() -> LocalActivityConfig:
    """Read the policy book for somebody who looks, once: without an answer nothing is shown."""
    return LocalActivityConfig(
        start_to_close_timeout=EXPLAINED_WITHIN,
        schedule_to_close_timeout=EXPLAINED_WITHIN,
        retry_policy=RetryPolicy(maximum_attempts=1),
        summary="what the rules are",
    )


def look_up_reader() -> ActivityConfig:
    """Ask Slack who somebody is that wants to read, once: without an answer nothing is shown."""
    return ActivityConfig(
        start_to_close_timeout=EXPLAINED_WITHIN,
        schedule_to_close_timeout=EXPLAINED_WITHIN,
        retry_policy=RetryPolicy(maximum_attempts=1),
        summary="who wants to read",
    )


def count_open_requests() -> ActivityConfig:
    """Ask how many requests of a person wait; who asks waits for the answer, which may fail."""
    return ActivityConfig(
        start_to_close_timeout=timedelta(seconds=6),
        schedule_to_close_timeout=timedelta(seconds=10),
        retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=500)),
        summary="how many of theirs wait",
    )


def ask_queue() -> ActivityConfig:
    """Ask who polls a queue, beside a wait that goes on whatever the answer is."""
    return ActivityConfig(
        start_to_close_timeout=timedelta(seconds=12),
        schedule_to_close_timeout=timedelta(seconds=25),
        retry_policy=RetryPolicy(maximum_attempts=2),
        summary="who takes it up",
    )


def ask_temporal() -> ActivityConfig:
    """Read Temporal's own record."""
    return ActivityConfig(
        start_to_close_timeout=timedelta(seconds=30),
        schedule_to_close_timeout=timedelta(minutes=2),
        retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=500)),
        summary="ask Temporal",
    )


def _step(task_queue: str, attempt: timedelta, summary: str) -> ActivityConfig:
    return ActivityConfig(
        task_queue=task_queue,
        start_to_close_timeout=attempt,
        schedule_to_start_timeout=PAGE_WITHIN,
        heartbeat_timeout=_HEARTBEAT,
        retry_policy=RetryPolicy(
            initial_interval=timedelta(seconds=1),
            maximum_interval=timedelta(seconds=8),
            maximum_attempts=_TRIES_WHILE_DOWN,
        ),
        cancellation_type=_WAIT,
        summary=summary,
    )
