"""What do the rules make of a request and of a decision?

Pure functions on stored facts and one fresh look-up: the same for every door (button, form,
command, terminal). They fail closed: what cannot be verified does not count.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict

from workflows.model.errors import RefusalCode
from workflows.model.requests import Choice, Decision, Person, Policy
from workflows.model.state import Refusal, RequestState, RequestStatus


def choose(policies: Sequence[Policy], labels_met: Sequence[bool]) -> Policy | None:
    """Pick the first policy whose labels the container carries."""
    met = (policy for policy, fits in zip(policies, labels_met, strict=True) if fits)
    return next(met, None)


def fingerprint(policy: Policy) -> str:
    """Identify a policy's exact content, for the audit."""
    content = json.dumps(asdict(policy), sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:12]


def possible_approvers(policy: Policy, members: Iterable[str], requester: str) -> set[str]:
    """Say who could decide: the named people and the groups' members, never the requester."""
    return ({*policy.approvers, *members}) - {requester}


def refusal_at_the_door(state: RequestState, decision: Decision) -> Refusal | None:
    """Refuse what needs no look-up to be refused.

    A card's own position is compared when the decision names one: a button that was copied from
    another card, or whose value was edited, decides nothing.
    """
    if decision.request_id != state.request_id:
        return Refusal(code=RefusalCode.WRONG_REQUEST)
    if state.status is not RequestStatus.WAITING:
        return Refusal(code=RefusalCode.NOT_OPEN)
    if decision.team_id != state.team_id:
        return Refusal(code=RefusalCode.WRONG_TEAM)
    if not _is_from_this_card(state, decision.source):
        return Refusal(code=RefusalCode.WRONG_CARD)
    if decision.approver_id == state.requester:
        return Refusal(code=RefusalCode.OWN_REQUEST)
    return None


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
    approved_before = any(d.approver_id == person.user_id for d in state.approvals)
    rules = (
        (RefusalCode.UNKNOWN_PERSON, not person.found or person.user_id != decision.approver_id),
        (RefusalCode.WRONG_TEAM, person.team_id != state.team_id),
        (RefusalCode.DEACTIVATED, person.deleted),
        (RefusalCode.BOT, person.is_bot),
        (RefusalCode.GUEST, person.is_guest),
        (RefusalCode.ALREADY_APPROVED, approved_before and decision.choice is Choice.APPROVE),
    )
    broken = next((code for code, applies in rules if applies), None)
    if broken is not None:
        return Refusal(code=broken)
    return _refusal_by_membership(state.policy, person)


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


def _is_from_this_card(state: RequestState, source: str) -> bool:
    kind, _, position = source.partition(":")
    if kind not in ("card", "form"):
        return True
    return state.card is not None and position == f"{state.card.channel_id}:{state.card.ts}"


def _refusal_by_membership(policy: Policy | None, person: Person) -> Refusal | None:
    if policy is None:
        return Refusal(code=RefusalCode.NO_POLICY)
    if person.user_id in policy.approvers:
        return None
    if policy.approver_groups and not person.groups_known:
        return Refusal(code=RefusalCode.NOT_VERIFIED)
    if set(person.groups) & set(policy.approver_groups):
        return None
    return Refusal(code=RefusalCode.NOT_AN_APPROVER)
