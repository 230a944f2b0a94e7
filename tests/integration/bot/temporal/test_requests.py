"""Does what people want reach the real workflows on a real Temporal server?"""

from __future__ import annotations

import asyncio
import threading
import time
import uuid
from dataclasses import replace
from typing import Any

import pytest
from temporalio.client import WorkflowFailureError

from bot.temporal.errors import (
    AlreadyOpenError,
    RequestEndedError,
    RequestUnknownError,
)
from bot.temporal.requests import RequestClient
from tests.integration.bot.temporal import HANGS
from tests.rigs.waiting import eventually
from tests.rigs.workers import RequestUnderTest, Workers
from workflows.model import names
from workflows.model.names import RequestAddress
from workflows.model.requests import Choice, Decision, Instruction
from workflows.model.state import RequestStatus, StepName, StepStatus


async def _decide(requests: RequestClient, host: str, container: str, decision: Decision) -> None:
    """Decide as a button does, which knows the address of its request."""
    address = RequestAddress(request_id=decision.request_id, host=host, container=container)
    await requests.decide(address, decision)


async def _waiting(requests: RequestClient, workers: Workers, **changes: Any) -> RequestUnderTest:
    """Start a request through the client, and wait for its card."""
    under_test = workers.under_test(workers.request(**changes))
    await requests.start(under_test.request)
    await under_test.until(RequestStatus.WAITING)
    return under_test


async def _rejected(requests: RequestClient, workers: Workers) -> RequestUnderTest:
    """Start a request and reject it, and wait for its end."""
    under_test = await _waiting(requests, workers)
    rejection = under_test.decision("UBOB", Choice.REJECT)
    await _decide(requests, workers.docker.name, "web-1", rejection)
    await under_test.result()
    return under_test


async def test_a_request_is_started_and_decided(requests: RequestClient, workers: Workers) -> None:
    """One call starts a request, one decides it, and its list entry follows."""
    request = workers.request()

    await requests.start(request)
    under_test = workers.under_test(request)
    waiting = await under_test.until(RequestStatus.WAITING)
    await _decide(requests, workers.docker.name, "web-1", under_test.decision("UBOB"))
    await under_test.until(RequestStatus.SUCCEEDED)

    assert waiting.requester == "UALICE"
    summary, state = await requests.status(request.request_id)
    assert (summary.host, summary.container, summary.requester, summary.operation) == (
        workers.docker.name,
        "web-1",
        "UALICE",
        "stop and snapshot",
    )
    assert state is not None
    assert state.status is RequestStatus.SUCCEEDED


async def test_temporals_own_ui_can_name_a_request(
    requests: RequestClient, workers: Workers
) -> None:
    """A request has a summary of one line, and no text of people in it."""
    request = workers.request(reason="<b>secret</b>")
    await requests.start(request)

    description = await workers.under_test(request).handle.describe()

    assert await description.static_summary() == f"stop and snapshot web-1 on {workers.docker.name}"
    assert "secret" not in str(await description.static_details())


async def test_the_same_delivery_starts_once(requests: RequestClient, workers: Workers) -> None:
    """Twenty deliveries of one request are one workflow, and none is an error."""
    request = workers.request()

    started = await asyncio.gather(*(requests.start(request) for _ in range(20)))

    assert started.count(True) == 1

    await eventually(lambda: _has_rows(requests, request.requester))
    query = f"{names.REQUEST_ID.name} = '{request.request_id}'"
    assert (await workers.client.count_workflows(query)).count == 1


async def test_a_late_copy_of_a_delivery_starts_nothing(
    requests: RequestClient, workers: Workers
) -> None:
    """A request that is over already, refused at once perhaps, is not made again by a copy."""
    request = workers.request()
    await requests.start(request)
    handle = workers.under_test(request).handle
    await handle.cancel()
    with pytest.raises(WorkflowFailureError):
        await handle.result()
    first = await handle.describe()

    assert not await requests.start(request)

    assert (await handle.describe()).run_id == first.run_id


async def _has_rows(requests: RequestClient, user: str) -> bool:
    return bool((await requests.visibility.of(user, most=1)).rows)


async def test_a_second_request_gets_the_way_to_the_first(
    requests: RequestClient, workers: Workers
) -> None:
    """A container has one open request; who asks again gets the link to its card."""
    first = workers.request()
    await requests.start(first)
    state = await workers.under_test(first).until(RequestStatus.WAITING)

    with pytest.raises(AlreadyOpenError) as refused:
        await requests.start(replace(first, request_id=uuid.uuid4().hex[:12]))

    assert refused.value.request_id == first.request_id
    assert state.card is not None
    assert refused.value.summary.permalink == state.card.permalink


async def test_a_second_request_is_told_without_a_worker(
    requests: RequestClient, workers: Workers
) -> None:
    """With no worker to ask, the first request is named all the same, quickly."""
    await workers.stop_control()
    first = workers.request()
    await requests.start(first)
    before = time.monotonic()

    with pytest.raises(AlreadyOpenError) as refused:
        await requests.start(replace(first, request_id=uuid.uuid4().hex[:12]))

    assert time.monotonic() - before < HANGS
    assert (refused.value.request_id, refused.value.summary.permalink) == (first.request_id, "")


async def test_a_container_can_be_asked_for_again(
    requests: RequestClient, workers: Workers
) -> None:
    """A request that is over is in nobody's way."""
    first = await _rejected(requests, workers)
    again = workers.under_test(replace(first.request, request_id=uuid.uuid4().hex[:12]))
    workers.policies.give(again.request)

    assert await requests.start(again.request)

    state = await again.until(RequestStatus.WAITING)
    assert state.request_id == again.request.request_id


async def test_a_decision_by_id_and_a_cancel_by_id(
    requests: RequestClient, workers: Workers
) -> None:
    """Who knows only the id of a request decides in the same way."""
    under_test = await _waiting(requests, workers, required_approvals=2)

    await requests.decide(under_test.request.request_id, under_test.decision("UBOB"))
    await eventually(lambda: _approvals(under_test, 1))
    cancel = Instruction(request_id=under_test.request.request_id, user_id="UALICE", team_id="T1")
    await requests.instruct(under_test.request.request_id, cancel)

    assert (await under_test.result()).status is RequestStatus.CANCELLED


async def _approvals(under_test: RequestUnderTest, count: int) -> bool:
    return len((await under_test.state()).approvals) == count


async def test_a_decision_is_kept_without_a_worker(
    requests: RequestClient, workers: Workers
) -> None:
    """A click while the worker is away is accepted at once and counted later."""
    under_test = await _waiting(requests, workers)
    await workers.stop_control()

    # At once: what takes longer than the budget is an error.
    await _decide(requests, workers.docker.name, "web-1", under_test.decision("UBOB"))

    await workers.start_control()
    state = await under_test.until(RequestStatus.SUCCEEDED)
    assert [decision.approver_id for decision in state.approvals] == ["UBOB"]


@pytest.mark.parametrize("by_id", [False, True])
async def test_a_late_decision_learns_what_became_of_it(
    requests: RequestClient, workers: Workers, by_id: bool
) -> None:
    """Who decides about a request that is over is told how it ended."""
    under_test = await _rejected(requests, workers)

    decision = under_test.decision("UCAROL")
    late_decision = (
        requests.decide(decision.request_id, decision)
        if by_id
        else _decide(requests, workers.docker.name, "web-1", decision)
    )
    with pytest.raises(RequestEndedError) as late:
        await late_decision

    assert late.value.summary.status == RequestStatus.REJECTED
    assert late.value.summary.request_id == under_test.request.request_id


async def test_a_late_decision_is_told_without_a_worker(
    requests: RequestClient, workers: Workers
) -> None:
    """How a request ended is known from Temporal's list too."""
    under_test = await _rejected(requests, workers)
    await workers.stop_control()

    with pytest.raises(RequestEndedError) as late:
        await _decide(requests, workers.docker.name, "web-1", under_test.decision("UCAROL"))

    assert late.value.summary.status == RequestStatus.REJECTED


async def test_unknown_requests(requests: RequestClient, workers: Workers) -> None:
    """An id that no request has is said to be unknown, on every way."""
    unknown = workers.request()
    decision = workers.under_test(unknown).decision("UBOB")

    with pytest.raises(RequestUnknownError):
        await _decide(requests, workers.docker.name, "none", decision)
    with pytest.raises(RequestUnknownError):
        await requests.decide(decision.request_id, decision)
    with pytest.raises(RequestUnknownError):
        await requests.status(unknown.request_id)


async def test_status_shows_the_steps_while_they_run(
    requests: RequestClient, workers: Workers
) -> None:
    """While the operation works, its own steps are shown."""
    gate = workers.docker.gates["ensure_stopped"] = threading.Event()
    under_test = await _waiting(requests, workers)
    await _decide(requests, workers.docker.name, "web-1", under_test.decision("UBOB"))

    async def a_step_runs() -> bool:
        _, state = await requests.status(under_test.request.request_id)
        running = [s.name for s in state.steps if s.status is StepStatus.RUNNING] if state else []
        return running == [StepName.STOP]

    await eventually(a_step_runs)
    gate.set()
    await under_test.until(RequestStatus.SUCCEEDED)


async def test_a_host_is_looked_at(requests: RequestClient, workers: Workers) -> None:
    """List and inspect go through a short workflow to the worker of the host."""
    listed = await requests.look(workers.docker.name)
    inspected = await requests.look(workers.docker.name, "web-1")

    assert listed.containers is not None
    assert inspected.inspection is not None
    assert inspected.inspection.pin.name == "web-1"
