"""Do the files for production agree with the code that they run?"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from bot.commands.parser import SUB_COMMANDS
from bot.secrets import variable
from bot.settings import Settings
from workflows.operations import catalog
from workflows.operations.operation import Operation

_DEPLOY = Path(__file__).parents[3] / "deploy"


def _read(name: str) -> str:
    return (_DEPLOY / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["compose.yaml", "compose.host.yaml", "Dockerfile"])
def test_settings_exist(name: str) -> None:
    """Every setting that a file gives is one that Dockwarden has; its image is Compose's."""
    given = set(re.findall(r"\bDOCKWARDEN_[A-Z_]+", _read(name))) - {"DOCKWARDEN_IMAGE"}
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
