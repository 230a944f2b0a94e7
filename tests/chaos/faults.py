"""How does the campaign break parts, and the way to the engine?"""

from __future__ import annotations

import asyncio
import signal
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Final

from tests.chaos.event_log import Action, EventLog
from tests.chaos.plan import Move, Planned
from tests.chaos.system import System
from tests.rigs.docker_proxy import Answer, HangUp, Moment, Trap

_WHEN: Final = {
    Move.LOSE_REQUEST: Moment.BEFORE,
    Move.LOSE_ANSWER: Moment.ANSWERED,
    Move.LEAVE_AT_WORK: Moment.UNDERWAY,
    Move.ANSWER_500: Moment.BEFORE,
    Move.DELAY: Moment.BEFORE,
}
#: So often an engine that was killed comes back with its live-restore the other way.
_TOGGLES: Final = 0.4


class Faults:
    """Carries out the moves against machines; one at a time on each part."""

    def __init__(self, system: System, event_log: EventLog) -> None:
        self._system, self._event_log = system, event_log
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._traps: list[tuple[Action, Trap]] = []

    async def carry_out(self, planned: Planned) -> None:
        """Do what is planned, to its end."""
        verb, _, part = planned.move.partition(" ")
        if planned.move in _WHEN:
            self._set_trap(planned)
        elif planned.move is Move.HANG_UP:
            action = self._event_log.begin(planned)
            self._system.docker_proxy.hang_up()
            self._end(action)
        elif planned.move is Move.REFUSE_TOKENS:
            async with self._locks["tokens"]:
                await self._refuse_tokens(planned)
        elif planned.move is Move.REFUSE:
            async with self._locks["proxy"]:
                action = self._event_log.begin(planned)
                await asyncio.to_thread(self._system.docker_proxy.down)
                await asyncio.sleep(planned.seconds)
                await asyncio.to_thread(self._system.docker_proxy.up)
                self._end(action)
        else:
            async with self._locks[part]:
                await self._break(planned, verb, part)

    def disarm(self) -> None:
        """Let everything pass from now on; and note which traps have fired."""
        for action, trap in self._traps:
            trap.times = 0
            action.took_effect = trap.fired > 0
            action.ended = time.time()

    async def _refuse_tokens(self, planned: Planned) -> None:
        proxy, action = self._system.stack.slack_proxy, self._event_log.begin(planned)
        before, proxy.refuse_all = proxy.refused, planned.text
        try:
            await asyncio.sleep(planned.seconds)
        finally:
            proxy.refuse_all = ""
        self._end(action)
        action.took_effect = proxy.refused > before
        action.note = f"{planned.text}, {proxy.refused - before} calls"

    async def _break(self, planned: Planned, verb: str, part: str) -> None:
        action = self._event_log.begin(planned)
        if part == "engine":
            await self._break_engine(planned, verb, action)
            self._end(action)
        elif verb == "kill":
            pid = self._system.signal(part, signal.SIGKILL)
            if pid is not None:
                self._end(action)
                if part == "slack":
                    self._event_log.slack_wiped.append(time.time())
        else:
            pid = self._system.signal(part, signal.SIGSTOP)
            if pid is not None:
                await asyncio.sleep(planned.seconds)
                if self._system.pid(part) == pid:
                    self._system.signal(part, signal.SIGCONT)
                self._end(action)

    async def _break_engine(self, planned: Planned, verb: str, action: Action) -> None:
        engine, began = self._system.engine, time.time()
        if verb == "kill":
            await asyncio.to_thread(engine.kill)
            await asyncio.sleep(planned.seconds)
            if planned.pick < _TOGGLES:
                engine.live_restore = not engine.live_restore
            action.note = f"comes back with live-restore {'on' if engine.live_restore else 'off'}"
            await asyncio.to_thread(engine.start)
            self._event_log.engine_down.append((began, time.time()))
        else:
            engine.freeze()
            await asyncio.sleep(planned.seconds)
            engine.thaw()

    def _set_trap(self, planned: Planned) -> None:
        action = self._event_log.begin(planned)
        trap = self._system.docker_proxy.trap(planned.text, _WHEN[planned.move], _act(planned))
        self._traps.append((action, trap))

    def _end(self, action: Action) -> None:
        action.ended, action.took_effect = time.time(), True


def _act(planned: Planned) -> Callable[[], HangUp | Answer | None]:
    def act() -> HangUp | Answer | None:
        if planned.move is Move.ANSWER_500:
            return Answer(500, "something is wrong with the engine")
        if planned.move is Move.DELAY:
            time.sleep(planned.seconds)
            return None
        return HangUp()

    return act
