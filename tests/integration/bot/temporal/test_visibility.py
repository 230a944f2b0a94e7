"""Do the lists of requests show the right ones, and who is over as over?"""

from __future__ import annotations

import uuid
from dataclasses import replace

from temporalio import workflow

from bot.commands.parser import Selection
from bot.service import Actor, Service
from bot.temporal.errors import ENDED
from bot.temporal.requests import RequestClient
from bot.temporal.visibility import RequestPage
from bot.work_list import Item, page_of
from tests.rigs.waiting import eventually
from tests.rigs.workers import Workers
from workflows.model import names
from workflows.model.requests import ContainerRef, LifecycleRequest
from workflows.model.state import RequestStatus
from workflows.model.terminal import Terminal

_BOB = Actor(user_id="UBOB", team_id="T1")


async def test_lists_of_requests(requests: RequestClient, workers: Workers) -> None:
    """Waiting, mine and recent show the right requests, and a limit with a count."""
    requester = f"U{uuid.uuid4().hex[:8].upper()}"
    workers.slack.person(requester)
    for number in range(17):
        request = workers.request(requester=requester)
        container = replace(request.container, name=f"web-{number}")
        await requests.start(replace(request, container=container))

    async def all_listed() -> bool:
        return (await requests.visibility.of(requester, most=15)).total == 17

    await eventually(all_listed)
    mine = await requests.visibility.of(requester, most=15)
    waiting = (await requests.visibility.waiting(most=15)).rows
    recent = (await requests.visibility.recent(most=15)).rows
    assert (len(mine.rows), mine.total) == (15, 17)
    assert {row.requester for row in mine.rows} == {requester}
    assert waiting
    assert recent
    assert all(row.status == RequestStatus.WAITING and row.open for row in waiting)


async def test_what_waits_for_me_comes_before_what_waits_for_others(
    requests: RequestClient, workers: Workers
) -> None:
    """Only what one may decide; of what is over the last state is known, and who said no to it."""
    workers.docker.others, workers.policies.readers = {"web-2"}, {"UBOB"}
    asked = {
        name: replace(workers.request(requester=who), container=ContainerRef(host=host, name=name))
        for name, who, host in (
            ("web-1", "UALICE", workers.docker.name),
            ("web-2", "UBOB", workers.docker.name),
        )
    }
    for request in asked.values():
        workers.policies.give(request)
        await requests.start(request)
        await workers.under_test(request).until(RequestStatus.WAITING)
    refused = workers.request(container=ContainerRef(host=workers.docker.name, name="web-9"))
    await requests.start(refused)
    service = Service(requests)

    async def ours(who: Actor, selection: Selection | None) -> dict[str, Item]:
        page = await page_of(service, who, selection, number=1, size=200)
        ids = {one.request_id for one in (*asked.values(), refused)}
        return {
            item.summary.container: item for item in page.items if item.summary.request_id in ids
        }

    async def is_bobs() -> bool:
        # An answer that is late on a loaded machine is not waited for.
        yours = {name: item.is_yours for name, item in (await ours(_BOB, None)).items()}
        return list(yours.items()) == [("web-1", True), ("web-2", False)]

    await eventually(is_bobs)
    to_dave = await ours(replace(_BOB, user_id="UDAVE"), None)
    assert not any(item.is_yours for item in to_dave.values())
    at_a_terminal = replace(_BOB, terminal=Terminal(user="bob", host="h"))
    assert not any(item.is_yours for item in (await ours(at_a_terminal, None)).values())

    async def is_told() -> bool:
        mine = await ours(replace(_BOB, user_id="UALICE"), Selection.MINE)
        return "web-9" in mine and mine["web-9"].is_refused

    await eventually(is_told)


async def test_a_name_cannot_widen_a_list(requests: RequestClient, workers: Workers) -> None:
    """A quote in a user id ends no query."""
    await requests.start(workers.request())

    page = await requests.visibility.of("x' OR DockwardenRequester = 'UALICE", most=15)

    assert page == RequestPage(rows=(), total=0)


async def test_a_request_ended_in_temporal_is_not_said_to_wait(
    requests: RequestClient, workers: Workers
) -> None:
    """A workflow that somebody terminated is over, whatever its last word was."""
    request = workers.request()
    await requests.start(request)
    under_test = workers.under_test(request)
    await under_test.until(RequestStatus.WAITING)
    await under_test.handle.terminate()

    async def is_over() -> bool:
        return (await requests.visibility.find(request.request_id)).status == ENDED

    await eventually(is_over)


@workflow.defn(name=names.REQUEST_WORKFLOW, sandboxed=False)
class NeedsPerson:
    """A request whose container could not be put back, and is tried on."""

    @workflow.run
    async def run(self, _request: LifecycleRequest) -> None:
        """Call for a person, and wait for ever."""
        status = names.STATUS.value_set(RequestStatus.NEEDS_PERSON)
        workflow.upsert_search_attributes([status])
        await workflow.wait_condition(lambda: False)


async def test_where_a_container_may_be_down_comes_first(
    requests: RequestClient, workers: Workers
) -> None:
    """What needs somebody is listed, the urgent first; one that is cut off is said to be."""
    waiting = workers.request()
    await requests.start(waiting)
    await workers.under_test(waiting).until(RequestStatus.WAITING)
    await workers.stop_control()
    await workers.start_control(workflows=[NeedsPerson])
    urgent = replace(workers.request(), container=replace(waiting.container, name="web-down"))
    await requests.start(urgent)

    async def listed() -> list[str]:
        ids = (urgent.request_id, waiting.request_id)
        rows = (await requests.visibility.open(most=15)).rows
        return [row.request_id for row in rows if row.request_id in ids]

    async def both() -> bool:
        return await listed() == [urgent.request_id, waiting.request_id]

    await eventually(both)
    page = await page_of(Service(requests), _BOB, None, number=1, size=200)
    ours = {item.summary.request_id: item for item in page.items}
    assert ours[urgent.request_id].state is None, "it answers no question"
    await workers.under_test(urgent).handle.terminate()

    async def is_cut_off() -> bool:
        return (await requests.visibility.find(urgent.request_id)).status == ENDED

    await eventually(is_cut_off)
