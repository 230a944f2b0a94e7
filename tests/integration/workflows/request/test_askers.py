"""Who may ask, by whatever door: judged while a request is planned, before any card."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import replace
from typing import Any

import pytest
from temporalio.client import Client, WorkflowFailureError
from temporalio.exceptions import ApplicationError, CancelledError
from temporalio.worker import Replayer

from tests.fakes.fake_docker import failure
from tests.rigs.waiting import eventually
from tests.rigs.workers import RequestUnderTest, Workers
from workflows.model.errors import ErrorType, RefusalCode
from workflows.model.requests import LifecycleRequest, OperationSpec
from workflows.model.state import CautionCode, RequestStatus
from workflows.request.workflow import ContainerLifecycleWorkflow
from workflows.sandbox import workflow_runner

_LIMIT = 3


def _by(policy: dict[str, Any], request: LifecycleRequest) -> LifecycleRequest:
    return replace(request, policies=(replace(request.policies[0], **policy),))


ASKERS = [
    # what Slack knows of the one who asks, what the policy says, how it is refused
    ({}, {}, None),
    ({"is_guest": True}, {}, RefusalCode.GUEST),
    ({"is_bot": True}, {}, RefusalCode.BOT),
    ({"deleted": True}, {}, RefusalCode.DEACTIVATED),
    ({"team_id": "T2"}, {}, RefusalCode.WRONG_TEAM),
    ({"found": False}, {}, RefusalCode.UNKNOWN_PERSON),
    # named, by group, and neither
    ({}, {"requesters": ("UALICE",)}, None),
    ({}, {"requester_groups": ("SDEV",)}, None),
    ({}, {"requesters": ("UDAVE",), "requester_groups": ("SOPS",)}, RefusalCode.NOT_A_REQUESTER),
    # a guest asks only if named by id; nobody else is let in by a name
    ({"is_guest": True}, {"requesters": ("UALICE",)}, None),
    ({"is_guest": True}, {"requester_groups": ("SDEV",)}, RefusalCode.GUEST),
    ({"is_bot": True}, {"requesters": ("UALICE",)}, RefusalCode.BOT),
    ({"deleted": True}, {"requesters": ("UALICE",)}, RefusalCode.DEACTIVATED),
    ({"team_id": "T2"}, {"requesters": ("UALICE",)}, RefusalCode.WRONG_TEAM),
]


@pytest.mark.parametrize(("facts", "policy", "code"), ASKERS)
async def test_who_may_ask(
    workers: Workers, facts: dict[str, Any], policy: dict[str, Any], code: RefusalCode | None
) -> None:
    """Every full member, unless the policy names who; a guest only by name, and an app never."""
    workers.slack.person("UALICE", **facts)
    workers.slack.groups["SDEV"] = {"UALICE"}
    under_test = await workers.start(_by(policy, workers.request()))

    if code is None:
        await under_test.until(RequestStatus.WAITING)
    else:
        assert await _refused(workers, under_test) is code


async def test_a_group_that_slack_does_not_tell_lets_nobody_ask(workers: Workers) -> None:
    """What cannot be verified does not count."""
    workers.slack.groups_known = False
    request = _by({"requester_groups": ("SDEV",)}, workers.request())

    assert await _refused(workers, await workers.start(request)) is RefusalCode.NOT_VERIFIED


async def test_a_look_up_that_fails_for_good_lets_nobody_ask(workers: Workers) -> None:
    """Nobody is let in because Slack could not be asked."""
    workers.slack.look_up_faults = [failure(ErrorType.SLACK_REFUSED) for _ in range(2)]

    assert await _refused(workers, await workers.start(workers.request())) is (
        RefusalCode.NOT_VERIFIED
    )


async def test_a_stranger_is_not_told_what_containers_there_are(workers: Workers) -> None:
    """Who may not ask at all hears of that, and of nothing else; and no host is asked."""
    workers.slack.person("UALICE", is_guest=True)

    assert await _refused(workers, await workers.start(workers.request())) is RefusalCode.GUEST
    assert workers.docker.calls == []


async def test_a_request_that_was_judged_replays(workers: Workers) -> None:
    """A worker that takes it over comes to the same questions in the same order."""
    under_test = await workers.approved()
    await under_test.result()
    replayer = Replayer(workflows=[ContainerLifecycleWorkflow], workflow_runner=workflow_runner())

    await replayer.replay_workflow(await under_test.handle.fetch_history())


async def test_a_cancel_while_it_is_seen_who_asks_ends_the_request(workers: Workers) -> None:
    """Neither question outlives it, and there is no card."""
    workers.slack.look_up_seconds = 1
    under_test = await workers.start(workers.request())
    await eventually(lambda: workers.slack.look_ups == ["UALICE"])

    await under_test.handle.cancel()
    with pytest.raises(WorkflowFailureError) as ended:
        await under_test.result()

    assert isinstance(ended.value.cause, CancelledError)
    assert workers.slack.drawn == []


async def test_one_request_more_than_may_wait_is_refused(client: Client) -> None:
    """The limit holds for one person, by whatever door; what is withdrawn makes room."""
    async with Workers(client, open_requests=_LIMIT) as workers:
        mine = [await _waiting(workers, n, "UERIN") for n in range(_LIMIT)]
        await _waiting(workers, 10, "UFRANK")
        # The card of one of many is short.
        assert [(await one.state()).beside for one in mine] == list(range(_LIMIT))

        one_more = await _asked(workers, 11, "UERIN")
        refused = await one_more.result()
        assert refused.refusal is not None
        assert refused.refusal.code is RefusalCode.TOO_MANY_OPEN
        assert refused.refusal.detail == str(_LIMIT)

        await mine[0].cancel("UERIN")
        await mine[0].result()
        await _waiting(workers, 12, "UERIN")


async def test_of_many_at_once_as_many_wait_as_may(client: Client) -> None:
    """Nobody evades the limit by asking for everything in the same moment."""
    async with Workers(client, open_requests=_LIMIT) as workers:
        asked = await asyncio.gather(*(_asked(workers, n, "UGINA") for n in range(4 * _LIMIT)))

        async def are_judged() -> bool:
            states = [await one.state() for one in asked]
            return all(state.card is not None or state.closed for state in states)

        await eventually(are_judged, within=30)
        waiting = [one for one in asked if (await one.state()).status is RequestStatus.WAITING]
        assert len(waiting) == _LIMIT


async def test_a_list_that_cannot_be_read_keeps_nobody_from_asking(workers: Workers) -> None:
    """A limit is no authority: at three in the morning it must not be in the way."""
    workers.askers.fault = ApplicationError("no list", non_retryable=True)

    under_test = await workers.start(workers.request())
    await under_test.until(RequestStatus.WAITING)
    assert (await under_test.state()).earlier is None, "it is not known, and not nought"


async def test_how_often_it_was_asked_for_lately_is_told(workers: Workers) -> None:
    """What was carried out on a container of this name counts, and nothing else."""
    carried_out = await workers.approved()
    assert (await carried_out.state()).earlier == 0
    await carried_out.result()
    other = await _waiting(workers, 20, "UALICE")
    await other.cancel()
    await other.result()

    async def is_counted() -> bool:
        # Temporal's list lags behind, and each of these is withdrawn: that counts for nothing.
        again = await workers.start(workers.request())
        earlier = (await again.until(RequestStatus.WAITING)).earlier
        await again.cancel()
        await again.result()
        return earlier == 1

    await eventually(is_counted, within=30)
    assert (await (await _waiting(workers, 20, "UALICE")).state()).earlier == 0


NAMES = [
    # the name asked for, what the policy allows, the refusal, whether the card has a caution
    (None, (), None, False),
    ("dockwarden/mine:1", (), None, False),
    ("nginx:1.25", (), None, True),
    (None, ("team/*",), None, False),
    ("team/web:1", ("team/*",), None, False),
    ("team/web", ("team/web",), None, False),
    ("nginx:1.25", ("team/*", "dockwarden/*"), RefusalCode.REFERENCE_OUTSIDE, False),
    ("dockwarden/mine:1", ("team/*",), RefusalCode.REFERENCE_OUTSIDE, False),
    ("nginx:1.25", ("*",), None, False),
]


@pytest.mark.parametrize(("name", "patterns", "code", "cautioned"), NAMES)
async def test_names_of_snapshots_are_policy(
    workers: Workers,
    name: str | None,
    patterns: tuple[str, ...],
    code: RefusalCode | None,
    *,
    cautioned: bool,
) -> None:
    """A name outside the policy's is refused; without a rule, one that is not ours is marked."""
    spec = OperationSpec(kind="stop", snapshot=True, snapshot_ref=name)
    under_test = await workers.start(_by({"references": patterns}, workers.request(operation=spec)))

    if code is not None:
        assert await _refused(workers, under_test) is code
        return
    state = await under_test.until(RequestStatus.WAITING)
    marked = [caution.detail for caution in state.cautions]
    assert marked == ([state.reference] if cautioned else [])
    assert all(caution.code is CautionCode.REFERENCE_OUTSIDE for caution in state.cautions)


async def _refused(workers: Workers, under_test: RequestUnderTest) -> RefusalCode:
    """Give why it was refused: in private, without a card, and with nothing asked of the host."""
    state = await under_test.result()
    assert state.status is RequestStatus.REJECTED
    assert state.refusal is not None
    assert [(n.user_id, n.refusal) for n in workers.slack.notices] == [("UALICE", state.refusal)]
    assert workers.slack.drawn == []
    assert set(workers.docker.calls) <= {"inspect_container"}
    return state.refusal.code


async def _asked(workers: Workers, number: int, who: str) -> RequestUnderTest:
    """Have somebody ask for one of many containers."""
    workers.slack.person(who)
    request = workers.request(requester=who, request_id=uuid.uuid4().hex[:12])
    container = replace(request.container, name=f"web-{number}")
    workers.docker.others.add(container.name)
    return await workers.start(replace(request, container=container))


async def _waiting(workers: Workers, number: int, who: str) -> RequestUnderTest:
    under_test = await _asked(workers, number, who)
    await under_test.until(RequestStatus.WAITING)
    return under_test
