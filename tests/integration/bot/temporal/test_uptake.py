"""Is it known on a real server whether an act was taken up, by whom, and if not, why?"""

from __future__ import annotations

import json
import time
import uuid
from dataclasses import replace

import pytest
from temporalio import workflow

from bot.slack.replies import failure
from bot.temporal import client as temporal
from bot.temporal.errors import RequestStuckError
from bot.temporal.requests import RequestClient, Uptake
from tests.fakes.slack_stub import SlackStub
from tests.integration.bot.slack.bot_on_stub import bot_on, click_body
from tests.integration.bot.temporal import HANGS
from tests.rigs.dev_server import temporal_server
from tests.rigs.program import free_port
from tests.rigs.waiting import eventually
from tests.rigs.workers import RequestUnderTest, Workers
from workflows.model import names
from workflows.model.names import ActionId, RequestAddress, button_value
from workflows.model.requests import LifecycleRequest
from workflows.model.state import MAX_HEARD, RequestState, RequestStatus

HEARD = "heard"


@workflow.defn(name=names.REQUEST_WORKFLOW, sandboxed=False)
class Stuck:
    """A request at which every worker fails."""

    @workflow.run
    async def run(self, _request: LifecycleRequest) -> None:
        """Fail the task, not the workflow."""
        raise RuntimeError("a fault of ours")


@workflow.defn(name=names.REQUEST_WORKFLOW, sandboxed=False)
class Listener:
    """A request that waits, and says what it was told to have heard."""

    def __init__(self) -> None:
        self._state: RequestState | None = None

    @workflow.run
    async def run(self, request: LifecycleRequest) -> None:
        """Wait for ever."""
        self._state = RequestState(
            request_id=request.request_id,
            status=RequestStatus.WAITING,
            operation=request.operation,
            container=request.container,
            requester=request.requester,
            team_id=request.team_id,
            channel_id=request.channel_id,
            reason="",
            requested_at=workflow.now(),
            workflow_id=workflow.info().workflow_id,
            heard=tuple(json.loads(request.reason)),
        )
        await workflow.wait_condition(lambda: False)

    @workflow.query(name=names.STATE_QUERY)
    def state(self) -> RequestState | None:
        """Say where it stands."""
        return self._state


def _address(request: LifecycleRequest) -> RequestAddress:
    container = request.container
    return RequestAddress(
        request_id=request.request_id, host=container.host, container=container.name
    )


async def _started(
    requests: RequestClient, workers: Workers, *workflows: type, **changes: str
) -> RequestUnderTest:
    """Start a request, served by others than the product's workflows if told so."""
    if workflows:
        await workers.stop_control()
        await workers.start_control(workflows=list(workflows))
    request = workers.request(**changes)
    await requests.start(request)
    return workers.under_test(request)


async def test_what_a_worker_takes_up(requests: RequestClient, workers: Workers) -> None:
    """With a worker a start and a decision are taken up."""
    under_test = await _started(requests, workers)
    await under_test.until(RequestStatus.WAITING)
    address = _address(under_test.request)
    decision = under_test.decision("UBOB")
    await requests.decide(address, decision)

    assert await requests.uptake(address, "") is Uptake.TAKEN
    assert await requests.uptake(address, decision.decision_id) is Uptake.TAKEN


async def test_a_worker_that_polled_a_moment_ago_is_not_called_missing(
    requests: RequestClient, workers: Workers
) -> None:
    """A worker that does not answer may be busy: that none is there is told of none such."""
    under_test = await _started(requests, workers)
    await under_test.until(RequestStatus.WAITING)
    await workers.stop_control()
    before = time.monotonic()

    assert await requests.uptake(_address(under_test.request), "d") is Uptake.NO_ANSWER

    assert time.monotonic() - before < HANGS


async def test_what_nobody_takes_up(workers: Workers) -> None:
    """Where no worker has asked for work, that none is there is known, within seconds."""
    async with temporal_server() as env:
        requests = RequestClient(env.client)
        request = workers.request()
        await requests.start(request)
        before = time.monotonic()

        assert await requests.uptake(_address(request), "") is Uptake.NO_WORKER

        assert time.monotonic() - before < HANGS


@pytest.mark.fault
async def test_nobody_blames_a_worker_while_temporal_is_away(
    workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who polls is not known without Temporal, so only that there was no answer is."""
    monkeypatch.setenv("TEMPORAL_ADDRESS", f"127.0.0.1:{free_port()}")
    away = RequestClient(await temporal.connect_lazily())

    assert await away.uptake(_address(workers.request()), "d") is Uptake.NO_ANSWER


@pytest.mark.parametrize(
    ("heard", "act", "uptake"),
    [
        ((HEARD,), HEARD, Uptake.TAKEN),
        (("another",), HEARD, Uptake.NOT_YET),
        # a start has no id: whoever answers has read it
        (("another",), "", Uptake.TAKEN),
        # a worker of an earlier release tells of none, and only the last are told
        ((), HEARD, Uptake.TAKEN),
        (("another",) * MAX_HEARD, HEARD, Uptake.TAKEN),
    ],
)
async def test_what_a_request_has_heard_of(
    requests: RequestClient, workers: Workers, heard: tuple[str, ...], act: str, uptake: Uptake
) -> None:
    """A request that answers has taken up what it heard of."""
    under_test = await _started(requests, workers, Listener, reason=json.dumps(heard))

    async def answered() -> bool:
        return await requests.uptake(_address(under_test.request), act) is uptake

    await eventually(answered)


async def test_a_later_request_answers_for_the_container(
    requests: RequestClient, workers: Workers
) -> None:
    """An act for a request that is over is nobody's to take up."""
    under_test = await _started(requests, workers, Listener, reason='["another"]')
    address = replace(_address(under_test.request), request_id=uuid.uuid4().hex[:12])

    async def answered() -> bool:
        return await requests.uptake(address, HEARD) is Uptake.TAKEN

    await eventually(answered)


@pytest.mark.fault
async def test_a_request_at_which_the_workers_fail(
    requests: RequestClient, workers: Workers
) -> None:
    """It is said to be stuck, by its workflow's name, with a worker and without one.

    Not that Temporal is not set up, nor that no worker runs.
    """
    under_test = await _started(requests, workers, Stuck)
    address = _address(under_test.request)

    async def is_stuck() -> bool:
        return await requests.uptake(address, "") is Uptake.STUCK

    await eventually(is_stuck, within=30)
    with pytest.raises(RequestStuckError) as stuck:
        await requests.status(under_test.request.request_id)
    await workers.stop_control()

    assert await is_stuck()
    words = failure(stuck.value, "/container").text
    assert f"`{address.workflow_id}` is stuck" in words
    assert "dockwarden check" not in words
    # What is signalled to it is recorded all the same.
    await requests.decide(address, under_test.decision("UBOB"))


async def test_an_act_without_a_worker_is_told_once(
    requests: RequestClient, workers: Workers, slack_stub: SlackStub
) -> None:
    """A command and a click with no worker are each answered once; with one they are not.

    When a worker is back and has refused what was asked for, the workflow tells that, and no more.
    """
    async with bot_on(slack_stub, followed_after=0.5, real_requests=requests) as bot:
        assert await bot.command(f"stop web-served on {workers.docker.name}") == {}
        await eventually(lambda: not bot.follow_ups._tasks)
        assert slack_stub.responses == []

        await workers.stop_control()
        host = workers.docker.name
        assert await bot.command(f"stop web-1 on {host}") == {}
        await slack_stub.until(lambda: len(slack_stub.responses) == 1)
        line = slack_stub.responses[0]["text"]
        assert line.startswith(f"⏳ `stop web-1 on {host}`: noted")
        assert "no Dockwarden worker" not in line
        request_id = line.partition("/container status ")[2][:12]

        address = RequestAddress(request_id=request_id, host=host, container="web-1")
        await bot.dispatch(click_body(ActionId.APPROVE, button_value(address), slack_stub))
        await slack_stub.until(lambda: len(slack_stub.responses) == 2)
        assert "Your approval of `web-1` is noted" in slack_stub.responses[1]["text"]

        await workers.start_control()
        await eventually(lambda: not bot.follow_ups._tasks, within=20)

    assert len(slack_stub.responses) == 2
