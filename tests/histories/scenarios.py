"""Which ways through a request are recorded?

Each scenario plays one request to its end on a real server. ``python -m tests.histories.scenarios``
records them all anew; that is only right when no request of an older release is open any more,
or when the change of the workflows is guarded by ``workflow.patched``.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path

from tests.fakes.fake_docker import failure
from tests.rigs.dev_server import temporal_server
from tests.rigs.waiting import eventually
from tests.rigs.workers import Play, Stage
from workflows.model import names
from workflows.model.errors import ErrorType
from workflows.model.requests import CancelRequest, Choice
from workflows.model.state import RequestStatus

FOLDER = Path(__file__).parent / "recorded"


async def _waiting(stage: Stage) -> Play:
    play = await stage.start(stage.request())
    await play.until(RequestStatus.WAITING)
    return play


async def _approve(stage: Stage) -> Play:
    play = await _waiting(stage)
    await play.decide("UBOB")
    return play


async def _two_approvals(stage: Stage) -> Play:
    play = await stage.start(stage.request(required_approvals=2))
    await play.until(RequestStatus.WAITING)
    await play.decide("UALICE")
    await play.decide("UBOB")
    await play.decide("UCAROL")
    return play


async def _reject(stage: Stage) -> Play:
    play = await _waiting(stage)
    await play.decide("UBOB", Choice.REJECT)
    return play


async def _expire(stage: Stage) -> Play:
    return await stage.start(stage.request(expires_after_seconds=2))


async def _cancel(play: Play) -> None:
    cancel = CancelRequest(request_id=play.request.request_id, user_id="UALICE", team_id="T1")
    await play.handle.signal(names.CANCEL_SIGNAL, cancel)


async def _cancel_waiting(stage: Stage) -> Play:
    play = await _waiting(stage)
    await _cancel(play)
    return play


async def _cancel_stopping(stage: Stage) -> Play:
    gate = stage.host.gates["ensure_stopped"] = threading.Event()
    play = await _approve(stage)
    await eventually(stage.host.entered["ensure_stopped"].is_set)
    await _cancel(play)
    await eventually(lambda: any(s.cancel_requested_by for s in stage.office.drawn))
    gate.set()
    return play


async def _stale(stage: Stage) -> Play:
    stage.host.faults["ensure_stopped"] = [failure(ErrorType.CONTAINER_CHANGED)]
    return await _approve(stage)


async def _commit_failed(stage: Stage) -> Play:
    stage.host.faults["ensure_snapshot"] = [failure(ErrorType.DISK_FULL)]
    return await _approve(stage)


async def _compensation_failed(stage: Stage) -> Play:
    stage.host.faults["ensure_snapshot"] = [failure(ErrorType.DISK_FULL)]
    stage.host.faults["ensure_running"] = [failure(ErrorType.PORT_BUSY)]
    play = await _approve(stage)
    await play.until(RequestStatus.NEEDS_PERSON)
    await _cancel(play)
    return play


SCENARIOS: dict[str, tuple[Callable[[Stage], Awaitable[Play]], RequestStatus]] = {
    "approve": (_approve, RequestStatus.SUCCEEDED),
    "two_approvals": (_two_approvals, RequestStatus.SUCCEEDED),
    "reject": (_reject, RequestStatus.REJECTED),
    "expire": (_expire, RequestStatus.EXPIRED),
    "cancel_while_waiting": (_cancel_waiting, RequestStatus.CANCELLED),
    "cancel_while_stopping": (_cancel_stopping, RequestStatus.PUT_BACK),
    "stale": (_stale, RequestStatus.STALE),
    "commit_failed": (_commit_failed, RequestStatus.PUT_BACK),
    "compensation_failed": (_compensation_failed, RequestStatus.NEEDS_PERSON),
}
OPERATED = {name for name, (_, status) in SCENARIOS.items()} - {
    "reject",
    "expire",
    "cancel_while_waiting",
}


def _portable(history: str) -> str:
    """Leave out what tells about the machine that recorded: stacks and process names."""
    told = {"stackTrace", "identity"}

    def keep(pairs: list[tuple[str, object]]) -> dict[str, object]:
        return {key: value for key, value in pairs if key not in told}

    return json.dumps(json.loads(history, object_pairs_hook=keep), indent=1) + "\n"


async def record() -> None:
    """Record all scenarios."""
    FOLDER.mkdir(exist_ok=True)
    async with temporal_server() as env:
        for name, (scenario, status) in SCENARIOS.items():
            async with Stage(env.client) as stage:
                play = await scenario(stage)
                assert (await play.result()).status is status
                handles = {"request": play.handle}
                if name in OPERATED:
                    handles["operation"] = play.operation
                for kind, handle in handles.items():
                    history = await handle.fetch_history()
                    (FOLDER / f"{name}.{kind}.json").write_text(_portable(history.to_json()))


if __name__ == "__main__":
    asyncio.run(record())
