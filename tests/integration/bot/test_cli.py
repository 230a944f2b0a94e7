"""How does the installed program start, serve, end, and say what is wrong?"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from temporalio.client import Client

from tests.fakes.slack_stub import SlackStub
from tests.integration.bot.slack.bot_on_stub import BUTTON, click_body, command_body
from tests.rigs.dev_server import temporal_server
from tests.rigs.program import dockwarden, free_port
from tests.rigs.waiting import eventually
from workflows.model.names import ActionId


async def test_a_bot_serves_drains_and_ends(
    slack_stub: SlackStub, environment: dict[str, str], client: Client
) -> None:
    """A bot says once that it is ready, starts what is asked for, and ends well at SIGTERM."""
    environment["TEMPORAL_ADDRESS"] = client.service_client.config.target_host
    async with dockwarden("bot", **environment) as bot:
        await bot.until(" ready role=bot")
        assert await _get(environment, "livez") == 200
        assert await _get(environment, "readyz") == 200
        await slack_stub.until(lambda: slack_stub.live_sockets() == 2)
        await slack_stub.deliver("e1", "slash_commands", command_body("stop web-1", slack_stub))
        await slack_stub.until(lambda: len(slack_stub.acks) == 2)
        bot.process.send_signal(signal.SIGTERM)

        assert await bot.end() == 0

    assert "payload" not in slack_stub.acks[0], "the card is the answer"
    description = await client.get_workflow_handle("request/local/web-1").describe()
    assert description.workflow_type == "ContainerLifecycleWorkflow"
    assert sum("ready role=bot" in line for line in bot.lines) == 1
    assert bot.has("draining signal=SIGTERM")
    assert not bot.has("xoxb-")
    assert not bot.has("stop web-1"), "what people typed is not logged"


@pytest.mark.fault
async def test_a_bot_without_temporal_answers_within_three_seconds(
    slack_stub: SlackStub, environment: dict[str, str]
) -> None:
    """With Temporal down a command and a click are refused in words, in time."""
    async with dockwarden("bot", **environment) as bot:
        await bot.until(" ready role=bot")
        assert bot.has("Temporal does not answer")
        await slack_stub.until(lambda: slack_stub.live_sockets() == 2)
        await slack_stub.deliver("e1", "slash_commands", command_body("stop web-1", slack_stub))
        await slack_stub.until(lambda: slack_stub.acks, 20)
        body = click_body(ActionId.APPROVE, BUTTON, slack_stub)
        await slack_stub.deliver("e2", "interactive", body)
        await slack_stub.until(lambda: slack_stub.responses, 20)

    # In time, by the bot's own clock: else its first words were that it takes longer.
    assert "not started" in slack_stub.acks[0]["payload"]["text"]
    assert "Not recorded" in slack_stub.responses[0]["text"]


@pytest.mark.fault
async def test_a_killed_bot_leaves_no_silent_loss(
    slack_stub: SlackStub, environment: dict[str, str], client: Client
) -> None:
    """A bot that dies before Temporal accepted has acknowledged nothing; Slack tells the person."""
    async with _mute_server() as (address, connected):
        environment["TEMPORAL_ADDRESS"] = address
        async with dockwarden("bot", **environment) as bot:
            await bot.until(" ready role=bot")
            await slack_stub.until(lambda: slack_stub.live_sockets() == 2)
            await slack_stub.deliver("e1", "slash_commands", command_body("stop web-9", slack_stub))
            await asyncio.wait_for(connected.wait(), 10)
            bot.process.kill()
            assert await bot.end() == -signal.SIGKILL

    assert slack_stub.acks == []
    environment["TEMPORAL_ADDRESS"] = client.service_client.config.target_host
    async with dockwarden("bot", **environment) as bot:
        await bot.until(" ready role=bot")
        await slack_stub.until(lambda: slack_stub.live_sockets() == 2)
        await slack_stub.deliver("e2", "slash_commands", command_body("stop web-9", slack_stub))
        await slack_stub.until(lambda: slack_stub.acks)
    assert "payload" not in slack_stub.acks[0], "the card is the answer"


async def test_a_bot_waits_for_slack(environment: dict[str, str]) -> None:
    """A Slack that is not there yet is waited for, not an error; SIGINT ends the wait well."""
    environment["DOCKWARDEN_SLACK_API_URL"] = f"http://127.0.0.1:{free_port()}/api/"
    async with dockwarden("bot", **environment) as bot:
        await bot.until("waiting for Slack")
        bot.process.send_signal(signal.SIGINT)

        assert await bot.end() == 0


async def test_a_bot_waits_for_a_slack_with_troubles(
    slack_stub: SlackStub, environment: dict[str, str]
) -> None:
    """A Slack that fails by itself refuses no token: the bot waits, says so, and is not ready."""
    slack_stub.refusals["auth.test"] = "internal_error"
    async with dockwarden("bot", **environment) as bot:
        await bot.until("waiting for Slack; next try in 1 s address=")
        assert await _get(environment, "livez") == 200
        assert await _read(environment, "readyz") == (503, "slack: not connected\n")
        slack_stub.refusals.clear()
        await bot.until(" ready role=bot")
        assert await _read(environment, "readyz") == (200, "ready\n")


@pytest.mark.fault
async def test_a_worker_whose_temporal_goes_says_so_once(environment: dict[str, str]) -> None:
    """It is not ready meanwhile, goes on by itself, and the log stays readable."""
    port = free_port()
    environment["TEMPORAL_ADDRESS"] = f"127.0.0.1:{port}"
    async with dockwarden("worker", "--serve", "control", **environment) as worker:
        async with temporal_server(port=port):
            await worker.until(" ready role=worker")
            began = len(worker.lines)
        await worker.until("Temporal does not answer; nothing is begun until it does", 40)
        assert await _read(environment, "readyz") == (503, "temporal: no answer\n")
        async with temporal_server(port=port):
            await eventually(lambda: _is_ready(environment), within=40)
        assert sum("Temporal does not answer" in line for line in worker.lines[began:]) == 1
    assert not worker.has("tonic")
    assert not worker.has("Traceback")


async def _is_ready(environment: dict[str, str]) -> bool:
    return await _get(environment, "readyz") == 200


async def test_a_worker_whose_token_is_refused_is_not_ready(
    slack_stub: SlackStub, environment: dict[str, str], client: Client
) -> None:
    """A control worker serves on, for what needs no Slack, and says what is wrong."""
    slack_stub.refusals["auth.test"] = "invalid_auth"
    environment["TEMPORAL_ADDRESS"] = client.service_client.config.target_host
    async with dockwarden("worker", "--serve", "control", **environment) as worker:
        await worker.until("Slack refuses the bot token")
        await worker.until(" ready role=worker")
        assert await _read(environment, "readyz") == (503, "slack: invalid_auth\n")
        assert await _get(environment, "livez") == 200
    assert not worker.has("Traceback")


async def test_a_worker_without_its_engine_is_not_ready(
    environment: dict[str, str], client: Client
) -> None:
    """A docker worker says in its log and at ``/readyz`` that its engine does not answer."""
    environment["TEMPORAL_ADDRESS"] = client.service_client.config.target_host
    environment["DOCKWARDEN_DOCKER_HOST"] = "unix:///nope.sock"
    async with dockwarden("worker", "--serve", "docker", "--host", "edge", **environment) as worker:
        line = await worker.until("does not answer; requests for edge are refused until it does")
        assert " warning " in line
        assert "address=unix:///nope.sock" in line
        await eventually(lambda: _is_told(environment, "engine: no answer"))
    assert not worker.has(" ready role=worker"), "it serves nothing yet"
    assert not worker.has("Traceback")


async def _is_told(environment: dict[str, str], wrong: str) -> bool:
    return await _read(environment, "readyz") == (503, f"{wrong}\n")


async def test_a_worker_waits_for_temporal_and_serves(
    environment: dict[str, str], client: Client
) -> None:
    """A worker polls as soon as Temporal is there, says so, and ends well at SIGTERM."""
    async with dockwarden("worker", "--serve", "control", **environment) as worker:
        line = await worker.until("waiting for Temporal; next try in 2 s")
        assert line.endswith(f" address={environment['TEMPORAL_ADDRESS']}\n")
        assert await _get(environment, "livez") == 200
        assert await _read(environment, "readyz") == (503, "waiting for Temporal\n")
        worker.process.send_signal(signal.SIGTERM)
        assert await worker.end() == 0

    environment["TEMPORAL_ADDRESS"] = client.service_client.config.target_host
    async with dockwarden("worker", "--serve", "control", **environment) as worker:
        await worker.until(" ready role=worker serve=control host=local")
        assert await _get(environment, "readyz") == 200
        worker.process.send_signal(signal.SIGTERM)
        assert await worker.end() == 0


@pytest.mark.parametrize(
    ("arguments", "changes", "says"),
    [
        # nothing is set
        (["bot"], {"DOCKWARDEN_SLACK_BOT_TOKEN": ""}, "DOCKWARDEN_SLACK_BOT_TOKEN is missing"),
        (["worker"], {"DOCKWARDEN_SLACK_BOT_TOKEN": ""}, "DOCKWARDEN_SLACK_BOT_TOKEN is missing"),
        # http mode without a signing secret fails at the start, not per call
        (["bot"], {"DOCKWARDEN_SLACK_MODE": "http"}, "DOCKWARDEN_SLACK_SIGNING_SECRET is missing"),
        # a value that cannot be
        (["bot"], {"DOCKWARDEN_HTTP_PORT": "x"}, "DOCKWARDEN_HTTP_PORT: "),
        # Temporal's own configuration is broken
        (["bot"], {"TEMPORAL_CONFIG_FILE": "/dev/stdin", "TEMPORAL_PROFILE": "x"}, "Temporal"),
        # an unknown word on the command line
        (["worker", "--serve", "kubernetes"], {}, "is not one of control, docker"),
        (["worker", "--host", "UP"], {}, "is no host name"),
        (["check", "--only", "moon"], {}, "is not one of settings, policies"),
        ([], {}, "COMMAND"),
    ],
)
async def test_a_bad_set_up_ends_with_status_2(
    environment: dict[str, str], arguments: list[str], changes: dict[str, str], says: str
) -> None:
    """What is set up wrongly is told in one line each, without a trace or a secret."""
    async with dockwarden(*arguments, **{**environment, **changes}) as program:
        assert await program.end() == 2

    assert program.has(says), program.lines
    assert not program.has("Traceback")
    assert not program.has("xoxb-test")


@pytest.mark.parametrize(
    ("method", "says"),
    [
        ("auth.test", "DOCKWARDEN_SLACK_BOT_TOKEN"),
        ("apps.connections.open", "DOCKWARDEN_SLACK_APP_TOKEN"),
    ],
)
async def test_a_refused_token_ends_with_status_2(
    slack_stub: SlackStub, environment: dict[str, str], method: str, says: str
) -> None:
    """A token that Slack refuses is named by its variable."""
    slack_stub.refusals[method] = "invalid_auth"
    async with dockwarden("bot", **environment) as program:
        assert await program.end() == 2

    assert slack_stub.count(method) == 1
    assert program.has(says)
    assert not program.has("Traceback")


async def test_the_version_is_printed() -> None:
    """The version needs no settings."""
    async with dockwarden("version") as program:
        assert await program.end() == 0

    assert program.lines[0].startswith("dockwarden 0.")


@asynccontextmanager
async def _mute_server() -> AsyncIterator[tuple[str, asyncio.Event]]:
    """Take connections and never answer; the event says that a second one came.

    The first is the bot's own, from its start.
    """
    connected = asyncio.Event()
    writers: list[asyncio.StreamWriter] = []

    async def swallow(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        if len(writers) > 1:
            connected.set()

    server = await asyncio.start_server(swallow, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    yield f"{host}:{port}", connected
    server.close()
    for writer in writers:
        writer.close()


async def _get(environment: dict[str, str], path: str) -> int:
    return (await _read(environment, path))[0]


async def _read(environment: dict[str, str], path: str) -> tuple[int, str]:
    url = f"http://127.0.0.1:{environment['DOCKWARDEN_HEALTH_PORT']}/{path}"
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        return response.status, await response.text()
