"""What time does to a request: reminders, expiry, and tries that go on. Time is skipped."""

from __future__ import annotations

import pytest

from tests.fakes.fake_docker import failure
from tests.rigs.workers import Workers
from workflows.model.errors import ErrorType
from workflows.model.requests import ContainerState
from workflows.model.state import RequestStatus


async def test_unanswered_request_reminds_once_and_expires(skipping_workers: Workers) -> None:
    """Half-way the approvers are reminded; at the end the request expires untouched."""
    under_test = await skipping_workers.start(
        skipping_workers.request(expires_after_seconds=4 * 3600)
    )

    state = await under_test.result()

    assert state.status is RequestStatus.EXPIRED
    assert skipping_workers.docker.calls == ["inspect_container"]
    assert [entry.key for entry in skipping_workers.slack.thread] == ["reminder", "outcome"]
    assert state.finished_at is not None
    assert state.expires_at is not None
    assert state.finished_at >= state.expires_at


@pytest.mark.parametrize("failures", [3, 7])
async def test_failed_compensation_pages_once_and_goes_on(
    skipping_workers: Workers, failures: int
) -> None:
    """Failures page the channel once; the tries go on, and success is told when it comes."""
    skipping_workers.docker.faults["ensure_snapshot"] = [failure(ErrorType.DISK_FULL)]
    skipping_workers.docker.faults["ensure_running"] = [
        failure(ErrorType.PORT_BUSY) for _ in range(failures)
    ]
    under_test = await skipping_workers.approved()

    state = await under_test.result()

    assert skipping_workers.docker.fired.count("ensure_running") == failures
    assert state.status is RequestStatus.PUT_BACK
    assert state.attempts == failures
    assert [e.key for e in skipping_workers.slack.thread].count("page") == 1
    statuses = [drawn.status for drawn in skipping_workers.slack.drawn]
    assert RequestStatus.NEEDS_PERSON in statuses
    assert statuses[-1] is RequestStatus.PUT_BACK
    assert skipping_workers.docker.state is ContainerState.RUNNING


async def test_a_call_for_help_that_is_refused_is_made_again_less_and_less_often(
    skipping_workers: Workers,
) -> None:
    """Whoever is away for hours must not fill the history: it ends at 50,000 events."""
    docker, slack = skipping_workers.docker, skipping_workers.slack
    docker.faults["ensure_snapshot"] = [failure(ErrorType.DISK_FULL)]
    docker.faults["ensure_running"] = [failure(ErrorType.PORT_BUSY) for _ in range(10)]
    under_test = await skipping_workers.start(skipping_workers.request())
    await under_test.until(RequestStatus.WAITING)
    slack.publish_faults = [failure(ErrorType.SLACK_REFUSED) for _ in range(500)]

    await under_test.decide("UBOB")
    state = await under_test.result()
    refused = 500 - len(slack.publish_faults)
    slack.publish_faults.clear()

    assert (state.status, state.attempts) == (RequestStatus.PUT_BACK, 10)
    assert 5 <= refused <= 25
