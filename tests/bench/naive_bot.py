"""What is Dockwarden compared with? The bot that one would write in an afternoon.

From the samples of Temporal and of Bolt: a card, a signal, then stop, commit, tag, and the card
again, all in one process. It has no policy, asks nobody who may decide, pins nothing, puts nothing
back, and one of its activities that is tried again does its work twice. Whatever a click on it
takes is the price of Slack, Temporal and the engine alone.
"""

from __future__ import annotations

import argparse
import asyncio
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import docker
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient
from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

QUEUE: Final = "naive"
APPROVE: Final = "approve"
_AT_ONCE: Final = 20
_GRACE: Final = 5
_WITHIN: Final = timedelta(seconds=60)


def question(name: str) -> str:
    """Give the words of a card that waits."""
    return f"stop {name}?"


def answer(name: str) -> str:
    """Give the words of a card whose work is done."""
    return f"done {name}"


def workflow_id(name: str) -> str:
    """Give the workflow of a container."""
    return f"naive-{name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What somebody typed, and where."""

    channel: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A card to post, or to redraw when ``ts`` is known; it has a button while it waits."""

    channel: str
    text: str
    ts: str = ""
    waits: str = ""


class Activities:
    """What is done in Slack and in the engine."""

    def __init__(self, web: AsyncWebClient, docker_host: str) -> None:
        self._web = web
        self._docker = docker.APIClient(base_url=docker_host, version="1.41", timeout=30)

    @activity.defn
    async def draw(self, card: Card) -> str:
        """Post the card, or redraw it; give its time stamp."""
        blocks: list[dict[str, Any]] = [
            {"type": "section", "text": {"type": "mrkdwn", "text": card.text}}
        ]
        if card.waits:
            words = {"type": "plain_text", "text": "Approve"}
            button = {"type": "button", "action_id": APPROVE, "value": card.waits, "text": words}
            blocks.append({"type": "actions", "elements": [button]})
        if card.ts:
            await self._web.chat_update(
                channel=card.channel, ts=card.ts, text=card.text, blocks=blocks
            )
            return card.ts
        posted = await self._web.chat_postMessage(
            channel=card.channel, text=card.text, blocks=blocks
        )
        return str(posted["ts"])

    @activity.defn
    def inspect(self, name: str) -> str:
        """Find the container's id."""
        return str(self._docker.inspect_container(name)["Id"])

    @activity.defn
    def stop(self, container: str) -> None:
        """Stop it."""
        self._docker.stop(container, timeout=_GRACE)

    @activity.defn
    def commit(self, container: str) -> str:
        """Make an image of it."""
        return str(self._docker.commit(container)["Id"])

    @activity.defn
    def tag(self, image: str) -> None:
        """Give the image a name."""
        self._docker.tag(image, "bench/naive", uuid.uuid4().hex)


@workflow.defn
class StopAndSnapshot:
    """Waits for a click, then stops and snapshots."""

    def __init__(self) -> None:
        self._approved = False

    @workflow.signal
    def approve(self) -> None:
        """Take a click, whosever it is."""
        self._approved = True

    @workflow.run
    async def run(self, asked: Asked) -> None:
        """Carry one request through."""
        execute, own = workflow.execute_activity_method, workflow.info().workflow_id
        found = await execute(Activities.inspect, asked.name, start_to_close_timeout=_WITHIN)
        card = Card(channel=asked.channel, text=question(asked.name), waits=own)
        ts = await execute(Activities.draw, card, start_to_close_timeout=_WITHIN)
        await workflow.wait_condition(lambda: self._approved, timeout=timedelta(minutes=10))
        await execute(Activities.stop, found, start_to_close_timeout=_WITHIN)
        image = await execute(Activities.commit, found, start_to_close_timeout=_WITHIN)
        await execute(Activities.tag, image, start_to_close_timeout=_WITHIN)
        last = Card(channel=asked.channel, text=answer(asked.name), ts=ts)
        await execute(Activities.draw, last, start_to_close_timeout=_WITHIN)


def bolt(web: AsyncWebClient, client: Client) -> AsyncApp:
    """Make the part that listens to Slack."""
    app = AsyncApp(client=web)

    async def asked(ack: Any, body: dict[str, Any]) -> None:
        await ack()
        given = Asked(channel=body["channel_id"], name=body["text"])
        await client.start_workflow(
            StopAndSnapshot.run, given, id=workflow_id(given.name), task_queue=QUEUE
        )

    async def pressed(ack: Any, body: dict[str, Any]) -> None:
        await ack()
        handle = client.get_workflow_handle(body["actions"][0]["value"])
        await handle.signal(StopAndSnapshot.approve)

    app.command("/container")(asked)
    app.action(APPROVE)(pressed)
    return app


async def serve(arguments: argparse.Namespace) -> None:
    """Serve until the process is ended."""
    web = AsyncWebClient(token=arguments.bot_token, base_url=f"{arguments.slack}/api/")
    client = await Client.connect(arguments.temporal)
    activities = Activities(web, arguments.docker_host)
    handler = AsyncSocketModeHandler(
        bolt(web, client),
        arguments.app_token,
        web_client=AsyncWebClient(token=arguments.app_token, base_url=f"{arguments.slack}/api/"),
    )
    async with Worker(
        client,
        task_queue=QUEUE,
        workflows=[StopAndSnapshot],
        activities=[
            activities.draw,
            activities.inspect,
            activities.stop,
            activities.commit,
            activities.tag,
        ],
        activity_executor=ThreadPoolExecutor(_AT_ONCE),
        max_concurrent_activities=_AT_ONCE,
        workflow_runner=UnsandboxedWorkflowRunner(),
    ):
        await handler.connect_async()  # type: ignore[no-untyped-call]
        arguments.ready.touch()
        await asyncio.Event().wait()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.naive_bot", description=__doc__)
    for name in ("--slack", "--bot-token", "--app-token", "--temporal", "--docker-host"):
        parser.add_argument(name, required=True)
    parser.add_argument("--ready", type=Path, required=True)
    return parser


if __name__ == "__main__":
    asyncio.run(serve(_parser().parse_args()))
