"""Can this request be put before people, and what exactly will they decide about?"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError

from workflows import activity_options, failures, rules
from workflows.execution import steps
from workflows.looks import refusal_of_look
from workflows.model import policy, releases
from workflows.model.errors import RefusalCode
from workflows.model.image_reference import complete_reference
from workflows.model.policy_ports import FoundPolicies
from workflows.model.ports import (
    ContainersPort,
    DirectoryPort,
    GroupMembersInput,
    InspectInput,
    Inspection,
)
from workflows.model.requests import ContainerPin, LifecycleRequest, OperationSpec, Policy
from workflows.model.state import (
    Caution,
    CautionCode,
    Refusal,
    RequestState,
    RequestStatus,
    StepName,
)
from workflows.model.text import shows_nothing
from workflows.model.timing import DEFAULT_GRACE_SECONDS, MAX_GRACE_SECONDS
from workflows.operations import catalog
from workflows.request import asking
from workflows.request.asking import Asker


def first_state(request: LifecycleRequest) -> RequestState:
    """Begin the state of a request that has just come in."""
    operation, name = request.operation, request.container.name
    reference = complete_reference(operation.snapshot_ref, name, request.request_id)
    return RequestState(
        request_id=request.request_id,
        status=RequestStatus.WAITING,
        operation=operation,
        container=request.container,
        requester=request.requester,
        team_id=request.team_id,
        channel_id=request.channel_id,
        reason=request.reason,
        requested_at=workflow.now(),
        workflow_id=workflow.info().workflow_id,
        run_id=workflow.info().run_id,
        reference=reference if catalog.makes_image(operation) else "",
        terminal=request.terminal,
    )


async def plan(request: LifecycleRequest, state: RequestState) -> RequestState:
    """Find what could apply, inspect the container, see who asks, and lay out the steps.

    Returns:
        The state to draw the card of, or one with ``refusal`` set.
    """
    if not releases.judges_itself():
        return await _plan_by(request, state, None)
    found = await rules.candidates(request)
    if isinstance(found, Refusal):
        return _refused(state, found)
    # Whatever the starter brought along is no rule.
    return await _plan_by(replace(request, policies=found.policies), state, found)


async def _plan_by(
    request: LifecycleRequest, state: RequestState, found: FoundPolicies | None
) -> RequestState:
    """Plan it by the policies that stand in the request now.

    ``found`` is how they were found; ``None`` for a request of an earlier release, which brought
    them along.
    """
    inspection, asker = await _look(request, state)
    refusal = asker.refusal_by_any_policy() if asker is not None else None
    if refusal is not None:
        return _refused(state, refusal)
    if isinstance(inspection, Refusal):
        return _refused(state, inspection)
    pin = inspection.pin
    asked = catalog.as_judged(request.operation, pin)
    state = replace(state, operation=asked)
    pointless = catalog.operation_of(asked).refusal(asked, pin)
    if pointless is not None:
        detail = f"the container is {pin.state}"
        return _refused(state, Refusal(code=pointless, detail=detail))
    chosen = catalog.choose(request.policies, asked.kind, inspection.selectors_met)
    if chosen is None:
        return _refused(state, Refusal(code=RefusalCode.NO_POLICY))
    state = replace(state, policy=chosen, policy_hash=policy.fingerprint(chosen))
    refusal = await _refusal(request, state, chosen, asker, taken=inspection.reference_taken)
    if refusal is not None:
        return _refused(state, refusal)
    planned = replace(
        state,
        pin=pin,
        grace_seconds=_grace(request, pin),
        steps=steps.plan(asked, pin),
        cautions=(*_cautions(request, state, chosen), *inspection.cautions),
        dependents=inspection.dependents,
        earlier=asker.earlier if asker is not None else None,
        beside=asker.beside if asker is not None else 0,
        expires_at=workflow.now() + timedelta(seconds=chosen.expires_after_seconds),
    )
    return planned if found is None else await _sealed(request, planned, found, inspection)


async def _sealed(
    request: LifecycleRequest, planned: RequestState, found: FoundPolicies, seen: Inspection
) -> RequestState:
    """Bind decisions to the plan, and have it sealed where there is a key."""
    plan, chosen = planned.plan, planned.policy
    assert plan is not None  # noqa: S101 - what is planned has a container and a policy
    assert chosen is not None  # noqa: S101
    planned = replace(
        planned,
        plan_hash=plan.hash,
        book_hash=found.book_hash,
        policy_seal=found.seal_of(chosen),
    )
    if not planned.policy_seal:
        return planned
    sealed = await rules.seal(request, plan, found, seen)
    if sealed.refused is not None:
        return _refused(planned, Refusal(code=sealed.refused, detail=request.container.host))
    return replace(planned, plan_seal=sealed.seal)


async def _look(
    request: LifecycleRequest, state: RequestState
) -> tuple[Inspection | Refusal, Asker | None]:
    """Look at the one who asks, and at the container."""
    if releases.judges_itself():
        # One after the other: what is done in this process is done before a task comes back.
        asker = await asking.look_up(request)
        return asker.refusal_by_any_policy() or await _inspect(request, state), asker
    # In the history of a request of an earlier release nobody asked who asks.
    if not releases.knows("askers-are-judged"):
        return await _inspect(request, state), None
    return await asyncio.gather(_inspect(request, state), asking.look_up(request))


async def _inspect(request: LifecycleRequest, state: RequestState) -> Inspection | Refusal:
    arg = InspectInput(
        container=request.container,
        reference=state.reference,
        label_selectors=tuple(policy_.labels for policy_ in request.policies),
        operation=request.operation,
        request_id=request.request_id,
        knows_places=True,
    )
    try:
        inspection = await workflow.execute_activity_method(
            ContainersPort.inspect_container, arg, **activity_options.look(arg.container.host)
        )
    except ActivityError as error:
        if failures.is_cancellation(error):
            raise
        refusal = await refusal_of_look(error, arg.container.host)
        # Only a worker of an earlier release judges that itself, and it knows nothing of starts.
        judged_old = refusal.code is RefusalCode.ALREADY_STOPPED
        if judged_old and not catalog.leaves_down(request.operation):
            return Refusal(code=RefusalCode.OLD_WORKER, detail=arg.container.host)
        return refusal
    # The look of a request of an earlier release says nothing of queues.
    is_old = releases.knows("three-queues") and not inspection.three_queues
    if is_old or _lacks_starts(request.operation, inspection):
        return Refusal(code=RefusalCode.OLD_WORKER, detail=arg.container.host)
    return inspection


def _lacks_starts(operation: OperationSpec, inspection: Inspection) -> bool:
    """Say whether something is to be started, and the worker of the host does not know how."""
    return (
        not inspection.starts
        and catalog.has_step(StepName.START, operation, inspection.pin)
        # A request of an earlier release has its start done by what puts back.
        and releases.knows("start-is-a-step")
    )


async def _refusal(
    request: LifecycleRequest,
    state: RequestState,
    chosen: Policy,
    asker: Asker | None,
    *,
    taken: bool,
) -> Refusal | None:
    refusal = asker.refusal_by(chosen) if asker is not None else None
    if refusal is not None:
        return refusal
    if chosen.reason_required and _is_missing(request.reason):
        return Refusal(code=RefusalCode.REASON_REQUIRED, detail=chosen.name)
    if _is_named(request) and not policy.may_name(chosen, state.reference):
        return Refusal(code=RefusalCode.REFERENCE_OUTSIDE, detail=state.reference)
    if taken:
        return Refusal(code=RefusalCode.REFERENCE_TAKEN, detail=state.reference)
    return await _refusal_by_approvers(request, chosen)


def _is_missing(reason: str) -> bool:
    if not reason.strip():
        return True
    # A request of an earlier release may wait for approval with one that shows nothing.
    return shows_nothing(reason) and releases.knows("reason-that-shows")


async def _refusal_by_approvers(request: LifecycleRequest, chosen: Policy) -> Refusal | None:
    """Refuse a request that nobody could ever approve."""
    if len(policy.possible_approvers(chosen, (), request.requester)) >= chosen.required_approvals:
        return None
    members: tuple[str, ...] = ()
    if chosen.approver_groups:
        try:
            answer = await workflow.execute_activity_method(
                DirectoryPort.list_group_members,
                GroupMembersInput(groups=chosen.approver_groups),
                **activity_options.look_up("who could decide"),
            )
        except ActivityError as error:
            if failures.is_cancellation(error):
                raise
            return Refusal(code=RefusalCode.NOT_VERIFIED, detail=chosen.name)
        if not answer.known:
            return Refusal(code=RefusalCode.NOT_VERIFIED, detail=chosen.name)
        members = answer.user_ids
    able = policy.possible_approvers(chosen, members, request.requester)
    if len(able) >= chosen.required_approvals:
        return None
    return Refusal(code=RefusalCode.NO_ELIGIBLE_APPROVER, detail=chosen.name)


def _cautions(
    request: LifecycleRequest, state: RequestState, chosen: Policy
) -> tuple[Caution, ...]:
    """Say what people should know of the wish itself before they approve it."""
    said = []
    if state.operation.kind != request.operation.kind:
        said.append(Caution(code=CautionCode.ASKED_AS_START))
    if _is_named(request) and policy.names_another_image(chosen, state.reference):
        said.append(Caution(code=CautionCode.REFERENCE_OUTSIDE, detail=state.reference))
    return tuple(said)


def _is_named(request: LifecycleRequest) -> bool:
    """Say whether somebody chose the snapshot's name; the one that nobody chose is always right."""
    return catalog.makes_image(request.operation) and bool(request.operation.snapshot_ref)


def _grace(request: LifecycleRequest, pin: ContainerPin) -> int:
    """Pick the stop grace: what was asked for, what the container says, or Docker's default.

    To Docker a negative one means that it waits without end, and 0 that it kills at once.
    """
    if request.operation.grace_seconds is not None:
        return request.operation.grace_seconds
    own = pin.stop_timeout_seconds
    if own is None:
        return DEFAULT_GRACE_SECONDS
    return MAX_GRACE_SECONDS if own < 0 else min(own, MAX_GRACE_SECONDS)


def _refused(state: RequestState, refusal: Refusal) -> RequestState:
    return replace(state, status=RequestStatus.REJECTED, refusal=refusal)
