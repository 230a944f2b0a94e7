"""Did a process of ours send what a person is said to have sent, and what does that prove?

Whoever can write to Temporal's namespace can send anything in anybody's name, run a workflow of
their own and call the activity that looks people up. So nothing that the caller says is believed:
the decision bears the seal of the bot and the hash of the plan, the plan says by which policy, and
the policy bears the seal of who read it in the book. Only what fits together is a vote; and the
vote that makes enough of them is given a permit, without which no docker worker changes anything.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from workflows.model import policy as rules
from workflows.model.errors import RefusalCode
from workflows.model.plan import (
    DECISION_SEAL,
    INSTRUCTION_SEAL,
    PERMIT_SEAL,
    PLAN_SEAL,
    START_SEAL,
    VOTE_SEAL,
    Ballot,
    permit_for,
    permit_parts,
    policy_digest,
    start_parts,
    vote_parts,
)
from workflows.model.ports import LookUpInput
from workflows.model.requests import Choice, LifecycleRequest, Person
from workflows.model.seal import SealKeys
from workflows.model.timing import aware

#: So much later than it was asked for a request may be planned, and so wrong may a clock be.
_SLACK = timedelta(minutes=10)


def refusal(keys: SealKeys, arg: LookUpInput) -> RefusalCode | None:
    """Say why what came is not to be acted upon, whoever it is; ``None``: nothing is wrong."""
    if arg.start is not None:
        return _of_start(keys, arg.start)
    if arg.ballot is not None:
        return _of_ballot(keys, arg.ballot)
    if arg.instruction is not None:
        return keys.refusal(arg.instruction.seal, INSTRUCTION_SEAL, arg.instruction)
    return None


def voter(keys: SealKeys, ballot: Ballot, person: Person, *, now: datetime | None = None) -> Person:
    """Give a person the vote, and with the deciding one the permit, if this approval counts.

    A request that came in again under its id has another plan, for the plan says when it was asked
    for: so a decision that was sent for the first never counts for the second.
    """
    plan, plan_hash, decision = ballot.plan, ballot.plan.hash, ballot.decision
    counts = (
        bool(keys)
        and decision.choice is Choice.APPROVE
        and decision.approver_id != plan.requester
        and policy_digest(ballot.policy) == plan.policy_digest
        and keys.holds(ballot.plan_seal, PLAN_SEAL, plan_hash)
        and _is_in_time(ballot, now or datetime.now(UTC))
        and rules.refusal_of_terminal(ballot.policy, decision) is None
        and rules.refusal_of_voter(person, decision, ballot.policy, team_id=plan.team_id) is None
    )
    if not counts:
        return person
    parts = vote_parts(plan.request_id, plan_hash, decision.approver_id)
    person = replace(person, vote=keys.seal(VOTE_SEAL, *parts))
    if len(_voters(keys, ballot, plan_hash)) + 1 < ballot.policy.required_approvals:
        return person
    return replace(person, permit=keys.seal(PERMIT_SEAL, *permit_parts(permit_for(plan))))


def _of_start(keys: SealKeys, start: LifecycleRequest) -> RefusalCode | None:
    refused = keys.refusal(start.seal, START_SEAL, *start_parts(start))
    if refused is None and keys and start.sealed_at is None:
        return RefusalCode.NOT_SEALED
    return refused


def _of_ballot(keys: SealKeys, ballot: Ballot) -> RefusalCode | None:
    decision, plan = ballot.decision, ballot.plan
    refused = keys.refusal(decision.seal, DECISION_SEAL, decision)
    if refused is not None:
        return refused
    if decision.request_id != plan.request_id:
        return RefusalCode.WRONG_REQUEST
    if keys and decision.choice is Choice.APPROVE and decision.plan_hash != plan.hash:
        return RefusalCode.OTHER_PLAN
    return None


def _voters(keys: SealKeys, ballot: Ballot, plan_hash: str) -> set[str]:
    """Give who has approved before, by votes that hold; the requester never has."""
    request_id = ballot.plan.request_id
    return {
        vote.approver_id
        for vote in ballot.votes
        if vote.approver_id not in (ballot.plan.requester, ballot.decision.approver_id)
        and keys.holds(vote.seal, VOTE_SEAL, *vote_parts(request_id, plan_hash, vote.approver_id))
    }


def _is_in_time(ballot: Ballot, now: datetime) -> bool:
    """Say whether an approval may still count: one that was kept must bring no permit for ever.

    It was made while people could decide; and one that was sent in time counts for as long again.
    """
    sent_at, asked_at = ballot.decision.sent_at, ballot.plan.asked_at
    if sent_at is None:
        return False
    wait = timedelta(seconds=ballot.policy.expires_after_seconds)
    return asked_at - _SLACK <= aware(sent_at) <= asked_at + wait + _SLACK and now <= (
        asked_at + 2 * wait + 2 * _SLACK
    )
