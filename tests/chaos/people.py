"""What do the campaign's people do, in Slack, on the host and in Temporal's terminal?"""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import Any, Final, TypeVar

import aiohttp
import docker
import requests
from temporalio.client import WorkflowExecution
from temporalio.service import RPCError

from deploy.laptop.channel import request_of
from deploy.laptop.slack_server import USERS
from tests.chaos.event_log import Deed, Journal
from tests.chaos.plan import Move, Planned
from tests.chaos.system import World
from tests.rigs.dockerd import IMAGE
from workflows.model.names import (
    CONTAINER,
    OPERATION_WORKFLOW,
    REQUEST_ID,
    REQUEST_WORKFLOW,
    REQUESTER,
    ActionId,
)

T = TypeVar("T")
_UNHEARD: Final = (
    aiohttp.ClientError,
    TimeoutError,
    OSError,
    RPCError,
    requests.RequestException,
    docker.errors.APIError,
)
_NAMES: Final = {user_id: name for name, user_id in USERS.items()}
_DECISIONS: Final = (Move.APPROVE, Move.APPROVE_TWICE, Move.APPROVE_WRONGLY, Move.REJECT)


class People:
    """Carries out the moves of people; what fails because a part is down is noted as such."""

    def __init__(self, world: World, journal: Journal) -> None:
        self._world, self._journal = world, journal

    async def carry_out(self, planned: Planned) -> None:
        """Do what is planned."""
        deed = self._journal.begin(planned)
        try:
            async with asyncio.timeout(60):
                deed.took_effect = await self._do(planned, deed)
        except _UNHEARD as error:
            deed.note = f"{type(error).__name__}: {error}"[:200]
        finally:
            deed.ended = time.time()

    async def _do(self, planned: Planned, deed: Deed) -> bool:
        move = planned.move
        if move is Move.ASK:
            await self._say(deed, planned.who, planned.text)
            return True
        if move in _DECISIONS:
            return await self._decide(planned, deed)
        if move in (Move.CANCEL, Move.CANCEL_WRONGLY):
            return await self._cancel(planned, deed)
        if move is Move.TAKE_TAG:
            return await self._take_tag(deed)
        if move.startswith("docker") or move is Move.REVIVE:
            return await self._docker(planned, deed)
        return await self._terminate(planned, deed)

    async def _say(self, deed: Deed, user: str, text: str) -> None:
        deed.user, deed.note = user, text
        await self._world.slack("command", user, command="/container", text=text)

    async def _decide(self, planned: Planned, deed: Deed) -> bool:
        card = await self._card(planned, ActionId.APPROVE)
        if card is None:
            return False
        deed.request_id = request_of(card)
        allowed = ("bob", "carol")[planned.pick * 10 % 1 > 0.5]
        deed.user = "dave" if planned.move is Move.APPROVE_WRONGLY else allowed
        if planned.move is Move.APPROVE_WRONGLY and planned.pick * 10 % 1 > 0.5:
            deed.user = await self._requester(deed.request_id)
        if planned.move is Move.REJECT:
            await self._say(deed, deed.user, f'reject {deed.request_id} "not now"')
            return True
        await self._press(deed.user, card, ActionId.APPROVE)
        if planned.move is Move.APPROVE_TWICE:
            await asyncio.gather(
                self._press(deed.user, card, ActionId.APPROVE),
                self._press("carol" if deed.user == "bob" else "bob", card, ActionId.APPROVE),
            )
        return True

    async def _cancel(self, planned: Planned, deed: Deed) -> bool:
        card = await self._card(planned, ActionId.CANCEL)
        if card is None:
            return False
        deed.request_id = request_of(card)
        deed.user = await self._requester(deed.request_id)
        if planned.move is Move.CANCEL_WRONGLY:
            deed.user = "dave"
        if planned.pick * 10 % 1 > 0.5:
            await self._press(deed.user, card, ActionId.CANCEL)
        else:
            await self._say(deed, deed.user, f"cancel {deed.request_id}")
        return True

    async def _press(self, user: str, card: dict[str, Any], action_id: ActionId) -> None:
        button = _button(card, action_id)
        assert button is not None
        await self._world.slack("interact", user, messageTs=card["ts"], action=button)

    async def _card(self, planned: Planned, action_id: ActionId) -> dict[str, Any] | None:
        """Pick a card that has this button."""
        messages = await self._world.messages()
        return _pick(planned, [m for m in messages if request_of(m) and _button(m, action_id)])

    async def _requester(self, request_id: str) -> str:
        """Ask Temporal who asked."""
        query = f"WorkflowType = '{REQUEST_WORKFLOW}' AND {REQUEST_ID.name} = '{request_id}'"
        async for found in self._world.temporal.list_workflows(query):
            return _NAMES[found.typed_search_attributes[REQUESTER]]
        return "alice"

    async def _take_tag(self, deed: Deed) -> bool:
        """Give a tag that somebody asked for to another image, as ``docker tag`` does."""
        asked = [d.note for d in self._journal.deeds if " as chaos/" in d.note and d.took_effect]
        text = asked[-1] if asked else None
        if text is None:
            return False
        deed.note = text.rpartition(" ")[2]
        repository, _, tag = deed.note.partition(":")
        with contextlib.suppress(docker.errors.ImageNotFound):
            await asyncio.to_thread(self._world.api.inspect_image, deed.note)
            return False
        await asyncio.to_thread(self._world.api.tag, IMAGE, repository, tag)
        return True

    async def _docker(self, planned: Planned, deed: Deed) -> bool:
        api, name = self._world.api, planned.text
        found = await asyncio.to_thread(api.containers, all=True, filters={"name": f"^/{name}$"})
        if not found:
            # A run that the engine did not outlive left no container of this name.
            deed.container_id = await asyncio.to_thread(self._world.make, name)
            await asyncio.to_thread(api.start, deed.container_id)
            return True
        deed.container_id, state = found[0]["Id"], found[0]["State"]
        if planned.move is Move.REVIVE:
            if state not in ("exited", "created") or await self._is_operated(name):
                deed.container_id = ""
                return False
            await asyncio.to_thread(api.start, deed.container_id)
        elif planned.move is Move.RESTART:
            await asyncio.to_thread(api.restart, deed.container_id, timeout=1)
        elif planned.move is Move.STOP_AND_START:
            await asyncio.to_thread(api.stop, deed.container_id, timeout=1)
            await asyncio.sleep(planned.pick * 2)
            await asyncio.to_thread(api.start, deed.container_id)
        else:
            await asyncio.to_thread(api.remove_container, deed.container_id, force=True)
            made = await asyncio.to_thread(self._world.make, name)
            await asyncio.to_thread(api.start, made)
        return True

    async def _is_operated(self, name: str) -> bool:
        return bool(await self._open(OPERATION_WORKFLOW, name))

    async def _terminate(self, planned: Planned, deed: Deed) -> bool:
        both = planned.move is Move.TERMINATE_BOTH
        kind = OPERATION_WORKFLOW if planned.move is Move.TERMINATE_OPERATION else REQUEST_WORKFLOW
        found = _pick(planned, await self._open(kind))
        if found is None:
            return False
        deed.note = found.id
        handle = self._world.temporal.get_workflow_handle(found.id, run_id=found.run_id)
        if planned.move is Move.CANCEL_WORKFLOW:
            await handle.cancel()
            return True
        await handle.terminate("chaos")
        if both:
            name = found.id.rpartition("/")[2]
            for operation in await self._open(OPERATION_WORKFLOW, name):
                operated = self._world.temporal.get_workflow_handle(operation.id)
                await operated.terminate("chaos")
        return True

    async def _open(self, kind: str, name: str = "") -> list[WorkflowExecution]:
        query = f"WorkflowType = '{kind}' AND ExecutionStatus = 'Running'"
        if name:
            query += f" AND {CONTAINER.name} = '{name}'"
        listed = [found async for found in self._world.temporal.list_workflows(query)]
        return sorted(listed, key=lambda found: found.id)


def _pick(planned: Planned, candidates: list[T]) -> T | None:
    return candidates[int(planned.pick * len(candidates))] if candidates else None


def _button(card: dict[str, Any], action_id: ActionId) -> dict[str, str] | None:
    for block in card.get("blocks", []):
        for element in block.get("elements", []):
            if element.get("action_id") == action_id:
                found = {key: element[key] for key in ("type", "action_id", "value")}
                return found | {"block_id": block["block_id"]}
    return None
