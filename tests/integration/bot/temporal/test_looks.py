"""What does the bot learn of the rules from the control worker that judges, and what if nothing?"""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError

from activities.policies.book import parse
from activities.policies.judge import Judge, OwnBook
from activities.temporal.queues import control_workers
from bot.temporal.requests import RequestClient
from tests.rigs.workers import Workers
from workflows.model.errors import RefusalCode
from workflows.model.plan import POLICY_SEAL, policy_parts
from workflows.model.requests import ContainerState
from workflows.model.seal import SealKeys
from workflows.model.state import RequestState, RequestStatus
from workflows.rules import Rule

_KEYS = SealKeys(("k" * 32,))
_BOOK = parse(
    """
[[policy]]
name = "edge"
labels = { tier = "edge" }
requesters = ["UALICE", "S0DEV"]
approvers = ["UBOB", "S0OPS"]
required_approvals = 2

[[policy]]
name = "starts"
operations = ["start"]
approvers = ["UCAROL"]
"""
)


def _judge(workers: Workers) -> Judge:
    return Judge(OwnBook(book=_BOOK), partial(control_workers, workers.client), keys=_KEYS)


def _told(rules: tuple[Rule, ...] | None) -> list[tuple[tuple[str, ...], str | None]] | None:
    if rules is None:
        return None
    return [(rule.kinds, rule.policy.name if rule.policy else None) for rule in rules]


@pytest.mark.parametrize(
    ("state", "labels", "told"),
    [
        (
            ContainerState.RUNNING,
            {"tier": "edge"},
            [(("stop", "snapshot"), "edge"), (("restart",), None)],
        ),
        # To restart what is stopped is to start it, and there is nothing to stop.
        (ContainerState.EXITED, {}, [(("snapshot",), None), (("start", "restart"), "starts")]),
    ],
)
async def test_inspect_tells_by_which_policy_each_operation_is_asked_for(
    requests: RequestClient,
    workers: Workers,
    state: ContainerState,
    labels: dict[str, str],
    told: list[Any],
) -> None:
    """As the container is now, whose labels never leave its host."""
    workers.docker.state, workers.docker.labels = state, labels
    workers.policies.book = _BOOK

    looked = await requests.look(workers.docker.name, "web-1")

    assert _told(looked.rules) == told


_NO_BOOK = ApplicationError("", type=RefusalCode.BOOK_UNREADABLE, non_retryable=True)


@pytest.mark.parametrize(("fault", "seconds"), [(_NO_BOOK, 0), (None, 4)], ids=["none", "slow"])
async def test_a_look_goes_without_rules_that_are_not_known(
    requests: RequestClient, workers: Workers, fault: ApplicationError | None, seconds: float
) -> None:
    """The container is shown all the same, and nothing is said to be allowed."""
    workers.policies.fault, workers.policies.seconds = fault, seconds

    looked = await requests.look(workers.docker.name, "web-1")

    assert looked.inspection is not None
    assert looked.rules is None


def _stored(workers: Workers) -> RequestState:
    """Describe a waiting request, as it is stored, whose policy is sealed."""
    request = workers.request()
    policy = _BOOK.policies[0]
    words = policy_parts(request.request_id, request.container, policy)
    return RequestState(
        request_id=request.request_id,
        operation=request.operation,
        container=request.container,
        requester="UALICE",
        team_id="T1",
        channel_id="C1",
        status=RequestStatus.WAITING,
        reason="",
        requested_at=datetime.now(UTC),
        workflow_id="",
        policy=policy,
        policy_seal=_KEYS.seal(POLICY_SEAL, *words),
    )


async def test_who_could_decide_is_judged_by_the_control_worker(
    requests: RequestClient, workers: Workers
) -> None:
    """By the stored policy, and by who belongs to its groups at this moment."""
    workers.policies.judge = _judge(workers)
    workers.slack.groups["S0OPS"] = {"UCAROL"}
    stored = _stored(workers)

    found = [who for who in ("UBOB", "UCAROL", "UDAVE") if await requests.could_decide(stored, who)]
    workers.slack.groups["S0OPS"] = set()
    workers.slack.person("UBOB", deleted=True)
    later = [who for who in ("UBOB", "UCAROL") if await requests.could_decide(stored, who)]

    assert (found, later) == (["UBOB", "UCAROL"], [])


async def test_a_policy_that_stood_in_no_book_shows_nothing(
    requests: RequestClient, workers: Workers
) -> None:
    """Whoever makes up a state names nobody who may read by it."""
    workers.policies.judge = _judge(workers)
    stored = _stored(workers)
    assert stored.policy is not None
    forged = replace(stored, policy=replace(stored.policy, approvers=("UDAVE",)))

    assert await requests.could_decide(stored, "UBOB")
    assert not await requests.could_decide(forged, "UDAVE")
    assert not await requests.could_decide(replace(stored, policy_seal=""), "UBOB")
    assert not await requests.could_decide(replace(stored, team_id="T2"), "UBOB")


async def test_no_answer_in_time_is_a_no(requests: RequestClient, workers: Workers) -> None:
    """Slack that hangs, and a control worker that is away, hold nobody up and show nothing."""
    workers.policies.judge = _judge(workers)
    stored = _stored(workers)
    workers.slack.look_up_seconds = 5
    began = time.monotonic()

    hung = await requests.could_decide(stored, "UBOB")
    await workers.stop_control()
    away = await requests.could_decide(stored, "UBOB")

    assert (hung, away) == (None, None), "that is no no"
    assert workers.slack.look_ups == ["UBOB"]
    assert time.monotonic() - began < 10
