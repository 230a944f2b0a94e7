"""Do the files for production agree with the code that they run?"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from bot.commands.parser import SUB_COMMANDS
from bot.secrets import variable
from bot.settings import Settings
from tests.rigs import compose_file
from workflows.model.names import PROTECTED_LABEL, SEARCH_ATTRIBUTES
from workflows.operations import catalog
from workflows.operations.operation import Operation

_DEPLOY = Path(__file__).parents[3] / "deploy"


def _read(name: str) -> str:
    return (_DEPLOY / name).read_text(encoding="utf-8")


def _networks(service: str) -> set[str]:
    """Name the networks of a service; those that share a beginning get theirs from it."""
    found = re.search(r"networks: \[(.*)\]", service)
    if found is None and "<<: *temporal-cli" in service:
        found = re.search(r"networks: \[(.*)\]", _read("compose.yaml").partition("\nservices:")[0])
    return set(found[1].split(", ")) if found else set()


@pytest.mark.parametrize("name", ["compose.yaml", "Dockerfile"])
def test_settings_exist(name: str) -> None:
    """Every setting that a file gives is one that Dockwarden has."""
    given = set(re.findall(r"\bDOCKWARDEN_[A-Z_]+", _read(name)))
    assert given
    assert given <= {variable(field) for field in Settings.model_fields}


@pytest.mark.parametrize("operation", catalog.OPERATIONS, ids=lambda one: one.kind)
def test_what_people_read_first_names_every_operation(operation: Operation) -> None:
    """The manual, the book that is offered for copying and Slack's hint know all that there is."""
    usage = SUB_COMMANDS[operation.kind].usage
    command = json.loads(_read("slack-manifest.json"))["features"]["slash_commands"][0]
    docs = _DEPLOY.parent / "docs"
    manual = (docs / "commands.md").read_text(encoding="utf-8")
    policies = (docs / "policies.md").read_text(encoding="utf-8")

    assert f"{operation.kind} NAME" in command["usage_hint"]
    assert f"\n| `{usage}` | " in manual
    assert re.search(rf"^\| `operations` .*`\"{operation.kind}\"`", policies, re.M)
    assert re.search(rf"^# operations .*\"{operation.kind}\"", _read("policies.example.toml"), re.M)


def test_the_compose_file_makes_all_search_attributes() -> None:
    """Temporal gets each search attribute that the workflows set."""
    made = re.findall(r"--name=(\w+)\n\s+- --type=Keyword", _read("compose.yaml"))
    assert made == [key.name for key in SEARCH_ATTRIBUTES]


def test_the_docker_worker_has_no_slack_token_and_no_other_has_the_engine() -> None:
    """Each service of the compose file gets only what it needs."""
    services = compose_file.services()
    assert "SLACK" not in services["docker-worker"]
    with_engine = {name for name, body in services.items() if re.search(r"networks:.*engine", body)}
    assert with_engine == {"docker-worker", "socket-proxy"}
    with_socket = {name for name, body in services.items() if ":/var/run/docker.sock" in body}
    assert with_socket == {"socket-proxy"}


def test_no_request_can_stop_dockwarden_itself() -> None:
    """Every lasting service of the compose file is protected from requests."""
    assert f'\nx-protected: &protected\n  {PROTECTED_LABEL}: "true"\n' in _read("compose.yaml")
    bare = {
        name
        for name, body in compose_file.services().items()
        if "*protected" not in body and "<<: *dockwarden" not in body
    }
    assert bare == {"namespace", "search-attributes"}


def test_only_temporal_reaches_the_database() -> None:
    """Whoever owns the bot or a worker cannot even try the database's password."""
    networks = {name: _networks(body) for name, body in compose_file.services().items()}
    with_database = {name for name, theirs in networks.items() if networks["postgres"] & theirs}
    assert with_database == {"postgres", "temporal"}
    with_temporal = {name for name, theirs in networks.items() if "temporal" in theirs}
    assert with_temporal == set(networks) - {"postgres", "socket-proxy"}


def test_only_who_calls_slack_has_a_way_out() -> None:
    """All networks but one have no way to anywhere else."""
    section = _read("compose.yaml").rpartition("\nnetworks:\n")[2]
    networks = dict(re.findall(r"^  ([a-z]+):\n((?:    .*\n)*)", section, re.M))
    assert {name for name, body in networks.items() if "internal: true" not in body} == {"outside"}
    assert set(networks) == set().union(*map(_networks, compose_file.services().values()))
    out = {name for name, body in compose_file.services().items() if "outside" in _networks(body)}
    assert out == {"bot", "control-worker", "check"}


def test_temporals_own_command_looks_up_no_name() -> None:
    """In a network without a way out its look-up of names hangs: it gets an address past that.

    Dockwarden itself looks up names in another way, and does not know the prefix.
    """
    text = _read("compose.yaml")
    cli = text.partition("x-temporal-cli: &temporal-cli\n")[2].partition("\n\n")[0]
    assert "TEMPORAL_ADDRESS: passthrough:///temporal:7233" in cli
    assert "entrypoint: [temporal]" in cli
    users = {name for name, body in compose_file.services().items() if "<<: *temporal-cli" in body}
    assert users == {"namespace", "search-attributes"}
    given = re.findall(r"--address=(\S+?)[,\]\s]", text)
    assert given == ["127.0.0.1:7233"]
    ours = text.partition("x-temporal: &temporal\n")[2].partition("\n\n")[0]
    assert "TEMPORAL_ADDRESS: temporal:7233" in ours


def test_temporal_listens_in_both_of_its_networks() -> None:
    """Left alone its image listens on the first address only that it finds for itself."""
    temporal = compose_file.services()["temporal"]
    assert _networks(temporal) == {"database", "temporal"}
    assert "BIND_ON_IP: 0.0.0.0\n" in temporal
    assert "TEMPORAL_BROADCAST_ADDRESS: 127.0.0.1\n" in temporal


def test_requests_are_kept_for_a_month() -> None:
    """Temporal's own day would end the lists, the status and Request again."""
    assert "update, --retention=30d]" in compose_file.services()["namespace"]
    waits = _read("compose.yaml").partition("x-dockwarden: &dockwarden\n")[2].partition("\n\n")[0]
    for once in ("namespace", "search-attributes"):
        assert f"{once}:\n      condition: service_completed_successfully" in waits


def test_the_image_has_what_the_build_needs() -> None:
    """What the Dockerfile copies exists and is not kept out of the build."""
    kept = re.findall(r"^!(\S+)$", _read("Dockerfile.dockerignore"), re.M)
    copied = [
        name
        for line in re.findall(r"^COPY (?!--)(.*) \S+$", _read("Dockerfile"), re.M)
        for name in line.split()
    ]
    assert copied
    assert set(copied) == set(kept)


def test_the_manifest_asks_for_what_the_bot_calls() -> None:
    """The Slack app has the command, the scopes and the mode that the bot expects."""
    manifest = json.loads(_read("slack-manifest.json"))
    (command,) = manifest["features"]["slash_commands"]
    assert command["command"] == Settings.model_fields["command"].default
    assert set(manifest["oauth_config"]["scopes"]["bot"]) == {
        *("commands", "chat:write", "im:write", "users:read", "usergroups:read"),
        *("channels:history", "groups:history", "im:history"),
        # Slack tells of who joins a channel only to who may read its list.
        *("channels:read", "groups:read"),
    }
    events = manifest["settings"]["event_subscriptions"]["bot_events"]
    assert events == ["app_home_opened", "member_joined_channel"]
    assert manifest["features"]["app_home"]["home_tab_enabled"]
    # Without it Slack takes no direct message, the last way to reach somebody.
    assert manifest["features"]["app_home"]["messages_tab_enabled"]
    assert manifest["settings"]["socket_mode_enabled"]
    assert manifest["settings"]["interactivity"]["is_enabled"]
    assert len(manifest["display_information"]["description"]) <= 140
