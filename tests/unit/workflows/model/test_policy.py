"""Who may decide and who may cancel, and which policy was it?"""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.unit.workflows.model.requests_that_wait import NOON, waiting
from workflows.model import policy
from workflows.model.errors import RefusalCode
from workflows.model.requests import (
    Choice,
    Decision,
    Person,
    Policy,
    RecordedDecision,
)
from workflows.model.state import CardRef, RequestState, RequestStatus

POLICY = Policy(name="p", labels={}, approvers=("UBOB",), approver_groups=("SOPS",))
STATE = waiting(
    policy=POLICY,
    card=CardRef(channel_id="C1", ts="1.0"),
)
DECISION = Decision(
    decision_id="d",
    request_id="0123456789ab",
    approver_id="UBOB",
    team_id="T1",
    choice=Choice.APPROVE,
    source="card:C1:1.0",
)
BOB = Person(user_id="UBOB", team_id="T1")
MEMBER = Person(user_id="UMEM", team_id="T1", groups=("SOPS",))

VERDICTS = [
    # a listed approver; a member of a group; the group unknown; the group is another
    (STATE, DECISION, BOB, None),
    (STATE, replace(DECISION, approver_id="UMEM"), MEMBER, None),
    (
        STATE,
        replace(DECISION, approver_id="UMEM"),
        replace(MEMBER, groups=(), groups_known=False),
        RefusalCode.NOT_VERIFIED,
    ),
    (
        STATE,
        replace(DECISION, approver_id="UMEM"),
        replace(MEMBER, groups=("SDEV",)),
        RefusalCode.NOT_AN_APPROVER,
    ),
    # a listed approver counts while groups cannot be read
    (STATE, DECISION, replace(BOB, groups_known=False), None),
    # the look-up answered for another person than the one who decides
    (STATE, DECISION, MEMBER, RefusalCode.UNKNOWN_PERSON),
    (STATE, DECISION, replace(BOB, found=False), RefusalCode.UNKNOWN_PERSON),
    (STATE, DECISION, replace(BOB, team_id="T2"), RefusalCode.WRONG_TEAM),
    (STATE, DECISION, replace(BOB, deleted=True), RefusalCode.DEACTIVATED),
    (STATE, DECISION, replace(BOB, is_bot=True), RefusalCode.BOT),
    (STATE, DECISION, replace(BOB, is_guest=True), RefusalCode.GUEST),
    # the request: closed, another, another workspace, another card, one's own
    (replace(STATE, status=RequestStatus.RUNNING), DECISION, BOB, RefusalCode.NOT_OPEN),
    (STATE, replace(DECISION, request_id="f" * 12), BOB, RefusalCode.WRONG_REQUEST),
    (STATE, replace(DECISION, team_id="T2"), BOB, RefusalCode.WRONG_TEAM),
    (STATE, replace(DECISION, source="card:C1:2.0"), BOB, RefusalCode.WRONG_CARD),
    (STATE, replace(DECISION, source="form:C9:1.0"), BOB, RefusalCode.WRONG_CARD),
    (STATE, replace(DECISION, source="command"), BOB, None),
    (replace(STATE, requester="UBOB"), DECISION, BOB, RefusalCode.OWN_REQUEST),
    (replace(STATE, policy=None), DECISION, BOB, RefusalCode.NO_POLICY),
]


@pytest.mark.parametrize(("state", "decision", "person", "code"), VERDICTS)
def test_verdict(
    state: RequestState, decision: Decision, person: Person, code: RefusalCode | None
) -> None:
    """A decision counts, or is refused for exactly one reason."""
    refusal = policy.verdict(state, decision, person)
    assert (refusal.code if refusal else None) == code


def test_who_approved_may_still_reject() -> None:
    """A second approval of one person does not count; a change of mind to no does."""
    approved = RecordedDecision(
        decision_id="x",
        approver_id="UBOB",
        choice=Choice.APPROVE,
        comment="",
        source="",
        decided_at=NOON,
    )
    state = replace(STATE, decisions=(approved,))

    again = policy.verdict(state, DECISION, BOB)
    no = policy.verdict(state, replace(DECISION, choice=Choice.REJECT), BOB)

    assert again is not None
    assert again.code is RefusalCode.ALREADY_APPROVED
    assert no is None


@pytest.mark.parametrize(
    ("status", "who", "team", "allowed"),
    [
        (RequestStatus.WAITING, "UALICE", "T1", True),
        (RequestStatus.WAITING, "UALICE", "T2", False),
        (RequestStatus.WAITING, "UBOB", "T1", False),
        (RequestStatus.NEEDS_PERSON, "UALICE", "T1", True),
        (RequestStatus.NEEDS_PERSON, "UBOB", "T1", False),
    ],
)
def test_who_may_cancel(status: RequestStatus, who: str, team: str, *, allowed: bool) -> None:
    """The requester may cancel; nobody else who has not decided."""
    assert policy.may_cancel(replace(STATE, status=status), who, team) is allowed


def test_fingerprint_tells_policies_apart() -> None:
    """The audit names the exact policy that was applied."""
    assert policy.fingerprint(POLICY) == policy.fingerprint(replace(POLICY))
    assert policy.fingerprint(POLICY) != policy.fingerprint(replace(POLICY, required_approvals=2))
