"""Are the laptop's parts told what they need, and nothing of the person's own settings?"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from activities.policies import book as policies
from bot.secrets import variable
from bot.settings import Settings
from deploy.laptop import dockwarden as laptop_dockwarden
from deploy.laptop.demo import demo_policies
from deploy.laptop.dockwarden import DEFAULT_POLICIES, LIMITS
from deploy.laptop.slack_server import USERS, credentials, workspace
from deploy.laptop.state import StateDirectory
from deploy.laptop.supervisor import machine_environment, part_environment
from deploy.laptop.temporal_server import temporal_server
from workflows.model.names import SEARCH_ATTRIBUTES


@pytest.mark.parametrize(
    "name",
    ["DOCKWARDEN_POLICIES", "TEMPORAL_ADDRESS", "SLACK_BOT_TOKEN", "DOCKER_HOST", "https_proxy"],
)
def test_parts_do_not_inherit_settings(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """A setting or proxy of the person's shell never reaches a part of the laptop."""
    monkeypatch.setenv(name, "elsewhere")
    assert name not in part_environment()


def test_tools_keep_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """What installs things for the laptop still reaches the network as this machine does."""
    monkeypatch.setenv("https_proxy", "elsewhere")
    assert machine_environment()["https_proxy"] == "elsewhere"


def test_bot_and_worker_get_settings_that_exist(tmp_path: Path) -> None:
    """Every setting that the laptop gives is one that Dockwarden has."""
    with StateDirectory(tmp_path) as state:
        parts = laptop_dockwarden.dockwarden(
            state, state.ports(), docker_url="unix:///x", policies=tmp_path / "p.toml"
        )
    known = {variable(field) for field in Settings.model_fields}
    for part in parts:
        given = {name for name in part.environment if name.startswith("DOCKWARDEN_")}
        assert given
        assert given <= known


@pytest.mark.parametrize("limits", [True, False])
def test_a_measurement_has_no_limits(tmp_path: Path, *, limits: bool) -> None:
    """Left alone the laptop has those of production; a benchmark sets each of them to 0."""
    with StateDirectory(tmp_path) as state:
        parts = laptop_dockwarden.dockwarden(
            state,
            state.ports(),
            docker_url="unix:///x",
            policies=tmp_path / "p.toml",
            limits=limits,
        )
    for part in parts:
        given = {name: part.environment.get(name) for name in LIMITS}
        assert set(given.values()) == ({None} if limits else {"0"})
    # What bounds one person is named by what it bounds them to.
    per_person = {variable(field) for field in Settings.model_fields if "_per_" in field}
    assert per_person - {"DOCKWARDEN_SNAPSHOTS_PER_CONTAINER"} <= set(LIMITS)


def test_no_secret_shows_in_a_part(tmp_path: Path) -> None:
    """A part that is printed or logged does not show its environment."""
    with StateDirectory(tmp_path) as state:
        worker, bot = laptop_dockwarden.dockwarden(
            state, state.ports(), docker_url="unix:///x", policies=tmp_path / "p.toml"
        )
        assert state.secret("slack-bot") not in repr((worker, bot))


def test_temporal_knows_all_search_attributes(tmp_path: Path) -> None:
    """The server is started with each search attribute that the workflows set."""
    with StateDirectory(tmp_path) as state:
        command = temporal_server(state, state.ports()).command
    for key in SEARCH_ATTRIBUTES:
        assert f"--search-attribute={key.name}=Keyword" in command


@pytest.mark.parametrize(
    ("text", "names"),
    [(DEFAULT_POLICIES, ["laptop"]), (demo_policies(), ["impatient", "laptop"])],
    ids=["default", "demo"],
)
def test_the_policies_are_valid(tmp_path: Path, text: str, names: list[str]) -> None:
    """The policy books of the laptop and of the demo are read, and bob or carol decides."""
    file = tmp_path / "policies.toml"
    file.write_text(text, encoding="utf-8")
    read = policies.load(file).policies
    assert [policy.name for policy in read] == names
    assert {policy.approvers for policy in read} == {(USERS["bob"], USERS["carol"])}


def test_everybody_is_in_the_channel(tmp_path: Path) -> None:
    """Each person of the workspace, and the bot, is a member of the one channel."""
    with StateDirectory(tmp_path) as state:
        config = json.loads(json.dumps(workspace(credentials(state))))
    people = {user["id"] for user in config["users"]}
    assert {*people, config["apps"][0]["botUserId"]} == set(config["channels"][0]["members"])
