"""Does what people want reach the real workflows on a real Temporal server?"""

from __future__ import annotations

import asyncio
import threading
import time
import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
from temporalio.client import Client, WorkflowFailureError

from bot.temporal import client as temporal
from bot.temporal.client import BUDGET, SHORT
from bot.temporal.errors import (
    ENDED,
    AlreadyOpenError,
    NoWorkerError,
    RequestEndedError,
    RequestUnknownError,
    TemporalCall,
    TemporalMisconfiguredError,
    TemporalUnavailableError,
)
from bot.temporal.requests import RequestClient
from bot.temporal.visibility import RequestPage
from tests.rigs.dev_server import temporal_server
from tests.rigs.program import free_port
from tests.rigs.temporal import Play, Stage
from tests.rigs.waiting import eventually
from workflows.model import names
from workflows.model.names import RequestAddress
from workflows.model.requests import CancelRequest, Choice, Decision, LifecycleRequest
from workflows.model.state import RequestState, RequestStatus, StepStatus

#: Seconds that only a call without a bound needs: Temporal itself lets one wait for thirty.
_HANGS = 10


@pytest.fixture(scope="module", name="client")
async def _client() -> AsyncIterator[Client]:
    async with temporal_server() as env:
        yield env.client


@pytest.fixture(name="stage")
async def _stage(client: Client) -> AsyncIterator[Stage]:
    async with Stage(client) as stage:
        yield stage


@pytest.fixture(name="requests")
def _requests(client: Client) -> RequestClient:
    return RequestClient(client)


def _play(stage: Stage, request: LifecycleRequest) -> Play:
    container = request.container
    handle = stage.client.get_workflow_handle(
        names.request_workflow_id(container.host, container.name), result_type=RequestState
    )
    return Play(stage, request, handle)


async def _decide(requests: RequestClient, host: str, container: str, decision: Decision) -> None:
    """Decide as a button does, which knows the address of its request."""
    address = RequestAddress(request_id=decision.request_id, host=host, container=container)
    await requests.decide(address, decision)


async def test_a_request_is_started_and_decided(requests: RequestClient, stage: Stage) -> None:
    """One call starts a request, one decides it, and its list entry follows."""
    request = stage.request()

    await requests.start(request)
    play = _play(stage, request)
    waiting = await play.until(RequestStatus.WAITING)
    await _decide(requests, stage.host.name, "web-1", play.decision("UBOB"))
    await play.until(RequestStatus.SUCCEEDED)

    assert waiting.requester == "UALICE"
    summary, state = await requests.status(request.request_id)
    assert (summary.host, summary.container, summary.requester, summary.operation) == (
        stage.host.name,
        "web-1",
        "UALICE",
        "stop and snapshot",
    )
    assert state is not None
    assert state.status is RequestStatus.SUCCEEDED


async def test_temporals_own_ui_can_name_a_request(requests: RequestClient, stage: Stage) -> None:
    """A request has a summary of one line, and no text of people in it."""
    request = stage.request(reason="<b>secret</b>")
    await requests.start(request)

    description = await _play(stage, request).handle.describe()

    assert await description.static_summary() == f"stop and snapshot web-1 on {stage.host.name}"
    assert "secret" not in str(await description.static_details())


async def test_the_same_delivery_starts_once(requests: RequestClient, stage: Stage) -> None:
    """Twenty deliveries of one request are one workflow, and none is an error."""
    request = stage.request()

    started = await asyncio.gather(*(requests.start(request) for _ in range(20)))

    assert started.count(True) == 1

    await eventually(lambda: _has_rows(requests, request.requester))
    query = f"{names.REQUEST_ID.name} = '{request.request_id}'"
    assert (await stage.client.count_workflows(query)).count == 1


async def test_a_late_copy_of_a_delivery_starts_nothing(
    requests: RequestClient, stage: Stage
) -> None:
    """A request that is over already, refused at once perhaps, is not made again by a copy."""
    request = stage.request()
    await requests.start(request)
    handle = _play(stage, request).handle
    await handle.cancel()
    with pytest.raises(WorkflowFailureError):
        await handle.result()
    first = await handle.describe()

    assert not await requests.start(request)

    assert (await handle.describe()).run_id == first.run_id


async def _has_rows(requests: RequestClient, user: str) -> bool:
    return bool((await requests.visibility.of(user)).rows)


async def test_a_second_request_gets_the_way_to_the_first(
    requests: RequestClient, stage: Stage
) -> None:
    """A container has one open request; who asks again gets the link to its card."""
    first = stage.request()
    await requests.start(first)
    state = await _play(stage, first).until(RequestStatus.WAITING)

    with pytest.raises(AlreadyOpenError) as refused:
        await requests.start(replace(first, request_id=uuid.uuid4().hex[:12]))

    assert refused.value.request_id == first.request_id
    assert state.card is not None
    assert refused.value.permalink == state.card.permalink


async def test_a_second_request_is_told_without_a_worker(
    requests: RequestClient, stage: Stage
) -> None:
    """With no worker to ask, the first request is named all the same, quickly."""
    await stage.stop_control()
    first = stage.request()
    await requests.start(first)
    before = time.monotonic()

    with pytest.raises(AlreadyOpenError) as refused:
        await requests.start(replace(first, request_id=uuid.uuid4().hex[:12]))

    assert time.monotonic() - before < _HANGS
    assert (refused.value.request_id, refused.value.permalink) == (first.request_id, "")


async def test_a_container_can_be_asked_for_again(requests: RequestClient, stage: Stage) -> None:
    """A request that is over is in nobody's way."""
    first = stage.request()
    await requests.start(first)
    play = _play(stage, first)
    await play.until(RequestStatus.WAITING)
    await _decide(requests, stage.host.name, "web-1", play.decision("UBOB", Choice.REJECT))
    await play.result()

    await requests.start(replace(first, request_id=uuid.uuid4().hex[:12]))


async def test_a_decision_by_id_and_a_cancel_by_id(requests: RequestClient, stage: Stage) -> None:
    """Who knows only the id of a request decides through the same door."""
    request = stage.request(required_approvals=2)
    await requests.start(request)
    play = _play(stage, request)
    await play.until(RequestStatus.WAITING)

    await requests.decide(play.request.request_id, play.decision("UBOB"))
    await eventually(lambda: _approvals(play, 1))
    cancel = CancelRequest(request_id=request.request_id, user_id="UALICE", team_id="T1")
    await requests.cancel(request.request_id, cancel)

    assert (await play.result()).status is RequestStatus.CANCELLED


async def _approvals(play: Play, count: int) -> bool:
    return len((await play.state()).approvals) == count


async def test_a_decision_is_kept_without_a_worker(requests: RequestClient, stage: Stage) -> None:
    """A click while the worker is away is accepted at once and counted later."""
    request = stage.request()
    await requests.start(request)
    play = _play(stage, request)
    await play.until(RequestStatus.WAITING)
    await stage.stop_control()

    # At once: what takes longer than the budget is an error.
    await _decide(requests, stage.host.name, "web-1", play.decision("UBOB"))

    await stage.start_control()
    await play.until(RequestStatus.SUCCEEDED)


@pytest.mark.parametrize("by_id", [False, True])
async def test_a_late_decision_learns_what_became_of_it(
    requests: RequestClient, stage: Stage, by_id: bool
) -> None:
    """Who decides about a request that is over is told how it ended."""
    request = stage.request()
    await requests.start(request)
    play = _play(stage, request)
    await play.until(RequestStatus.WAITING)
    await _decide(requests, stage.host.name, "web-1", play.decision("UBOB", Choice.REJECT))
    await play.result()

    decision = play.decision("UCAROL")
    late_decision = (
        requests.decide(decision.request_id, decision)
        if by_id
        else _decide(requests, stage.host.name, "web-1", decision)
    )
    with pytest.raises(RequestEndedError) as late:
        await late_decision

    assert late.value.summary.status == RequestStatus.REJECTED
    assert late.value.summary.request_id == request.request_id


async def test_a_late_decision_is_told_without_a_worker(
    requests: RequestClient, stage: Stage
) -> None:
    """How a request ended is known from Temporal's list too."""
    request = stage.request()
    await requests.start(request)
    play = _play(stage, request)
    await play.until(RequestStatus.WAITING)
    await _decide(requests, stage.host.name, "web-1", play.decision("UBOB", Choice.REJECT))
    await play.result()
    await stage.stop_control()

    with pytest.raises(RequestEndedError) as late:
        await _decide(requests, stage.host.name, "web-1", play.decision("UCAROL"))

    assert late.value.summary.status == RequestStatus.REJECTED


async def test_a_request_ended_in_temporal_is_not_said_to_wait(
    requests: RequestClient, stage: Stage
) -> None:
    """A workflow that somebody terminated is over, whatever its last word was."""
    request = stage.request()
    await requests.start(request)
    play = _play(stage, request)
    await play.until(RequestStatus.WAITING)
    await play.handle.terminate()

    async def is_over() -> bool:
        return (await requests.visibility.find(request.request_id)).status == ENDED

    await eventually(is_over)


async def test_unknown_requests(requests: RequestClient, stage: Stage) -> None:
    """An id that no request has is said to be unknown, at every door."""
    unknown = stage.request()
    decision = _play(stage, unknown).decision("UBOB")

    with pytest.raises(RequestUnknownError):
        await _decide(requests, stage.host.name, "none", decision)
    with pytest.raises(RequestUnknownError):
        await requests.decide(decision.request_id, decision)
    with pytest.raises(RequestUnknownError):
        await requests.status(unknown.request_id)


async def test_lists_of_requests(requests: RequestClient, stage: Stage) -> None:
    """Waiting, mine and recent show the right requests, and a limit with a count."""
    requester = f"U{uuid.uuid4().hex[:8].upper()}"
    stage.office.person(requester)
    for number in range(17):
        stage_request = stage.request(requester=requester)
        container = replace(stage_request.container, name=f"web-{number}")
        await requests.start(replace(stage_request, container=container))

    async def all_listed() -> bool:
        return (await requests.visibility.of(requester)).total == 17

    await eventually(all_listed)
    mine = await requests.visibility.of(requester)
    waiting = (await requests.visibility.waiting()).rows
    recent = (await requests.visibility.recent()).rows
    assert (len(mine.rows), mine.total) == (15, 17)
    assert {row.requester for row in mine.rows} == {requester}
    assert waiting
    assert recent
    assert all(row.status == RequestStatus.WAITING and row.open for row in waiting)


async def test_a_name_cannot_widen_a_list(requests: RequestClient, stage: Stage) -> None:
    """A quote in a user id ends no query."""
    await requests.start(stage.request())

    page = await requests.visibility.of("x' OR DockwardenRequester = 'UALICE")

    assert page == RequestPage(rows=(), total=0)


async def test_status_shows_the_steps_while_they_run(requests: RequestClient, stage: Stage) -> None:
    """While the operation works, its own steps are shown."""
    gate = stage.host.gates["ensure_stopped"] = threading.Event()
    request = stage.request()
    await requests.start(request)
    play = _play(stage, request)
    await play.until(RequestStatus.WAITING)
    await _decide(requests, stage.host.name, "web-1", play.decision("UBOB"))

    async def a_step_runs() -> bool:
        _, state = await requests.status(request.request_id)
        return state is not None and any(s.status is StepStatus.RUNNING for s in state.steps)

    await eventually(a_step_runs)
    gate.set()
    await play.until(RequestStatus.SUCCEEDED)


async def test_a_host_is_looked_at(requests: RequestClient, stage: Stage) -> None:
    """List and inspect go through a short workflow to the worker of the host."""
    listed = await requests.look(stage.host.name)
    inspected = await requests.look(stage.host.name, "web-1")

    assert listed.containers is not None
    assert inspected.inspection is not None
    assert inspected.inspection.pin.name == "web-1"


@pytest.mark.fault
async def test_a_look_without_a_worker_ends(
    requests: RequestClient, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A question that nobody answers ends with words, not with a wait for ever."""
    monkeypatch.setattr("bot.temporal.requests.LOOK", timedelta(seconds=1))
    await stage.stop_control()

    with pytest.raises(NoWorkerError):
        await requests.look(stage.host.name)


@pytest.mark.fault
async def test_missing_search_attributes_are_named(stage: Stage) -> None:
    """A server without our search attributes refuses clearly, and starts nothing."""
    async with temporal_server(search_attributes=()) as bare:
        with pytest.raises(TemporalMisconfiguredError, match="search attribute"):
            await RequestClient(bare.client).start(stage.request())


def test_the_budgets_fit_into_slacks_three_seconds() -> None:
    """A call, and a question that nobody answers, end while Slack still waits."""
    assert (BUDGET + SHORT).total_seconds() < 3


@pytest.mark.fault
async def test_temporal_down_from_the_start(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bot that never reached Temporal says so within its budget."""
    monkeypatch.setenv("TEMPORAL_ADDRESS", f"127.0.0.1:{free_port()}")
    requests = RequestClient(await temporal.connect_lazily())
    decision = _play(stage, stage.request()).decision("UBOB")
    before = time.monotonic()

    with pytest.raises(TemporalUnavailableError) as down:
        await _decide(requests, "local", "web-1", decision)

    assert down.value.call is TemporalCall.DECIDE
    assert time.monotonic() - before < _HANGS


@pytest.mark.fault
async def test_temporal_silent(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that takes the call and never answers is not waited for."""
    writers: list[asyncio.StreamWriter] = []

    async def swallow(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)

    server = await asyncio.start_server(swallow, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    monkeypatch.setenv("TEMPORAL_ADDRESS", f"127.0.0.1:{port}")
    requests = RequestClient(await temporal.connect_lazily())
    before = time.monotonic()

    with pytest.raises(TemporalUnavailableError) as silent:
        await requests.start(stage.request())

    assert writers
    assert silent.value.maybe_done
    assert time.monotonic() - before < _HANGS
    server.close()
    for writer in writers:
        writer.close()
        await writer.wait_closed()


@pytest.mark.fault
async def test_temporal_dies_and_comes_back(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A click during an outage is refused in time; the same click counts after it."""
    port = free_port()
    monkeypatch.setenv("TEMPORAL_ADDRESS", f"127.0.0.1:{port}")
    requests = RequestClient(await temporal.connect_lazily())
    request = stage.request()
    async with temporal_server(port=port):
        await requests.start(request)
    before = time.monotonic()

    with pytest.raises(TemporalUnavailableError):
        await requests.start(request)

    assert time.monotonic() - before < _HANGS
    async with temporal_server(port=port):

        async def accepted() -> bool:
            try:
                await requests.start(request)
            except TemporalUnavailableError:
                return False
            return True

        await eventually(accepted)
