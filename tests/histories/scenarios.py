"""Which ways through a request are recorded?

Each scenario takes one request to its end on a real server. ``python -m tests.histories.scenarios``
records them all anew; that is only right when no request of an older release is open any more,
or when the change of the workflows is guarded by ``workflow.patched``. What was recorded before
such a change stays in ``recorded/earlier``, as long as such requests may be open.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

from tests.fakes.fake_docker import failure
from tests.rigs.dev_server import temporal_server
from tests.rigs.waiting import eventually
from tests.rigs.workers import RequestUnderTest, Workers
from workflows.model.errors import ErrorType
from workflows.model.requests import (
    Choice,
    ContainerState,
    Intent,
    OperationSpec,
)
from workflows.model.state import RequestStatus
from workflows.operations.catalog import EVERY

FOLDER = Path(__file__).parent / "recorded"


async def _waiting(workers: Workers) -> RequestUnderTest:
    under_test = await workers.start(workers.request())
    await under_test.until(RequestStatus.WAITING)
    return under_test


async def _approve(workers: Workers) -> RequestUnderTest:
    return await workers.approved()


async def _two_approvals(workers: Workers) -> RequestUnderTest:
    under_test = await workers.start(workers.request(required_approvals=2))
    await under_test.until(RequestStatus.WAITING)
    await under_test.decide("UALICE")
    await under_test.decide("UBOB")
    await under_test.decide("UCAROL")
    return under_test


async def _refused_clicks(workers: Workers) -> RequestUnderTest:
    under_test = await _waiting(workers)
    for who in ("UDAVE", "UALICE", "UDAVE"):
        await under_test.decide(who, decision_id=f"{who}-{len(workers.slack.notices)}")
    await eventually(lambda: {n.user_id for n in workers.slack.notices} == {"UDAVE", "UALICE"})
    await under_test.decide("UBOB")
    return under_test


async def _reject(workers: Workers) -> RequestUnderTest:
    under_test = await _waiting(workers)
    await under_test.decide("UBOB", Choice.REJECT)
    return under_test


async def _expire(workers: Workers) -> RequestUnderTest:
    return await workers.start(workers.request(expires_after_seconds=2))


async def _cancel_waiting(workers: Workers) -> RequestUnderTest:
    under_test = await _waiting(workers)
    await under_test.cancel()
    return under_test


async def _cancel_stopping(workers: Workers) -> RequestUnderTest:
    gate = workers.docker.gates["ensure_stopped"] = threading.Event()
    under_test = await _approve(workers)
    await eventually(workers.docker.entered["ensure_stopped"].is_set)
    await under_test.cancel()
    await eventually(lambda: any(s.cancel_requested_by for s in workers.slack.drawn))
    gate.set()
    return under_test


async def _stale(workers: Workers) -> RequestUnderTest:
    workers.docker.faults["ensure_stopped"] = [failure(ErrorType.CONTAINER_CHANGED)]
    return await _approve(workers)


async def _commit_failed(workers: Workers) -> RequestUnderTest:
    workers.docker.faults["ensure_snapshot"] = [failure(ErrorType.DISK_FULL)]
    return await _approve(workers)


async def _compensation_failed(workers: Workers) -> RequestUnderTest:
    workers.docker.faults["ensure_snapshot"] = [failure(ErrorType.DISK_FULL)]
    workers.docker.faults["ensure_running"] = [failure(ErrorType.PORT_BUSY) for _ in range(3)]
    under_test = await _approve(workers)
    await under_test.until(RequestStatus.NEEDS_PERSON)
    await under_test.instruct(Intent.STOP_TRYING)
    return under_test


async def _approved(kind: str, workers: Workers) -> RequestUnderTest:
    """Have an operation approved that a policy covers only by naming it."""
    policies = tuple(replace(one, operations=(EVERY,)) for one in workers.request().policies)
    return await workers.approved(operation=OperationSpec(kind=kind), policies=policies)


async def _start(workers: Workers) -> RequestUnderTest:
    workers.docker.state = ContainerState.EXITED
    return await _approved("start", workers)


async def _start_failed(workers: Workers) -> RequestUnderTest:
    workers.docker.faults["ensure_started"] = [
        failure(ErrorType.NOT_RUNNING, {"touched": True, "state": "exited"})
    ]
    return await _start(workers)


async def _restart(workers: Workers) -> RequestUnderTest:
    return await _approved("restart", workers)


async def _restart_of_what_rests(workers: Workers) -> RequestUnderTest:
    workers.docker.state = ContainerState.EXITED
    return await _restart(workers)


SCENARIOS: dict[str, tuple[Callable[[Workers], Awaitable[RequestUnderTest]], RequestStatus]] = {
    "approve": (_approve, RequestStatus.SUCCEEDED),
    "two_approvals": (_two_approvals, RequestStatus.SUCCEEDED),
    "refused_clicks": (_refused_clicks, RequestStatus.SUCCEEDED),
    "reject": (_reject, RequestStatus.REJECTED),
    "expire": (_expire, RequestStatus.EXPIRED),
    "cancel_while_waiting": (_cancel_waiting, RequestStatus.CANCELLED),
    "cancel_while_stopping": (_cancel_stopping, RequestStatus.PUT_BACK),
    "stale": (_stale, RequestStatus.STALE),
    "commit_failed": (_commit_failed, RequestStatus.PUT_BACK),
    "compensation_failed": (_compensation_failed, RequestStatus.NEEDS_PERSON),
    "start": (_start, RequestStatus.SUCCEEDED),
    "start_failed": (_start_failed, RequestStatus.PUT_BACK),
    "restart": (_restart, RequestStatus.SUCCEEDED),
    "restart_of_what_rests": (_restart_of_what_rests, RequestStatus.SUCCEEDED),
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
            async with Workers(env.client) as workers:
                under_test = await scenario(workers)
                assert (await under_test.result()).status is status
                handles = {"request": under_test.handle}
                if name in OPERATED:
                    handles["operation"] = under_test.operation
                for kind, handle in handles.items():
                    history = await handle.fetch_history()
                    (FOLDER / f"{name}.{kind}.json").write_text(_portable(history.to_json()))


if __name__ == "__main__":
    asyncio.run(record())
