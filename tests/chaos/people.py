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
from tests.chaos.event_log import Action, EventLog
from tests.chaos.plan import Move, Planned
from tests.chaos.system import System
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


class PeopleMoves:
    """Carries out the moves of people; what fails because a part is down is noted as such."""

    def __init__(self, system: System, event_log: EventLog) -> None:
        self._system, self._event_log = system, event_log

    async def carry_out(self, planned: Planned) -> None:
        """Do what is planned."""
        action = self._event_log.begin(planned)
        try:
            async with asyncio.timeout(60):
                action.took_effect = await self._do(planned, action)
        except _UNHEARD as error:
            action.note = f"{type(error).__name__}: {error}"[:200]
        finally:
            action.ended = time.time()

    async def _do(self, planned: Planned, action: Action) -> bool:
        move = planned.move
        if move is Move.ASK:
            await self._say(action, planned.who, planned.text)
            return True
        if move in _DECISIONS:
            return await self._decide(planned, action)
        if move in (Move.CANCEL, Move.CANCEL_WRONGLY):
            return await self._cancel(planned, action)
        if move is Move.TAKE_TAG:
            return await self._take_tag(action)
        if move.startswith("docker") or move is Move.REVIVE:
            return await self._docker(planned, action)
        return await self._terminate(planned, action)

    async def _say(self, action: Action, user: str, text: str) -> None:
        action.user, action.note = user, text
        await self._system.slack("command", user, command="/container", text=text)

    async def _decide(self, planned: Planned, action: Action) -> bool:
        card = await self._card(planned, ActionId.APPROVE)
        if card is None:
            return False
        action.request_id = request_of(card)
        allowed = ("bob", "carol")[planned.pick * 10 % 1 > 0.5]
        action.user = "dave" if planned.move is Move.APPROVE_WRONGLY else allowed
        if planned.move is Move.APPROVE_WRONGLY and planned.pick * 10 % 1 > 0.5:
            action.user = await self._requester(action.request_id)
        if planned.move is Move.REJECT:
            await self._say(action, action.user, f'reject {action.request_id} "not now"')
            return True
        await self._press(action.user, card, ActionId.APPROVE)
        if planned.move is Move.APPROVE_TWICE:
            await asyncio.gather(
                self._press(action.user, card, ActionId.APPROVE),
                self._press("carol" if action.user == "bob" else "bob", card, ActionId.APPROVE),
            )
        return True

    async def _cancel(self, planned: Planned, action: Action) -> bool:
        card = await self._card(planned, ActionId.CANCEL)
        if card is None:
            return False
        action.request_id = request_of(card)
        action.user = await self._requester(action.request_id)
        if planned.move is Move.CANCEL_WRONGLY:
            action.user = "dave"
        if planned.pick * 10 % 1 > 0.5:
            await self._press(action.user, card, ActionId.CANCEL)
        else:
            await self._say(action, action.user, f"cancel {action.request_id}")
        return True

    async def _press(self, user: str, card: dict[str, Any], action_id: ActionId) -> None:
        button = _button(card, action_id)
        assert button is not None
        await self._system.slack("interact", user, messageTs=card["ts"], action=button)

    async def _card(self, planned: Planned, action_id: ActionId) -> dict[str, Any] | None:
        """Pick a card that has this button."""
        messages = await self._system.messages()
        return _pick(planned, [m for m in messages if request_of(m) and _button(m, action_id)])

    async def _requester(self, request_id: str) -> str:
        """Ask Temporal who asked."""
        query = f"WorkflowType = '{REQUEST_WORKFLOW}' AND {REQUEST_ID.name} = '{request_id}'"
        async for found in self._system.client.list_workflows(query):
            return _NAMES[found.typed_search_attributes[REQUESTER]]
        return "alice"

    async def _take_tag(self, action: Action) -> bool:
        """Give a tag that somebody asked for to another image, as ``docker tag`` does."""
        asked = [
            d.note for d in self._event_log.actions if " as chaos/" in d.note and d.took_effect
        ]
        text = asked[-1] if asked else None
        if text is None:
            return False
        action.note = text.rpartition(" ")[2]
        repository, _, tag = action.note.partition(":")
        with contextlib.suppress(docker.errors.ImageNotFound):
            await asyncio.to_thread(self._system.api.inspect_image, action.note)
            return False
        await asyncio.to_thread(self._system.api.tag, IMAGE, repository, tag)
        return True

    async def _docker(self, planned: Planned, action: Action) -> bool:
        api, name = self._system.api, planned.text
        found = await asyncio.to_thread(api.containers, all=True, filters={"name": f"^/{name}$"})
        if not found:
            # A run that the engine did not outlive left no container of this name.
            action.container_id = await asyncio.to_thread(self._system.make, name)
            await asyncio.to_thread(api.start, action.container_id)
            return True
        action.container_id, state = found[0]["Id"], found[0]["State"]
        if planned.move is Move.REVIVE:
            if state not in ("exited", "created") or await self._is_operated(name):
                action.container_id = ""
                return False
            await asyncio.to_thread(api.start, action.container_id)
        elif planned.move is Move.RESTART:
            await asyncio.to_thread(api.restart, action.container_id, timeout=1)
        elif planned.move is Move.STOP_AND_START:
            await asyncio.to_thread(api.stop, action.container_id, timeout=1)
            await asyncio.sleep(planned.pick * 2)
            await asyncio.to_thread(api.start, action.container_id)
        else:
            await asyncio.to_thread(api.remove_container, action.container_id, force=True)
            made = await asyncio.to_thread(self._system.make, name)
            await asyncio.to_thread(api.start, made)
        return True

    async def _is_operated(self, name: str) -> bool:
        return bool(await self._open(OPERATION_WORKFLOW, name))

    async def _terminate(self, planned: Planned, action: Action) -> bool:
        both = planned.move is Move.TERMINATE_BOTH
        kind = OPERATION_WORKFLOW if planned.move is Move.TERMINATE_OPERATION else REQUEST_WORKFLOW
        found = _pick(planned, await self._open(kind))
        if found is None:
            return False
        action.note = found.id
        handle = self._system.client.get_workflow_handle(found.id, run_id=found.run_id)
        if planned.move is Move.CANCEL_WORKFLOW:
            await handle.cancel()
            return True
        await handle.terminate("chaos")
        if both:
            name = found.id.rpartition("/")[2]
            for operation in await self._open(OPERATION_WORKFLOW, name):
                operated = self._system.client.get_workflow_handle(operation.id)
                await operated.terminate("chaos")
        return True

    async def _open(self, kind: str, name: str = "") -> list[WorkflowExecution]:
        query = f"WorkflowType = '{kind}' AND ExecutionStatus = 'Running'"
        if name:
            query += f" AND {CONTAINER.name} = '{name}'"
        listed = [found async for found in self._system.client.list_workflows(query)]
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
