"""Is a plan what the rules make of a wish, and not what somebody has put together?

Nothing that the caller says is believed: the start bears the seal of the door through which it
came, and what was seen of the container bears that of the docker worker which looked. The policy is
chosen anew by this worker's own book. So the seal of a plan says to whoever has the key that it is
the plan for this wish, by the policy that covers it; without it an approval brings no permit.
"""

from __future__ import annotations

from collections.abc import Sequence

from workflows.model.errors import RefusalCode
from workflows.model.plan import (
    LOOK_SEAL,
    PLAN_SEAL,
    START_SEAL,
    look_parts,
    policy_digest,
    start_parts,
)
from workflows.model.policy_ports import SealedPlan, SealPlanInput
from workflows.model.requests import Policy
from workflows.model.seal import SealKeys
from workflows.operations import catalog


def sealed(keys: SealKeys, candidates: Sequence[Policy], arg: SealPlanInput) -> SealedPlan:
    """Seal a plan, if it is right.

    ``candidates`` are the policies of the book that could apply to what the start asks for.
    """
    refused = keys.refusal(arg.start.seal, START_SEAL, *start_parts(arg.start))
    if refused is not None:
        return SealedPlan(refused=refused)
    plan = arg.plan
    seen = look_parts(plan.request_id, plan.container, plan.pin, arg.selectors, arg.selectors_met)
    if not keys.holds(arg.look_seal, LOOK_SEAL, *seen):
        return SealedPlan(refused=RefusalCode.LOOK_NOT_SEALED)
    if not (_is_of_start(arg) and _is_by_the_book(candidates, arg)):
        # The book may be another one than a moment ago.
        return SealedPlan(refused=RefusalCode.RULES_UNKNOWN)
    return SealedPlan(seal=keys.seal(PLAN_SEAL, plan.hash))


def _is_of_start(arg: SealPlanInput) -> bool:
    start, plan = arg.start, arg.plan
    return (
        catalog.find(start.operation.kind) is not None
        and plan.request_id == start.request_id
        and plan.requester == start.requester
        and plan.team_id == start.team_id
        and plan.container == start.container
        and plan.operation == catalog.as_judged(start.operation, plan.pin)
    )


def _is_by_the_book(candidates: Sequence[Policy], arg: SealPlanInput) -> bool:
    if tuple(policy.labels for policy in candidates) != arg.selectors:
        return False
    if len(arg.selectors_met) != len(candidates):
        return False
    chosen = catalog.choose(candidates, arg.plan.operation.kind, arg.selectors_met)
    return chosen is not None and policy_digest(chosen) == arg.plan.policy_digest
