"""Which pictures does the README show? ``python -m deploy.pictures`` takes them anew.

A laptop is started, people ask and decide in its Slack, and each card is pictured in a headless
browser. Nothing in them is drawn by hand.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

import docker
from playwright.async_api import Error as BrowserError
from temporalio.client import Client, WorkflowExecutionStatus

from deploy.laptop.channel import Channel, Message, SceneError, headline, request_of
from deploy.laptop.console import LaptopError, say, warn
from deploy.laptop.containers import API_VERSION, IMAGE, Containers
from deploy.laptop.dockwarden import DEFAULT_POLICIES, HOST
from deploy.laptop.slack_server import USERS
from deploy.laptop.stack import Laptop, Options, running
from deploy.laptop.state import LOOPBACK, StateDirectory
from deploy.pictures.browser import SlackWindow, slack_window
from workflows.model.names import ActionId, request_workflow_id

_HERE = Path(__file__).parent
#: Pictures for screens with many points stay sharp, and small enough for a page.
_SCALE = 1.5
_POLICIES = f"""\
[[policy]]
name = "databases"
operations = ["*"]
containers = ["db-*"]
approvers = ["{USERS["bob"]}", "{USERS["carol"]}", "{USERS["dave"]}"]
required_approvals = 2
reason_required = true

{DEFAULT_POLICIES}"""
_TAKEN_TAG = "dockwarden-laptop/cache-1:before-upgrade"
#: Says that it was told to stop, and takes its time: meanwhile what it mounts is moved away.
_MOUNTS = "trap 'touch /data/told; sleep 3; exit 0' TERM; while :; do sleep 3600 & wait $!; done"


class Studio:
    """Where the pictures are taken: a laptop, and a browser that looks at its Slack."""

    def __init__(self, laptop: Laptop, window: SlackWindow, temporal: Client) -> None:
        self.channel = Channel(laptop.slack)
        self._window = window
        self._temporal = temporal

    async def ask(self, container: str, text: str, picture: str = "") -> Message:
        """Have Alice ask for something about a container; give the card, pictured if so asked."""
        await self.channel.ask("alice", text)
        card = await self.channel.wait_for(
            f"the card about {container}",
            lambda m: bool(request_of(m)) and container in headline(m),
        )
        if picture:
            await self.take(picture, card)
        return card

    async def approve(self, who: str, card: Message) -> Message:
        """Have somebody approve; give the card as it is redrawn."""
        await self.channel.press(who, card, ActionId.APPROVE)
        return await self.channel.wait_for(
            "another drawing of the card",
            lambda m: m["ts"] == card["ts"] and m["blocks"] != card["blocks"],
        )

    async def until_over(self, container: str) -> None:
        """Wait until the request about a container is over, and so the last words are said."""
        handle = self._temporal.get_workflow_handle(request_workflow_id(HOST, container))
        open_ = WorkflowExecutionStatus.RUNNING
        while (await handle.describe()).status is open_:  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.1)

    async def take(self, name: str, card: Message) -> None:
        """Picture a card as it is now."""
        await self._window.reload()
        await self._window.page.locator(f'.msg[data-ts="{card["ts"]}"]').screenshot(
            path=_HERE / f"{name}.png"
        )
        say(f"  took {name}.png")


async def a_good_end(studio: Studio) -> None:
    """Picture a card that waits, and the same card when all is done."""
    command = 'stop web-1 snapshot reason="CVE-2026-1, rebuild needed"'
    card = await studio.ask("web-1", command, "waiting")
    await studio.approve("bob", card)
    await studio.until_over("web-1")
    await studio.take("done", card)


async def two_approvals(studio: Studio) -> None:
    """Picture a card on which one of two approvals is there."""
    card = await studio.ask("db-1", 'restart db-1 reason="new memory settings"')
    await studio.approve("bob", card)
    await studio.take("quorum", card)


async def a_put_back(studio: Studio, engine: docker.APIClient) -> None:
    """Picture a card of a snapshot whose tag somebody took meanwhile."""
    card = await studio.ask(
        "cache-1", f'snapshot cache-1 as {_TAKEN_TAG} reason="before the upgrade"'
    )
    repository, _, tag = _TAKEN_TAG.partition(":")
    await asyncio.to_thread(engine.tag, IMAGE, repository, tag)
    try:
        await studio.approve("bob", card)
        await studio.until_over("cache-1")
        await studio.take("put-back", card)
    finally:
        await asyncio.to_thread(engine.remove_image, _TAKEN_TAG)


async def a_call_for_help(studio: Studio, containers: Containers, data: Path) -> None:
    """Picture a card of a container whose mount has gone while it was stopped."""
    await asyncio.to_thread(data.mkdir)
    await asyncio.to_thread(containers.run, "shop-1", _MOUNTS, data)
    card = await studio.ask("shop-1", 'snapshot shop-1 reason="disk alert INC-4711"')
    await studio.approve("bob", card)
    while not await asyncio.to_thread((data / "told").exists):  # noqa: ASYNC110 - another process
        await asyncio.sleep(0.02)
    await asyncio.to_thread(data.rename, data.with_name("moved"))
    await studio.channel.wait_for_card(request_of(card), "🛑")
    await studio.take("needs-person", card)


async def take(options: Options) -> None:
    """Take all pictures."""
    async with running(options) as laptop, slack_window(laptop.slack, scale=_SCALE) as window:
        temporal = await Client.connect(f"{LOOPBACK}:{laptop.ports.temporal}")
        studio = Studio(laptop, window, temporal)
        engine = docker.APIClient(base_url=laptop.docker_url, version=API_VERSION, timeout=30)
        containers = Containers(laptop.docker_url, StateDirectory(options.state).owner)
        try:
            await a_good_end(studio)
            await two_approvals(studio)
            await a_put_back(studio, engine)
            await a_call_for_help(studio, containers, options.state / "data")
        finally:
            containers.close()
            engine.close()
    say(f"took all pictures in {_HERE}")


def main() -> int:
    """Take the pictures; give the exit status."""
    parser = argparse.ArgumentParser(prog="python -m deploy.pictures")
    parser.add_argument("--docker-host", metavar="URL", help="the Docker engine to use")
    docker_host: str | None = parser.parse_args().docker_host
    with tempfile.TemporaryDirectory(prefix="dockwarden-pictures-") as directory:
        state = Path(directory)
        policies = state / "pictures.toml"
        policies.write_text(_POLICIES, encoding="utf-8")
        options = Options(state=state, docker_host=docker_host, policies=policies)
        try:
            asyncio.run(take(options))
        except (LaptopError, SceneError, BrowserError) as problem:
            warn(str(problem))
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
