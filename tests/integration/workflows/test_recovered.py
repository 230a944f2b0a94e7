"""What has the operation with it that takes up what was ended, and whom does it believe?"""

from __future__ import annotations

import threading

from temporalio.client import Client

from activities.temporal.history import read_history
from tests.rigs.ended import reconcile, terminated
from tests.rigs.waiting import eventually
from tests.rigs.workers import Workers
from workflows.model import names
from workflows.model.plan import PERMIT_SEAL, permit_parts
from workflows.model.seal import SealKeys
from workflows.model.state import RequestStatus


async def test_what_is_put_back_bears_its_permit(client: Client) -> None:
    """Whoever takes an operation up has the permit that its docker worker wants."""
    keys = SealKeys(("k" * 32,))
    async with Workers(client, keys=keys) as workers:
        under_test = await terminated(workers, "ensure_snapshot", keys=keys)
        ended = await under_test.operation.describe()
        told = await read_history(workers.client, ended.id, ended.run_id)
        await reconcile(workers)
        await under_test.operation.result()
    assert told.state is not None
    permit = told.state.permit
    assert permit is not None
    assert keys.holds(permit.seal, PERMIT_SEAL, *permit_parts(permit))
    assert [arg.permit for arg in workers.docker.put_back] == [permit]


async def test_a_recovery_has_nobody_to_ask_about_signals(workers: Workers) -> None:
    """Its request is gone, so nobody's cancel is believed, and none is told."""
    under_test = await terminated(workers, "ensure_snapshot")
    gate = workers.docker.gates["ensure_running"] = threading.Event()
    await reconcile(workers)
    await eventually(workers.docker.entered["ensure_running"].is_set)

    for signal in (names.CANCEL_SIGNAL, names.GIVE_UP_SIGNAL, names.TRY_NOW_SIGNAL):
        await under_test.operation.signal(signal, "UALICE")
    gate.set()
    state = await under_test.operation.result()

    assert (state["status"], state["cancel_requested_by"]) == (RequestStatus.PUT_BACK, "")
    assert len(workers.docker.put_back) == 1
