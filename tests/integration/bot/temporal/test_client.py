"""Is every call to Temporal bounded, and is it said plainly why one failed?"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from bot.settings import ConfigurationError
from bot.temporal import client as temporal
from bot.temporal.client import BUDGET, SHORT
from bot.temporal.errors import (
    TemporalCall,
    TemporalMisconfiguredError,
    TemporalUnavailableError,
)
from bot.temporal.requests import RequestClient
from tests.integration.bot.temporal import HANGS
from tests.rigs.dev_server import temporal_server
from tests.rigs.program import free_port
from tests.rigs.waiting import eventually
from tests.rigs.workers import Workers
from workflows.model.names import RequestAddress
from workflows.model.requests import Decision


async def _decide(requests: RequestClient, host: str, container: str, decision: Decision) -> None:
    """Decide as a button does, which knows the address of its request."""
    address = RequestAddress(request_id=decision.request_id, host=host, container=container)
    await requests.decide(address, decision)


def test_the_budgets_fit_into_slacks_three_seconds() -> None:
    """A call, and a question that nobody answers, end while Slack still waits."""
    assert (BUDGET + SHORT).total_seconds() < 3


@pytest.mark.fault
async def test_missing_search_attributes_are_named(workers: Workers) -> None:
    """A server without our search attributes refuses clearly, and starts nothing."""
    async with temporal_server(search_attributes=()) as bare:
        with pytest.raises(TemporalMisconfiguredError, match="search attribute"):
            await RequestClient(bare.client).start(workers.request())


@pytest.mark.fault
async def test_temporal_down_from_the_start(
    workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bot that never reached Temporal says so within its budget."""
    monkeypatch.setenv("TEMPORAL_ADDRESS", f"127.0.0.1:{free_port()}")
    requests = RequestClient(await temporal.connect_lazily())
    decision = workers.under_test(workers.request()).decision("UBOB")
    before = time.monotonic()

    with pytest.raises(TemporalUnavailableError) as down:
        await _decide(requests, "local", "web-1", decision)

    assert down.value.call is TemporalCall.DECIDE
    assert time.monotonic() - before < HANGS


@pytest.mark.fault
async def test_temporal_silent(workers: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that takes the call and never answers is not waited for."""
    writers: list[asyncio.StreamWriter] = []

    async def swallow(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)

    server = await asyncio.start_server(swallow, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    monkeypatch.setenv("TEMPORAL_ADDRESS", f"127.0.0.1:{port}")
    requests = RequestClient(await temporal.connect_lazily())
    before = time.monotonic()

    with pytest.raises(TemporalUnavailableError) as silent:
        await requests.start(workers.request())

    assert writers
    assert silent.value.maybe_done
    assert time.monotonic() - before < HANGS
    server.close()
    for writer in writers:
        writer.close()
        await writer.wait_closed()


@pytest.mark.fault
async def test_temporal_dies_and_comes_back(
    workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A click during an outage is refused in time; the same click counts after it."""
    port = free_port()
    monkeypatch.setenv("TEMPORAL_ADDRESS", f"127.0.0.1:{port}")
    requests = RequestClient(await temporal.connect_lazily())
    request = workers.request()
    async with temporal_server(port=port):
        await requests.start(request)
    before = time.monotonic()

    with pytest.raises(TemporalUnavailableError):
        await requests.start(request)

    assert time.monotonic() - before < HANGS
    async with temporal_server(port=port):

        async def accepted() -> bool:
            try:
                await requests.start(request)
            except TemporalUnavailableError:
                return False
            return True

        await eventually(accepted)


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({"TEMPORAL_CONFIG_FILE": "bad.toml"}, "(TEMPORAL_CONFIG_FILE) is not TOML, see line 1"),
        ({"TEMPORAL_PROFILE": "s3cret"}, "TEMPORAL_PROFILE names no profile"),
        (
            {"TEMPORAL_TLS": "true", "TEMPORAL_TLS_CLIENT_CERT_PATH": "/nowhere"},
            "/nowhere cannot be read (FileNotFoundError)",
        ),
        (
            {"TEMPORAL_TLS_CLIENT_CERT_DATA": "s3cret", "TEMPORAL_TLS_CLIENT_CERT_PATH": "/x"},
            "TEMPORAL_TLS_CLIENT_CERT_PATH and TEMPORAL_TLS_CLIENT_CERT_DATA are both set",
        ),
    ],
)
def test_what_is_wrong_with_the_connection_is_told_without_what_it_holds(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variables: dict[str, str], says: str
) -> None:
    """The library shows the line of the file that it cannot read, with the key in it."""
    monkeypatch.chdir(tmp_path)
    Path("bad.toml").write_text('x = [api_key = "s3cret"')
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(ConfigurationError) as refused:
        temporal.connection()

    assert says in str(refused.value)
    assert "s3cret" not in str(refused.value)
