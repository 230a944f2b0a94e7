"""Does a team get from README to a done card, and do the commands of docs/ work on real parts?"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import sysconfig
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from deploy.laptop.slack_server import USERS
from tests.rigs import compose_file, documents
from tests.rigs.dev_server import temporal_server
from tests.rigs.dockerd import DockerEngine
from tests.rigs.documents import ROOT
from tests.rigs.laptop import LaptopProcess
from tests.rigs.local_slack import CREDENTIALS, LocalSlack
from tests.rigs.people import People
from tests.rigs.program import Program, dockwarden
from tests.rigs.terminal import Terminal
from workflows.model.state import RequestStatus

_PATH = f"{sysconfig.get_path('scripts')}:{os.environ['PATH']}"  # noqa: TID251 - a shell's own


@dataclass(frozen=True, kw_only=True)
class Machine:
    """The machine of a team: a copy of ``deploy/``, and what the compose file names by addresses.

    Each service is a process with the settings that the compose file gives it. Not its own are
    the addresses, since there are no networks of Compose's here, and no socket proxy.
    """

    folder: Path
    people: People
    temporal: str
    slack: str
    engine: str

    def settings(self, service: str) -> dict[str, str]:
        """Give a service its settings, with the addresses that there are."""
        replaced = {
            "/run/secrets/": f"{self.folder}/deploy/secrets/",
            "/etc/dockwarden/": f"{self.folder}/deploy/",
            "tcp://socket-proxy:2375": self.engine,
        }
        given = compose_file.environment(service)
        for there, here in replaced.items():
            given = {name: value.replace(there, here) for name, value in given.items()}
        return {
            **given,
            "TEMPORAL_ADDRESS": self.temporal,
            "DOCKWARDEN_SLACK_API_URL": self.slack,
        }

    def service(self, name: str) -> AbstractAsyncContextManager[Program]:
        """Run a service as Compose would."""
        return dockwarden(*compose_file.command(name), **self.settings(name))

    async def check(self, *arguments: str, service: str = "check") -> list[str]:
        """Run a check as README says, and give its lines."""
        words = arguments or tuple(compose_file.command(service))
        async with dockwarden(*words, **self.settings(service)) as check:
            await check.end(60)
        return check.lines


@pytest.fixture
async def machine(engine: DockerEngine, tmp_path: Path) -> AsyncIterator[Machine]:
    """A machine on which nothing of Dockwarden has run yet, and Slack and Temporal beside it."""
    shutil.copytree(ROOT / "deploy", tmp_path / "deploy", ignore=shutil.ignore_patterns("laptop"))
    async with AsyncExitStack() as running:
        server = await running.enter_async_context(temporal_server(search_attributes=()))
        slack = await running.enter_async_context(LocalSlack(tmp_path))
        address = server.client.service_client.config.target_host
        for once in ("namespace", "search-attributes"):
            await Terminal(address).script(
                compose_file.script(once), TEMPORAL_NAMESPACE="default", RETENTION="30d"
            )
        yield Machine(
            folder=tmp_path,
            people=await People(slack.url, server.client, engine).arrive(),
            temporal=address,
            slack=slack.api_url,
            engine=engine.base_url,
        )
    engine.clear()


# It runs a server, a Slack and three processes of its own.
@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_a_team_gets_from_readme_to_a_done_card(machine: Machine) -> None:
    """The files by README's own commands, the tokens, a policy, the check, the first request."""
    making, _ = documents.first_steps()
    await _bash(making.text.replace("/var/run/docker.sock", "/dev/null"), machine.folder)
    secrets = machine.folder / "deploy" / "secrets"
    (secrets / "slack_bot_token").write_text(CREDENTIALS.bot_token, encoding="utf-8")
    (secrets / "slack_app_token").write_text(CREDENTIALS.app_token, encoding="utf-8")

    # The example's people are nobody here, and the check says so.
    nobody = await machine.check()
    assert any("U024BE7LH is no account" in line for line in nobody), nobody
    book = next(b.text for b in documents.blocks("toml") if b.page.name == "README.md")
    (machine.folder / "deploy" / "policies.toml").write_text(
        book.replace("U024BE7LH", USERS["bob"]).replace("U024BE7LJ", USERS["carol"]),
        encoding="utf-8",
    )
    good = await machine.check()
    assert [line for line in good if not line.startswith("ok ")] == []
    assert any("all 2 people and groups are there" in line for line in good), good

    async with (
        machine.service("control-worker") as control,
        machine.service("docker-worker") as docker,
        machine.service("bot") as bot,
    ):
        for process in (control, docker, bot):
            await process.until(" ready role=", 60)
        engine = await machine.check("check", "--only", "docker", service="docker-worker")
        assert [line[:14] for line in engine] == ["ok    Docker: "], engine
        container = machine.people.engine.run(name="web-1")
        typed = next(b.text for b in documents.blocks("") if "/invite" in b.text)
        listed, asked = re.findall(r"^/container (.*)$", typed, re.M)
        assert "web-1" in await machine.people.type("alice", listed)
        request = await machine.people.ask(asked.replace("NAME", "web-1"))
        await machine.people.approve(request)
        await machine.people.until(request, RequestStatus.SUCCEEDED)
        await machine.people.until_card(request, "✅")
    assert machine.people.engine.state(container) == "running"
    assert len(machine.people.images(request)) == 1


async def test_scripts_do_what_the_page_says(laptop: LaptopProcess, people: People) -> None:
    """Each line works as it stands; a signal that nobody sealed counts for nothing."""
    (scripting,) = (block for block in documents.blocks("sh") if "--name decide" in block.text)
    container = people.engine.run(name="web-1")
    request = await people.ask("stop web-1 snapshot")
    text = scripting.text.replace("5c7f65beecb8", request.request_id)

    said = await _bash(text.replace("U024BE7LH", USERS["bob"]), ROOT, laptop)
    assert "waiting" in said
    assert "Signal workflow succeeded" in said
    await people.approve(request)
    await people.until(request, RequestStatus.SUCCEEDED)
    images = text.splitlines()[-1]
    assert f"req-{request.request_id}" in await _bash(images, ROOT, laptop)
    state = await request.state()
    assert [one.source for one in state.approvals if one.source == "script"] == []

    (old,) = (block for block in documents.blocks("sh") if "image prune" in block.text)
    said = await _bash(old.text.replace("prune", "prune --force"), ROOT, laptop)
    assert f"req-{request.request_id}" in said
    assert "Total reclaimed space: 0B" in said
    assert people.engine.state(container) == "exited"


async def _bash(text: str, folder: Path, laptop: LaptopProcess | None = None) -> str:
    """Type into a shell, and give what it printed."""
    where = (
        {"TEMPORAL_ADDRESS": laptop.ready["temporal"], "DOCKER_HOST": laptop.ready["docker_host"]}
        if laptop
        else {}
    )
    process = await asyncio.create_subprocess_exec(
        *("bash", "-eu", "-c", text),
        cwd=folder,
        env={"PATH": _PATH, "HOME": str(folder), **where},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    printed, _ = await process.communicate()
    assert process.returncode == 0, printed.decode()
    return printed.decode()
