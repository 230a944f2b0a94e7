"""A look is not answered in time: is the part that is named the one that did not answer?"""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from bot.temporal.errors import LookUnansweredError, Silent
from bot.temporal.requests import RequestClient
from tests.rigs.dev_server import temporal_server
from tests.rigs.workers import Workers

pytestmark = pytest.mark.fault


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.temporal.looks.LOOK", timedelta(seconds=2))


async def _silent(requests: RequestClient, host: str, name: str = "") -> Silent:
    """Look at a host that does not answer."""
    with pytest.raises(LookUnansweredError) as unanswered:
        await requests.look(host, name)
    assert unanswered.value.host == host
    return unanswered.value.silent


@pytest.mark.parametrize(
    ("name", "gate"), [("", "list_containers"), ("web-1", "inspect_container")]
)
async def test_an_engine_that_hangs_is_named(
    requests: RequestClient, workers: Workers, name: str, gate: str
) -> None:
    """Where a worker is at the question no worker is called missing."""
    workers.docker.gates[gate] = threading.Event()

    assert await _silent(requests, workers.docker.name, name) is Silent.ENGINE


async def test_a_host_that_nobody_serves_is_named(
    requests: RequestClient, workers: Workers
) -> None:
    """Where the question waits, and nobody has asked for work of that host."""
    assert await _silent(requests, f"not-{workers.docker.name}") is Silent.HOST


async def test_a_worker_of_a_host_that_has_just_ended_may_be_busy(
    requests: RequestClient, workers: Workers
) -> None:
    """Temporal cannot tell the two apart for a minute, so both are said."""
    await requests.look(workers.docker.name)
    await workers.stop_docker()

    assert await _silent(requests, workers.docker.name) is Silent.BUSY_HOST


async def test_a_worker_of_requests_that_has_just_ended_may_be_busy(
    requests: RequestClient, workers: Workers
) -> None:
    """The same holds for the worker that takes up every question."""
    await requests.look(workers.docker.name)
    await workers.stop_control()

    assert await _silent(requests, workers.docker.name) is Silent.BUSY


async def test_no_worker_at_all_is_named() -> None:
    """Where nobody has ever asked for work."""
    async with temporal_server() as env:
        assert await _silent(RequestClient(env.client), "local") is Silent.WORKER
