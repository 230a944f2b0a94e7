"""What if a waiting request gets so many messages that its history has to be begun anew?

It goes on in a new run after each message here. Whoever decides, cancels or looks must not notice.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
from temporalio.client import Client, WorkflowExecutionStatus

from bot.temporal.visibility import Visibility
from tests.histories.scenarios import SCENARIOS
from tests.rigs.waiting import eventually
from tests.rigs.workers import RequestUnderTest, Workers
from workflows.model import limits, names
from workflows.model.continued import Carried, ContinuedRequest
from workflows.model.errors import RefusalCode
from workflows.model.limits import Limits
from workflows.model.requests import Choice, RecordedDecision
from workflows.model.state import RequestStatus
from workflows.request import review


@pytest.fixture(autouse=True)
def _at_each_message(monkeypatch: pytest.MonkeyPatch) -> None:
    """The third event is one too many, and nobody is told too often."""
    monkeypatch.setattr(limits, "LIMITS", Limits(history_events=6, quiet_seconds=0))


@pytest.fixture(name="noisy")
async def _noisy(workers: Workers, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Workers]:
    """Have somebody who may not decide press a button before each act of a scenario."""
    decide, cancel, presses = RequestUnderTest.decide, RequestUnderTest.cancel, 0

    async def disturb(under_test: RequestUnderTest) -> None:
        nonlocal presses
        presses += 1
        if (await under_test.state()).status is not RequestStatus.WAITING:
            return
        before = await _runs(under_test)
        await decide(under_test, "UDAVE", decision_id=f"noise-{presses}")
        await eventually(lambda: _has_more_runs(under_test, before))

    async def disturbed_decide(
        under_test: RequestUnderTest, who: str, choice: Choice = Choice.APPROVE, **changes: object
    ) -> None:
        await disturb(under_test)
        await decide(under_test, who, choice, **changes)

    async def disturbed_cancel(under_test: RequestUnderTest, who: str = "UALICE") -> None:
        await disturb(under_test)
        await cancel(under_test, who)

    monkeypatch.setattr(RequestUnderTest, "decide", disturbed_decide)
    monkeypatch.setattr(RequestUnderTest, "cancel", disturbed_cancel)
    yield workers
    assert presses or not workers.slack.notices


async def _runs(under_test: RequestUnderTest) -> int:
    """Count the runs of a request by following its history."""
    described = await under_test.workers.client.get_workflow_handle(under_test.handle.id).describe()
    info = described.raw_description.workflow_execution_info
    assert info.first_run_id == under_test.handle.first_execution_run_id
    query = f"WorkflowId = '{under_test.handle.id}'"
    return len([run async for run in under_test.workers.client.list_workflows(query)])


async def _has_more_runs(under_test: RequestUnderTest, than: int) -> bool:
    return await _runs(under_test) > than


@pytest.mark.parametrize("name", sorted(set(SCENARIOS) - {"expire"}))
async def test_every_way_through_a_request_ends_as_without(noisy: Workers, name: str) -> None:
    """A new run before each act of people changes no outcome, no reply and no number of cards."""
    scenario, status = SCENARIOS[name]

    under_test = await scenario(noisy)
    state = await under_test.result()

    assert state.status is status
    assert await _runs(under_test) > 1
    assert len({drawn.card and drawn.card.ts for drawn in noisy.slack.drawn[1:]}) == 1
    assert [entry.key for entry in noisy.slack.thread].count("outcome") <= 1
    assert noisy.docker.calls.count("inspect_container") == 1
    told = [notice.notice_id for notice in noisy.slack.notices]
    assert len(told) == len(set(told))


async def test_votes_reminder_and_what_was_heard_are_carried_along(
    workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two approvals are two, with a new run between them, and approvers are reminded once."""
    monkeypatch.setattr(review, "_SHORT_WAIT", timedelta())
    monkeypatch.setattr(review, "_REMIND_AFTER", 0.01)
    under_test = await workers.start(workers.request(required_approvals=2))
    await under_test.until(RequestStatus.WAITING)
    await eventually(lambda: any(e.key == "reminder" for e in workers.slack.thread))
    await under_test.decide("UBOB")
    await eventually(lambda: _is_continued(under_test))
    state = await under_test.state()
    await under_test.decide("UCAROL")

    over = await under_test.result()

    assert [d.approver_id for d in state.approvals] == ["UBOB"]
    assert "UBOB.approve" in state.heard
    assert "UBOB.approve" in {act.act_id for act in state.judged}
    assert over.status is RequestStatus.SUCCEEDED
    assert [d.approver_id for d in over.approvals] == ["UBOB", "UCAROL"]
    assert [e.key for e in workers.slack.thread].count("reminder") == 1


async def _is_continued(under_test: RequestUnderTest) -> bool:
    described = await under_test.handle.describe()
    return described.run_id != under_test.handle.first_execution_run_id


async def test_what_comes_in_the_very_task_that_begins_anew_is_not_lost(workers: Workers) -> None:
    """Clicks come one after the other; each is judged once, and the approval counts."""
    under_test = await workers.start(workers.request())
    await under_test.until(RequestStatus.WAITING)
    strangers: list[str] = []

    async def one_more_click() -> bool:
        strangers.append(f"USTRANGER{len(strangers)}")
        await under_test.decide(strangers[-1])
        return await _runs(under_test) > 3

    await eventually(one_more_click, within=60)
    await under_test.decide("UBOB")
    state = await under_test.result()

    assert state.status is RequestStatus.SUCCEEDED
    assert sorted(notice.user_id for notice in workers.slack.notices) == sorted(strangers)


async def test_a_cancel_in_the_very_task_that_begins_anew_is_heeded(workers: Workers) -> None:
    """Nothing is stopped, whichever of the runs it reaches; a cancel of Temporal's own too."""
    for is_own in (True, False):
        under_test = await workers.start(workers.request())
        await under_test.until(RequestStatus.WAITING)
        clicks = [under_test.decide(f"USTRANGER{number}") for number in range(20)]
        last = under_test.cancel() if is_own else under_test.handle.cancel()
        await asyncio.gather(*clicks, last)

        async def is_over(under_test: RequestUnderTest = under_test) -> bool:
            described = await under_test.handle.describe()
            return described.status is not WorkflowExecutionStatus.RUNNING

        await eventually(is_over)
        assert workers.slack.drawn[-1].status is RequestStatus.CANCELLED
    assert set(workers.docker.calls) == {"inspect_container"}


async def test_what_cannot_be_read_begins_a_new_run_too(workers: Workers) -> None:
    """It makes the history longer as well, and Temporal ends one that is too long."""
    under_test = await workers.start(workers.request())
    await under_test.until(RequestStatus.WAITING)

    await under_test.handle.signal(names.DECIDE_SIGNAL, "garbage")
    await eventually(lambda: _is_continued(under_test))
    await under_test.decide("UBOB")

    assert (await under_test.result()).status is RequestStatus.SUCCEEDED


async def test_a_flood_while_no_worker_runs_is_worked_off(workers: Workers) -> None:
    """All of it is judged before the request goes on in a new run, and the approval counts."""
    under_test = await workers.start(workers.request())
    await under_test.until(RequestStatus.WAITING)
    await workers.stop_control()
    for number in range(100):
        await under_test.decide(f"USTRANGER{number}")
    await under_test.decide("UBOB")
    await workers.start_control()

    assert (await under_test.result()).status is RequestStatus.SUCCEEDED


@pytest.mark.parametrize("cron", ["", "@every 1s"])
async def test_who_starts_a_request_brings_no_approvals_along(
    workers: Workers, client: Client, cron: str
) -> None:
    """What a run carries counts only when Temporal says that it continues another."""
    request = workers.request()
    first = await workers.start(request)
    waiting = await first.until(RequestStatus.WAITING)
    await first.cancel()
    await first.result()
    forged = RecordedDecision(
        decision_id="forged",
        approver_id="UBOB",
        choice=Choice.APPROVE,
        comment="",
        source="",
        decided_at=waiting.requested_at,
    )
    state = replace(waiting, decisions=(forged,), expires_at=None)
    again = ContinuedRequest(
        **{field: getattr(request, field) for field in type(request).__dataclass_fields__},
        carried=Carried(state=state),
    )
    handle = await client.start_workflow(
        names.REQUEST_WORKFLOW,
        again,
        id=names.request_workflow_id(request.container.host, request.container.name),
        task_queue=names.CONTROL_TASK_QUEUE,
        cron_schedule=cron,
        execution_timeout=timedelta(minutes=1),
    )
    under_test = RequestUnderTest(workers, request, handle)
    if cron:
        await under_test.until(RequestStatus.WAITING)
        await under_test.cancel()
        await eventually(lambda: _is_second(client, handle.id))
    told = await under_test.until(RequestStatus.WAITING)

    assert told.decisions == ()
    assert told.policy is not None
    await handle.terminate()
    assert set(workers.docker.calls) == {"inspect_container"}


async def _is_second(client: Client, workflow_id: str) -> bool:
    described = await client.get_workflow_handle(workflow_id).describe()
    info = described.raw_description.workflow_execution_info
    return info.execution.run_id != info.first_run_id


async def test_lists_show_a_request_once(workers: Workers, client: Client) -> None:
    """The runs before are not listed; it is found by its id, and says when it was asked."""
    workers.slack.person(requester := f"U{uuid.uuid4().hex[:10].upper()}")
    request = workers.request(requester=requester)
    attributes = names.request_attributes(
        host=request.container.host,
        container=request.container.name,
        requester=requester,
        request_id=request.request_id,
    )
    under_test = await workers.start(request, search_attributes=attributes)
    waiting = await under_test.until(RequestStatus.WAITING)
    await under_test.decide("UDAVE")
    await eventually(lambda: _is_continued(under_test))
    visibility = Visibility(client)

    async def is_listed_once() -> bool:
        page = await visibility.of(requester, most=2)
        return page.total == 1 and page.rows[0].run_id != under_test.handle.first_execution_run_id

    await eventually(is_listed_once)
    found = await visibility.find(request.request_id)
    assert found.open
    assert found.started_at == waiting.requested_at
    assert workers.slack.notices[0].refusal.code is RefusalCode.NOT_AN_APPROVER
    await under_test.cancel(requester)
    await under_test.result()
