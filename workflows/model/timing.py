"""How long may each part of the work take, and do the limits fit into each other?

All numbers are seconds. An HTTP call to the engine must end before the activity around it does,
or Temporal starts a second attempt while the first is still at work; ``check`` proves that, and
it is called whenever settings load.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

#: What people can ask for at least; a container of its own may say 0, and is killed at once.
MIN_GRACE_SECONDS = 1
MAX_GRACE_SECONDS = 600
DEFAULT_GRACE_SECONDS = 10
#: What a workflow task may take before another worker gets it: a killed one is noticed by this.
WORKFLOW_TASK_SECONDS = 5
#: What the engine may need beyond the grace: it kills, waits 10 s, then 2 s more.
ENGINE_KILL_SECONDS = 12
#: A worker asks Temporal for work anew every minute at the latest; one that has not for so long is
#: gone, though the server lists it for longer.
WORKER_GONE_SECONDS = 75


def aware(moment: datetime) -> datetime:
    """Take a time without a zone as UTC: somebody wrote it by hand, and it must be comparable."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """The limits of the Docker side, in seconds; ``…_http`` is what one call may take.

    Attributes:
        inspect_http: any call that only reads.
        stop_margin: what a stop may take beyond its grace; docker-py adds the grace itself.
        stop_extra: what the stop activity may take beyond its HTTP call, to look before and after.
        commit_http: a commit, which copies all that the container has written.
        commit_settle: how long a commit that nobody heard of may still be at work.
        commit_extra: what the snapshot activity may take beyond both, to look and to tag.
        tag_http: a tag, or the removal of an image.
        start_http: a start, a pause or an unpause.
        settle_margin: what the engine needs beyond the grace to end a stop that was given up.
        verify_running: how long a started container must stay up to be called running.
        verify_health: how long its health check is waited for.
        heartbeat_interval: between two heartbeats of an activity.
        heartbeat_timeout: without one for so long, the activity's worker is taken for dead.
        size_kept: for how long a request believes what another one measured of a container.
        size_kept_at_stop: for how long a stop does, whose snapshot is to be of that size.
    """

    inspect_http: int = 5
    stop_margin: int = 15
    stop_extra: int = 45
    commit_http: int = 600
    commit_settle: int = 30
    commit_extra: int = 75
    tag_http: int = 10
    start_http: int = 30
    settle_margin: int = 3
    verify_running: int = 5
    verify_health: int = 120
    heartbeat_interval: int = 3
    heartbeat_timeout: int = 10
    size_kept: int = 60
    size_kept_at_stop: int = 10

    def look_attempt(self) -> int:
        """How long one attempt of an inspection may take.

        It asks the engine eight things, and then looks at others for as long as one may take.
        """
        return 10 * self.inspect_http

    def stop_http(self, grace: int) -> int:
        """How long the HTTP call of a stop may take."""
        return grace + self.stop_margin

    def stop_attempt(self, grace: int) -> int:
        """How long one attempt of the stop activity may take."""
        return grace + self.stop_margin + self.stop_extra

    def commit_attempt(self) -> int:
        """How long one attempt of the commit activity may take."""
        return self.commit_http + self.commit_settle + self.commit_extra

    def settle(self, grace: int) -> int:
        """How long a stop that was sent may still be at work in the engine."""
        return grace + self.settle_margin

    def start_attempt(self, grace: int) -> int:
        """How long one attempt to bring a container up, or back, may take."""
        return (
            self.settle(grace)
            + self.start_http
            + self.verify_running
            + self.verify_health
            + 5 * self.inspect_http
        )

    def check(self) -> None:
        """Prove that the limits fit into each other.

        Raises:
            ValueError: one does not; the message names it.
        """
        rules = {
            "a heartbeat must be missed three times before it times out": (
                self.heartbeat_timeout >= 3 * self.heartbeat_interval
            ),
            "the engine needs time beyond the grace to kill a container": (
                self.stop_margin >= ENGINE_KILL_SECONDS
            ),
            "the HTTP call of a stop must end before its activity": all(
                self.stop_http(grace) + 8 * self.inspect_http < self.stop_attempt(grace)
                for grace in (0, MAX_GRACE_SECONDS)
            ),
            "the HTTP call of a commit must end before its activity": (
                self.commit_http + self.commit_settle + self.tag_http + 10 * self.inspect_http
                < self.commit_attempt()
            ),
            "the undo of a start, which waits for it and then stops, must end in its activity": all(
                self.start_http + self.stop_http(grace) + 5 * self.inspect_http
                < self.start_attempt(grace)
                for grace in (0, MAX_GRACE_SECONDS)
            ),
        }
        broken = [rule for rule, holds in rules.items() if not holds]
        if broken:
            message = "time-outs do not fit into each other: " + "; ".join(broken)
            raise ValueError(message)


TIMING = Timing()
