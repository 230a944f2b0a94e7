"""Can a vote, or a permit, be had without the people that the policy asks for?"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from activities.slack import verifying
from tests.unit.workflows.model.test_plan import POLICY, STATE
from workflows.model.errors import RefusalCode
from workflows.model.plan import (
    DECISION_SEAL,
    PERMIT_SEAL,
    PLAN_SEAL,
    Ballot,
    Plan,
    Vote,
    permit_for,
    permit_parts,
    policy_digest,
)
from workflows.model.ports import LookUpInput
from workflows.model.requests import Choice, Decision, Person, Policy
from workflows.model.seal import NO_KEYS, SealKeys

KEYS = SealKeys(("k" * 32,))
TWO = replace(POLICY, approvers=("UBOB", "UCAROL"), required_approvals=2)
BOB, CAROL = (Person(user_id=user, team_id="T1") for user in ("UBOB", "UCAROL"))


def _plan(policy: Policy = TWO) -> Plan:
    plan = replace(STATE, policy=policy).plan
    assert plan is not None
    return plan


def _ballot(
    who: str = "UBOB",
    *,
    plan: Plan | None = None,
    sealed: Plan | None = None,
    sent_at: datetime | None = None,
    **changes: object,
) -> Ballot:
    plan = plan or _plan()
    plan_of = sealed or plan
    decision = Decision(
        decision_id="d",
        request_id=plan.request_id,
        approver_id=who,
        team_id="T1",
        choice=Choice.APPROVE,
        plan_hash=plan.hash,
        sent_at=sent_at or plan.asked_at,
    )
    ballot = Ballot(
        plan=plan,
        policy=TWO,
        plan_seal=KEYS.seal(PLAN_SEAL, plan_of.hash),
        decision=replace(decision, seal=KEYS.seal(DECISION_SEAL, decision)),
    )
    return replace(ballot, **changes)  # type: ignore[arg-type]  # fields of a ballot


def test_the_vote_that_makes_enough_brings_the_permit() -> None:
    """The first of two brings none; the second needs the first one's vote."""
    first = verifying.voter(KEYS, _ballot(), BOB, now=NOW)
    votes = (Vote(approver_id="UBOB", seal=first.vote),)
    second = verifying.voter(KEYS, _ballot("UCAROL", votes=votes), CAROL, now=NOW)

    assert (bool(first.vote), first.permit) == (True, "")
    permit = permit_for(_plan())
    assert KEYS.holds(second.permit, PERMIT_SEAL, *permit_parts(permit))


NOW = _plan().asked_at


def _votes(*voters: str, plan: Plan | None = None) -> tuple[Vote, ...]:
    return tuple(
        Vote(
            approver_id=who,
            seal=verifying.voter(
                KEYS,
                _ballot(who, plan=plan),
                Person(user_id=who, team_id="T1"),
                now=(plan or _plan()).asked_at,
            ).vote,
        )
        for who in voters
    )


def _timeless(who: str) -> Decision:
    bare = replace(_ballot(who).decision, sent_at=None, seal="")
    return replace(bare, seal=KEYS.seal(DECISION_SEAL, bare))


BOBS = _votes("UBOB")
WEAKER = replace(TWO, required_approvals=1)
OTHER_RUN = replace(_plan(), asked_at=_plan().asked_at.replace(year=2027))
WORTHLESS: dict[str, tuple[Any, ...]] = {
    "one's own vote twice": (_ballot(votes=BOBS), BOB),
    "a vote under another name": (
        _ballot(votes=(replace(BOBS[0], approver_id="UCAROL"),)),
        BOB,
    ),
    "a made-up vote": (_ballot("UCAROL", votes=(Vote(approver_id="UBOB", seal="0" * 64),)), CAROL),
    "a vote of another run of the same id": (
        _ballot("UCAROL", votes=_votes("UBOB", plan=OTHER_RUN)),
        CAROL,
    ),
    "a weaker policy": (_ballot(policy=WEAKER), BOB),
    "a weaker policy, in its own plan": (
        _ballot(plan=_plan(WEAKER), policy=WEAKER, sealed=_plan()),
        BOB,
    ),
    "a plan that nobody has sealed": (
        replace(_ballot("UCAROL", votes=BOBS), plan_seal=""),
        CAROL,
    ),
    "another container in a plan that is sealed": (
        _ballot(
            "UCAROL",
            plan=replace(_plan(), pin=replace(_plan().pin, container_id="d" * 64)),
            sealed=_plan(),
            votes=BOBS,
        ),
        CAROL,
    ),
    "an approval from before it was asked for": (
        _ballot("UCAROL", votes=BOBS, sent_at=NOW - timedelta(hours=1)),
        CAROL,
    ),
    "an approval from after it expired": (
        _ballot("UCAROL", votes=BOBS, sent_at=NOW + timedelta(hours=1)),
        CAROL,
        NOW + timedelta(hours=1),
    ),
    "an approval in time that was kept": (
        _ballot("UCAROL", votes=BOBS),
        CAROL,
        NOW + timedelta(days=1),
    ),
    "an approval of no time": (
        _ballot("UCAROL", votes=BOBS, decision=_timeless("UCAROL")),
        CAROL,
    ),
    "a plan whose policy is another one": (
        _ballot("UCAROL", plan=replace(_plan(), policy_digest=policy_digest(WEAKER)), votes=BOBS),
        CAROL,
    ),
    "no approver": (_ballot("UDAVE", votes=BOBS), Person(user_id="UDAVE", team_id="T1")),
    "somebody else than who is looked up": (_ballot("UCAROL", votes=BOBS), BOB),
    "a guest": (_ballot("UCAROL", votes=BOBS), replace(CAROL, is_guest=True)),
    "the requester": (
        _ballot("UCAROL", plan=replace(_plan(), requester="UCAROL"), votes=BOBS),
        CAROL,
    ),
    "a rejection": (
        _ballot(
            "UCAROL",
            votes=BOBS,
            decision=replace(_ballot("UCAROL").decision, choice=Choice.REJECT),
        ),
        CAROL,
    ),
}


@pytest.mark.parametrize("kind", WORTHLESS)
def test_nothing_else_brings_a_permit(kind: str) -> None:
    """Whoever calls the activity may say what they like."""
    ballot, person, *when = WORTHLESS[kind]
    now = when[0] if when else NOW
    assert verifying.voter(KEYS, ballot, person, now=now).permit == ""


def test_without_a_key_nothing_is_given() -> None:
    """And nothing is refused that comes without a seal."""
    ballot = _ballot()
    bare = replace(ballot, decision=replace(ballot.decision, seal=""))
    assert verifying.voter(NO_KEYS, bare, BOB) == BOB
    assert verifying.refusal(NO_KEYS, LookUpInput(user_id="UBOB", ballot=bare)) is None


@pytest.mark.parametrize(
    ("ballot", "code"),
    [
        (_ballot(), None),
        # of another run of the same request; for another request
        (replace(_ballot(), plan=OTHER_RUN), RefusalCode.OTHER_PLAN),
        (
            replace(_ballot(), plan=replace(_plan(), request_id="ba9876543210")),
            RefusalCode.WRONG_REQUEST,
        ),
    ],
)
def test_a_decision_is_about_this_plan(ballot: Ballot, code: RefusalCode | None) -> None:
    """A seal that holds is not enough: it must have been made for what is decided."""
    assert verifying.refusal(KEYS, LookUpInput(user_id="UBOB", ballot=ballot)) is code
