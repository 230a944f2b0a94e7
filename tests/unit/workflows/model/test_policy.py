"""The pure rules of the core: verdicts, references, time limits, the inbox."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from workflows.model import policy
from workflows.model.errors import RefusalCode
from workflows.model.image_reference import (
    complete_reference,
    default_reference,
    reference_problem,
    slug,
)
from workflows.model.names import RequestAddress, button_value, parse_button_value
from workflows.model.requests import (
    CancelRequest,
    Choice,
    ContainerRef,
    Decision,
    OperationKind,
    OperationSpec,
    Person,
    Policy,
    RecordedDecision,
)
from workflows.model.state import CardRef, RequestState, RequestStatus
from workflows.model.timing import MAX_GRACE_SECONDS, Timing
from workflows.request.review import Inbox, Received

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
POLICY = Policy(name="p", labels={}, approvers=("UBOB",), approver_groups=("SOPS",))
STATE = RequestState(
    request_id="0123456789ab",
    status=RequestStatus.WAITING,
    operation=OperationSpec(kind=OperationKind.STOP),
    container=ContainerRef(host="local", name="web-1"),
    requester="UALICE",
    team_id="T1",
    channel_id="C1",
    reason="",
    requested_at=NOON,
    workflow_id="request/local/web-1",
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


REFERENCES = [
    ("dockwarden/web-1:req-0123456789ab", True),
    ("registry.example:5000/team/web:1.2", True),
    ("localhost/web:x", True),
    ("web:x", True),
    ("UPPER/web:x", False),
    ("web", False),
    ("web:", False),
    ("web:-x", False),
    ("web:" + "x" * 129, False),
    ("web:x y", False),
    ("a" * 64 + ":x", False),  # 64 hexadecimal digits are an image id to Docker
    ("-web:x", False),
    ("we___b:x", False),
    ("web:../x", False),
    ("web@sha256:" + "0" * 64, False),
    ("sha256:x", False),
    ("x" * 201 + ":x", False),
    ('web:x" evil="1', False),
    ("web:x\nENTRYPOINT", False),
]


@pytest.mark.parametrize(("reference", "good"), REFERENCES)
def test_reference(reference: str, *, good: bool) -> None:
    """Bad references are found before the engine sees them."""
    assert (reference_problem(reference) == "") is good


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("web-1", "web-1"),
        ("A__b..C-", "a-b-c"),
        ("x" * 200, "x" * 60),
        ("a" * 59 + "-b", "a" * 59),
    ],
)
def test_slug_gives_a_valid_default_reference(name: str, expected: str) -> None:
    """Whatever a container is called, its default reference is valid."""
    assert slug(name) == expected
    assert reference_problem(default_reference(name, "0123456789ab")) == ""


@pytest.mark.parametrize(
    ("asked", "complete"),
    [
        (None, "dockwarden/web-1:req-0123456789ab"),
        ("team/web", "team/web:req-0123456789ab"),
        ("registry:5000/web", "registry:5000/web:req-0123456789ab"),
        ("team/web:1", "team/web:1"),
    ],
)
def test_missing_tag_becomes_the_requests_own(asked: str | None, complete: str) -> None:
    """A reference without a tag never becomes ``latest``."""
    assert complete_reference(asked, "web-1", "0123456789ab") == complete


def test_time_limits_fit_into_each_other() -> None:
    """The limits that ship pass their own check."""
    Timing().check()


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"stop_margin": 5}, "kill"),
        ({"stop_extra": 20}, "stop"),
        ({"commit_extra": 0}, "commit"),
        ({"heartbeat_interval": 9}, "heartbeat"),
    ],
)
def test_time_limits_that_do_not_fit_are_named(changes: dict[str, int], rule: str) -> None:
    """A limit that breaks the arithmetic stops the program at start, not a container at night."""
    with pytest.raises(ValueError, match=rule):
        Timing(**changes).check()


def test_longest_stop_fits() -> None:
    """Even the longest grace leaves room for the engine's own escalation."""
    timing = Timing()
    assert timing.stop_http(MAX_GRACE_SECONDS) < timing.stop_attempt(MAX_GRACE_SECONDS)


def test_inbox_takes_cancels_first_and_late_decisions_last() -> None:
    """The safe side goes first; what came in time goes before what came too late."""
    inbox = Inbox()
    late, early = NOON + timedelta(seconds=1), NOON - timedelta(seconds=1)
    cancel = CancelRequest(request_id="r", user_id="U", team_id="T")
    inbox.put(replace(DECISION, decision_id="late", sent_at=late), late)
    inbox.put(replace(DECISION, decision_id="early", sent_at=early), late)
    inbox.put(cancel, late)

    taken = [inbox.take(NOON), inbox.take(NOON), inbox.take(NOON)]

    names = [getattr(t.message, "decision_id", "cancel") for t in taken if t]
    assert names == ["cancel", "early", "late"]
    assert not inbox


@pytest.mark.parametrize(
    ("seen", "sent", "late"),
    [
        (-1, None, False),
        (1, None, True),
        (1, -1, False),  # an outage: sent in time, seen late
        (-1, 600, False),  # a fast clock of the sender costs nobody a decision
        (0, None, True),  # the deadline itself is too late
    ],
)
def test_lateness(seen: int, sent: int | None, *, late: bool) -> None:
    """Temporal's clock decides; the sender's only rescues."""
    sent_at = None if sent is None else NOON + timedelta(seconds=sent)
    received = Received(
        message=replace(DECISION, sent_at=sent_at), at=NOON + timedelta(seconds=seen)
    )
    assert received.is_late(NOON) is late


def test_button_value_round_trip() -> None:
    """A button's value is read back, and a forged one is refused."""
    address = RequestAddress(request_id="0123456789ab", host="local", container="web-1")
    value = button_value(address)
    assert parse_button_value(value) == address
    for forged in ("", "x", "0123456789ab local ../x", value + " more"):
        with pytest.raises(ValueError, match="button"):
            parse_button_value(forged)
