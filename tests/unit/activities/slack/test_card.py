"""Is every card complete, valid for Slack, and without a way to be misused?"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from activities.slack.card import card
from activities.slack.mrkdwn import Links
from tests.rigs.every_case import every_case
from tests.rigs.payload_rules import block_problems
from tests.unit.activities.slack.card_parts import (
    ALICE,
    BOB,
    CAROL,
    LINKS,
    NOW,
    PIN,
    WAITING,
    decision,
)
from tests.unit.activities.slack.card_states import STATES
from tests.unit.activities.slack.cards import DIRECTORY, read_out
from workflows.model.dependents import Dependents
from workflows.model.errors import ErrorType
from workflows.model.names import (
    ActionId,
    RequestAddress,
    card_block_id,
    indexed_name,
    parse_button_value,
    request_workflow_id,
)
from workflows.model.requests import ContainerRef, Fact, FactPlace, Mount
from workflows.model.state import Caution, CautionCode, PortMove, RequestState, RequestStatus

_LONG_NAME = "n" * 3000
_HOSTILE = [
    "<!channel> <!here> <!everyone>",
    "<@U0BOB0001> and <!subteam^S0OPSLEAD>",
    "<http://evil.example|your bank>",
    "`code` ```fence``` *bold* _it_ ~no~",
    "one\r\ntwo\u2028three\x0bfour",
    "\u202egnp.exe\u202c \u2066iso\u2069 \u200e",
    "bell\x07 null\x00 escape\x1b[31m surrogate\ud800",
    ":smile: &amp; &lt;b&gt;",
]


def drawn(state: RequestState) -> list[dict[str, Any]]:
    """Draw a card, as it is sent."""
    return [block.to_dict() for block in card(state, LINKS, NOW)[1]]


def worst_port() -> tuple[PortMove, ...]:
    """Give a port that leads to a container from as many ports as can be."""
    return (PortMove(port="65535/sctp", before=20 * (65535,), after=20 * (65534,)),)


def worst(state: RequestState) -> RequestState:
    """Make everything about a state as long as it can be."""
    people = tuple(f"U{n:030d}" for n in range(20))
    assert state.pin is not None
    assert state.policy is not None
    mounts = tuple(Mount(type="volume", destination=f"/{n}" + "m" * 250) for n in range(40))
    long_note = tuple(replace(step, note="x" * 500) for step in state.steps)
    pin = replace(state.pin, name=_LONG_NAME, image="i" * 500, mounts=mounts, facts=())
    required = len(state.approvals) + 1 if state.status is RequestStatus.WAITING else 20
    return replace(
        state,
        container=ContainerRef(host="h" * 63, name=_LONG_NAME),
        pin=replace(pin, restart_policy="r" * 300),
        policy=replace(
            state.policy,
            name="p" * 300,
            approvers=people,
            approver_groups=tuple(f"S{n:030d}" for n in range(20)),
            required_approvals=required,
        ),
        decisions=tuple(replace(d, comment="c" * 3000) for d in state.decisions)
        + tuple(decision(user) for user in people if state.approvals),
        reason="r" * 3000,
        reference="d" * 200 + ":" + "t" * 128,
        cautions=tuple(Caution(code=code, detail="d" * 500) for code in 40 * [*CautionCode]),
        down_seconds=state.down_seconds and 1e9,
        moved_ports=state.moved_ports and 20 * worst_port(),
        snapshot=state.snapshot and replace(state.snapshot, reference="d" * 200 + ":" + "t" * 128),
        workflow_id=request_workflow_id("h" * 63, _LONG_NAME),
        renamed=state.renamed and "o" * 3000,
        dependents=_many(state.dependents),
        cause_text=state.cause_text and "z" * 3000,
        restarted_since=True,
        attempts=10_000,
        steps=long_note,
    )


def _many(known: Dependents) -> Dependents:
    """Make as many of them as are remembered, each with as long a name as can be."""
    every = tuple(replace(one, name="d" * 3000) for one in 20 * known.found)[:20]
    return replace(known, found=every, more=10_000, unseen=10_000) if every else known


@every_case("name", STATES)
def test_every_card_reads_as_its_text_file_says(name: str) -> None:
    """A card that reads differently than agreed is noticed."""
    agreed = (DIRECTORY / f"{name}.txt").read_text(encoding="utf-8")
    assert read_out(STATES[name]) == agreed


def test_every_status_is_among_the_cards_that_are_tested() -> None:
    """A new status cannot come without a card."""
    assert {state.status for state in STATES.values()} == set(RequestStatus)


@every_case("name", STATES)
def test_slack_takes_every_card(name: str) -> None:
    """Each card keeps every limit of Block Kit."""
    assert block_problems(drawn(STATES[name])) == []


@every_case("name", STATES)
def test_slack_takes_every_card_when_everything_is_as_long_as_it_can_be(name: str) -> None:
    """Long names, many mounts, many approvers and a huge reason never break a card."""
    state = worst(STATES[name])
    assert block_problems(drawn(state)) == []
    text, _ = card(state, LINKS, NOW)
    assert len(text) < 1000


@every_case("name", STATES)
def test_every_card_can_be_found_again_by_its_first_block(name: str) -> None:
    """The first block carries the request's id, whatever the state."""
    state = STATES[name]
    assert drawn(state)[0]["block_id"] == card_block_id(state.request_id)


@every_case("name", STATES)
def test_a_button_carries_an_address_and_the_revision(name: str) -> None:
    """A button says which request it is for, and nothing that gives a right."""
    state = STATES[name]
    for block in drawn(state):
        if block["type"] == "actions":
            assert block["block_id"] == f"decide.{state.request_id}.{state.revision}"
            for button in block["elements"]:
                address = RequestAddress(
                    request_id=state.request_id,
                    host=state.container.host,
                    container=indexed_name(state.container.name),
                )
                assert parse_button_value(button["value"]) == address


_DECIDE = [
    ActionId.APPROVE,
    ActionId.APPROVE_WITH_COMMENT,
    ActionId.REJECT,
    ActionId.DETAILS,
    ActionId.CANCEL,
]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("pending", _DECIDE),
        ("pending-one-more", _DECIDE),
        ("rejected", []),
        ("expired", [ActionId.AGAIN]),
        ("cancelled", []),
        ("stale", [ActionId.AGAIN]),
        ("stale-gone", []),
        ("stale-recreated", [ActionId.AGAIN]),
        ("running", [ActionId.CANCEL]),
        ("cancelling", []),
        ("putting-back", []),
        ("succeeded", [ActionId.START_AGAIN]),
        ("succeeded-snapshot", []),
        ("start-pending", _DECIDE),
        ("start-running", [ActionId.CANCEL]),
        ("start-succeeded", []),
        ("start-put-back", [ActionId.AGAIN]),
        ("start-needs-person", [ActionId.TRY_NOW, ActionId.STOP_TRYING]),
        ("start-needs-person-given-up", []),
        ("restart-succeeded", []),
        ("put-back", [ActionId.AGAIN]),
        ("put-back-after-cancel", [ActionId.AGAIN]),
        ("queued", [ActionId.CANCEL]),
        ("failed", [ActionId.AGAIN]),
        ("needs-person", [ActionId.TRY_NOW, ActionId.STOP_TRYING]),
        ("needs-person-trying", [ActionId.TRY_NOW, ActionId.STOP_TRYING]),
        ("needs-person-gone", []),
        ("needs-person-gone-called", []),
        ("needs-person-owner-gone", []),
        ("failed-engine-silent", [ActionId.AGAIN]),
        ("needs-person-given-up", []),
    ],
)
def test_a_card_has_only_buttons_that_do_something(name: str, expected: list[ActionId]) -> None:
    """No state shows a dead button."""
    rows = [block["elements"] for block in drawn(STATES[name]) if block["type"] == "actions"]
    assert [button["action_id"] for row in rows for button in row] == expected


@pytest.mark.parametrize(
    ("name", "actions"),
    [
        ("pending", [ActionId.APPROVE, ActionId.CANCEL]),
        ("running", [ActionId.CANCEL]),
        ("needs-person", [ActionId.STOP_TRYING]),
        ("succeeded", []),
    ],
)
def test_what_cannot_be_taken_back_asks_first(name: str, actions: list[ActionId]) -> None:
    """Approving, withdrawing, cancelling while it works, and giving up ask whether one is sure."""
    row = next(block for block in drawn(STATES[name]) if block["type"] == "actions")
    asking = [element["action_id"] for element in row["elements"] if "confirm" in element]
    assert asking == actions


def test_to_stop_trying_says_what_it_leaves_behind() -> None:
    """Nobody ends the tries without having read that the container then stays down."""
    row = next(block for block in drawn(STATES["needs-person"]) if block["type"] == "actions")
    asked = row["elements"][1]["confirm"]["text"]["text"]
    assert "once more first" in asked
    assert "leaves it down" in asked


@pytest.mark.parametrize("text", _HOSTILE)
def test_what_people_type_stays_in_plain_text(text: str) -> None:
    """A reason or a comment can neither ping nor link nor format, nor turn the text around."""
    state = replace(STATES["rejected"], reason=text)
    rejection = decision(BOB, STATES["rejected"].decisions[0].choice, text)
    sent = [*drawn(replace(state, decisions=(rejection,))), *drawn(replace(WAITING, reason=text))]
    parts = [part for block in sent for part in (block.get("text"), *block.get("elements", []))]
    typed = [part for part in parts if part and part["type"] == "plain_text"]
    assert len(typed) == len(("why", "why it was asked", "why it is asked"))
    for part in typed:
        assert part["emoji"] is False
        assert not any(
            c in part["text"] for c in "\u202e\u202c\u2066\u200e\x07\x00\x1b\ud800\x0b\u2028\r"
        )
    marked_up = json.dumps([part for part in parts if part and part not in typed])
    assert "evil" not in marked_up
    assert "channel" not in marked_up
    notified, _ = card(replace(WAITING, reason=text), LINKS, NOW)
    assert not {"<!channel>", "<!here>", "<!subteam^S0OPSLEAD>", "<http"} & set(notified.split())


@pytest.mark.parametrize("image", ["a`b`<!channel>", "x&y<z>", "`", "<@U0BOB0001>", "a\nb"])
def test_the_names_of_machines_are_escaped(image: str) -> None:
    """An image name with odd characters cannot leave its inline code, nor mention anybody."""
    assert WAITING.pin is not None
    text = drawn(replace(WAITING, pin=replace(WAITING.pin, image=image)))[2]["text"]["text"]
    shown = text.partition(" · image ")[2].partition("\n*Snapshot*")[0]
    assert "<" not in shown
    assert "\n" not in shown
    assert shown.count("`") in (0, 2)


def test_a_long_reason_is_cut_and_says_so() -> None:
    """Nothing is left out in silence."""
    sent = drawn(replace(WAITING, reason="r" * 3000))
    reason = next(block for block in sent if block["block_id"].startswith("reason"))
    assert "more characters)" in reason["text"]["text"]


def test_many_mounts_and_approvers_are_counted() -> None:
    """A list that is cut says how many there are besides."""
    shown = read_out(worst(STATES["pending"]))
    assert "and 34 more" in shown
    assert "and 20 more" in shown


def test_facts_are_printed_as_they_come() -> None:
    """Whatever a provider tells is shown, escaped and bounded, in place of what it did not tell."""
    told = (
        Fact(label="pool", value="<!channel>"),
        Fact(label="no console", place=FactPlace.LOOK),
        Fact(label="disk", value="vdb", place=FactPlace.NOT_IN_SNAPSHOT),
    )
    shown = read_out(replace(WAITING, pin=replace(PIN, facts=told)))
    assert "running · pool `&lt;!channel&gt;` · image" in shown
    assert "without disk `vdb`" in shown
    assert "no console" not in shown
    assert "restart policy" not in shown
    many = tuple(Fact(label="l" * 500, value="v" * 500) for _ in range(100))
    long = replace(PIN, facts=(*many, *(replace(f, place=FactPlace.NOT_IN_SNAPSHOT) for f in many)))
    for block in drawn(replace(WAITING, pin=long)):
        assert len(json.dumps(block)) < 3000


def test_the_requester_is_not_called_to_decide() -> None:
    """The mention of the approvers leaves out who asked."""
    names = drawn(WAITING)[-1]["elements"][0]["text"]
    assert f"<@{ALICE}>" not in names
    assert names.startswith(f"May decide: <@{BOB}> or <@{CAROL}> until ")


def test_who_has_approved_is_not_called_again() -> None:
    """Whoever is still needed is named, and nobody else."""
    names = drawn(STATES["pending-one-more"])[-1]["elements"][0]["text"]
    assert names.startswith(f"✅ <@{BOB}> · still needed: <@{CAROL}> until ")


@pytest.mark.parametrize("user", ["alice", "U0BAD><!channel>", "", "u0alice"])
def test_what_is_no_user_id_is_never_a_mention(user: str) -> None:
    """A made-up id, which a terminal could send, mentions nobody."""
    sent = json.dumps(drawn(replace(STATES["cancelling"], cancel_requested_by=user or "x")))
    assert "<!channel>" not in sent
    assert f"<@{user}>" not in sent


@pytest.mark.parametrize(
    ("error", "shown"), [(ErrorType.NOT_RUNNING, True), (ErrorType.REFERENCE_TAKEN, False)]
)
def test_a_detail_is_shown_where_it_tells_more_than_the_words(
    error: ErrorType, shown: bool
) -> None:
    """A cause is not told twice, and its detail is plain text."""
    state = replace(STATES["put-back"], cause=error, cause_text="it ended <!here> with exit code 1")
    details = [b for b in drawn(state) if b["block_id"].startswith("cause")]
    assert bool(details) is shown
    assert all(e["type"] == "plain_text" for b in details for e in b["elements"])


def test_without_an_address_there_is_no_link() -> None:
    """Nobody is sent to an address that does not exist."""
    _, blocks = card(WAITING, Links(temporal_ui="", namespace="default"), NOW)
    assert "Temporal" not in json.dumps([block.to_dict() for block in blocks])


def test_a_deadline_on_another_day_tells_the_day() -> None:
    """A long wait is not mistaken for a short one."""
    foot = drawn(replace(WAITING, expires_at=NOW + timedelta(days=2)))[-1]["elements"][0]["text"]
    assert "until <!date^1772891460^{date_short_pretty} {time}|07 Mar 13:51 UTC>" in foot
