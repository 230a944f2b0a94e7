"""Does ``dockwarden check`` say of each thing what it is, or what is to do?"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio import activity
from temporalio.api.namespace.v1 import NamespaceConfig
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest, UpdateNamespaceRequest
from temporalio.client import Client
from temporalio.worker import Worker

from activities.policies.book import load
from activities.temporal.hosts import Hosts
from bot.slack.approvers import MAX_LOOK_UPS
from bot.temporal.hosts import Hosts as BotHosts
from bot.temporal.presence import control_books
from tests.fakes.slack_stub import SlackStub
from tests.rigs.dev_server import temporal_server
from tests.rigs.program import dockwarden
from tests.rigs.waiting import eventually
from workflows.last_word import LastWordWorkflow
from workflows.model.hosts import Announcement, poller_identity
from workflows.model.names import CONTROL_TASK_QUEUE, SEARCH_ATTRIBUTES, docker_task_queue
from workflows.sandbox import workflow_runner

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
        "ok    approvers",
        "ok    Socket Mode",
        "ok    Temporal",
        "ok    records",
        "ok    search attributes",
        "ok    policy books",
        "ok    hosts",
        "ok    seal key",
    ]
    assert check.has("seal key: not set: whoever can write to Temporal's namespace can do with")
    assert check.has("; none covers start, restart: nobody can ask for that unless a policy names")
    assert check.has("approvers: all 1 people and groups are there and can decide")
    assert check.has("hosts: none has announced itself yet; each docker worker does so")


async def test_the_check_tells_of_a_rule_that_is_overtaken(
    environment: dict[str, str], tmp_path: Path
) -> None:
    """Whoever lets people start containers sees which of the stricter rules say nothing of it."""
    (tmp_path / "policies.toml").write_text(
        '[[policy]]\nname = "strict"\ncontainers = ["db-*"]\napprovers = ["S0A"]\n'
        '[[policy]]\nname = "rest"\noperations = ["*"]\napprovers = ["U0B"]\n'
    )
    async with dockwarden("check", "--only", "policies", **environment) as check:
        assert await check.end() == 0, check.lines

    assert check.has("ok    policies: 2 in ")
    assert check.has("'strict' names no operations, so a policy below it decides about start, res")
    assert not check.has("none covers")


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


async def test_the_check_finds_approvers_who_decide_nothing(
    slack_stub: SlackStub, environment: dict[str, str], tmp_path: Path
) -> None:
    """Each person and each group that is of no use has its line, with the policies to mend."""
    people = ("U0GONE", "U0LEFT", "U0GUEST", "U0APP", "U0FAR", "U0BOB")
    groups = ("S0NONE", "S0EMPTY", "S0LEFT", "S0GOOD")
    (tmp_path / "policies.toml").write_text(
        f'[[policy]]\nname = "one"\napprovers = {list(people)}\n'
        f'[[policy]]\nname = "two"\napprovers = ["U0LEFT"]\napprover_groups = {list(groups)}\n'
    )
    slack_stub.people = {
        "U0GONE": {"missing": True},
        "U0LEFT": {"deleted": True},
        "U0GUEST": {"is_ultra_restricted": True},
        "U0APP": {"is_bot": True},
        "U0FAR": {"is_stranger": True},
    }
    slack_stub.groups = {"S0EMPTY": [], "S0LEFT": ["U0LEFT", "U0APP"], "S0GOOD": ["U0LEFT", "U1"]}
    slack_stub.limited = {"users.info": 1, "usergroups.users.list": 1}
    async with dockwarden("check", "--only", "slack", **environment) as check:
        assert await check.end() == 1

    told = [line.rstrip() for line in check.lines if "approvers:" in line]
    nobody = "has no member who could decide: all are deactivated, guests or apps"
    assert told == [
        "FAIL  approvers: U0APP is an app: mend the policy 'one'",
        "FAIL  approvers: U0FAR is of another workspace: mend the policy 'one'",
        "FAIL  approvers: U0GONE is no account of this workspace: mend the policy 'one'",
        "FAIL  approvers: U0GUEST is a guest: mend the policy 'one'",
        "FAIL  approvers: U0LEFT is deactivated: mend the policies 'one', 'two'",
        "FAIL  approvers: S0EMPTY has no members: mend the policy 'two'",
        f"FAIL  approvers: S0LEFT {nobody}: mend the policy 'two'",
        "FAIL  approvers: S0NONE is not there, or disabled: mend the policy 'two'",
    ]
    assert slack_stub.count("users.info") == len({*people, "U1"}) + 1, "each once, but for a wait"


async def test_the_check_looks_up_no_more_than_it_should(
    slack_stub: SlackStub, environment: dict[str, str], tmp_path: Path
) -> None:
    """A book that names very many people is looked at in part, and that is said."""
    people = [f"U{number:06}" for number in range(MAX_LOOK_UPS + 50)]
    book = f'[[policy]]\nname = "all"\napprovers = {people}\n'
    (tmp_path / "policies.toml").write_text(book)
    async with dockwarden("check", "--only", "slack", **environment) as check:
        assert await check.end(40) == 0
    assert check.has(f"ok    approvers: {MAX_LOOK_UPS} of them are there and can decide")
    most = f"{MAX_LOOK_UPS} accounts are looked up at most"
    assert check.has(f"ok    approvers: 50 were not looked at: {most}")
    assert slack_stub.count("users.info") == MAX_LOOK_UPS


@pytest.mark.parametrize(
    ("refused", "limited", "why"),
    [
        ("missing_scope", 0, "Slack refuses users.info (missing_scope)"),
        ("internal_error", 0, "Slack has troubles"),
        ("", 1000, "Slack lets us ask no more now"),
    ],
)
async def test_the_check_says_that_slack_does_not_tell(
    slack_stub: SlackStub, environment: dict[str, str], refused: str, limited: int, why: str
) -> None:
    """What Slack does not tell says nothing against an approver."""
    slack_stub.refusals = {"users.info": refused} if refused else {}
    slack_stub.limited, slack_stub.retry_after = {"users.info": limited}, 61
    async with dockwarden("check", "--only", "slack", **environment) as check:
        assert await check.end(100) == 0
    assert check.has(f"ok    approvers: 1 were not looked at: {why}")


async def test_the_check_lists_hosts_and_who_serves_them(
    environment: dict[str, str], client: Client, tmp_path: Path
) -> None:
    """A host that nobody serves is told; it is wrong only where commands mean it."""
    await _keep(client, days=30)
    environment["TEMPORAL_ADDRESS"] = client.service_client.config.target_host
    slip = '[[policy]]\nname = "slip"\nhosts = ["egde", "f*", "zoo-?"]\napprovers = ["U0BOB"]\n'
    (tmp_path / "policies.toml").write_text(slip)
    for host in ("edge", "far"):
        told = Announcement(host=host, engine_id=f"E-{host}", engine_version="24", version="1")
        await Hosts(client).claim(told)
    look: list[Callable[..., object]] = [_look]
    queue = docker_task_queue("edge")
    async with Worker(client, task_queue=queue, activities=look, identity="7@a E-edge"):

        async def is_told() -> bool:
            standings = await BotHosts(client).standings(default="edge")
            return len(standings) > 1 and bool(standings[0].workers)

        await eventually(is_told)
        environment["DOCKWARDEN_DEFAULT_HOST"] = "edge"
        async with dockwarden("check", "--only", "temporal", **environment) as check:
            assert await check.end() == 0
        assert check.has("ok    host edge: engine E-edge (24), Dockwarden 1; served by 1 worker")
        assert check.has("(7@a)")
        assert check.has("ok    host far: engine E-far (24), Dockwarden 1; no worker serves it")
        assert check.has("--workflow-id engine/E-far")
        unfit = "in the policy 'slip' fits none that is known"
        assert check.has(f"ok    hosts: 'egde' {unfit}; did you mean edge?")
        assert check.has(f"ok    hosts: 'zoo-?' {unfit}\n")
        assert not check.has("'f*'")
        environment["DOCKWARDEN_SEAL_KEY"] = "k" * 32
        for default, says in (("far", "engine E-far"), ("moon", "no engine announced")):
            environment["DOCKWARDEN_DEFAULT_HOST"] = default
            async with dockwarden("check", "--only", "temporal", **environment) as check:
                assert await check.end() == 1
            assert check.has(f"FAIL  host {default}: {says}")
            assert check.has("mean it (DOCKWARDEN_DEFAULT_HOST); start dockwarden worker --host")
            assert check.has("FAIL  seal key: the docker worker of edge has no seal key, and this")


async def test_the_check_tells_by_which_books_the_control_workers_judge(
    environment: dict[str, str], client: Client, tmp_path: Path
) -> None:
    """That another book lies here is told; that two of them judge by different ones is wrong."""
    await _keep(client, days=30)
    address = client.service_client.config.target_host
    environment["TEMPORAL_ADDRESS"] = address
    environment["DOCKWARDEN_DEFAULT_HOST"] = "edge"
    here = load(tmp_path / "policies.toml").hash

    async def checked(*books: str) -> list[str]:
        async with AsyncExitStack() as stack:
            for book in books:
                worker = Worker(
                    await Client.connect(address),
                    task_queue=CONTROL_TASK_QUEUE,
                    identity=poller_identity(f"p-{book}", book=book),
                    workflows=[LastWordWorkflow],
                    workflow_runner=workflow_runner(),
                )
                await stack.enter_async_context(worker)
            await eventually(lambda: _are_told(client, books))
            async with dockwarden("check", "--only", "temporal", **environment) as check:
                await check.end()
            return [line.rstrip() for line in check.lines if "policy books:" in line]

    (one,) = await checked("0ddb00c0ffee")
    (two,) = await checked("0ddb00c0ffee", here)

    file = tmp_path / "policies.toml"
    assert one.startswith("ok    policy books: every control worker judges by 0ddb00c0ffee; ")
    assert f"the one here, {file} (hash {here}), is another" in one
    assert two.startswith("FAIL  policy books: the control workers have different ones (")
    assert "0ddb00c0ffee" in two
    assert here in two


async def _are_told(client: Client, books: tuple[str, ...]) -> bool:
    return set(books) <= set(await control_books(client))


@activity.defn(name="list_containers")
async def _look() -> None:
    """Stand for the work of a host."""


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
