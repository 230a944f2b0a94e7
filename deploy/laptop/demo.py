"""What does a newcomer see first?"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import aiohttp
import docker

from deploy.laptop.channel import Channel, SceneError
from deploy.laptop.console import LaptopError, say, warn
from deploy.laptop.containers import API_VERSION, NAMES
from deploy.laptop.dockwarden import DEFAULT_POLICIES, HOST
from deploy.laptop.ending import stay_up
from deploy.laptop.scenes import EXPIRES_AFTER, IMPATIENT, SCENES, Stage
from deploy.laptop.slack_server import CHANNEL_NAME, USERS
from deploy.laptop.stack import Laptop, Options, running

#: What the README says too.
FIRST_COMMAND = '/container stop cache-1 snapshot reason="my first one"'


def demo_policies() -> str:
    """Write the policy book of the demo."""
    return f"""\
# So that the third scene of the demo is short.
[[policy]]
name = "impatient"
operations = ["*"]
hosts = ["{HOST}"]
containers = ["{IMPATIENT}"]
approvers = ["{USERS["bob"]}", "{USERS["carol"]}"]
expires_after = "{EXPIRES_AFTER}"

{DEFAULT_POLICIES}"""


async def play(options: Options) -> int:
    """Play the scenes; on a terminal stay up afterwards. Give 0 when every check held.

    Raises:
        LaptopError: something is missing or in the way.
    """
    if options.policies or not options.containers:
        message = (
            "the demo has its own policies and containers: use up for --policies, --no-containers"
        )
        raise LaptopError(message)
    policies = options.state / "demo-policies.toml"
    await asyncio.to_thread(_write, policies)
    options = replace(options, policies=policies, containers=(*NAMES, IMPATIENT))
    async with running(options) as laptop:
        good = await play_scenes(laptop.slack, laptop.docker_url)
        await stay_up(lambda: _invite(laptop))
    return 0 if good else 1


async def play_scenes(slack: str, docker_url: str) -> bool:
    """Play the scenes in a local Slack; tell whether every check held."""
    engine = docker.APIClient(base_url=docker_url, version=API_VERSION, timeout=30)
    stage = Stage(channel=Channel(slack), engine=engine)
    failed = 0
    try:
        for number, (title, scene) in enumerate(SCENES, start=1):
            say(f"\n━━ Scene {number} of {len(SCENES)}: {title}")
            try:
                await scene(stage)
            except (SceneError, aiohttp.ClientError, docker.errors.DockerException) as failure:
                failed += 1
                warn(f"scene {number} failed: {failure}")
    finally:
        engine.close()
    say(f"\n━━ {len(SCENES) - failed} of {len(SCENES)} scenes went as they should")
    return not failed


def _invite(laptop: Laptop) -> None:
    say(
        f"""
It stays up. Try it yourself:
  1. open {laptop.slack} in a browser and choose #{CHANNEL_NAME}
  2. as Alice, type: {FIRST_COMMAND}
  3. switch "Act as" to Bob, and press Approve
  4. look at how it went, step by step: {laptop.temporal_ui}
  5. ask the engine itself: docker --host {laptop.docker_url} ps --all
  6. be unkind: ask once more, kill -9 {laptop.supervisor.pids()["worker"]} (the worker), Approve
This Slack is a stand-in. It shows everybody's private messages to everybody, does not ask back
before Approve, and draws no times: cards show UTC here, and each reader's own time in Slack.
Ctrl-C stops and removes all of it."""
    )


def _write(policies: Path) -> None:
    policies.parent.mkdir(parents=True, exist_ok=True)
    policies.write_text(demo_policies(), encoding="utf-8")
