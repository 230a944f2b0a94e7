"""What does the policy book of the control workers say about a request, or about a container?

A workflow has no book: the worker that carries it on has one, and what that said is kept in the
history. What is not answered allows nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from temporalio import workflow
from temporalio.exceptions import ApplicationError, FailureError

from workflows import activity_options, failures
from workflows.model.errors import RefusalCode
from workflows.model.plan import Plan
from workflows.model.policy_ports import (
    ExplainInput,
    FindPoliciesInput,
    FoundPolicies,
    PolicyPort,
    ReadableInput,
    SealedPlan,
    SealPlanInput,
)
from workflows.model.ports import DirectoryPort, Inspection, LookUpInput
from workflows.model.requests import ContainerRef, LifecycleRequest, OperationSpec, Policy
from workflows.model.state import Refusal
from workflows.operations import catalog


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """The policy by which operations of these kinds are asked for; ``None``: nobody may ask."""

    kinds: tuple[str, ...]
    policy: Policy | None = None

    def covers(self, kind: str) -> bool:
        """Whether operations of this kind are asked for by it."""
        return kind in self.kinds


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Somebody who wants to read what was typed in a request, of which this is stored."""

    user_id: str
    team_id: str
    request_id: str
    container: ContainerRef
    policy: Policy
    policy_seal: str = ""


async def candidates(request: LifecycleRequest) -> FoundPolicies | Refusal:
    """Find the policies that could apply to a request, or say why none can be found."""
    arg = FindPoliciesInput(
        request_id=request.request_id, kind=request.operation.kind, container=request.container
    )
    try:
        found = await workflow.execute_local_activity_method(
            PolicyPort.find_policies, arg, **activity_options.find_policies()
        )
    except FailureError as error:
        if failures.is_cancellation_at_once(error):
            raise
        if isinstance(error, ApplicationError) and error.type == RefusalCode.BOOKS_DIFFER:
            return Refusal(code=RefusalCode.BOOKS_DIFFER, detail=error.message)
        if isinstance(error, ApplicationError) and error.type == RefusalCode.BOOK_UNREADABLE:
            return Refusal(code=RefusalCode.BOOK_UNREADABLE)
        workflow.logger.warning(
            "the rules are not known", extra={"error_type": str(failures.error_type(error))}
        )
        return Refusal(code=RefusalCode.RULES_UNKNOWN)
    return found if found.policies else Refusal(code=RefusalCode.NO_POLICY)


async def seal(
    request: LifecycleRequest, plan: Plan, found: FoundPolicies, seen: Inspection
) -> SealedPlan:
    """Have a plan sealed by who has the key, or hear why it is not."""
    arg = SealPlanInput(
        start=replace(request, policies=()),
        plan=plan,
        selectors=tuple(policy_.labels for policy_ in found.policies),
        selectors_met=seen.selectors_met,
        look_seal=seen.seal,
    )
    try:
        return await workflow.execute_local_activity_method(
            PolicyPort.seal_plan, arg, **activity_options.find_policies()
        )
    except FailureError as error:
        if failures.is_cancellation_at_once(error):
            raise
        return SealedPlan(refused=RefusalCode.RULES_UNKNOWN)


async def explained(container: ContainerRef) -> FoundPolicies | None:
    """Find the policies that could apply to a container; ``None`` when that is not known now."""
    try:
        return await workflow.execute_local_activity_method(
            PolicyPort.explain,
            ExplainInput(container=container),
            **activity_options.explain_policies(),
        )
    except FailureError as error:
        if failures.is_cancellation_at_once(error):
            raise
        return None


def rules_of(found: FoundPolicies, inspection: Inspection) -> tuple[Rule, ...]:
    """Say by which policy each operation is asked for that makes sense for a container now."""
    rules: list[Rule] = []
    for operation in catalog.OPERATIONS:
        spec = OperationSpec(kind=operation.kind, snapshot=operation.always_snapshots)
        if operation.refusal(spec, inspection.pin) is not None:
            continue
        kind = catalog.as_judged(spec, inspection.pin).kind
        chosen = catalog.choose(found.policies, kind, inspection.selectors_met)
        alike = next((rule for rule in rules if rule.policy == chosen), None)
        if alike is None:
            rules.append(Rule(kinds=(operation.kind,), policy=chosen))
        else:
            grown = Rule(kinds=(*alike.kinds, operation.kind), policy=chosen)
            rules[rules.index(alike)] = grown
    return tuple(rules)


async def may_read(reader: Reader) -> bool | None:
    """Say whether somebody is one of those who could decide, as Slack knows them now.

    ``None`` when that could not be found out: then nothing is shown, and nobody is turned away.
    """
    try:
        person = await workflow.execute_activity_method(
            DirectoryPort.look_up_person,
            LookUpInput(user_id=reader.user_id, groups=reader.policy.approver_groups),
            **activity_options.look_up_reader(),
        )
        answer = await workflow.execute_local_activity_method(
            PolicyPort.readable,
            ReadableInput(
                request_id=reader.request_id,
                team_id=reader.team_id,
                container=reader.container,
                policy=reader.policy,
                policy_seal=reader.policy_seal,
                person=person,
            ),
            **activity_options.explain_policies(),
        )
    except FailureError as error:
        if failures.is_cancellation_at_once(error):
            raise
        return None
    is_sure = person.groups_known or not reader.policy.approver_groups
    return True if answer.shown else (False if is_sure else None)
