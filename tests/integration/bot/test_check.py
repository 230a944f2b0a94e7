"""Does ``dockwarden check`` say of each thing what it is, or what is to do?"""

from __future__ import annotations

from datetime import timedelta

from temporalio.api.namespace.v1 import NamespaceConfig
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest, UpdateNamespaceRequest
from temporalio.client import Client

from tests.fakes.slack_stub import SlackStub
from tests.rigs.dev_server import temporal_server
from tests.rigs.program import dockwarden
from tests.rigs.waiting import eventually
from workflows.model.names import SEARCH_ATTRIBUTES

_HISTORIES = ("channels:history", "groups:history", "im:history")


async def test_the_check_says_that_all_is_well(
    slack_stub: SlackStub, environment: dict[str, str], client: Client
) -> None:
    """With everything in place each thing has its line, and the status is 0."""
    await _keep(client, days=30)
    environment["TEMPORAL_ADDRESS"] = client.service_client.config.target_host
    scopes = ("commands", "chat:write", "im:write", "users:read", *_HISTORIES)
    slack_stub.scopes = ",".join(scopes)
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
        "ok    records",
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
        f"FAIL  Slack scopes: missing im:write, users:read, {', '.join(_HISTORIES)}",
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


async def test_the_check_says_how_long_records_are_kept(
    environment: dict[str, str], client: Client
) -> None:
    """A Temporal that forgets too soon is told with what ends then, and with the command."""
    await _keep(client, days=1)
    environment["TEMPORAL_ADDRESS"] = client.service_client.config.target_host
    async with dockwarden("check", "--only", "temporal", **environment) as check:
        assert await check.end() == 1
    assert check.has(
        "FAIL  records: kept for 1 day: `requests recent`, `status` and Request again end there; "
        "run: temporal operator namespace update --namespace default --retention 30d"
    )


async def test_the_check_misses_a_namespace(environment: dict[str, str], client: Client) -> None:
    """A namespace that is not there is the one line about Temporal, with the command."""
    environment["TEMPORAL_ADDRESS"] = client.service_client.config.target_host
    environment["TEMPORAL_NAMESPACE"] = "nope"
    async with dockwarden("check", "--only", "temporal", **environment) as check:
        assert await check.end() == 1
    (line,) = [line for line in check.lines if line.strip()]
    assert line.startswith("FAIL  Temporal: ")
    assert "has no namespace nope" in line
    assert "temporal operator namespace create --namespace nope --retention 30d" in line


async def test_the_check_knows_swapped_tokens(
    slack_stub: SlackStub, environment: dict[str, str]
) -> None:
    """Tokens that are in each other's place are told by name, and sent nowhere."""
    bot, app = "DOCKWARDEN_SLACK_BOT_TOKEN", "DOCKWARDEN_SLACK_APP_TOKEN"
    environment |= {bot: environment[app], app: environment[bot]}
    async with dockwarden("check", "--only", "slack", **environment) as check:
        assert await check.end() == 1
    assert check.has("FAIL  Slack token: DOCKWARDEN_SLACK_BOT_TOKEN begins with xapp-")
    assert check.has("FAIL  Socket Mode: DOCKWARDEN_SLACK_APP_TOKEN begins with xoxb-")
    assert slack_stub.calls == []


async def _keep(client: Client, *, days: int) -> None:
    """Have Temporal keep what is over for so many days."""
    config = NamespaceConfig()
    config.workflow_execution_retention_ttl.FromTimedelta(timedelta(days=days))
    await client.workflow_service.update_namespace(
        UpdateNamespaceRequest(namespace=client.namespace, config=config)
    )

    async def told() -> bool:
        asked = DescribeNamespaceRequest(namespace=client.namespace)
        answer = await client.workflow_service.describe_namespace(asked)
        return answer.config.workflow_execution_retention_ttl.ToTimedelta().days == days

    await eventually(told)
