"""Do card, thread and private notices say at which terminal something was typed?"""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from activities.slack.card import Links, card
from activities.slack.refusals import notice
from activities.slack.thread import reply
from tests.unit.workflows.model.requests_that_wait import NOON, waiting
from workflows.model.errors import RefusalCode
from workflows.model.ports import ThreadEntry, ThreadKind
from workflows.model.requests import (
    Choice,
    Policy,
    RecordedDecision,
)
from workflows.model.state import CardRef, Refusal, RequestState, RequestStatus
from workflows.model.terminal import Terminal
from workflows.model.words import TYPED

HERE = Terminal(host="box-1", user="olga")
ROOT = Terminal(host="box-1", user="root", logged_in_as="petr")
APPROVED = RecordedDecision(
    decision_id="d",
    approver_id="UBOB",
    choice=Choice.APPROVE,
    comment="",
    source="terminal:1",
    decided_at=NOON,
    terminal=ROOT,
)
REJECTED = replace(APPROVED, choice=Choice.REJECT)
STATE = waiting(
    policy=Policy(name="p", labels={}, approvers=("UBOB",), required_approvals=2),
    card=CardRef(channel_id="C1", ts="1.0"),
    terminal=HERE,
)
BY_OLGA = "at the terminal of `box-1` by `olga`"
BY_ROOT = "at the terminal of `box-1` by `root` (logged in as `petr`)"


def _card(state: RequestState) -> str:
    _, blocks = card(state, Links(temporal_ui="", namespace=""), NOON)
    return json.dumps([block.to_dict() for block in blocks], ensure_ascii=False)


def test_the_card_says_where_it_was_asked_for_and_approved() -> None:
    """While it waits, and when it is decided."""
    waiting = _card(replace(STATE, decisions=(APPROVED,)))
    assert f"<@UALICE> {BY_OLGA}" in waiting
    assert f"✅ <@UBOB> {BY_ROOT}" in waiting
    decided = _card(replace(STATE, decisions=(APPROVED,), status=RequestStatus.EXPIRED))
    assert f"<@UALICE> {BY_OLGA} asked" in decided
    assert f"<@UBOB> {BY_ROOT}" in decided
    assert "terminal" not in _card(replace(STATE, terminal=None))


def test_the_card_says_where_it_was_cancelled() -> None:
    """Anybody at a terminal may have said to be the requester."""
    cancelled = replace(
        STATE,
        status=RequestStatus.CANCELLED,
        cancel_requested_by="UALICE",
        cancel_terminal=ROOT,
    )
    assert f"*Cancelled* by <@UALICE> {BY_ROOT}" in _card(cancelled)


@pytest.mark.parametrize("status", [RequestStatus.RUNNING, RequestStatus.PUT_BACK])
def test_the_card_says_where_it_was_cancelled_while_at_work(status: RequestStatus) -> None:
    """Before it takes effect, and after."""
    cancelled = replace(STATE, status=status, cancel_requested_by="UALICE", cancel_terminal=ROOT)
    assert f"<@UALICE> {BY_ROOT}" in _card(cancelled)


def test_the_thread_says_where_a_cancel_and_the_end_of_the_tries_were_typed() -> None:
    """Beside who it says to have been."""
    state = replace(STATE, cancel_terminal=ROOT, stop_trying_terminal=ROOT)
    for kind in (ThreadKind.CANCELLING, ThreadKind.GIVEN_UP):
        entry = ThreadEntry(key="k", kind=kind, user_id="UALICE", at=NOON)
        assert BY_ROOT in reply(state, entry).text


@pytest.mark.parametrize(
    ("decision", "kind"),
    [(APPROVED, ThreadKind.APPROVED), (REJECTED, ThreadKind.REJECTED)],
)
def test_the_thread_says_where_it_was_decided(decision: RecordedDecision, kind: ThreadKind) -> None:
    """Beside who it says to have been."""
    entry = ThreadEntry(key="k", kind=kind, user_id="UBOB", at=NOON)
    typed = reply(replace(STATE, decisions=(decision,)), entry).text
    assert BY_ROOT in typed
    clicked = reply(replace(STATE, decisions=(replace(decision, terminal=None),)), entry).text
    assert "terminal" not in clicked


@pytest.mark.parametrize("code", TYPED)
def test_whose_name_was_used_reads_why_it_does_not_count_and_where_it_was_typed(
    code: RefusalCode,
) -> None:
    """And what to do if it was somebody else."""
    told = notice(Refusal(code=code, detail=ROOT.words), STATE, command="/container")
    assert told.startswith("🚫 That did not count: ")
    assert "(at the terminal of box-1 by root (logged in as petr))" in told
    assert "It was given in your name. If that was not you, tell whoever runs Dockwarden" in told


def test_whose_request_was_refused_reads_where_it_was_typed() -> None:
    """The one in whose name it was asked may not know of it."""
    refused = Refusal(code=RefusalCode.UNKNOWN_CONTAINER)
    state = replace(STATE, status=RequestStatus.REJECTED, refusal=refused)
    assert f"asked for in your name {BY_OLGA}" in notice(refused, state, command="/container")
    in_slack = notice(refused, replace(state, terminal=None), command="/container")
    assert "terminal" not in in_slack
