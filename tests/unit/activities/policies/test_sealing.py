"""Is a plan sealed that is not what the rules make of the wish?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from activities.policies.sealing import sealed
from tests.unit.workflows.model.test_plan import POLICY, STATE
from workflows.model.errors import RefusalCode
from workflows.model.plan import (
    LOOK_SEAL,
    PLAN_SEAL,
    START_SEAL,
    Plan,
    look_parts,
    policy_digest,
    start_parts,
)
from workflows.model.policy_ports import SealPlanInput
from workflows.model.requests import LifecycleRequest, OperationSpec
from workflows.model.seal import SealKeys

KEYS, OTHER = SealKeys(("k" * 32,)), SealKeys(("o" * 32,))
STRICT = replace(POLICY, name="strict", labels={"tier": "db"}, required_approvals=2)
WEAK = replace(POLICY, name="weak", labels={})
BOOK = (STRICT, WEAK)


def _plan() -> Plan:
    plan = replace(STATE, policy=STRICT).plan
    assert plan is not None
    return plan


def _started(start: LifecycleRequest, keys: SealKeys = KEYS) -> LifecycleRequest:
    return replace(start, seal=keys.seal(START_SEAL, *start_parts(start)))


def _asked(plan: Plan, *, met: tuple[bool, ...] = (True, True)) -> SealPlanInput:
    """Ask as a workflow of ours does, of what a docker worker has seen."""
    start = LifecycleRequest(
        request_id=plan.request_id,
        operation=plan.operation,
        container=plan.container,
        requester=plan.requester,
        team_id=plan.team_id,
        channel_id="C1",
        delivery_id="d",
    )
    selectors = tuple(policy.labels for policy in BOOK)
    seen = look_parts(plan.request_id, plan.container, plan.pin, selectors, met)
    return SealPlanInput(
        start=_started(start),
        plan=plan,
        selectors=selectors,
        selectors_met=met,
        look_seal=KEYS.seal(LOOK_SEAL, *seen),
    )


HONEST = _asked(_plan())
OTHER_PIN = replace(_plan().pin, container_id="d" * 64)
#: What somebody may put together who reads all that was ever sealed, and why it is refused.
FORGED: dict[str, tuple[Callable[[], SealPlanInput], RefusalCode]] = {
    "a start that nobody sealed": (
        lambda: replace(HONEST, start=replace(HONEST.start, seal="")),
        RefusalCode.NOT_SEALED,
    ),
    "a start sealed by another key": (
        lambda: replace(HONEST, start=_started(HONEST.start, OTHER)),
        RefusalCode.BAD_SEAL,
    ),
    "another container than was looked at": (
        lambda: replace(HONEST, plan=replace(_plan(), pin=OTHER_PIN)),
        RefusalCode.LOOK_NOT_SEALED,
    ),
    "a look that nobody sealed": (
        lambda: replace(HONEST, look_seal=""),
        RefusalCode.LOOK_NOT_SEALED,
    ),
    "labels that it was not seen to have": (
        lambda: replace(HONEST, selectors_met=(False, True)),
        RefusalCode.LOOK_NOT_SEALED,
    ),
    "a weaker policy than the first that fits": (
        lambda: replace(HONEST, plan=replace(_plan(), policy_digest=policy_digest(WEAK))),
        RefusalCode.RULES_UNKNOWN,
    ),
    "a look that asked for fewer labels": (
        lambda: _with_selectors(({},), (True,)),
        RefusalCode.RULES_UNKNOWN,
    ),
    "another requester": (
        lambda: replace(HONEST, plan=replace(_plan(), requester="UEVE")),
        RefusalCode.RULES_UNKNOWN,
    ),
    "another operation": (
        lambda: replace(HONEST, plan=replace(_plan(), operation=OperationSpec(kind="restart"))),
        RefusalCode.RULES_UNKNOWN,
    ),
    "an operation that there is not": (
        lambda: replace(HONEST, start=_started(replace(HONEST.start, operation=_UNKNOWN))),
        RefusalCode.RULES_UNKNOWN,
    ),
}
_UNKNOWN = OperationSpec(kind="explode")


def _with_selectors(selectors: tuple[dict[str, str], ...], met: tuple[bool, ...]) -> SealPlanInput:
    plan = replace(_plan(), policy_digest=policy_digest(WEAK))
    seen = look_parts(plan.request_id, plan.container, plan.pin, selectors, met)
    return replace(
        HONEST,
        plan=plan,
        selectors=selectors,
        selectors_met=met,
        look_seal=KEYS.seal(LOOK_SEAL, *seen),
    )


def test_what_the_rules_make_of_a_wish_is_sealed() -> None:
    """By the policy that is the first to fit, which is the second where the first does not."""
    assert KEYS.holds(sealed(KEYS, BOOK, HONEST).seal, PLAN_SEAL, _plan().hash)
    by_weak = replace(_plan(), policy_digest=policy_digest(WEAK))
    answer = sealed(KEYS, BOOK, _asked(by_weak, met=(False, True)))
    assert KEYS.holds(answer.seal, PLAN_SEAL, by_weak.hash)


@pytest.mark.parametrize("kind", FORGED)
def test_nothing_else_is(kind: str) -> None:
    """Each is refused, and nothing is sealed."""
    forge, code = FORGED[kind]
    answer = sealed(KEYS, BOOK, forge())
    assert (answer.seal, answer.refused) == ("", code)
