"""Does what was typed at a terminal count, and who sat there?"""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.unit.workflows.model.requests_that_wait import NOON, waiting
from workflows.model import policy
from workflows.model.errors import RefusalCode
from workflows.model.requests import (
    Choice,
    Decision,
    Instruction,
    Intent,
    Person,
    Policy,
    RecordedDecision,
)
from workflows.model.state import CardRef, Refusal, RequestState, RequestStatus
from workflows.model.terminal import Terminal, is_from_terminal

HERE = Terminal(host="box-1", user="olga")
OTHER = Terminal(host="box-1", user="petr")
LETS = Policy(name="p", labels={}, approvers=("UBOB", "UCAROL"), terminal_decides=True)
SAYS_NOTHING = replace(LETS, terminal_decides=False)
STATE = waiting(
    policy=LETS,
    card=CardRef(channel_id="C1", ts="1.0"),
)
TYPED = Decision(
    decision_id="d",
    request_id="0123456789ab",
    approver_id="UBOB",
    team_id="T1",
    choice=Choice.APPROVE,
    source="terminal:k",
    terminal=HERE,
)
NO = replace(TYPED, choice=Choice.REJECT)
BOB = Person(user_id="UBOB", team_id="T1")
INSTRUCTION = Instruction(
    request_id="0123456789ab", user_id="UALICE", team_id="T1", source="terminal", terminal=HERE
)


def _approved(by: str, terminal: Terminal | None) -> RequestState:
    given = RecordedDecision(
        decision_id="x",
        approver_id=by,
        choice=Choice.APPROVE,
        comment="",
        source="",
        decided_at=NOON,
        terminal=terminal,
    )
    return replace(STATE, decisions=(given,))


def _asked_at(terminal: Terminal) -> RequestState:
    return replace(STATE, terminal=terminal)


def _by(policy_: Policy | None) -> RequestState:
    return replace(STATE, policy=policy_)


DECISIONS = {
    "allowed": (STATE, TYPED, None),
    "a rejection is allowed": (STATE, NO, None),
    "the policy says nothing": (_by(SAYS_NOTHING), TYPED, RefusalCode.NOT_AT_A_TERMINAL),
    "nor is a rejection": (_by(SAYS_NOTHING), NO, RefusalCode.NOT_AT_A_TERMINAL),
    "no policy is known": (_by(None), TYPED, RefusalCode.NOT_AT_A_TERMINAL),
    "only its source tells": (
        _by(SAYS_NOTHING),
        replace(TYPED, terminal=None),
        RefusalCode.NOT_AT_A_TERMINAL,
    ),
    "only its terminal tells": (
        _by(SAYS_NOTHING),
        replace(TYPED, source="card:C1:1.0"),
        RefusalCode.NOT_AT_A_TERMINAL,
    ),
    "it names no terminal": (STATE, replace(TYPED, terminal=None), RefusalCode.UNNAMED_TERMINAL),
    "it names no user": (
        STATE,
        replace(TYPED, terminal=replace(HERE, user="")),
        RefusalCode.UNNAMED_TERMINAL,
    ),
    "it names what is no user": (
        STATE,
        replace(TYPED, terminal=replace(HERE, user="<!here>")),
        RefusalCode.UNNAMED_TERMINAL,
    ),
    "the same user asked": (_asked_at(HERE), TYPED, RefusalCode.OWN_TERMINAL),
    "the same user asked, and rejects": (_asked_at(HERE), NO, RefusalCode.OWN_TERMINAL),
    "the same user asked elsewhere": (
        _asked_at(replace(HERE, host="box-2")),
        TYPED,
        RefusalCode.OWN_TERMINAL,
    ),
    "the same user asked as root": (
        _asked_at(Terminal(host="box-1", user="root", logged_in_as="olga")),
        TYPED,
        RefusalCode.OWN_TERMINAL,
    ),
    "another user asked": (_asked_at(OTHER), TYPED, None),
    "the claimed one asked": (
        replace(STATE, requester="UBOB"),
        TYPED,
        RefusalCode.OWN_REQUEST,
    ),
    "the same user approved as another": (
        _approved("UCAROL", HERE),
        TYPED,
        RefusalCode.SAME_TERMINAL_USER,
    ),
    "the same user approved as another, and thinks better of it": (
        _approved("UCAROL", HERE),
        NO,
        None,
    ),
    "another user approved": (_approved("UCAROL", OTHER), TYPED, None),
    "somebody approved in Slack": (_approved("UCAROL", None), TYPED, None),
    "the same person approved at this terminal": (
        _approved("UBOB", HERE),
        TYPED,
        RefusalCode.ALREADY_APPROVED,
    ),
    "the claimed one approved in Slack": (
        _approved("UBOB", None),
        TYPED,
        RefusalCode.ALREADY_APPROVED,
    ),
    "another card's source": (
        STATE,
        replace(TYPED, source="card:C1:2.0"),
        RefusalCode.WRONG_CARD,
    ),
}


@pytest.mark.parametrize(("state", "decision", "code"), DECISIONS.values(), ids=DECISIONS.keys())
def test_a_decision_at_a_terminal(
    state: RequestState, decision: Decision, code: RefusalCode | None
) -> None:
    """It counts only where the policy says so, and one user of a machine counts once."""
    refusal = policy.verdict(state, decision, BOB)
    assert (refusal.code if refusal else None) == code


def test_a_decision_in_slack_is_as_before() -> None:
    """Whatever the policy says of terminals, and whoever typed the request."""
    decision = replace(TYPED, source="card:C1:1.0", terminal=None)
    for state in (STATE, _by(SAYS_NOTHING), _asked_at(HERE), _approved("UCAROL", HERE)):
        assert policy.verdict(state, decision, BOB) is None


def _at(status: RequestStatus, policy_: Policy | None = SAYS_NOTHING) -> RequestState:
    return replace(STATE, status=status, policy=policy_)


_REFUSED = RefusalCode.NOT_AT_A_TERMINAL
INSTRUCTIONS = [
    # to cancel what waits touches nothing
    (_at(RequestStatus.WAITING), Intent.CANCEL, HERE, None),
    (_at(RequestStatus.WAITING, None), Intent.CANCEL, HERE, None),
    (_at(RequestStatus.RUNNING), Intent.CANCEL, HERE, _REFUSED),
    (_at(RequestStatus.NEEDS_PERSON), Intent.CANCEL, HERE, _REFUSED),
    (_at(RequestStatus.NEEDS_PERSON), Intent.STOP_TRYING, HERE, _REFUSED),
    (_at(RequestStatus.NEEDS_PERSON), Intent.TRY_NOW, HERE, _REFUSED),
    (_at(RequestStatus.WAITING), Intent.STOP_TRYING, HERE, _REFUSED),
    # the source alone tells
    (_at(RequestStatus.RUNNING), Intent.CANCEL, None, _REFUSED),
    (_at(RequestStatus.RUNNING, LETS), Intent.CANCEL, HERE, None),
    (_at(RequestStatus.NEEDS_PERSON, LETS), Intent.STOP_TRYING, HERE, None),
    (_at(RequestStatus.NEEDS_PERSON, LETS), Intent.TRY_NOW, HERE, None),
    (_at(RequestStatus.RUNNING, LETS), Intent.CANCEL, None, RefusalCode.UNNAMED_TERMINAL),
]


@pytest.mark.parametrize(("state", "intent", "terminal", "code"), INSTRUCTIONS)
def test_an_instruction_at_a_terminal(
    state: RequestState, intent: Intent, terminal: Terminal | None, code: RefusalCode | None
) -> None:
    """It counts where a decision would, but for a cancel of what waits: that is the safe side."""
    instruction = replace(INSTRUCTION, intent=intent, terminal=terminal)
    refusal = policy.refusal_of_typed_instruction(state, instruction)
    assert (refusal.code if refusal else None) == code


def test_an_instruction_in_slack_is_not_judged_by_this() -> None:
    """A button and a slash command come from no terminal."""
    for source in ("card:C1:1.0", "command", ""):
        instruction = replace(INSTRUCTION, source=source, terminal=None)
        state = _at(RequestStatus.RUNNING)
        assert policy.refusal_of_typed_instruction(state, instruction) is None


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (HERE, HERE, True),
        (HERE, OTHER, False),
        (HERE, replace(HERE, host="box-2"), True),
        (HERE, Terminal(host="box-1", user="root", logged_in_as="olga"), True),
        (
            Terminal(host="box-1", user="root", logged_in_as="olga"),
            Terminal(host="box-1", user="root", logged_in_as="petr"),
            True,
        ),
        (OTHER, Terminal(host="box-1", user="root", logged_in_as="olga"), False),
        (HERE, None, False),
    ],
)
def test_who_may_be_one_human(one: Terminal, other: Terminal | None, *, same: bool) -> None:
    """A shared name tells, be it the user's or that of who logged in; the host does not."""
    assert one.is_of_same_user(other) is same


@pytest.mark.parametrize(
    ("source", "is_typed"),
    [
        ("terminal", True),
        ("terminal:4711", True),
        (" Terminal :x", True),
        ("card:C1:1.0", False),
        ("command", False),
        ("", False),
        ("a terminal", False),
    ],
)
def test_what_says_that_it_came_from_a_terminal(source: str, *, is_typed: bool) -> None:
    """The word before the colon, however it is written."""
    assert is_from_terminal(source) is is_typed


def test_a_refusal_tells_where_it_was_typed() -> None:
    """The person in whose name it was reads the host and the user; names that are none stay out."""
    refusal = Refusal(code=RefusalCode.NOT_AN_APPROVER)
    told = policy.told_with_its_terminal(refusal, TYPED)
    assert told.detail == "at the terminal of box-1 by olga"
    as_root = replace(TYPED, terminal=replace(HERE, user="root", logged_in_as="olga"))
    assert "by root (logged in as olga)" in policy.told_with_its_terminal(refusal, as_root).detail
    forged = replace(TYPED, terminal=replace(HERE, host="<!channel>"))
    for silent in (forged, replace(TYPED, terminal=None)):
        assert policy.told_with_its_terminal(refusal, silent) == refusal
