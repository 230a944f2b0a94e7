"""Is a plan another one as soon as anything is different that people decide about?"""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import timedelta
from typing import Any

import pytest
from temporalio.converter import DataConverter

from tests.unit.workflows.model.requests_that_wait import NOON, waiting
from workflows.model.plan import Permit, Plan, permit_parts, policy_digest, start_parts
from workflows.model.requests import (
    ContainerPin,
    ContainerRef,
    ContainerState,
    LifecycleRequest,
    OperationSpec,
    Policy,
)
from workflows.model.seal import SealKeys, content
from workflows.model.state import RequestState, RequestStatus

POLICY = Policy(name="p", labels={"a": "1"}, approvers=("UBOB",))
PIN = ContainerPin(
    container_id="c" * 64,
    name="web-1",
    image="nginx",
    image_id="sha256:1",
    state=ContainerState.RUNNING,
    started_at="2026-01-01T11:00:00Z",
    restart_policy="no",
    auto_remove=False,
    engine_id="E1",
)
STATE = waiting(
    policy=POLICY,
    pin=PIN,
)
_OTHER: dict[str, Any] = {
    "asked_at": NOON + timedelta(microseconds=1),
    "operation": OperationSpec(kind="stop", snapshot=True),
    "container": ContainerRef(host="edge", name="web-1"),
    "pin": replace(PIN, started_at="2026-01-01T11:00:01Z"),
    "grace_seconds": 11,
}


def _plan(state: RequestState = STATE) -> Plan:
    assert state.plan is not None
    return state.plan


@pytest.mark.parametrize("name", [field.name for field in fields(Plan)])
def test_each_part_of_a_plan_makes_another(name: str) -> None:
    """The container's start too, and when it was asked for: a second run has another plan."""
    plan = _plan()
    assert replace(plan, **{name: _OTHER.get(name, "other")}).hash != plan.hash


def test_a_plan_stays_what_it_is_when_the_request_goes_on_in_a_new_run() -> None:
    """Its state is written and read once more."""
    converter = DataConverter.default.payload_converter
    (carried,) = converter.from_payloads(converter.to_payloads([STATE]), [RequestState])
    assert _plan(carried).hash == _plan().hash


def test_what_becomes_of_a_request_leaves_its_plan_alone() -> None:
    """People decide about what is to be done, not about how far it has come."""
    state = replace(STATE, status=RequestStatus.RUNNING, revision=9, renamed="web-2")
    assert _plan(state).hash == _plan().hash
    assert replace(STATE, pin=None).plan is None


def test_a_weaker_policy_is_another_one() -> None:
    """Whoever may decide, and how many have to, is part of the plan."""
    weaker = replace(POLICY, approvers=("UBOB", "UMALLORY"))
    assert policy_digest(weaker) != policy_digest(POLICY)
    assert _plan(replace(STATE, policy=weaker)).hash != _plan().hash


def test_rules_that_somebody_brings_along_are_no_part_of_a_wish() -> None:
    """The control worker leaves them out before it asks who sent it."""
    wish = LifecycleRequest(
        request_id="0123456789ab",
        operation=OperationSpec(kind="stop"),
        container=ContainerRef(host="local", name="web-1"),
        requester="UALICE",
        team_id="T1",
        channel_id="C1",
        delivery_id="d",
    )
    brought = replace(wish, policies=(POLICY,))
    assert content("k", *start_parts(brought)) == content("k", *start_parts(wish))


def test_a_permit_is_for_one_plan_on_one_container_of_one_host() -> None:
    """Its seal is of all but itself."""
    permit = Permit(request_id="r", host="h", plan_hash="p", container_id="c", seal="s")
    assert permit_parts(permit) == (permit,)
    keys = SealKeys(("k" * 32,))
    unsealed = replace(permit, seal="")
    assert keys.seal("a", *permit_parts(permit)) == keys.seal("a", *permit_parts(unsealed))
