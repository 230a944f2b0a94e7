"""What do the campaign's people do, in Slack, on the host and in Temporal's terminal?"""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import Any, Final

import aiohttp
import docker
import requests
from temporalio.service import RPCError

from deploy.laptop.channel import request_of
from deploy.laptop.slack_server import USERS
from tests.chaos.event_log import Action, EventLog
from tests.chaos.floods import flood
from tests.chaos.forgeries import forge
from tests.chaos.meddling import (
    find_button,
    open_runs,
    pick,
    recreate_owner,
    second_pick,
    signal_oddly,
)
from tests.chaos.plan import FLOODS, FORGERIES, RENAMES, REPLACEMENTS, Move, Planned
from tests.chaos.renames import rename
from tests.chaos.replacements import replace_request
from tests.chaos.second_host import second_host
from tests.chaos.system import OWNED, System
from tests.rigs.dockerd import IMAGE
from workflows.model.names import (
    OPERATION_WORKFLOW,
    REQUEST_ID,
    REQUEST_WORKFLOW,
    REQUESTER,
    STATUS,
    ActionId,
)
from workflows.model.state import RequestStatus

_UNHEARD: Final = (
    aiohttp.ClientError,
    TimeoutError,
    OSError,
    RPCError,
    requests.RequestException,
    docker.errors.APIError,
)
_NAMES: Final = {user_id: name for name, user_id in USERS.items()}
_TRYING: Final = {Move.STOP_TRYING: ActionId.STOP_TRYING, Move.TRY_NOW: ActionId.TRY_NOW}
_SPARED: Final = 0.7
_ON_THE_HOST: Final = (Move.REVIVE, Move.RESTART, Move.STOP_AND_START, Move.RECREATE)
#: What is done past the doors, by functions of their own.
_ELSEWHERE: Final = {
    Move.SIGNAL_ODDLY: signal_oddly,
    Move.RECREATE_OWNER: recreate_owner,
    Move.SECOND_HOST: second_host,
    **dict.fromkeys(FLOODS, flood),
    **dict.fromkeys(FORGERIES, forge),
    **dict.fromkeys(RENAMES, rename),
    **dict.fromkeys(REPLACEMENTS, replace_request),
}
_DECISIONS: Final = (Move.APPROVE, Move.APPROVE_TWICE, Move.APPROVE_WRONGLY, Move.REJECT)


class PeopleMoves:
    """Carries out the moves of people; what fails because a part is down is noted as such."""

    def __init__(self, system: System, event_log: EventLog) -> None:
        self._system, self._event_log = system, event_log
        #: The time stamp of a card and its button Cancel, as it was last seen, by request.
        self._cancels: dict[str, tuple[str, dict[str, str]]] = {}

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
        match planned.move:
            case Move.ASK:
                await self._say(action, planned.who, planned.text)
                done = True
            case move if move in _DECISIONS:
                done = await self._decide(planned, action)
            case Move.CANCEL | Move.CANCEL_WRONGLY:
                done = await self._cancel(planned, action)
            case Move.CANCEL_AGAIN:
                done = await self._cancel_again(planned, action)
            case Move.STOP_TRYING | Move.TRY_NOW as move:
                done = await self._press_as_requester(planned, action, _TRYING[move])
            case move if move in _ELSEWHERE:
                done = await _ELSEWHERE[move](self._system, planned, action)
            case Move.TAKE_TAG:
                done = await self._take_tag(action)
            case move if move in _ON_THE_HOST:
                done = await self._docker(planned, action)
            case _:
                done = await self._terminate(planned, action)
        return done

    async def _say(self, action: Action, user: str, text: str) -> None:
        action.user, action.note = user, text
        await self._system.slack("command", user, command="/container", text=text)

    async def _decide(self, planned: Planned, action: Action) -> bool:
        card = await self._card(planned, ActionId.APPROVE)
        if card is None:
            return False
        action.request_id = request_of(card)
        allowed = ("bob", "carol")[second_pick(planned) > 0.5]
        action.user = "dave" if planned.move is Move.APPROVE_WRONGLY else allowed
        if planned.move is Move.APPROVE_WRONGLY and second_pick(planned) > 0.5:
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
        if second_pick(planned) > 0.5:
            await self._press(action.user, card, ActionId.CANCEL)
        else:
            await self._say(action, action.user, f"cancel {action.request_id}")
        return True

    async def _cancel_again(self, planned: Planned, action: Action) -> bool:
        """Press Cancel as an earlier card had it, and type it, over and over.

        Best where it must do nothing at all: while a container waits for a person.
        """
        await self._messages()
        running = await open_runs(self._system.client, REQUEST_WORKFLOW)
        found = {run.typed_search_attributes[REQUEST_ID]: run for run in running}
        shown = {
            i: found[i].typed_search_attributes.get(STATUS) for i in found if i in self._cancels
        }
        waiting = [i for i in shown if shown[i] == RequestStatus.NEEDS_PERSON]
        at_work = [i for i in shown if shown[i] == RequestStatus.RUNNING]
        # One that waits for approval is mostly spared, or nothing would ever be at work.
        others = [*shown] if second_pick(planned) > _SPARED else []
        chosen = pick(planned, waiting or at_work or others)
        if chosen is None:
            return False
        action.request_id, action.user = chosen, await self._requester(chosen)
        ts, button = self._cancels[chosen]
        turns = 2 + int(planned.pick * 1000) % 4
        for turn in range(turns):
            if turn % 2:
                await self._say(action, action.user, f"cancel {chosen}")
            else:
                await self._system.slack("interact", action.user, messageTs=ts, action=button)
            await asyncio.sleep(planned.seconds / turns)
        action.note = f"{chosen}, {turns} times{' while a person is needed' if waiting else ''}"
        return True

    async def _press_as_requester(
        self, planned: Planned, action: Action, action_id: ActionId
    ) -> bool:
        card = await self._card(planned, action_id)
        if card is None:
            return False
        action.request_id = request_of(card)
        action.user = await self._requester(action.request_id)
        await self._press(action.user, card, action_id)
        return True

    async def _press(self, user: str, card: dict[str, Any], action_id: ActionId) -> None:
        button = find_button(card, action_id)
        assert button is not None
        await self._system.slack("interact", user, messageTs=card["ts"], action=button)

    async def _card(self, planned: Planned, action_id: ActionId) -> dict[str, Any] | None:
        """Pick a card that has this button."""
        messages = await self._messages()
        return pick(planned, [m for m in messages if request_of(m) and find_button(m, action_id)])

    async def _messages(self) -> list[dict[str, Any]]:
        """Read the channel, and remember the buttons that will go."""
        messages = await self._system.messages()
        for message in messages:
            button = find_button(message, ActionId.CANCEL)
            if request_of(message) and button:
                self._cancels[request_of(message)] = (message["ts"], button)
        return messages

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
        api, name, move = self._system.api, planned.text, planned.move
        if name == OWNED and move in (Move.REVIVE, Move.RECREATE):
            await asyncio.to_thread(self._system.provide_owner)
            orphaned = await asyncio.to_thread(self._system.is_orphaned, name)
            if orphaned and not await self._is_operated(name):
                # It can never be started again.
                move = Move.RECREATE
        found = await asyncio.to_thread(self._system.find, name)
        if found is None:
            # A run that the engine did not outlive left no container of this name.
            action.container_id = await asyncio.to_thread(self._system.make, name)
            await asyncio.to_thread(api.start, action.container_id)
            return True
        action.container_id, state = found["Id"], found["State"]
        if move is Move.REVIVE:
            if state not in ("exited", "created") or await self._is_operated(name):
                action.container_id = ""
                return False
            await asyncio.to_thread(api.start, action.container_id)
        elif move is Move.RESTART:
            await asyncio.to_thread(api.restart, action.container_id, timeout=1)
        elif move is Move.STOP_AND_START:
            await asyncio.to_thread(api.stop, action.container_id, timeout=1)
            await asyncio.sleep(planned.pick * 2)
            await asyncio.to_thread(api.start, action.container_id)
        else:
            await asyncio.to_thread(api.remove_container, action.container_id, force=True)
            made = await asyncio.to_thread(self._system.make, name)
            await asyncio.to_thread(api.start, made)
        return True

    async def _is_operated(self, name: str) -> bool:
        return bool(await open_runs(self._system.client, OPERATION_WORKFLOW, name))

    async def _terminate(self, planned: Planned, action: Action) -> bool:
        both = planned.move is Move.TERMINATE_BOTH
        kind = OPERATION_WORKFLOW if planned.move is Move.TERMINATE_OPERATION else REQUEST_WORKFLOW
        found = pick(planned, await open_runs(self._system.client, kind))
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
            for operation in await open_runs(self._system.client, OPERATION_WORKFLOW, name):
                operated = self._system.client.get_workflow_handle(operation.id)
                await operated.terminate("chaos")
        return True
