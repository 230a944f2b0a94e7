"""What do the rules make of a request and of a decision?

Pure functions on stored facts and one fresh look-up: the same for every door (button, form,
command, terminal). They fail closed: what cannot be verified does not count.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, replace

from workflows.model.errors import RefusalCode
from workflows.model.image_reference import OWN_REFERENCES, is_within
from workflows.model.requests import (
    Choice,
    Decision,
    Instruction,
    Intent,
    LifecycleRequest,
    Person,
    Policy,
)
from workflows.model.state import Refusal, RequestState, RequestStatus
from workflows.model.terminal import Terminal, is_from_terminal


def fingerprint(policy: Policy) -> str:
    """Identify a policy's exact content, for the audit."""
    content = json.dumps(asdict(policy), sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:12]


def stranger(person: Person, request: LifecycleRequest) -> Refusal | None:
    """Refuse whoever nobody lets ask: only a guest may be let in by a policy, if named by id.

    What was not sealed as it has to be says nothing of anybody, so that comes first.
    """
    if person.refused is not None:
        return Refusal(code=person.refused)
    named = any(person.user_id in policy.requesters for policy in request.policies)
    rules = (
        (
            RefusalCode.UNKNOWN_PERSON,
            not person.found or person.user_id != request.requester,
        ),
        (RefusalCode.WRONG_TEAM, person.team_id != request.team_id),
        (RefusalCode.DEACTIVATED, person.deleted),
        (RefusalCode.BOT, person.is_bot),
        (RefusalCode.GUEST, person.is_guest and not named),
    )
    broken = next((code for code, applies in rules if applies), None)
    return None if broken is None else Refusal(code=broken)


def may_ask(person: Person, policy: Policy) -> Refusal | None:
    """Say whether a policy lets a person of the workspace ask; ``None`` says that it does."""
    if person.user_id in policy.requesters:
        return None
    if person.is_guest:
        return Refusal(code=RefusalCode.GUEST)
    if not policy.requesters and not policy.requester_groups:
        return None
    if set(person.groups) & set(policy.requester_groups):
        return None
    if policy.requester_groups and not person.groups_known:
        return Refusal(code=RefusalCode.NOT_VERIFIED)
    return Refusal(code=RefusalCode.NOT_A_REQUESTER)


def could_decide(policy: Policy, person: Person) -> bool:
    """Say whether somebody is one of those who decide by a policy; not whether about this."""
    is_member = person.found and not (person.deleted or person.is_bot or person.is_guest)
    return is_member and _refusal_by_membership(policy, person) is None


def may_name(policy: Policy, reference: str) -> bool:
    """Say whether a policy lets a requester give a snapshot this name."""
    return not policy.references or is_within(reference, policy.references)


def names_another_image(policy: Policy, reference: str) -> bool:
    """Say whether a name that nobody has ruled about may be that of an image people run."""
    return not policy.references and not is_within(reference, OWN_REFERENCES)


def possible_approvers(policy: Policy, members: Iterable[str], requester: str) -> set[str]:
    """Say who could decide: the named people and the groups' members, never the requester."""
    return ({*policy.approvers, *members}) - {requester}


def refusal_at_the_door(state: RequestState, decision: Decision) -> Refusal | None:
    """Refuse what needs no look-up to be refused.

    A card's own position is compared when the decision names one: a button that was copied from
    another card, or whose value was edited, decides nothing.
    """
    rules = (
        (RefusalCode.WRONG_REQUEST, decision.request_id != state.request_id),
        (RefusalCode.NOT_OPEN, state.status is not RequestStatus.WAITING),
        (RefusalCode.WRONG_TEAM, decision.team_id != state.team_id),
        (RefusalCode.WRONG_CARD, not _is_from_this_card(state, decision.source)),
        (RefusalCode.OWN_REQUEST, decision.approver_id == state.requester),
        (RefusalCode.OTHER_PLAN, _is_of_another_plan(state, decision)),
    )
    broken = next((code for code, applies in rules if applies), None)
    if broken is not None:
        return Refusal(code=broken)
    return _refusal_at_the_terminal(state, decision)


def refusal_without_look_up(state: RequestState, decision: Decision) -> Refusal | None:
    """Refuse whom no look-up could help: named by no policy that names people only, or counted."""
    policy = state.policy
    if policy is None:
        return Refusal(code=RefusalCode.NO_POLICY)
    if not policy.approver_groups and decision.approver_id not in policy.approvers:
        return Refusal(code=RefusalCode.NOT_AN_APPROVER)
    if decision.choice is Choice.APPROVE and any(
        approval.approver_id == decision.approver_id for approval in state.approvals
    ):
        return Refusal(code=RefusalCode.ALREADY_APPROVED)
    return None


def verdict(state: RequestState, decision: Decision, person: Person) -> Refusal | None:
    """Judge a decision on who the person is now; ``None`` says that it counts."""
    at_the_door = refusal_at_the_door(state, decision)
    if at_the_door is not None:
        return at_the_door
    if person.refused is not None:
        return Refusal(code=person.refused)
    if state.policy is None:
        return Refusal(code=RefusalCode.NO_POLICY)
    refusal = refusal_of_voter(person, decision, state.policy, team_id=state.team_id)
    approved_before = any(d.approver_id == person.user_id for d in state.approvals)
    if refusal is None and approved_before and decision.choice is Choice.APPROVE:
        return Refusal(code=RefusalCode.ALREADY_APPROVED)
    return refusal


def refusal_of_voter(
    person: Person, decision: Decision, policy: Policy, *, team_id: str
) -> Refusal | None:
    """Say why a person may not decide by a policy; ``None`` says that nothing is in the way.

    Who asked, and who approved before, the caller knows.
    """
    rules = (
        (RefusalCode.UNKNOWN_PERSON, not person.found or person.user_id != decision.approver_id),
        (RefusalCode.WRONG_TEAM, person.team_id != team_id),
        (RefusalCode.DEACTIVATED, person.deleted),
        (RefusalCode.BOT, person.is_bot),
        (RefusalCode.GUEST, person.is_guest),
    )
    broken = next((code for code, applies in rules if applies), None)
    if broken is not None:
        return Refusal(code=broken)
    return _refusal_by_membership(policy, person)


def quorum_reached(state: RequestState) -> bool:
    """Say whether enough people approved."""
    return state.policy is not None and len(state.approvals) >= state.policy.required_approvals


def may_cancel(state: RequestState, user_id: str, team_id: str) -> bool:
    """Say who may cancel: the requester; and whoever decided may end the tries to put back."""
    if team_id != state.team_id:
        return False
    if state.status is RequestStatus.NEEDS_PERSON:
        return user_id in {state.requester, *(d.approver_id for d in state.decisions)}
    return user_id == state.requester


def refusal_of_typed_instruction(state: RequestState, instruction: Instruction) -> Refusal | None:
    """Refuse what a terminal may not ask for; what comes from no terminal is not refused here.

    To cancel a request that waits touches nothing, whoever it was.
    """
    is_harmless = instruction.intent is Intent.CANCEL and state.status is RequestStatus.WAITING
    return None if is_harmless else refusal_of_terminal(state.policy, instruction)


def told_with_its_terminal(refusal: Refusal, act: Decision | Instruction) -> Refusal:
    """Add where it was typed: the person in whose name it was may not know of it."""
    terminal = named_terminal(act)
    return refusal if terminal is None else replace(refusal, detail=terminal.words)


def named_terminal(act: Decision | Instruction) -> Terminal | None:
    """Give the terminal where something was typed, if it has names that can be shown."""
    return act.terminal if act.terminal is not None and act.terminal.is_named else None


def _refusal_at_the_terminal(state: RequestState, decision: Decision) -> Refusal | None:
    """Refuse what a terminal may not decide, or what one human would decide twice at terminals."""
    refusal = refusal_of_terminal(state.policy, decision)
    if refusal is not None or decision.terminal is None:
        return refusal
    if decision.terminal.is_of_same_user(state.terminal):
        return Refusal(code=RefusalCode.OWN_TERMINAL)
    others = (d for d in state.approvals if d.approver_id != decision.approver_id)
    if decision.choice is Choice.APPROVE and any(
        decision.terminal.is_of_same_user(other.terminal) for other in others
    ):
        return Refusal(code=RefusalCode.SAME_TERMINAL_USER)
    return None


def refusal_of_terminal(policy: Policy | None, act: Decision | Instruction) -> Refusal | None:
    """Refuse what says that it came from a terminal, unless the policy lets terminals decide."""
    if act.terminal is None and not is_from_terminal(act.source):
        return None
    if policy is None or not policy.terminal_decides:
        return Refusal(code=RefusalCode.NOT_AT_A_TERMINAL)
    if named_terminal(act) is None:
        return Refusal(code=RefusalCode.UNNAMED_TERMINAL)
    return None


def _is_from_this_card(state: RequestState, source: str) -> bool:
    kind, _, position = source.partition(":")
    if kind not in ("card", "form"):
        return True
    return state.card is not None and position == f"{state.card.channel_id}:{state.card.ts}"


def _is_of_another_plan(state: RequestState, decision: Decision) -> bool:
    """Tell whether an approval is of something else than what would be done.

    A rejection changes nothing, and counts without a plan. So does an approval of what a release
    before has planned: its card shows none.
    """
    is_approval = decision.choice is Choice.APPROVE
    return is_approval and bool(state.plan_hash) and decision.plan_hash != state.plan_hash


def _refusal_by_membership(policy: Policy, person: Person) -> Refusal | None:
    if person.user_id in policy.approvers:
        return None
    if policy.approver_groups and not person.groups_known:
        return Refusal(code=RefusalCode.NOT_VERIFIED)
    if set(person.groups) & set(policy.approver_groups):
        return None
    return Refusal(code=RefusalCode.NOT_AN_APPROVER)
