"""Which three stories does the demo play, and how is each checked?

Nothing is taken from Slack alone: what a card says is compared with the engine itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import docker
from docker.errors import ImageNotFound

from deploy.laptop.channel import Channel, Message, SceneError, headline, request_of
from deploy.laptop.console import say
from deploy.laptop.containers import IMAGE
from deploy.laptop.slack_server import USERS
from workflows.model.image_reference import default_reference
from workflows.model.names import REQUEST_LABEL, ActionId

#: Requests for this one expire after EXPIRES_AFTER, so that nobody waits long for scene three.
IMPATIENT = "nightly-1"
EXPIRES_AFTER = "5s"
_TAKEN_TAG = "dockwarden-laptop/db-1:before-upgrade"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Where scenes play: a channel, and the engine that they are checked against."""

    channel: Channel
    engine: docker.APIClient

    async def inspect(self, container: str) -> dict[str, Any]:
        """Ask the engine about a container."""
        found: dict[str, Any] = await asyncio.to_thread(self.engine.inspect_container, container)
        return found

    async def image(self, reference: str) -> dict[str, Any] | None:
        """Ask the engine about an image; ``None`` when there is none of that name."""
        try:
            found: dict[str, Any] = await asyncio.to_thread(self.engine.inspect_image, reference)
        except ImageNotFound:
            return None
        return found

    async def pending_card(self, container: str, seen: set[str]) -> Message:
        """Wait for the card of a new request about a container."""
        return await self.channel.wait_for(
            f"the card about {container}",
            lambda m: (
                m["ts"] not in seen
                and bool(request_of(m))
                and headline(m).startswith("⏳")
                and container in headline(m)
            ),
        )

    async def seen(self) -> set[str]:
        """Remember which messages are there."""
        return {message["ts"] for message in await self.channel.messages()}


async def stop_with_snapshot(stage: Stage) -> None:
    """Play scene one: four eyes, then a stopped container with its snapshot."""
    before, seen = await stage.inspect("web-1"), await stage.seen()
    await stage.channel.ask("alice", 'stop web-1 snapshot reason="CVE-2026-1, rebuild needed"')
    card = await stage.pending_card("web-1", seen)
    seen = await stage.seen()
    await stage.channel.press("alice", card, ActionId.APPROVE)
    await stage.channel.wait_for(
        "a private refusal for alice",
        lambda m: m["ts"] not in seen and m.get("ephemeral_to") == USERS["alice"],
    )
    _check(
        "web-1 runs on: nobody but Alice has said yes",
        _runs_on(before, await stage.inspect("web-1")),
    )
    await stage.channel.press("bob", card, ActionId.APPROVE)
    request_id = request_of(card)
    await stage.channel.wait_for_card(request_id, "✅ *Stopped and snapshotted*")
    after = await stage.inspect("web-1")
    _check("web-1 is stopped", after["Id"] == before["Id"] and after["State"]["Status"] == "exited")
    reference = default_reference("web-1", request_id)
    image = await stage.image(reference)
    _check(f"the image {reference} is there", image is not None)
    _check("it is the snapshot of this request", _request_label(image) == request_id)


async def put_back(stage: Stage) -> None:
    """Play scene two: the tag is taken while the request waits, and all is put back."""
    before, seen = await stage.inspect("db-1"), await stage.seen()
    await stage.channel.ask("carol", f'snapshot db-1 as {_TAKEN_TAG} reason="before the upgrade"')
    card = await stage.pending_card("db-1", seen)
    repository, _, tag = _TAKEN_TAG.partition(":")
    await asyncio.to_thread(stage.engine.tag, IMAGE, repository, tag)
    try:
        say(f"\n  meanwhile somebody runs: docker tag {IMAGE} {_TAKEN_TAG}")
        await stage.channel.press("bob", card, ActionId.APPROVE)
        await stage.channel.wait_for_card(request_of(card), "↩️ *Failed and put back*")
        after = await stage.inspect("db-1")
        _check("db-1 was stopped, and runs again", _runs_again(before, after))
        taken, other = await stage.image(_TAKEN_TAG), await stage.image(IMAGE)
        _check(
            "the tag still names the other image",
            taken is not None and other is not None and taken["Id"] == other["Id"],
        )
    finally:
        await asyncio.to_thread(stage.engine.remove_image, _TAKEN_TAG)


async def expire(stage: Stage) -> None:
    """Play scene three: nobody decides in time, and nothing happens."""
    before, seen = await stage.inspect(IMPATIENT), await stage.seen()
    await stage.channel.ask("alice", f'stop {IMPATIENT} reason="tidy up"')
    card = await stage.pending_card(IMPATIENT, seen)
    say(f"\n  nobody answers for {EXPIRES_AFTER}")
    await stage.channel.wait_for_card(request_of(card), "⌛ *Expired*")
    _check(f"{IMPATIENT} runs on, untouched", _runs_on(before, await stage.inspect(IMPATIENT)))


SCENES: tuple[tuple[str, Callable[[Stage], Awaitable[None]]], ...] = (
    ("Alice asks, may not approve it herself, Bob does", stop_with_snapshot),
    ("a step fails after the approval, and the container is put back", put_back),
    ("a request that nobody answers expires", expire),
)


def _check(what: str, holds: bool) -> None:
    if not holds:
        message = f"the engine says otherwise: {what}"
        raise SceneError(message)
    say(f"  checked with the engine: {what}")


def _runs_on(before: dict[str, Any], after: dict[str, Any]) -> bool:
    same = before["Id"] == after["Id"]
    return same and before["State"]["StartedAt"] == after["State"]["StartedAt"] and _runs(after)


def _runs_again(before: dict[str, Any], after: dict[str, Any]) -> bool:
    same = before["Id"] == after["Id"]
    return same and before["State"]["StartedAt"] != after["State"]["StartedAt"] and _runs(after)


def _runs(container: dict[str, Any]) -> bool:
    return bool(container["State"]["Running"])


def _request_label(image: dict[str, Any] | None) -> str:
    labels = (image or {}).get("Config", {}).get("Labels") or {}
    label: str = labels.get(REQUEST_LABEL, "")
    return label
