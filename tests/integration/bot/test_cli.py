"""How does the installed program start, serve, end, and say what is wrong?"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from temporalio.client import Client

from tests.fakes.slack_stub import SlackStub
from tests.integration.bot.slack.bot_on_stub import BUTTON, click_body, command_body
from tests.rigs.dev_server import temporal_server
from tests.rigs.program import dockwarden, free_port
from workflows.model.names import SEARCH_ATTRIBUTES, ActionId

POLICIES = '[[policy]]\nname = "all"\napprovers = ["U0BOB"]\n'


@pytest.fixture(name="environment")
def _environment(slack_stub: SlackStub, tmp_path: Path) -> dict[str, str]:
    """Settings of a bot on the stub of Slack, with a Temporal that is not there."""
    policies = tmp_path / "policies.toml"
    policies.write_text(POLICIES)
    return {
        "DOCKWARDEN_SLACK_BOT_TOKEN": "xoxb-test",
        "DOCKWARDEN_SLACK_APP_TOKEN": "xapp-test",
        "DOCKWARDEN_SLACK_API_URL": f"{slack_stub.url}/api",
        "DOCKWARDEN_SOCKET_PING_SECONDS": "1",
        "DOCKWARDEN_POLICIES": str(policies),
        "DOCKWARDEN_HEALTH_PORT": str(free_port()),
        "TEMPORAL_ADDRESS": f"127.0.0.1:{free_port()}",
    }


@pytest.fixture(scope="module", name="client")
async def _client() -> AsyncIterator[Client]:
    async with temporal_server() as env:
        yield env.client


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

    assert "You hear more here" in slack_stub.acks[0]["payload"]["text"]
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

    # In time, by the bot's own clock: else its first words were that Temporal is slow.
    assert "Not started" in slack_stub.acks[0]["payload"]["text"]
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
    assert "You hear more here" in slack_stub.acks[0]["payload"]["text"]


async def test_a_bot_waits_for_slack(environment: dict[str, str]) -> None:
    """A Slack that is not there yet is waited for, not an error; SIGINT ends the wait well."""
    environment["DOCKWARDEN_SLACK_API_URL"] = f"http://127.0.0.1:{free_port()}/api/"
    async with dockwarden("bot", **environment) as bot:
        await bot.until("waiting for Slack")
        bot.process.send_signal(signal.SIGINT)

        assert await bot.end() == 0


async def test_a_worker_waits_for_temporal_and_serves(
    environment: dict[str, str], client: Client
) -> None:
    """A worker polls as soon as Temporal is there, says so, and ends well at SIGTERM."""
    async with dockwarden("worker", "--serve", "control", **environment) as worker:
        await worker.until("waiting for Temporal")
        assert await _get(environment, "livez") == 200
        assert await _get(environment, "readyz") == 503
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
        # no policy book, or one that cannot be used
        (["bot"], {"DOCKWARDEN_POLICIES": "/nowhere"}, "the policy book /nowhere cannot be read"),
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


async def test_the_check_says_that_all_is_well(
    slack_stub: SlackStub, environment: dict[str, str], client: Client
) -> None:
    """With everything in place each thing has its line, and the status is 0."""
    environment["TEMPORAL_ADDRESS"] = client.service_client.config.target_host
    slack_stub.scopes = "commands,chat:write,im:write,users:read,channels:history,groups:history"
    only = "settings,policies,slack,temporal"
    async with dockwarden("check", "--only", only, **environment) as check:
        assert await check.end() == 0, check.lines

    things = [line.split(":")[0] for line in check.lines]
    assert things == [
        "ok    settings",
        "ok    policies",
        "ok    Slack token",
        "ok    Slack scopes",
        "ok    Socket Mode",
        "ok    Temporal",
        "ok    search attributes",
    ]


async def test_the_check_says_what_to_do(
    slack_stub: SlackStub, environment: dict[str, str]
) -> None:
    """Each thing that is wrong has its line with what to do, and the status is 1."""
    slack_stub.scopes = "commands,chat:write"
    slack_stub.refusals["apps.connections.open"] = "not_allowed_token_type"
    environment["DOCKWARDEN_POLICIES"] = "/nowhere"
    environment["DOCKWARDEN_SLACK_BOT_TOKN"] = "x"
    environment["DOCKWARDEN_DOCKER_HOST"] = "unix:///nowhere.sock"
    async with dockwarden("check", **environment) as check:
        assert await check.end() == 1

    for says in (
        "FAIL  settings: DOCKWARDEN_SLACK_BOT_TOKN is not a setting; did you mean",
        "FAIL  policies: the policy book /nowhere",
        "FAIL  Slack scopes: missing im:write, users:read, channels:history, groups:history",
        "FAIL  Socket Mode: Slack refuses the app-level token",
        "FAIL  Temporal: 127.0.0.1",
        "FAIL  Docker: ",
    ):
        assert check.has(says), (says, check.lines)
    assert not check.has("Traceback")


async def test_the_check_gives_the_command_for_missing_attributes(
    environment: dict[str, str],
) -> None:
    """A Temporal without our search attributes gets the command that makes them."""
    async with temporal_server(search_attributes=()) as env:
        environment["TEMPORAL_ADDRESS"] = env.client.service_client.config.target_host
        async with dockwarden("check", "--only", "temporal", **environment) as check:
            assert await check.end() == 1

    line = next(line for line in check.lines if line.startswith("FAIL  search attributes"))
    assert "temporal operator search-attribute create --namespace default" in line
    assert all(f"--name {key.name} --type Keyword" in line for key in SEARCH_ATTRIBUTES)


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
    url = f"http://127.0.0.1:{environment['DOCKWARDEN_HEALTH_PORT']}/{path}"
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        return response.status
