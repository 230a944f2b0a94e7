"""Does a seal hold for what was sealed, as it arrives, and for nothing else?"""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from temporalio.converter import DataConverter

from workflows.model.errors import RefusalCode
from workflows.model.plan import DECISION_SEAL, INSTRUCTION_SEAL
from workflows.model.requests import Choice, Decision
from workflows.model.seal import NO_KEYS, SealKeys, content
from workflows.model.terminal import Terminal

OLD, NEW = SealKeys(("o" * 32,)), SealKeys(("n" * 32,))
BOTH = SealKeys((*NEW.keys, *OLD.keys))
DECISION = Decision(
    decision_id="d",
    request_id="0123456789ab",
    approver_id="UBOB",
    team_id="T1",
    choice=Choice.APPROVE,
    comment='"grüße" \u202e</script>',
    source="card:C1:1.0",
    sent_at=datetime(2026, 1, 1, 12, 0, 0, 1, tzinfo=UTC),
    terminal=Terminal(host="h", user="u"),
    plan_hash="a" * 64,
)
_OTHER: dict[str, Any] = {
    "choice": Choice.REJECT,
    "sent_at": datetime(2026, 1, 1, 12, 0, 0, 2, tzinfo=UTC),
    "terminal": None,
}


def test_a_seal_holds_for_what_arrives() -> None:
    """Temporal's converter writes and reads it; a time in another zone is the same time."""
    seal = OLD.seal(DECISION_SEAL, DECISION)
    converter = DataConverter.default.payload_converter
    (payload,) = converter.to_payloads([replace(DECISION, seal=seal)])
    (arrived,) = converter.from_payloads([payload], [Decision])
    assert OLD.refusal(arrived.seal, DECISION_SEAL, arrived) is None

    assert DECISION.sent_at is not None
    elsewhere = DECISION.sent_at.astimezone(timezone(timedelta(hours=5)))
    assert OLD.holds(seal, DECISION_SEAL, replace(DECISION, sent_at=elsewhere))


@pytest.mark.parametrize("name", [f.name for f in fields(Decision) if f.name != "seal"])
def test_each_field_is_sealed(name: str) -> None:
    """Whatever is altered, or left out, the seal no longer holds."""
    seal = OLD.seal(DECISION_SEAL, DECISION)
    altered = replace(DECISION, **{name: _OTHER.get(name, "other")})
    assert OLD.refusal(seal, DECISION_SEAL, altered) is RefusalCode.BAD_SEAL


def test_a_seal_serves_one_purpose() -> None:
    """Nor can two parts be taken for one."""
    assert not OLD.holds(OLD.seal(DECISION_SEAL, DECISION), INSTRUCTION_SEAL, DECISION)
    assert content("k", "a", "b") != content("k", "a b") != content("k", ("a", "b"))


def test_what_a_later_release_adds_breaks_no_seal() -> None:
    """A field at its default is not sealed: a sender that does not know it seals the same."""
    assert "terminal" not in content("k", replace(DECISION, terminal=None))


@pytest.mark.parametrize(
    ("verifier", "seal", "refusal"),
    [
        # the same key; both while one is replaced; another one
        (OLD, OLD.seal("k", "x"), None),
        (BOTH, OLD.seal("k", "x"), None),
        (BOTH, NEW.seal("k", "x"), None),
        (NEW, OLD.seal("k", "x"), RefusalCode.BAD_SEAL),
        # the new one seals; none at all; what is no seal
        (OLD, BOTH.seal("k", "x"), RefusalCode.BAD_SEAL),
        (OLD, NO_KEYS.seal("k", "x"), RefusalCode.NOT_SEALED),
        (OLD, "é" * 64, RefusalCode.BAD_SEAL),
        # nobody has a key; the other side has one
        (NO_KEYS, "", None),
        (NO_KEYS, OLD.seal("k", "x"), RefusalCode.SEAL_UNKNOWN),
    ],
)
def test_who_can_verify_what(verifier: SealKeys, seal: str, refusal: RefusalCode | None) -> None:
    """It fails closed on both sides, and the other key is known while one is replaced."""
    assert verifier.refusal(seal, "k", "x") is refusal


def test_no_key_shows() -> None:
    """Neither by itself, nor in its fingerprint; equal keys have equal fingerprints."""
    assert OLD.keys[0] not in repr(OLD) + OLD.fingerprint
    assert OLD.fingerprint == SealKeys(OLD.keys).fingerprint != NEW.fingerprint
    assert BOTH.fingerprint == f"{NEW.fingerprint}+{OLD.fingerprint}"
    assert NO_KEYS.fingerprint == ""
